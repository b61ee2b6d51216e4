import Basics

/// Ends the scan of a text that needs more lines, or that no further line can mend.
enum LineStop: Error {
    case incomplete(Incomplete)
    case failure(ShaleError)
}

/// A position in a text being read, with the lines counted.
///
/// Works on Unicode scalars: that is what libedit counts columns of a line in, and `\r\n` stays two of them.
struct LineScanner {
    let scalars: [Unicode.Scalar]
    var position = 0

    init(_ text: String) {
        // Pasted from a Windows file: the CR of a CR LF is not part of any command.
        var kept: [Unicode.Scalar] = []
        let source = Array(text.unicodeScalars)
        kept.reserveCapacity(source.count)
        for (index, scalar) in source.enumerated() {
            if scalar == "\r", index + 1 == source.count || source[index + 1] == "\n" { continue }
            kept.append(scalar)
        }
        scalars = kept
    }

    var isAtEnd: Bool { position >= scalars.count }
    var current: Unicode.Scalar? { peek(0) }

    func peek(_ offset: Int) -> Unicode.Scalar? {
        let index = position + offset
        return index >= 0 && index < scalars.count ? scalars[index] : nil
    }

    func starts(with text: String) -> Bool {
        var index = position
        for scalar in text.unicodeScalars {
            guard index < scalars.count, scalars[index] == scalar else { return false }
            index += 1
        }
        return true
    }

    mutating func skip(_ text: String) -> Bool {
        guard starts(with: text) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    func text(_ range: Range<Int>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars[range])
        return String(text)
    }

    func text(from start: Int) -> String { text(start..<max(start, position)) }

    /// Passes blanks and `\`-newline pairs, but no newline of its own.
    mutating func skipBlanks() throws(LineStop) {
        while let scalar = current {
            if scalar.isBlank {
                position += 1
            } else if scalar == "\\", peek(1) == "\n" {
                position += 2
            } else if scalar == "\\", peek(1) == nil {
                throw .incomplete(.continuation)
            } else {
                return
            }
        }
    }

    /// Passes the rest of the line; stops before its newline.
    mutating func skipToLineEnd() {
        while let scalar = current, scalar != "\n" { position += 1 }
    }

    /// Reads up to the end of the line and passes its newline; `nil` at the end of the text.
    mutating func takeLine() -> String? {
        guard !isAtEnd else { return nil }
        let start = position
        skipToLineEnd()
        let line = text(from: start)
        if !isAtEnd { position += 1 }
        return line
    }
}

// MARK: - Words

extension LineScanner {
    /// Reads one word; empty parts when there is none here.
    mutating func word() throws(LineStop) -> Word {
        let start = position
        var parts = WordParts()
        while let scalar = current, !scalar.endsWord {
            switch scalar {
            case "'": parts.append(try singleQuoted(), quoted: true)
            case "\"": try doubleQuoted(into: &parts)
            case "\\": try escaped(into: &parts)
            case "$": try dollar(into: &parts, quoted: false)
            case "`": parts.append(.substitution(text: try backquoted(), quoted: false))
            default:
                parts.append(scalar)
                position += 1
            }
        }
        return Word(parts: parts.finished(), source: text(from: start))
    }

    private mutating func singleQuoted() throws(LineStop) -> String {
        position += 1
        let start = position
        while let scalar = current {
            if scalar == "'" {
                let content = text(from: start)
                position += 1
                return content
            }
            position += 1
        }
        throw .incomplete(.singleQuote)
    }

    private mutating func doubleQuoted(into parts: inout WordParts) throws(LineStop) {
        position += 1
        parts.append("", quoted: true)
        while let scalar = current {
            switch scalar {
            case "\"":
                position += 1
                return
            case "\\":
                guard let next = peek(1) else { throw .incomplete(.doubleQuote) }
                position += 2
                if next == "\n" { continue }
                let isEscape = next == "$" || next == "\"" || next == "\\" || next == "`"
                parts.append(isEscape ? String(next) : "\\" + String(next), quoted: true)
            case "$": try dollar(into: &parts, quoted: true)
            case "`": parts.append(.substitution(text: try backquoted(), quoted: true))
            default:
                parts.append(String(scalar), quoted: true)
                position += 1
            }
        }
        throw .incomplete(.doubleQuote)
    }

    /// Reads a command between backquotes, the older way to write `$(…)`, and returns it.
    ///
    /// A backslash in it stands before a character only where that is `$`, another backquote or a backslash.
    mutating func backquoted() throws(LineStop) -> String {
        position += 1
        var content = String.UnicodeScalarView()
        while let scalar = current {
            position += 1
            if scalar == "`" { return String(content) }
            if scalar == "\\", let next = current, next == "$" || next == "`" || next == "\\" {
                position += 1
                content.append(next)
            } else {
                content.append(scalar)
            }
        }
        throw .incomplete(.backquote)
    }

