import Basics

/// The simple commands of a shell text, each with its words and their places (POSIX.1-2024, XCU 2.3 and 2.9.1).
///
/// It is read to change single words of a command and to keep every other byte. A text with a construct that is not
/// read here (here-documents, `case`, functions) has an `obstacle` and no commands.
struct ShellCommands {
    struct Word: Hashable {
        /// The bytes of the word in the text, with its quotes.
        var range: Range<Int>
        /// The word without quotes; `nil` when the shell expands something in it.
        var value: String?
        /// Whether it has an unquoted `*`, `?` or `[`.
        var isPattern = false
    }

    /// The directory in which a command runs.
    enum Directory: Hashable {
        /// Below the directory in which the text starts; an absolute path stands for itself, an empty one for the start.
        case known(String)
        case unknown
    }

    struct Command: Hashable {
        /// The words, without assignments in front and without redirections.
        var words: [Word] = []
        /// The file to which the standard output goes.
        var output: Word?
        /// From the first byte of the command, assignments included, to its last one.
        var range: Range<Int> = 0..<0
        /// Whether its input or its output is another command's.
        var isInPipe = false
        var directory = Directory.known("")
        /// Whether `&&` or `||` stands behind it.
        var isFollowedByList = false
    }

    private(set) var commands: [Command] = []
    /// Why the text is not taken apart; `nil` when it is.
    private(set) var obstacle: String?
    /// Whether commands are joined by `||` anywhere.
    private(set) var hasAlternatives = false
    /// Whether commands stand in parentheses.
    private(set) var hasSubshell = false
    /// Whether a `set -e` may end the text at the first command that fails.
    var endsAtFailure: Bool {
        commands.contains { command in
            command.words.first?.value == "set"
                && command.words.dropFirst().contains { word in
                    guard let value = word.value else { return true }
                    return value == "errexit" || (value.hasPrefix("-") && value.contains("e"))
                }
        }
    }

    private let bytes: [UInt8]
    /// Whether a line continuation goes on with a comment, as in a Dockerfile's instruction, which docker joins first.
    private let isInstruction: Bool
    private var place = 0
    private var current = Command()
    private var hasBegun = false
    private var followsPipe = false
    private var directory = Directory.known("")
    private var outer: [Directory] = []

    /// Reads a text from a byte on.
    ///
    /// In a Dockerfile instruction, comment lines and empty lines after a line
    /// continuation are skipped.
    init(_ text: String, from start: Int = 0) {
        bytes = Array(text.utf8)
        isInstruction = start > 0
        place = start
        while obstacle == nil, place < bytes.count { readOne() }
        finish()
        if obstacle == nil, !outer.isEmpty { obstacle = "its parentheses are not closed" }
        if obstacle != nil { commands = [] }
    }

    /// Where the text is read up to; a last backslash or quote leads no further.
    private var end: Int { min(place, bytes.count) }

    private func byte(_ ahead: Int = 0) -> UInt8? { place + ahead < bytes.count ? bytes[place + ahead] : nil }

    private mutating func readOne() {
        guard let next = byte() else { return }
        switch next {
        case UInt8(ascii: " "), UInt8(ascii: "\t"): place += 1
        case UInt8(ascii: "\\") where byte(1) == UInt8(ascii: "\n"): skipContinuation()
        case UInt8(ascii: "\n"), UInt8(ascii: ";"):
            if next == UInt8(ascii: ";"), byte(1) == next { obstacle = "it has a case" }
            place += 1
            finish()
        case UInt8(ascii: "#"):
            while let skipped = byte(), skipped != UInt8(ascii: "\n") {
                let goesOn = isInstruction && skipped == UInt8(ascii: "\\") && byte(1) == UInt8(ascii: "\n")
                place += goesOn ? 2 : 1
            }
        case UInt8(ascii: "&"):
            if byte(1) == UInt8(ascii: ">") {
                place += 1
                readRedirection()
            } else {
                current.isFollowedByList = byte(1) == next
                place += byte(1) == next ? 2 : 1
                finish()
            }
        case UInt8(ascii: "|"):
            if byte(1) == next {
                current.isFollowedByList = true
                hasAlternatives = true
                place += 2
                finish()
            } else {
                place += byte(1) == UInt8(ascii: "&") ? 2 : 1
                current.isInPipe = true
                finish()
                followsPipe = true
            }
        case UInt8(ascii: "("):
            if hasBegun { obstacle = "it defines a function" }
            place += 1
            hasSubshell = true
            outer.append(directory)
        case UInt8(ascii: ")"):
            place += 1
            finish()
            guard let last = outer.popLast() else {
                obstacle = "its parentheses are not closed"
                return
            }
            directory = last
        case UInt8(ascii: "<"), UInt8(ascii: ">"): readRedirection()
        default: readWord()
        }
    }

