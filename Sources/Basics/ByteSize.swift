/// Sizes as people write them (`docker/go-units`), for `-m 512m`, `--shm-size`, `--limit`, log options and filters.
package enum ByteSize {
    /// What a `k` is worth.
    package enum Base: Double, Sendable {
        /// 1000: what is counted or sold in thousands, such as files and logs (`units.FromHumanSize`).
        case decimal = 1000
        /// 1024: memory (`units.RAMInBytes`).
        case binary = 1024
    }

    /// Bytes of `32`, `64m`, `.3 MB`, `1.5GiB`.
    ///
    /// - Throws: `invalid` for anything else, negative numbers included.
    package static func bytes(_ text: String, _ base: Base) throws(ShaleError) -> Int64 {
        try bytes(parsing: text, base: base.rawValue)
    }

    /// The same of an option's value.
    ///
    /// - Throws: `usage` with docker's words about the option.
    package static func bytes(_ text: String, _ base: Base, flag: String) throws(ShaleError) -> Int64 {
        do throws(ShaleError) {
            return try bytes(text, base)
        } catch {
            throw ShaleError(
                .usage, "invalid argument \"\(text.visible)\" for \"\(flag)\" flag", cause: error.message)
        }
    }

    private static func bytes(parsing text: String, base: Double) throws(ShaleError) -> Int64 {
        let invalid = ShaleError(.invalid, "invalid size: '\(text.visible)'")
        // Digits, a dot, a sign, then perhaps one space and a unit: everything before the last digit, dot or space.
        guard let split = text.lastIndex(where: { ("0"..."9").contains($0) || $0 == "." || $0 == " " }) else {
            throw invalid
        }
        var number = text[...split]
        let unit = text[text.index(after: split)...].lowercased()
        if number.last == " " { number.removeLast() }
        guard let value = decimalNumber(number), value >= 0, let scale = scale(of: unit, base: base) else {
            throw invalid
        }
        let bytes = value * scale
        guard bytes < 9.2e18 else { throw invalid }
        return Int64(bytes)
    }

    /// A number of digits with at most one dot and a sign; no exponent, no blanks.
    private static func decimalNumber(_ text: Substring) -> Double? {
        let digits = text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text
        guard digits.contains(where: \.isASCIIDigit), digits.count(where: { $0 == "." }) <= 1,
            digits.allSatisfy({ $0.isASCIIDigit || $0 == "." })
        else { return nil }
        let whole = digits.hasPrefix(".") ? "0" + digits : String(digits)
        guard let value = Double(whole.hasSuffix(".") ? whole + "0" : whole) else { return nil }
        return text.hasPrefix("-") ? -value : value
    }

    private static func scale(of unit: String, base: Double) -> Double? {
        let letters = ["", "k", "m", "g", "t", "p"]
        let stem: Substring
        if unit.isEmpty || unit == "b" { return 1 }
        if unit.hasSuffix("ib") {
            stem = unit.dropLast(2)
        } else if unit.hasSuffix("b") {
            stem = unit.dropLast()
        } else {
            stem = unit[...]
        }
        guard !stem.isEmpty, let power = letters.firstIndex(of: String(stem)) else { return nil }
        return (0..<power).reduce(1) { scale, _ in scale * base }
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
