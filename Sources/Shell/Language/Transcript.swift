import Basics

/// Pasted tutorials: commands after a prompt, with their output in between.
package enum Transcript {
    /// The commands of a pasted buffer, one or more lines each; `nil` when it is no transcript.
    ///
    /// A transcript's first line with anything on it starts with `$ ` (or `2 $ `) and some line does not: the others
    /// are output, but for lines that a `\` or `> ` continues.
    package static func commands(in text: String) -> [String]? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let first = lines.first(where: { !$0.trimmed.isEmpty }), promptLength(first) != nil else { return nil }
        var commands: [String] = []
        var isContinued = false
        for line in lines {
            if isContinued {
                let content = line.hasPrefix("> ") ? String(line.dropFirst(2)) : line
                commands[commands.count - 1] += "\n" + content
                isContinued = content.trimmedEnd.hasSuffix("\\")
            } else if let length = promptLength(line) {
                commands.append(String(String.UnicodeScalarView(line.unicodeScalars.dropFirst(length))))
                isContinued = line.trimmedEnd.hasSuffix("\\")
            }
        }
        let isAllCommands = lines.allSatisfy { $0.trimmed.isEmpty || promptLength($0) != nil }
        return isAllCommands && commands.count < 2 ? nil : commands
    }

    private static func promptLength(_ line: String) -> Int? {
        var scanner = LineScanner(line)
        while scanner.current?.isBlank ?? false { scanner.position += 1 }
        let length = PastedPrompt.length(in: scanner, origin: .script)
        return length > 0 ? scanner.position + length : nil
    }
}