    private mutating func skipContinuation() {
        place += 2
        // docker removes empty lines and comment lines between the lines of an instruction.
        while true {
            var ahead = place
            while ahead < bytes.count, bytes[ahead] == UInt8(ascii: " ") || bytes[ahead] == UInt8(ascii: "\t") {
                ahead += 1
            }
            guard ahead < bytes.count else { return }
            if bytes[ahead] == UInt8(ascii: "#") {
                while ahead < bytes.count, bytes[ahead] != UInt8(ascii: "\n") { ahead += 1 }
            }
            guard ahead < bytes.count, bytes[ahead] == UInt8(ascii: "\n") else { return }
            place = ahead + 1
        }
    }

    private mutating func readRedirection() {
        let isOutput = byte() == UInt8(ascii: ">")
        let start = place
        place += 1
        if byte() == UInt8(ascii: "<") {
            obstacle = "it has a here-document"
            return
        }
        if byte() == UInt8(ascii: "(") {
            obstacle = "it has a process substitution"
            return
        }
        while let next = byte(), ">|&".utf8.contains(next) { place += 1 }
        while let next = byte() {
            if next == UInt8(ascii: "\\"), byte(1) == UInt8(ascii: "\n") {
                skipContinuation()
            } else if next == UInt8(ascii: " ") || next == UInt8(ascii: "\t") {
                place += 1
            } else {
                break
            }
        }
        let target = scanWord()
        begin(at: start)
        current.range = current.range.lowerBound..<max(current.range.lowerBound, end)
        if isOutput { current.output = target }
    }

    private static let reserved: Set<String> = [
        "if", "then", "else", "elif", "fi", "do", "done", "while", "until", "!", "{", "}", "time",
    ]

