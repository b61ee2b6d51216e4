/// A Dockerfile's syntax tree: an instruction a node, in order, with everything a faithful print needs.
package struct Dockerfile: Sendable {
    /// The character that escapes and continues lines: `\`, or a backtick where the file says so.
    package private(set) var escape: Unicode.Scalar
    /// The directives at the top, by lower-case name, with their whole value.
    package private(set) var directives: [String: String]
    package private(set) var nodes: [Node]
    package private(set) var warnings: [SourceWarning]
    /// The source, a line an element, without line endings.
    private let lines: [String]

    /// Reads a whole Dockerfile.
    ///
    /// Throws what docker refuses at this level: a line beyond 65 535 bytes, an unterminated heredoc, `ENV` with one
    /// word, a JSON array of anything but strings, a file with no instructions. Unknown instructions pass here.
    package init(parsing text: String) throws(DockerfileError) {
        var parser = SourceParser(text)
        try parser.parse()
        escape = parser.escape
        nodes = parser.nodes
        warnings = parser.warnings
        lines = parser.sourceLines
        directives = parser.directives.seen
        // A front end looks below a `#!` line for these two, where the parser itself does not.
        directives["syntax"] = Directive.syntax(of: text)?.value ?? directives["syntax"]
        directives["check"] = Directive.named("check", in: text)?.value ?? directives["check"]
    }

    /// Line `number` of the source, counted from 1, without its line ending.
    package func sourceLine(_ number: Int) -> String? {
        lines.indices.contains(number - 1) ? lines[number - 1] : nil
    }

    /// An error about an instruction, with the line it starts on.
    func error(_ line: Int, _ complaint: Complaint) -> DockerfileError {
        DockerfileError(line: line, message: complaint.message, sourceLine: sourceLine(line))
    }
}

/// A warning about a form that still works and should not be written.
package struct SourceWarning: Sendable, Hashable {
    /// The last line of the instruction, counted from 1.
    package var line: Int
    package var message: String
    package var detail: String
    package var url: String
}
