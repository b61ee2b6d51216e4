/// Sizes as a person types them: `100MB`, `1.5GiB`, `4096`.
package enum TypedSize {
    private static let units: [(name: String, bytes: Double)] = [
        ("", 1), ("b", 1), ("k", 1e3), ("kb", 1e3), ("m", 1e6), ("mb", 1e6), ("g", 1e9), ("gb", 1e9), ("t", 1e12),
        ("tb", 1e12), ("kib", 1024), ("mib", 1_048_576), ("gib", 1_073_741_824), ("tib", 1_099_511_627_776),
    ]

    /// The bytes of a size, decimal units as listings print them; `nil` for what is none.
    package static func bytes(_ text: String) -> Int64? {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        var unit = text.dropFirst(number.count).lowercased()
        while unit.first == " " { unit.removeFirst() }
        guard let value = Double(number), let factor = units.first(where: { $0.name == unit })?.bytes,
            value * factor < 9e18
        else { return nil }
        return Int64(value * factor)
    }
}