    private mutating func escaped(into parts: inout WordParts) throws(LineStop) {
        guard let next = peek(1) else { throw .incomplete(.continuation) }
        position += 2
        if next != "\n" { parts.append(String(next), quoted: true) }
    }

    /// Reads what a `$` starts: a variable, a substitution, or just the character.
    mutating func dollar(into parts: inout WordParts, quoted: Bool) throws(LineStop) {
        let start = position
        position += 1
        if starts(with: "((") {
            // Arithmetic belongs to another shell: it is passed on as written.
            parts.append("$", quoted: quoted)
        } else if current == "(" {
            let content = try parenthesised()
            parts.append(.substitution(text: content, quoted: quoted))
        } else if current == "{" {
            try braced(from: start, into: &parts, quoted: quoted)
        } else if let name = variableName() {
            parts.append(.variable(name: name, source: text(from: start), quoted: quoted))
        } else {
            parts.append("$", quoted: quoted)
        }
    }

    private mutating func variableName() -> String? {
        guard let first = current else { return nil }
        let start = position
        if first.isVariableStart {
            while let scalar = current, scalar.isVariableContinuation { position += 1 }
        } else if first.isDigit || first == "?" || first == "#" || first == "@" {
            position += 1
        } else {
            return nil
        }
        return text(from: start)
    }

    /// `${name}`; anything else in braces (`${name:-word}`) is some other shell's and stays as written.
    private mutating func braced(
        from start: Int, into parts: inout WordParts, quoted: Bool
    ) throws(LineStop) {
        position += 1
        let nameStart = position
        while let scalar = current, scalar != "}", scalar != "\n" { position += 1 }
        guard current == "}" else {
            if isAtEnd { throw .incomplete(.variable) }
            throw .failure(ShaleError(.usage, "syntax error", cause: "${ without } on the same line"))
        }
        let name = text(from: nameStart)
        position += 1
        if name.isVariableName {
            parts.append(.variable(name: name, source: text(from: start), quoted: quoted))
        } else {
            parts.append(text(from: start), quoted: quoted)
        }
    }

    /// Reads `(…)` with nesting and quotes, and returns what stands inside.
    private mutating func parenthesised() throws(LineStop) -> String {
        position += 1
        let start = position
        var depth = 1
        while let scalar = current {
            switch scalar {
            case "'": _ = try singleQuoted()
            case "\"":
                var ignored = WordParts()
                try doubleQuoted(into: &ignored)
            case "\\": position = min(position + 2, scalars.count)
            case "(":
                depth += 1
                position += 1
            case ")":
                depth -= 1
                if depth == 0 {
                    let content = text(from: start)
                    position += 1
                    return content
                }
                position += 1
            default: position += 1
            }
        }
        throw .incomplete(.substitution)
    }
}

/// The parts of a word under construction; neighbours of one kind become one.
struct WordParts {
    private var parts: [Word.Part] = []
    /// The literal text that is being gathered, in a place of its own, so that a letter more does not copy it.
    private var text = ""
    private var isQuoted: Bool?

    mutating func append(_ scalar: Unicode.Scalar) { append(String(scalar), quoted: false) }

    mutating func append(_ text: String, quoted: Bool) {
        if isQuoted != quoted { endLiteral() }
        isQuoted = quoted
        self.text += text
    }

    mutating func append(_ part: Word.Part) {
        endLiteral()
        parts.append(part)
    }

    private mutating func endLiteral() {
        guard let isQuoted else { return }
        parts.append(.literal(text, quoted: isQuoted))
        text = ""
        self.isQuoted = nil
    }

    func finished() -> [Word.Part] {
        var whole = self
        whole.endLiteral()
        return whole.parts
    }
}

// MARK: - Characters

extension Unicode.Scalar {
    var isDigit: Bool { ("0"..."9").contains(self) }
    package var isVariableStart: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) || self == "_" }
    var isVariableContinuation: Bool { isVariableStart || isDigit }

    /// Whether an unquoted word stops before it.
    var endsWord: Bool {
        switch self {
        case " ", "\t", "\n", ";", "&", "|", "<", ">": true
        default: false
        }
    }
}

extension String {
    /// Whether it can stand between `${` and `}`: a name, a number, or one of `?`, `#`, `@`.
    var isVariableName: Bool {
        if self == "?" || self == "#" || self == "@" { return true }
        let scalars = unicodeScalars
        guard let first = scalars.first else { return false }
        if first.isDigit { return scalars.allSatisfy(\.isDigit) }
        return first.isVariableStart && scalars.allSatisfy(\.isVariableContinuation)
    }

    /// Whether it can be assigned to.
    package var isAssignableName: Bool {
        (unicodeScalars.first?.isVariableStart ?? false) && isVariableName && self != "_"
    }
}
