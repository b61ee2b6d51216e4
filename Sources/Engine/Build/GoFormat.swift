/// Go's `%q` and `%v`, in which docker writes instructions into an image's history.
enum GoFormat {
    /// `["a" "b"]`.
    static func quoted(_ words: [String]) -> String { "[" + words.map(quoted).joined(separator: " ") + "]" }

    /// `[a b]`.
    static func plain(_ words: [String]) -> String { "[" + words.joined(separator: " ") + "]" }

    /// A word in double quotes, as `strconv.Quote` writes it.
    static func quoted(_ word: String) -> String {
        var out = "\""
        for scalar in word.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case "\u{07}": out += "\\a"
            case "\u{08}": out += "\\b"
            case "\u{0B}": out += "\\v"
            case "\u{0C}": out += "\\f"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: out += "\\x" + hex(scalar.value, 2)
            case _ where !isPrintable(scalar):
                out += scalar.value > 0xFFFF ? "\\U" + hex(scalar.value, 8) : "\\u" + hex(scalar.value, 4)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    /// An integer as a quoted character: `'\x03'`.
    static func quotedCharacter(_ value: Int) -> String {
        switch value {
        case 7: "'\\a'"
        case 8: "'\\b'"
        case 9: "'\\t'"
        case 10: "'\\n'"
        case 11: "'\\v'"
        case 12: "'\\f'"
        case 13: "'\\r'"
        case 0..<32: "'\\x" + hex(UInt32(value), 2) + "'"
        default: Unicode.Scalar(UInt32(clamping: value)).map { "'\(Character($0))'" } ?? "'\u{FFFD}'"
        }
    }

    /// A duration of nanoseconds as `time.Duration` prints it: `1m30s`, `1.5s`, `0s`.
    static func duration(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0s" }
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        if magnitude < 1000 { return "\(sign)\(magnitude)ns" }
        if magnitude < 1_000_000 { return sign + decimal(magnitude, over: 1000) + "\u{B5}s" }
        if magnitude < 1_000_000_000 { return sign + decimal(magnitude, over: 1_000_000) + "ms" }
        let minutes = magnitude / 60_000_000_000
        let seconds = decimal(magnitude % 60_000_000_000, over: 1_000_000_000) + "s"
        if minutes == 0 { return sign + seconds }
        return sign + (minutes >= 60 ? "\(minutes / 60)h\(minutes % 60)m" : "\(minutes)m") + seconds
    }

    private static func decimal(_ value: UInt64, over unit: UInt64) -> String {
        var fraction = value % unit
        guard fraction > 0 else { return "\(value / unit)" }
        var width = String(unit).count - 1
        while fraction % 10 == 0 {
            fraction /= 10
            width -= 1
        }
        let digits = String(fraction)
        return "\(value / unit)." + String(repeating: "0", count: width - digits.count) + digits
    }

    private static func hex(_ value: UInt32, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        case .spaceSeparator: scalar == " "
        default: true
        }
    }
}
