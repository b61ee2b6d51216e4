import Basics

/// Source text while it is being read: random access, and `\r\n` stays two.
typealias Scalars = [Unicode.Scalar]

extension String {
    init(_ scalars: some Sequence<Unicode.Scalar>) {
        var view = UnicodeScalarView()
        view.append(contentsOf: scalars)
        self.init(view)
    }

    /// The text before the first `separator`, and the text after it; the second is `nil` when there is no separator.
    func cut(at separator: Unicode.Scalar) -> (before: String, after: String?) {
        guard let index = unicodeScalars.firstIndex(of: separator) else { return (self, nil) }
        return (String(unicodeScalars[..<index]), String(unicodeScalars[unicodeScalars.index(after: index)...]))
    }

    /// The text without white space at either end.
    var trimmed: String { String(unicodeScalars.trimmed) }
}

extension BidirectionalCollection<Unicode.Scalar> {
    /// The part without white space at either end.
    var trimmed: SubSequence {
        guard let first = firstIndex(where: { !$0.isSpace }), let last = lastIndex(where: { !$0.isSpace }) else {
            return self[endIndex...]
        }
        return self[first...last]
    }

    /// The part without white space before it.
    var trimmedLeft: SubSequence { drop(while: \.isSpace) }

    /// The line without its ending.
    var withoutNewline: SubSequence {
        guard let last = lastIndex(where: { $0 != "\n" && $0 != "\r" }) else { return self[..<startIndex] }
        return self[...last]
    }
}

extension JSONDocument {
    /// The value that a text is, whole; `nil` if it is not JSON.
    init?(_ text: some Sequence<Unicode.Scalar>) {
        do throws(ShaleError) {
            self = try JSONDocument(parsing: String(text).utf8, naming: "")
        } catch {
            return nil
        }
    }
}

extension Unicode.Scalar {
    /// Whether Unicode calls it white space.
    var isSpace: Bool {
        isASCII ? value == 0x20 || (0x09...0x0d).contains(value) : properties.isWhitespace
    }

    /// The white space that separates words of an instruction: on one line, ASCII.
    var isWordSeparator: Bool {
        switch self {
        case " ", "\t", "\u{0b}", "\u{0c}", "\r": true
        default: false
        }
    }

    var isDigit: Bool {
        isASCII ? (0x30...0x39).contains(value) : properties.generalCategory == .decimalNumber
    }

    var isLetter: Bool {
        if isASCII { return (0x41...0x5a).contains(value) || (0x61...0x7a).contains(value) }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return false
        }
    }
}

/// Words between ASCII blanks, at most `limit` of them (the last takes the rest as it stands).
func splitAtBlanks(_ text: some Collection<Unicode.Scalar>, limit: Int = .max) -> [String] {
    var words: [String] = []
    var rest = Array(text)[...]
    while words.count < limit - 1, let end = rest.firstIndex(where: \.isWordSeparator) {
        words.append(String(rest[..<end]))
        rest = rest[end...].drop(while: \.isWordSeparator)
    }
    words.append(String(rest))
    return words
}
