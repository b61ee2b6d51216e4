import Basics

/// Where in the language the end of an unfinished line is.
package struct CompletionContext: Sendable, Equatable {
    /// The quote that is open at the end.
    package enum Quote: Sendable, Equatable {
        case none
        case single
        case double
    }

    package enum Expected: Sendable, Equatable {
        /// A word of a command of ours, after these.
        case word(before: [String])
        /// The text of a Dockerfile instruction, after these words of it.
        case step(name: String, before: [String])
        /// The host's shell: behind `|` or `!`; `isCommand` at a program's name.
        case host(isCommand: Bool)
        /// A file behind `>` or `<`.
        case file
        case comment
        /// A variable's name, behind `$` or `${`.
        case variable(isBraced: Bool)
    }

    package var place: Expected
    /// The word under way, quotes removed; for a variable, its name.
    package var word: String
    /// Where it starts, in scalars.
    package var start: Int
    package var quote: Quote

    /// Finds the context of a text's end; never fails.
    package init(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // A continued instruction is still that instruction.
        let isStep = StepKeyword.starts(text)
        let lastStep = lines.lastIndex { StepKeyword.starts(String($0)) }
        var reader = ContextReader(text)
        if isStep, let lastStep {
            let offset = lines[..<lastStep].reduce(0) { $0 + $1.unicodeScalars.count + 1 }
            reader.position = offset
            reader.readStep()
        } else {
            reader.read()
        }
        place = reader.place
        word = reader.word
        start = reader.start
        quote = reader.quote
    }
}

/// Reads a line tolerantly: everything it meets is the start of something.
private struct ContextReader {
    private let scalars: [Unicode.Scalar]
    var position = 0
    var place = CompletionContext.Expected.word(before: [])
    var word = ""
    var start = 0
    var quote = CompletionContext.Quote.none
    private var before: [String] = []
    private var isTarget = false
    private var isHost = false
    private var isComment = false

    init(_ text: String) {
        scalars = Array(text.unicodeScalars)
    }

    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    mutating func read() {
        skipPrompt()
        while true {
            while let scalar = current, scalar.isBlank { position += 1 }
            start = position
            guard let scalar = current else { break }
            if takeOperator(scalar) { continue }
            readWord()
            if position >= scalars.count {
                finish()
                return
            }
            if isTarget { isTarget = false } else { before.append(word) }
            word = ""
        }
        word = ""
        finish()
    }

    /// `$ ` and its kin, pasted.
    private mutating func skipPrompt() {
        let text = String(String.UnicodeScalarView(scalars))
        if let length = Transcript.signLength(text, origin: .prompt) { position = min(scalars.count, length) }
    }

    mutating func readStep() {
        while let scalar = current, scalar.isBlank { position += 1 }
        var words: [String] = []
        while true {
            while let scalar = current, scalar.isBlank || scalar == "\n" || scalar == "\\" && next == "\n" {
                position += 1
            }
            start = position
            word = ""
            guard current != nil else { break }
            readWord(isStep: true)
            if position >= scalars.count { break }
            words.append(word)
            word = ""
        }
        guard let name = words.first else {
            // The instruction itself is under way.
            place = .word(before: [])
            return
        }
        if case .variable = place { return }
        place = .step(name: name, before: Array(words.dropFirst()))
    }

    private var next: Unicode.Scalar? { position + 1 < scalars.count ? scalars[position + 1] : nil }

    /// Passes an operator and notes what it makes of the next word; false when there is none.
    private mutating func takeOperator(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\n", ";":
            newStatement()
            position += 1
        case "&":
            position += 1
            if current == "&" { position += 1 }
            newStatement()
        case "|":
            position += 1
            if current == "|" {
                position += 1
                newStatement()
            } else {
                if current == "&" { position += 1 }
                before = []
                isHost = true
            }
        case ">", "<":
            while let next = current, next == ">" || next == "<" || next == "&" || next == "-" { position += 1 }
            isTarget = true
        case "!" where before.isEmpty && !isHost:
            position += 1
            isHost = true
        case "#":
            while let next = current, next != "\n" { position += 1 }
            isComment = position >= scalars.count
        default: return false
        }
        return true
    }

    private mutating func newStatement() {
        before = []
        isHost = false
        isTarget = false
    }

    private mutating func readWord(isStep: Bool = false) {
        word = ""
        quote = .none
        while let scalar = current {
            switch scalar {
            case "'" where quote == .none: quote = .single
            case "'" where quote == .single: quote = .none
            case "\"" where quote == .none: quote = .double
            case "\"" where quote == .double: quote = .none
            case "\\" where quote != .single:
                position += 1
                guard let escaped = current else { return }
                if escaped != "\n" { word.unicodeScalars.append(escaped) }
            case "$" where quote != .single:
                if endsInVariable() { return }
                word += "$"
            default:
                if quote == .none, isStep ? scalar.isBlank || scalar == "\n" : scalar.endsWord { return }
                word.unicodeScalars.append(scalar)
            }
            position += 1
        }
    }

    /// Whether a variable's name runs from here to the end; it is the word then.
    private mutating func endsInVariable() -> Bool {
        var index = position + 1
        let isBraced = index < scalars.count && scalars[index] == "{"
        if isBraced { index += 1 }
        guard scalars[index...].allSatisfy(\.isVariableContinuation) else { return false }
        word = String(String.UnicodeScalarView(scalars[index...]))
        start = position
        position = scalars.count
        place = .variable(isBraced: isBraced)
        return true
    }

    private mutating func finish() {
        if case .variable = place { return }
        if isComment {
            place = .comment
        } else if isTarget {
            place = .file
        } else if isHost {
            place = .host(isCommand: before.isEmpty)
        } else {
            place = .word(before: before)
        }
    }
}
