/// Scans a text once, byte by byte.
///
/// A nested substitution is scanned by another scanner.
struct ShellScanner {
    private enum Open {
        /// Ends with this word: `fi`, `done`, `}`.
        case word(String)
        /// Ends with `)`.
        case parenthesis
        /// A `case`: before `in`, in a pattern, or in a branch.
        case caseHead, casePattern, caseBranch
    }
    /// The kind of the last token.
    ///
    /// It decides what a newline after it means.
    private enum Last { case nothing, word, compound, opener, connector, terminator }

    let bytes: [UInt8]
    private(set) var index: Int
    private let endsAtParenthesis: Bool
    private var open: [Open] = []
    private var last = Last.nothing
    private var atCommand = true
    private var pending: [(name: [UInt8], stripsTabs: Bool)] = []
    private var output: [UInt8] = []
    private(set) var hasHeredoc = false
    private(set) var hasQuotedNewline = false
    private(set) var startsBackground = false
    private(set) var functions: [String] = []
    private var hasOtherCommands = false
    private var bodyDepths: [Int] = []
    /// Functions defined at the top level, with the range of their texts.
    private var definitions: [(name: String, start: Int, end: Int)] = []
    private var commandStart = 0
    /// Whether only redirections followed the last definition.
    ///
    /// They are part of it.
    private var isBehindDefinition = false

    var definedTexts: [String: String] {
        definitions.reduce(into: [:]) { all, found in
            if found.end > 0 { all[found.name] = String(decoding: bytes[found.start..<found.end], as: UTF8.self) }
        }
    }
    var onlyDefines: Bool { !functions.isEmpty && !hasOtherCommands }
    var openHeredoc: String? { isInHeredoc ? pending.first.map { String(decoding: $0.name, as: UTF8.self) } : nil }
    private var isInHeredoc = false
    var joinedText: String { String(decoding: output, as: UTF8.self) }

    init(_ text: String) {
        bytes = Array(text.utf8)
        index = 0
        endsAtParenthesis = false
    }

    init(substitutionIn bytes: [UInt8], from index: Int) {
        self.bytes = bytes
        self.index = index
        endsAtParenthesis = true
    }

    private func byte(_ offset: Int = 0) -> UInt8 { index + offset < bytes.count ? bytes[index + offset] : 0 }
    private var isAtEnd: Bool { index >= bytes.count }

    /// Scans the text; returns whether it is complete.
    mutating func scan() -> Bool {
        while !isAtEnd {
            let start = index
            switch byte() {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"):
                index += 1
                output.append(bytes[start])
            case UInt8(ascii: "\\") where byte(1) == UInt8(ascii: "\n"):
                index += 2
                if isAtEnd { return false }
            case UInt8(ascii: "#"):
                while !isAtEnd, byte() != UInt8(ascii: "\n") { index += 1 }
                // Nothing can follow a comment on the same line, so a comment at the end is kept.
                if isAtEnd { output += bytes[start..<index] }
            case UInt8(ascii: "\n"):
                index += 1
                if !pending.isEmpty, !takeHeredocs() { return false }
                newline()
            default:
                if let isWhole = isOperator() {
                    if !isWhole { return false }
                    if endsAtParenthesis, closed { return true }
                } else if !word() {
                    return false
                }
            }
        }
        return open.isEmpty && pending.isEmpty && last != .connector && !endsAtParenthesis && bodyDepths.isEmpty
    }

    /// Whether the closing parenthesis of a substitution was found.
    private(set) var closed = false

    private mutating func newline() {
        switch last {
        case .nothing, .opener, .connector, .terminator: output.append(UInt8(ascii: " "))
        case .word, .compound:
            if !isAtEnd { output += Array("; ".utf8) }
            last = .terminator
            atCommand = !isInPattern
        }
    }

    private var isInPattern: Bool {
        switch open.last {
        case .casePattern, .caseHead: true
        default: false
        }
    }

    // MARK: Operators

    private static let operators = [
        "<<<", "<<-", "&>>", ";;&", "<<", ">>", "<&", ">&", "&>", "<>", ">|", "&&", "||", "|&", ";;", ";&", ";", "&",
        "|", "<", ">", "(", ")",
    ].map { Array($0.utf8) }

