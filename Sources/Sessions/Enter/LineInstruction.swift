import Basics

/// A line of shell as the `RUN` that does the same.
package enum LineInstruction {
    /// The instruction for a text, to be run by a shell called so (`["/bin/sh", "-c"]`).
    ///
    /// What fits in one line is written as it is; what does not, and what a Dockerfile would read otherwise, in the
    /// exec form, which docker's classic builder, BuildKit and shale all read alike.
    package static func run(_ text: String, shell: [String]) -> String {
        let trimmed = text.trimmingBlanks
        let isPlain =
            !trimmed.contains("\n") && !trimmed.contains("\r") && !trimmed.contains("<<") && !trimmed.hasPrefix("--")
            && !trimmed.hasSuffix("\\") && !trimmed.hasPrefix("#") && trimmed == text && !isWordList(trimmed)
        if isPlain { return "RUN \(trimmed)" }
        let words = (shell + [text]).map { JSONDocument.string($0).text() }
        return "RUN [\(words.joined(separator: ", "))]"
    }

    /// Whether a Dockerfile would take it for the exec form: `[ "$a" ]` is one.
    private static func isWordList(_ text: String) -> Bool {
        text.hasPrefix("[") && (try? JSONDocument(parsing: Array(text.utf8), naming: "line"))?.array != nil
    }

    /// The same for a line that failed and is to be kept: it ends well whatever it does.
    package static func runTolerating(_ text: String, shell: [String]) -> String {
        run("trap 'exit 0' EXIT\(text.contains("\n") ? "\n" : "; ")\(text)", shell: shell)
    }

    package static func environment(_ assignments: [(name: String, value: String)]) -> String {
        "ENV " + assignments.map { "\($0.name)=\(DockerfileWord.quoted($0.value))" }.joined(separator: " ")
    }

    package static func directory(_ path: String) -> String { "WORKDIR \(DockerfileWord.quoted(path))" }
}

extension String {
    /// Without blanks and tabs at both ends.
    var trimmingBlanks: String {
        var text = self[...]
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return String(text)
    }
}
