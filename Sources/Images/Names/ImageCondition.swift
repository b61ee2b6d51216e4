package import Basics

/// A filter of `images` that docker has not: a comparison, or what an image consists of.
package enum ImageCondition: Sendable, Hashable {
    /// `size>100MB`, `size<1GB`: bytes of its unpacked layers.
    case size(isMore: Bool, bytes: Int64)
    /// `created>7d` is older than that, `created<1h` younger.
    case created(isBefore: Bool, Timestamp)
    /// `layer=ID`: the beginning of a layer's diff ID, or of its blob's digest.
    case layer(String)
    /// `base=IMAGE`: what stands on all layers of that image, and is another.
    case base(String)

    /// Reads a comparison; `nil` for a text that is none.
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
