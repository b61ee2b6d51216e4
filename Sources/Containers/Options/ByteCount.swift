import Basics

/// Sizes as docker's flags take them (`docker/go-units` RAMInBytes): binary units, `64m`, `1.5GiB`, `512`.
package enum ByteCount {
    /// Bytes, or `nil` for what is no size (negative ones too).
    package static func parse(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits), number >= 0, number.isFinite else { return nil }
        var unit = text.dropFirst(digits.count).lowercased()
        if unit.hasPrefix(" ") { unit.removeFirst() }
        if unit.hasSuffix("ib"), unit.count == 3 {
            unit.removeLast(2)
        } else if unit.hasSuffix("b") {
            unit.removeLast()
        }
        guard let power = ["", "k", "m", "g", "t", "p"].firstIndex(of: unit) else { return nil }
        let bytes = number * Double(Int64(1) << (10 * Int64(power)))
        return bytes < Double(Int64.max) ? Int64(bytes) : nil
    }

    /// The value of a size flag, or docker's refusal.
    static func parse(_ text: String, flag: String) throws(ShaleError) -> Int64 {
        guard let bytes = parse(text) else {
            throw ShaleError(
                .usage, "invalid argument \"\(text)\" for \"\(flag)\" flag", cause: "invalid size: '\(text)'")
        }
        return bytes
    }
}
