package import Basics

/// A filter of `images` that docker does not have.
package enum ImageCondition: Sendable, Hashable {
    /// `size>100MB` or `size<1GB`: the size of the unpacked layers, in bytes.
    case size(isMore: Bool, bytes: Int64)
    /// `created>7d` for images older than 7 days, `created<1h` for images younger than an hour.
    case created(isBefore: Bool, Timestamp)
    /// `layer=ID`: the beginning of a layer's diff ID, or of its blob's digest.
    case layer(String)
    /// `base=IMAGE`: other images that have all layers of that image as their lowest layers.
    case base(String)

    /// Reads a comparison; `nil` for a text that is not a comparison.
    ///
    /// Throws `invalid` for a size or a time that cannot be read.
    init?(comparing text: String, now: Timestamp) throws(ShaleError) {
        guard let place = text.firstIndex(where: { "=<>".contains($0) }), text[place] != "=" else { return nil }
        let isMore = text[place] == ">"
        let value = String(text[text.index(after: place)...].filter { $0 != " " })
        switch text[..<place].filter({ $0 != " " }).lowercased() {
        case "size":
            guard let bytes = TypedSize.bytes(value) else {
                throw ShaleError(.invalid, "Invalid filter '\(text)'", hint: "--filter 'size>100MB'")
            }
            self = .size(isMore: isMore, bytes: bytes)
        case "created": self = .created(isBefore: isMore, try Timestamp(typed: value, now: now))
        default: return nil
        }
    }
}
