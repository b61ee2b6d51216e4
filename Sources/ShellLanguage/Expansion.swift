package import Basics

/// Makes text of words: variables looked up, substitutions run, quotes gone.
///
/// A separate step after parsing, because it needs to know what exists, and because what an unknown variable means
/// depends on the place: after the image of `run` it belongs to the container's shell.
package struct Expansion {
    /// What becomes of `$name` when there is no such variable.
    package enum Unknown: Sendable, Equatable {
        /// An error that names it: a mistyped `rm $nmae` must not become `rm`.
        case fail
        /// It stays as written, for someone else to expand.
        case keep
        /// Nothing, as in the host's shell.
        case empty
    }

    /// One word as a command gets it.
    package struct Argument: Sendable, Equatable {
        package var text: String
        /// The same as a pattern, quoted characters escaped with `\`; `nil` without an unquoted `*`, `?` or `[`.
        package var pattern: String?

        package init(_ text: String, pattern: String? = nil) {
            self.text = text
            self.pattern = pattern
        }
    }

    /// The value of a variable; `nil` when there is none.
    package var lookup: (String) -> String?
    /// Runs the commands of `$(…)` and returns what they print; `nil` when they are not shale's.
    ///
    /// Throws what the commands throw.
    package var substitute: (String) throws(ShaleError) -> String?
    /// All names, for a suggestion.
    package var names: [String]
    /// What a leading unquoted `~` stands for.
    package var home: String?
    /// The unknown variables that were kept, in order, for a hint.
    package private(set) var kept: [String] = []

    package init(
        lookup: @escaping (String) -> String?,
        substitute: @escaping (String) throws(ShaleError) -> String? = { (_) throws(ShaleError) in nil },
        names: [String] = [], home: String? = nil
    ) {
        self.lookup = lookup
        self.substitute = substitute
        self.names = names
        self.home = home
    }

    /// Expands all words of a command.
    ///
    /// An unquoted variable of several lines becomes several arguments, an unquoted `$(…)` one for each blank-separated
    /// word, and either becomes none when it is empty and stands alone.
    /// - Parameters:
    ///   - words: The words, the verb first.
    ///   - unknown: What an unknown variable in the word of that index means.
    /// - Returns: The arguments, the verb first.
    /// - Throws: `usage` for an unknown variable where that is an error; whatever a substitution throws.
    package mutating func arguments(
        _ words: [Word], unknown: (Int) -> Unknown = { _ in .fail }
    ) throws(ShaleError) -> [Argument] {
        var arguments: [Argument] = []
        for (index, word) in words.enumerated() {
            arguments += try self.arguments(word, unknown: unknown(index))
        }
        return arguments
    }

    /// Expands one word into one text, never split: a file name, a value, a here-document.
    ///
    /// Throws `usage` for a variable that is not set and for a substitution that is no command of shale's, unless
    /// `unknown` allows it; and what the command of a substitution throws.
    package mutating func text(_ word: Word, unknown: Unknown = .fail) throws(ShaleError) -> String {
        var text = ""
        for (index, part) in word.parts.enumerated() {
            switch part {
            case .literal(let piece, let quoted): text += tilde(piece, quoted: quoted, isFirst: index == 0)
            case .variable, .substitution: text += try value(of: part, unknown: unknown).text
            }
        }
        return text
    }

    // MARK: One word

    private mutating func arguments(_ word: Word, unknown: Unknown) throws(ShaleError) -> [Argument] {
        var fields = Fields()
        for (index, part) in word.parts.enumerated() {
            switch part {
            case .literal(let piece, let quoted):
                fields.append(tilde(piece, quoted: quoted, isFirst: index == 0), quoted: quoted, isPattern: !quoted)
            case .variable(_, _, let quoted), .substitution(_, let quoted):
                let (value, isKnown) = try value(of: part, unknown: unknown)
                if quoted || !isKnown {
                    fields.append(value, quoted: quoted || !value.isEmpty, isPattern: false)
                } else if case .variable = part {
                    fields.split(value) { $0 == "\n" }
                } else {
                    fields.split(value) { $0.isBlank || $0 == "\n" }
                }
            }
        }
        return fields.arguments
    }

    /// The value of a variable or substitution, and whether it is one: a kept one is its own source.
    private mutating func value(
        of part: Word.Part, unknown: Unknown
    ) throws(ShaleError) -> (text: String, isKnown: Bool) {
        switch part {
        case .literal(let text, _): return (text, true)
        case .variable(let name, let source, _):
            if let value = lookup(name) { return (value, true) }
            return (try missing(name, source: source, unknown: unknown), unknown == .empty)
        case .substitution(let text, _):
            if let value = try substitute(text) { return (value.droppingFinalNewlines, true) }
            return (try missing("(\(text))", source: "$(\(text))", unknown: unknown), unknown == .empty)
        }
    }

    private mutating func missing(
        _ name: String, source: String, unknown: Unknown
    ) throws(ShaleError) -> String {
        switch unknown {
        case .empty: return ""
        case .keep:
            kept.append(source)
            return source
        case .fail:
            if name.hasPrefix("(") {
                throw ShaleError(.usage, "\(source.visible): not a command of shale's", hint: "quote it: '\(source)'")
            }
            let near = Suggestion.nearest(to: name, among: names).first.map { "did you mean $\($0)?" }
            throw ShaleError(.usage, "$\(name): no such variable", hint: near ?? "\(name) = VALUE")
        }
    }

    private func tilde(_ text: String, quoted: Bool, isFirst: Bool) -> String {
        guard isFirst, !quoted, let home, text == "~" || text.hasPrefix("~/") else { return text }
        return home + text.dropFirst()
    }
}

/// The arguments that one word turns into.
private struct Fields {
    private(set) var finished: [Expansion.Argument] = []
    private var text = ""
    private var pattern = ""
    private var hasPattern = false
    /// Whether there is an argument under way: an empty quoted one counts, an empty value does not.
    private var isOpen = false

    var arguments: [Expansion.Argument] {
        var copy = self
        copy.close()
        return copy.finished
    }

    mutating func append(_ piece: String, quoted: Bool, isPattern: Bool) {
        if quoted || !piece.isEmpty { isOpen = true }
        text += piece
        for scalar in piece.unicodeScalars {
            let isSpecial = scalar == "*" || scalar == "?" || scalar == "["
            if isSpecial, isPattern { hasPattern = true }
            if isSpecial || scalar == "\\", !isPattern { pattern += "\\" }
            pattern.unicodeScalars.append(scalar)
        }
    }

    mutating func split(_ value: String, at isSeparator: (Unicode.Scalar) -> Bool) {
        let scalars = value.unicodeScalars
        var piece = String.UnicodeScalarView()
        for scalar in scalars {
            if isSeparator(scalar) {
                append(String(piece), quoted: false, isPattern: false)
                piece = String.UnicodeScalarView()
                close()
            } else {
                piece.append(scalar)
            }
        }
        append(String(piece), quoted: false, isPattern: false)
    }

    private mutating func close() {
        if isOpen { finished.append(Expansion.Argument(text, pattern: hasPattern ? pattern : nil)) }
        text = ""
        pattern = ""
        hasPattern = false
        isOpen = false
    }
}

extension String {
    fileprivate var droppingFinalNewlines: String {
        var scalars = unicodeScalars
        while scalars.last == "\n" || scalars.last == "\r" { scalars.removeLast() }
        return String(scalars)
    }
}