    /// Takes an operator; `nil` when there is none, false when the text ends too early.
    private mutating func isOperator() -> Bool? {
        guard let found = Self.operators.first(where: { bytes[index...].starts(with: $0) }) else { return nil }
        let text = String(decoding: found, as: UTF8.self)
        if text == "(", atCommand, byte(1) == UInt8(ascii: "("), let end = arithmeticEnd(from: index + 2) {
            output += bytes[index..<end]
            index = end
            finishWord(isCommand: true)
            return true
        }
        index += found.count
        output += found
        switch text {
        case "<<", "<<-": return heredocDelimiter(stripsTabs: text == "<<-")
        case "<<<", "<", ">", ">>", "<&", ">&", "&>", "&>>", "<>", ">|": return redirectionTarget()
        case "(":
            if isInPattern { return true }
            if last == .word, !atCommand, byte() == UInt8(ascii: ")") { return functionDefinition() }
            open.append(.parenthesis)
            begin(.opener)
        case ")": closeParenthesis()
        case ";;", ";&", ";;&":
            if case .caseBranch? = open.last { open[open.count - 1] = .casePattern }
            begin(.terminator)
        case "&":
            startsBackground = true
            begin(.terminator)
        case ";": begin(.terminator)
        default: begin(.connector)
        }
        return true
    }

    private mutating func begin(_ kind: Last) {
        last = kind
        atCommand = true
        isBehindDefinition = false
    }

    private mutating func closeParenthesis() {
        switch open.last {
        case .casePattern?:
            open[open.count - 1] = .caseBranch
            begin(.opener)
        case .parenthesis?:
            open.removeLast()
            endCompound()
        default:
            if endsAtParenthesis, open.isEmpty { closed = true }
            last = .word
            atCommand = false
        }
    }

    private mutating func endCompound() {
        last = .compound
        atCommand = false
        guard let depth = bodyDepths.last, depth == open.count else { return }
        bodyDepths.removeLast()
        guard bodyDepths.isEmpty, let place = definitions.indices.last, definitions[place].end == 0 else { return }
        definitions[place].end = index
        isBehindDefinition = true
    }

    private mutating func functionDefinition() -> Bool {
        output.append(UInt8(ascii: ")"))
        index += 1
        beginDefinition()
        hasOtherCommands = otherBefore
        bodyDepths.append(open.count)
        begin(.opener)
        return true
    }

    private mutating func beginDefinition() {
        functions.append(lastWord)
        if open.isEmpty, bodyDepths.isEmpty { definitions.append((lastWord, commandStart, 0)) }
    }

    private mutating func redirectionTarget() -> Bool {
        skipBlanks()
        if isAtEnd || byte() == UInt8(ascii: "\n") { return true }
        let wasCommand = atCommand
        guard rawWord() != nil else { return false }
        if isBehindDefinition, let place = definitions.indices.last { definitions[place].end = index }
        last = .word
        atCommand = wasCommand
        return true
    }

    private mutating func skipBlanks() {
        while byte() == UInt8(ascii: " ") || byte() == UInt8(ascii: "\t") {
            output.append(byte())
            index += 1
        }
    }

    // MARK: Here-documents

    private mutating func heredocDelimiter(stripsTabs: Bool) -> Bool {
        skipBlanks()
        guard let word = rawWord() else { return false }
        hasHeredoc = true
        // The heredoc's text follows later, so the definition's range would not contain it.
        if isBehindDefinition { definitions.removeLast() }
        isBehindDefinition = false
        pending.append((word.filter { !"'\"\\".utf8.contains($0) }, stripsTabs))
        last = .word
        return true
    }

    private mutating func takeHeredocs() -> Bool {
        while let heredoc = pending.first {
            var found = false
            while !isAtEnd, !found {
                let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
                var line = bytes[index..<end]
                if heredoc.stripsTabs { line = line.drop { $0 == UInt8(ascii: "\t") } }
                found = line.elementsEqual(heredoc.name)
                index = min(end + 1, bytes.count)
            }
            guard found else {
                isInHeredoc = true
                return false
            }
            pending.removeFirst()
        }
        return true
    }

    // MARK: Words

    private var lastWord = ""
    private var otherBefore = false

