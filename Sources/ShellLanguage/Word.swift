/// One word of a command line, as typed: what is literal, what was quoted, what stands for something else.
///
/// A word is not text yet: ``Expansion`` makes text of it, once it is known which variables exist.
package struct Word: Sendable, Equatable {
    /// A stretch of a word whose characters were all quoted the same way.
    package enum Part: Sendable, Equatable {
        /// Text as it is; `quoted` text is never a pattern and never a tilde.
        case literal(String, quoted: Bool)
        /// `$name` or `${name}`; `source` is how it was written, for when it is to be left alone.
        case variable(name: String, source: String, quoted: Bool)
        /// `$(commands)`: the text between the parentheses.
        case substitution(text: String, quoted: Bool)
    }

    package var parts: [Part]
    /// The word as it stands in the line, quotes and all.
    package var source: String

    package init(parts: [Part], source: String) {
        self.parts = parts
        self.source = source
    }

    /// A word of plain text.
    package init(_ text: String) {
        self.init(parts: [.literal(text, quoted: false)], source: text)
    }

    /// The text of a word that was typed without quotes and holds no variable; `nil` for any other.
    ///
    /// Verbs, operators and the spellings of other tools are only recognised in such words.
    package var plain: String? {
        if parts.count == 1, case .literal(let text, false) = parts[0] { return text }
        return nil
    }

    /// Whether it is `NAME=…`, as the host's shell sets a variable for one command.
    var isSetting: Bool {
        guard case .literal(let text, false)? = parts.first, let equals = text.firstIndex(of: "=") else { return false }
        return String(text[..<equals]).isAssignableName
    }

    /// The last word of a line, for Alt-.; `nil` where there is none.
    ///
    /// A quote that is open at the end hides the words behind it.
    package static func last(in line: String) -> Word? {
        var scanner = LineScanner(line)
        var last: Word?
        while !scanner.isAtEnd {
            guard (try? scanner.skipBlanks()) != nil else { break }
            guard let word = try? scanner.word() else { break }
            if word.parts.isEmpty { scanner.position += 1 } else { last = word }
        }
        return last
    }

    /// The text of a word without any variable, quotes removed; `nil` when something has to be looked up.
    package var constant: String? {
        var text = ""
        for part in parts {
            guard case .literal(let piece, _) = part else { return nil }
            text += piece
        }
        return text
    }
}
