import Basics

/// Writes a line of a recorded shell as a `RUN` with the same effect.
package enum LineInstruction {
    /// The instruction for a text and a shell such as `["/bin/sh", "-c"]`.
    ///
    /// A text on one line that a Dockerfile reads unchanged is written as it is. Any other text is written in the exec
    /// form,
    /// which docker's classic builder, BuildKit and shale read in the same way.
    package static func run(_ text: String, shell: [String]) -> String {
        let trimmed = text.trimmingBlanks
        let isPlain =
            !trimmed.contains("\n") && !trimmed.contains("\r") && !trimmed.contains("<<") && !trimmed.hasPrefix("--")
            && !trimmed.hasSuffix("\\") && !trimmed.hasPrefix("#") && trimmed == text && !isWordList(trimmed)
        if isPlain { return "RUN \(trimmed)" }
        let words = (shell + [text]).map { JSONDocument.string($0).text() }
        return "RUN [\(words.joined(separator: ", "))]"
    }

    /// Whether a Dockerfile would read the text as an exec form, that is as a JSON array.
    private static func isWordList(_ text: String) -> Bool {
        text.hasPrefix("[") && (try? JSONDocument(parsing: Array(text.utf8), naming: "line"))?.array != nil
    }

    /// The instruction for a failed line that is recorded: it always exits with 0.
    package static func runTolerating(_ text: String, shell: [String]) -> String {
        run("trap 'exit 0' EXIT\(text.contains("\n") ? "\n" : "; ")\(text)", shell: shell)
    }

    package static func environment(_ assignments: [(name: String, value: String)]) -> String {
        "ENV " + assignments.map { "\($0.name)=\(DockerfileWord.quoted($0.value))" }.joined(separator: " ")
    }

    package static func directory(_ path: String) -> String { "WORKDIR \(DockerfileWord.quoted(path))" }
}

extension String {
    /// The text without spaces and tabs at both ends.
    var trimmingBlanks: String {
        var text = self[...]
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