    /// Takes a word and acts on its meaning; returns false when the word is not complete.
    private mutating func word() -> Bool {
        let start = index
        guard rawWord() != nil else { return false }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        switch open.last {
        case .caseHead?:
            if text == "in" {
                open[open.count - 1] = .casePattern
                last = .opener
            } else {
                last = .word
            }
            return true
        case .casePattern?:
            if text == "esac" {
                open.removeLast()
                endCompound()
            }
            return true
        default: break
        }
        // After `}` and `)` a reserved word needs no `;`.
        let follows = last == .compound && Self.following.contains(text)
        guard atCommand || follows || (text == "do" && last == .terminator) else {
            last = .word
            return true
        }
        commandStart = start
        return command(text)
    }

    private static let following: Set<String> = ["then", "do", "else", "elif", "fi", "done", "esac", "}"]

    private mutating func command(_ text: String) -> Bool {
        switch text {
        case "if": return opening("fi")
        case "while", "until": return opening("done")
        case "for", "select":
            open.append(.word("done"))
            finishWord(isCommand: false)
        case "case":
            open.append(.caseHead)
            finishWord(isCommand: false)
        case "{": return opening("}")
        case "then", "else", "elif", "do", "!", "time": begin(.opener)
        case "fi", "done", "}", "esac":
            if closes(text) {
                open.removeLast()
                endCompound()
            } else {
                finishWord(isCommand: true)
            }
        case "[[": return conditional()
        case "function":
            skipBlanks()
            let start = index
            guard rawWord() != nil else { return false }
            lastWord = String(decoding: bytes[start..<index], as: UTF8.self)
            beginDefinition()
            if bytes[index...].starts(with: Array("()".utf8)) {
                output += Array("()".utf8)
                index += 2
            }
            bodyDepths.append(open.count)
            begin(.opener)
        default:
            // In `A=b cmd` a command still follows the assignment.
            lastWord = text
            otherBefore = hasOtherCommands
            finishWord(isCommand: true)
            let name = text.prefix { $0 != "=" }
            atCommand = name.count < text.count && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        }
        return true
    }

    private mutating func opening(_ end: String) -> Bool {
        if bodyDepths.isEmpty { hasOtherCommands = true }
        open.append(.word(end))
        begin(.opener)
        return true
    }

    private mutating func finishWord(isCommand: Bool) {
        if bodyDepths.isEmpty { hasOtherCommands = true }
        last = .word
        atCommand = false
        isBehindDefinition = false
    }

    private func closes(_ text: String) -> Bool {
        switch open.last {
        case .word(let end)?: end == text
        case .caseBranch?: text == "esac"
        default: false
        }
    }

    /// Takes `[[ … ]]`, in which `<`, `(` and `&&` have another meaning.
    private mutating func conditional() -> Bool {
        while !isAtEnd {
            if bytes[index...].starts(with: Array("]]".utf8)) {
                output += Array("]]".utf8)
                index += 2
                finishWord(isCommand: true)
                return true
            }
            if " \t\n<>()&|;".utf8.contains(byte()) {
                if byte() == UInt8(ascii: "\n") { hasQuotedNewline = true }
                output.append(byte())
                index += 1
            } else if rawWord() == nil {
                return false
            }
        }
        return false
    }

    /// Takes the bytes of one word with its quotes and substitutions; `nil` when it is not complete.
    private mutating func rawWord() -> [UInt8]? {
        let start = index
        var copied = start
        while !isAtEnd {
            switch byte() {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: ";"), UInt8(ascii: "&"),
                UInt8(ascii: "|"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "("), UInt8(ascii: ")"):
                output += bytes[copied..<index]
                return Array(bytes[start..<index])
            case UInt8(ascii: "\\"):
                if byte(1) == UInt8(ascii: "\n") {
                    // The shell joins the two halves of a word at a backslash-newline.
                    output += bytes[copied..<index]
                    index += 2
                    copied = index
                    if isAtEnd { return nil }
                } else {
                    guard index + 1 < bytes.count else { return nil }
                    index += 2
                }
            default:
                guard let end = partEnd(from: index, inDouble: false) else { return nil }
                if bytes[index..<end].contains(UInt8(ascii: "\n")) { hasQuotedNewline = true }
                index = end
            }
        }
        output += bytes[copied..<index]
        return Array(bytes[start..<index])
    }
}