    private mutating func readWord() {
        let word = scanWord()
        guard obstacle == nil else { return }
        // `2>` names a descriptor.
        if let next = byte(), next == UInt8(ascii: "<") || next == UInt8(ascii: ">"),
            let value = word.value, !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) })
        {
            let output = current.output
            readRedirection()
            if value != "1" { current.output = output }
            return
        }
        if current.words.isEmpty, let value = word.value, Self.isBare(word, value) {
            if Self.reserved.contains(value) { return }
            if value == "case" || value == "function" || value == "select" {
                obstacle = value == "case" ? "it has a case" : "it has a \(value)"
                return
            }
        }
        begin(at: word.range.lowerBound)
        current.range = current.range.lowerBound..<max(current.range.lowerBound, end)
        if current.words.isEmpty, isAssignment(word) { return }
        current.words.append(word)
    }

    /// Whether a word stands without quotes: only then it can be a reserved one.
    private static func isBare(_ word: Word, _ value: String) -> Bool { word.range.count == value.utf8.count }

    private func isAssignment(_ word: Word) -> Bool {
        let text = bytes[word.range]
        guard let sign = text.firstIndex(of: UInt8(ascii: "=")), sign > text.startIndex else { return false }
        return text[..<sign].allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "_") }
    }

    private mutating func begin(at start: Int) {
        guard !hasBegun else { return }
        hasBegun = true
        current.range = start..<start
        current.directory = directory
        current.isInPipe = followsPipe
    }

    private mutating func finish() {
        defer {
            current = Command()
            (hasBegun, followsPipe) = (false, false)
        }
        guard hasBegun else { return }
        commands.append(current)
        guard current.words.first?.value == "cd", !current.isInPipe else { return }
        guard current.words.count == 2, let target = current.words[1].value, target != "-" else {
            directory = .unknown
            return
        }
        switch directory {
        case _ where target.hasPrefix("/"): directory = .known(target)
        case .known(let path): directory = .known(path.isEmpty ? target : "\(path)/\(target)")
        case .unknown: break
        }
    }

    // MARK: Words

    private mutating func scanWord() -> Word {
        let start = place
        var value: [UInt8] = []
        var isExpanded = false
        var isPattern = false
        scan: while let next = byte() {
            switch next {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: ";"), UInt8(ascii: "&"),
                UInt8(ascii: "|"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "<"), UInt8(ascii: ">"):
                break scan
            case UInt8(ascii: "\\"):
                if byte(1) == UInt8(ascii: "\n") {
                    // The word ends with the line, unless the next line goes on with it; no installer is written so.
                    break scan
                }
                if let escaped = byte(1) { value.append(escaped) }
                place = min(place + 2, bytes.count)
            case UInt8(ascii: "'"):
                place += 1
                while let quoted = byte(), quoted != next {
                    value.append(quoted)
                    place += 1
                }
                closeQuote()
            case UInt8(ascii: "\""): isExpanded = scanDoubleQuoted(&value) || isExpanded
            case UInt8(ascii: "$"), UInt8(ascii: "`"):
                isExpanded = true
                skipExpansion()
            case UInt8(ascii: "~") where place == start, UInt8(ascii: "{"):
                isExpanded = isExpanded || next == UInt8(ascii: "~") || hasBraceList
                value.append(next)
                place += 1
            default:
                if "*?[".utf8.contains(next) { isPattern = true }
                value.append(next)
                place += 1
            }
        }
        // A byte that begins no word, such as a lone `&`, never comes here; without progress the text would not end.
        if place == start { place += 1 }
        let range = start..<max(start, end)
        return Word(
            range: range, value: isExpanded ? nil : String(decoding: value, as: UTF8.self), isPattern: isPattern)
    }

    /// Whether braces with a comma begin here, of which bash makes several words.
    private var hasBraceList: Bool {
        let rest = bytes[end...].prefix { !" \t\n;&|".utf8.contains($0) }
        return rest.contains(UInt8(ascii: ",")) && rest.contains(UInt8(ascii: "}"))
    }

    private mutating func closeQuote() {
        if byte() == nil { obstacle = "it has an open quote" }
        place += 1
    }

    /// Returns whether the shell expands something in the quotes.
    private mutating func scanDoubleQuoted(_ value: inout [UInt8]) -> Bool {
        var isExpanded = false
        place += 1
        while let quoted = byte(), quoted != UInt8(ascii: "\"") {
            if quoted == UInt8(ascii: "$") || quoted == UInt8(ascii: "`") {
                isExpanded = true
                skipExpansion()
                continue
            }
            if quoted == UInt8(ascii: "\\"), let escaped = byte(1), "$`\"\\".utf8.contains(escaped) { place += 1 }
            if let plain = byte() { value.append(plain) }
            place += 1
        }
        closeQuote()
        return isExpanded
    }

    /// Skips `$NAME`, `${…}`, `$(…)` or a command in backquotes.
    private mutating func skipExpansion() {
        if byte() == UInt8(ascii: "`") {
            place += 1
            while let next = byte(), next != UInt8(ascii: "`") { place += next == UInt8(ascii: "\\") ? 2 : 1 }
            return closeQuote()
        }
        place += 1
        guard let open = byte(), open == UInt8(ascii: "(") || open == UInt8(ascii: "{") else { return }
        let close = open == UInt8(ascii: "(") ? UInt8(ascii: ")") : UInt8(ascii: "}")
        var depth = 0
        var isQuoted = false
        while let next = byte() {
            place += 1
            switch next {
            case open: depth += 1
            case close:
                depth -= 1
                if depth == 0 { return }
            case UInt8(ascii: "\\"): place += 1
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "'") where !isQuoted:
                while let quoted = byte(), quoted != next { place += 1 }
                place += 1
            default: break
            }
        }
        obstacle = "it has an open substitution"
    }
}
