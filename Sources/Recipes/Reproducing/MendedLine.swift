import Basics
import Dockerfiles
import Images

/// A `RUN` with a command at its end.
enum MendedLine {
    /// The line with a command that runs when its own have succeeded; `nil` when none can be added.
    static func text(_ line: String, endingWith command: String) -> String? {
        guard let parsed = try? Instruction.parse(line: line), case .run(let run) = parsed.value, run.heredocs.isEmpty
        else { return nil }
        if run.command.usesShell {
            return script(line, from: line.utf8.prefix { !" \t\\\n".utf8.contains($0) }.count, endingWith: command)
        }
        let words = run.command.words
        guard words.count == 3, RecipeMaker.isPosix([words[0]]), words[1] == "-c" else {
            let own = words.map(\.shellQuoted).joined(separator: " ")
            return "RUN \(RunText.line(of: "\(own) && \(command)", shell: ["/bin/sh", "-c"]))"
        }
        return script(words[2], from: 0, endingWith: command).map {
            "RUN \(ConfigInstructions.array([words[0], words[1], $0]))"
        }
    }

    private static func script(_ text: String, from start: Int, endingWith command: String) -> String? {
        let script = ShellCommands(text, from: start)
        guard script.obstacle == nil, let last = script.commands.last else { return nil }
        // What stands behind the last command closes a loop or a group; a comment or an operator there takes no other.
        let rest = String(decoding: Array(text.utf8)[last.range.upperBound...], as: UTF8.self)
        guard !rest.contains("#"), !rest.contains("&"), !rest.contains("|") else { return nil }
        var whole = text
        while whole.utf8.count > last.range.upperBound, let end = whole.unicodeScalars.last,
            " \t\n;".unicodeScalars.contains(end)
        {
            whole.unicodeScalars.removeLast()
        }
        return whole.hasSuffix("\\") ? nil : "\(whole) && \(command)"
    }
}
