/// Random identifiers as docker makes them: 64 hexadecimal digits, shown as the first 12.
package enum Identifier {
    /// A new identifier of 32 random bytes.
    ///
    /// Never one whose first 12 digits are all decimal: docker avoids those too, because tools read them as numbers.
    package static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        while true {
            let id = (0..<4).map { _ in hex(generator.next()) }.joined()
            if id.prefix(12).contains(where: { !$0.isNumber }) { return id }
        }
    }

    /// The first 12 digits, without a `sha256:` in front.
    package static func short(_ id: String) -> String {
        let digits = id.firstIndex(of: ":").map { id[id.index(after: $0)...] } ?? id[...]
        return String(digits.prefix(12))
    }

    /// Whether a text is a whole identifier: 64 lower-case hexadecimal digits.
    package static func isWhole(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 64 && text.hasOnlyLowercaseHexDigits
    }

    /// A text with the first 12 digits of every identifier in it: of every run of 64 hexadecimal digits.
    package static func shortened(in text: String) -> String {
        var kept: [UInt8] = []
        var run = 0
        for byte in Array(text.utf8) + [0] {
            if byte.isLowercaseHexDigit {
                run += 1
            } else {
                if run == 64 { kept.removeLast(52) }
                run = 0
            }
            kept.append(byte)
        }
        return String(decoding: kept.dropLast(), as: UTF8.self)
    }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
