/// Text to nodes: lines are joined, comments and directives taken out, heredocs collected.
struct SourceParser {
    /// The longest line docker reads, in bytes without its line ending.
    static let maximumLineLength = 65_535

    /// Lines with their endings.
    private let lines: [Scalars]
    /// How many lines have been read.
    private var position = 0
    private(set) var directives = DirectiveScanner()
    private(set) var escape: Unicode.Scalar = "\\"
    private(set) var nodes: [Node] = []
    private(set) var warnings: [SourceWarning] = []
    /// Comments since the last instruction or empty comment.
    private var comments: [String] = []

    init(_ text: String) {
        var scalars = text.unicodeScalars[...]
        if scalars.first == "\u{feff}" { scalars.removeFirst() }
        var lines: [Scalars] = []
        var current: Scalars = []
        for scalar in scalars {
            current.append(scalar)
            if scalar == "\n" {
                lines.append(current)
                current.removeAll(keepingCapacity: true)
            }
        }
        if !current.isEmpty { lines.append(current) }
        self.lines = lines
    }

    var sourceLines: [String] { lines.map { String($0.withoutNewline) } }

    mutating func parse() throws(DockerfileError) {
        while let line = try nextLine() {
            let start = position
            let stripped = Array(line.withoutNewline.trimmedLeft)
            if stripped.first == "#" {
                try readComment(stripped)
                continue
            }
            try readInstruction(stripped, from: start)
        }
        if nodes.isEmpty { throw error(max(position, 1), "file with no instructions") }
    }

    private mutating func nextLine() throws(DockerfileError) -> Scalars? {
        guard position < lines.count else { return nil }
        let line = lines[position]
        position += 1
        // A scalar takes at most four bytes, so most lines need not be measured exactly.
        if line.count > Self.maximumLineLength / 4 {
            let bytes = line.reduce(0) { $0 + UTF8.width($1) } - (line.last == "\n" ? 1 : 0)
            if bytes > Self.maximumLineLength {
                throw error(position, "dockerfile line greater than max allowed size of \(Self.maximumLineLength)")
            }
        }
        return line
    }

    private func error(_ line: Int, _ message: String) -> DockerfileError {
        let source = lines.indices.contains(line - 1) ? String(lines[line - 1].withoutNewline) : nil
        return DockerfileError(line: line, message: message, sourceLine: source)
    }

    private mutating func readComment(_ line: Scalars) throws(DockerfileError) {
        do throws(Complaint) {
            if let (name, value) = try directives.read(line) {
                if name == "escape" { try setEscape(value) }
                return
            }
        } catch {
            throw self.error(position, error.message)
        }
        let comment = String(line.dropFirst().trimmed)
        if comment.isEmpty {
            comments = []
        } else {
            comments.append(comment)
        }
    }

    private mutating func setEscape(_ value: String) throws(Complaint) {
        switch value {
        case "`": escape = "`"
        case "\\": escape = "\\"
        default: throw Complaint("invalid escape token '\(value)' does not match ` or \\")
        }
    }

    private mutating func readInstruction(_ first: Scalars, from start: Int) throws(DockerfileError) {
        // Any line but a directive ends the directives.
        _ = try? directives.read(first)
        var (joined, continues) = withoutContinuation(first)
        if !continues && joined.isEmpty { return }
        var hasEmptyLine = false
        while continues, let line = try nextLine() {
            let content = line.withoutNewline
            let firstInk = content.first { !$0.isSpace }
            if firstInk == "#" { continue }
            if firstInk == nil {
                hasEmptyLine = true
                continue
            }
            let (part, more) = withoutContinuation(Array(content))
            joined += part
            continues = more
        }
        if hasEmptyLine { warnAboutEmptyLine(in: joined) }
        do throws(Complaint) {
            var node = try NodeGrammar(escape: escape).node(joined)
            node.comments = comments
            comments = []
            node.line = start
            node.heredocs = try readHeredocs(of: node, in: joined, from: start)
            node.endLine = position
            nodes.append(node)
        } catch {
            throw self.error(start, error.message)
        }
    }

    private mutating func warnAboutEmptyLine(in joined: Scalars) {
        warnings.append(
            SourceWarning(
                line: position, message: "Empty continuation line found in: \(String(joined))",
                detail: "Empty continuation lines will become errors in a future release",
                url: "https://docs.docker.com/go/dockerfile/rule/no-empty-continuation/"))
    }

    /// The line without the escape character that continues it; a doubled one continues nothing.
    private func withoutContinuation(_ line: Scalars) -> (Scalars, continues: Bool) {
        guard let last = line.lastIndex(where: { $0 != " " && $0 != "\t" }), line[last] == escape,
            last == 0 || line[last - 1] != escape
        else { return (line, false) }
        return (Array(line[..<last]), true)
    }

    private mutating func readHeredocs(
        of node: Node, in joined: Scalars, from start: Int
    ) throws(Complaint) -> [Heredoc] {
        guard node.mayHoldHeredocs, joined.contains("<") else { return [] }
        var found: [Heredoc] = []
        for var heredoc in try HeredocWord.all(in: joined) {
            let terminator = Array(heredoc.name.unicodeScalars)
            var content = String.UnicodeScalarView()
            var isTerminated = false
            while position < lines.count, !isTerminated {
                let line = lines[position]
                position += 1
                let body = line.withoutNewline
                if heredoc.chomp
                    ? body.drop(while: { $0 == "\t" }).elementsEqual(terminator)
                    : body.elementsEqual(terminator)
                {
                    isTerminated = true
                } else {
                    content.append(contentsOf: line)
                }
            }
            guard isTerminated else { throw Complaint("unterminated heredoc") }
            heredoc.content = String(content)
            found.append(heredoc)
        }
        return found
    }
}

extension Node {
    /// Whether `<<WORD` means anything here: `RUN`, `COPY`, `ADD` (below `ONBUILD` too), not in JSON form.
    fileprivate var mayHoldHeredocs: Bool {
        let node = keyword == "onbuild" ? trigger.first ?? self : self
        return ["run", "copy", "add"].contains(node.keyword) && node.form != .exec
    }
}
