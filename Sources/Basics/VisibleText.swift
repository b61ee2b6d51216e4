/// Text from outside, made safe to print: a file name or a server's words cannot drive the terminal.
extension String {
    /// The same text with control characters (C0 but tab, DEL, C1, bidirectional overrides) written as escapes.
    package var visible: String {
        guard unicodeScalars.contains(where: { $0.isHiddenControl }) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar {
            case "\n": text += "\\n"
            case "\r": text += "\\r"
            case "\u{1b}": text += "\\e"
            case _ where scalar.isHiddenControl:
                let digits = String(scalar.value, radix: 16)
                text += scalar.value < 0x100 ? "\\x" + (digits.count < 2 ? "0" : "") + digits : "\\u{\(digits)}"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isHiddenControl: Bool {
        switch value {
        case 0x09: false
        case 0..<0x20, 0x7f..<0xa0: true
        case 0x200e, 0x200f, 0x202a...0x202e, 0x2066...0x2069: true
        default: false
        }
    }
}
