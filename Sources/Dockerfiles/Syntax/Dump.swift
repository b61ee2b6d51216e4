import Basics

extension Dockerfile {
    /// BuildKit's dump of the syntax tree: `(keyword [flags] "argument" …)`, an instruction a line.
    package var dump: String { nodes.map { "(\($0.dump))\n" }.joined() }

    /// One JSON object an instruction, in order, as `recipe parse --format json` prints them.
    package var jsonRows: [String] { nodes.map(\.jsonRow) }
}

extension Node {
    fileprivate var dump: String {
        var text = keyword
        if !flags.isEmpty { text += " [" + flags.map(goQuoted).joined(separator: " ") + "]" }
        for argument in arguments { text += " " + goQuoted(argument) }
        for node in trigger { text += " (\(node.dump))" }
        return text
    }

    fileprivate var jsonRow: String {
        func list(_ words: [String]) -> String { "[" + words.map(jsonQuoted).joined(separator: ",") + "]" }
        let heredocs = heredocs.map { heredoc in
            "{\"name\":\(jsonQuoted(heredoc.name)),\"content\":\(jsonQuoted(heredoc.content)),"
                + "\"expand\":\(heredoc.expand),\"chomp\":\(heredoc.chomp)}"
        }
        return "{\"line\":\(line),\"endLine\":\(endLine),\"instruction\":\(jsonQuoted(spelling)),"
            + "\"flags\":\(list(flags)),\"form\":\"\(form.rawValue)\",\"args\":\(list(flattenedArguments)),"
            + "\"heredocs\":[\(heredocs.joined(separator: ","))],\"original\":\(jsonQuoted(original))}"
    }
}
