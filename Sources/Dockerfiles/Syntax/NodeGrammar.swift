import Basics

/// One joined line to a node: keyword, flags, and the words as that keyword reads them.
struct NodeGrammar {
    /// How deep `ONBUILD` may nest before it is refused here; docker refuses the second level later.
    private static let maximumTriggerDepth = 8

    let escape: Unicode.Scalar

    func node(_ line: Scalars, depth: Int = 0) throws(Complaint) -> Node {
        let text = line.trimmed
        let parts = splitKeyword(text)
        let (flags, rest) = flagWords(parts.rest)
        var node = Node(
            line: 0, endLine: 0, keyword: parts.keyword.lowercased(), spelling: parts.keyword, flags: flags,
            form: .other, arguments: [], heredocs: [], original: String(text), comments: [], trigger: [])
        try readArguments(Array(rest.trimmed), into: &node, depth: depth)
        return node
    }

    private func splitKeyword(_ text: ArraySlice<Unicode.Scalar>) -> (keyword: String, rest: Scalars) {
        guard let end = text.firstIndex(where: \.isWordSeparator) else { return (String(text), []) }
        return (String(text[..<end]), Array(text[end...].drop(while: \.isWordSeparator)))
    }

    private func readArguments(_ rest: Scalars, into node: inout Node, depth: Int) throws(Complaint) {
        switch node.keyword {
        case "env", "label":
            node.arguments = try pairs(rest, keyword: node.keyword.uppercased())
        case "arg":
            node.arguments = quotedWords(rest)
        case "from", "expose":
            if !rest.isEmpty { node.arguments = splitAtBlanks(rest) }
        case "maintainer", "stopsignal", "user", "workdir":
            if !rest.isEmpty { node.arguments = [String(rest)] }
        case "run", "cmd", "entrypoint", "shell":
            try readCommandLine(rest, into: &node)
        case "add", "copy", "volume":
            if try !readArray(rest, into: &node), !rest.isEmpty { node.arguments = splitAtBlanks(rest) }
        case "healthcheck":
            guard let end = rest.firstIndex(where: \.isSpace) ?? (rest.isEmpty ? nil : rest.count) else { return }
            try readCommandLine(Array(rest[end...].trimmedLeft), into: &node)
            node.arguments.insert(String(rest[..<end]), at: 0)
            if node.arguments.count == 1, node.form == .shell { node.form = .other }
        case "onbuild":
            guard !rest.isEmpty else { return }
            guard depth < Self.maximumTriggerDepth else { throw Complaint(Instruction.chainingOnbuild) }
            node.trigger = [try self.node(rest, depth: depth + 1)]
        default:
            node.arguments = [""]
        }
    }

    private func readCommandLine(_ rest: Scalars, into node: inout Node) throws(Complaint) {
        if try readArray(rest, into: &node) { return }
        node.form = .shell
        if !rest.isEmpty { node.arguments = [String(rest)] }
    }

    /// Takes the words from a JSON array, if that is what `rest` is.
    private func readArray(_ rest: Scalars, into node: inout Node) throws(Complaint) -> Bool {
        guard let words = try Self.stringArray(rest) else { return false }
        node.form = .exec
        node.arguments = words
        return true
    }

    /// The strings of a JSON array; `nil` where the text is not JSON, an error where it holds anything but strings.
    static func stringArray(_ text: Scalars) throws(Complaint) -> [String]? {
        let body = text.trimmedLeft
        guard body.first == "[", case .array(let elements)? = JSONDocument(body) else { return nil }
        var words: [String] = []
        for element in elements {
            guard case .string(let word) = element else {
                throw Complaint("when using JSON array syntax, arrays must be comprised of strings only")
            }
            words.append(word)
        }
        return words
    }

    /// Triples of name, value and `=`; the old form `NAME the rest` is one triple without `=`.
    private func pairs(_ rest: Scalars, keyword: String) throws(Complaint) -> [String] {
        let words = quotedWords(rest)
        guard let first = words.first else { return [] }
        guard first.unicodeScalars.contains("=") else {
            let parts = splitAtBlanks(rest, limit: 2)
            guard parts.count == 2 else { throw Complaint("\(keyword) must have two arguments") }
            return parts + [""]
        }
        var triples: [String] = []
        for word in words {
            let (name, value) = word.cut(at: "=")
            guard let value else {
                throw Complaint("Syntax error - can't find = in \(goQuoted(word)). Must be of the form: name=value")
            }
            triples += [name, value, "="]
        }
        return triples
    }

    /// Words at white space, where quotes and the escape character hold words together and are kept.
    func quotedWords(_ rest: Scalars) -> [String] {
        var words: [String] = []
        var word: Scalars = []
        var quote: Unicode.Scalar?
        var isBlankWord = false
        var position = 0
        func finish() {
            if isBlankWord || !word.isEmpty { words.append(String(word)) }
            word.removeAll(keepingCapacity: true)
            isBlankWord = false
        }
        while position < rest.count {
            let scalar = rest[position]
            position += 1
            if quote == nil, scalar.isSpace {
                finish()
                continue
            }
            if scalar == escape, quote != "'" {
                // An escape character at the end of the text is dropped.
                guard position < rest.count else { break }
                word += [scalar, rest[position]]
                position += 1
                continue
            }
            if let open = quote {
                if scalar == open { quote = nil }
            } else if scalar == "'" || scalar == "\"" {
                quote = scalar
                isBlankWord = true
            }
            word.append(scalar)
        }
        finish()
        return words
    }

    /// The `--name=value` words at the front, without their quotes, and what follows them.
    private func flagWords(_ line: Scalars) -> (flags: [String], rest: ArraySlice<Unicode.Scalar>) {
        var flags: [String] = []
        var position = 0
        while true {
            while position < line.count, line[position].isSpace { position += 1 }
            guard position + 1 < line.count, line[position] == "-", line[position + 1] == "-" else {
                return (flags, line[min(position, line.count)...])
            }
            var word: Scalars = []
            var quote: Unicode.Scalar?
            while position < line.count {
                var scalar = line[position]
                if quote == nil, scalar.isSpace { break }
                position += 1
                if scalar == quote {
                    quote = nil
                    continue
                }
                if quote == nil, scalar == "'" || scalar == "\"" {
                    quote = scalar
                    continue
                }
                if scalar == escape {
                    guard position < line.count else { break }
                    scalar = line[position]
                    position += 1
                }
                word.append(scalar)
            }
            if word == ["-", "-"] { return (flags, line[position...]) }
            flags.append(String(word))
        }
    }
}
