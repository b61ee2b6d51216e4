import Basics
import Dockerfiles

/// The forms in which a recipe can be written.
package enum RecipeForm: String, Sendable, CaseIterable {
    case dockerfile, shale, sh, md

    /// The file's name in a saved recipe.
    package var fileName: String {
        switch self {
        case .dockerfile: "Dockerfile"
        case .shale: "recipe.shale"
        case .sh: "recipe.sh"
        case .md: "recipe.md"
        }
    }
}

extension Recipe {
    /// The text of the recipe in a form; `name` says what the recipe makes.
    package func text(as form: RecipeForm, of name: String) -> String {
        switch form {
        case .dockerfile: dockerfile
        case .shale: shaleScript(name)
        case .sh: ShellScript(self, name).text
        case .md: handout(name)
        }
    }

    /// A script for `shale FILE` or `replay FILE`.
    private func shaleScript(_ name: String) -> String {
        var head = "#!/usr/bin/env shale\n# Makes \(name) step by step.\n"
        if !attachments.isEmpty {
            head += "# Run it in the folder that `recipe save` writes: it copies the files there.\n"
        }
        return head + dockerfile
    }

    // MARK: Handout

    private func handout(_ name: String) -> String {
        var text = "# How \(name) is made\n\n"
        text += "Every step below is a line of a `Dockerfile`; together, in this order, they make the image.\n"
        var number = 0
        var block: [String] = []
        var heading = ""
        var notes: [String] = []
        func flush() {
            guard !block.isEmpty else { return }
            number += 1
            text += "\n## \(number). \(heading)\n\n"
            if !notes.isEmpty { text += notes.map { "\($0)\n" }.joined() + "\n" }
            // The fence must be longer than any run of backticks in the text.
            let fence = String(repeating: "`", count: max(3, Self.longestFence(block.joined(separator: "\n")) + 1))
            text += "\(fence)dockerfile\n\(block.joined(separator: "\n"))\n\(fence)\n"
            (block, notes) = ([], [])
        }
        for line in lines {
            switch line {
            case .comment(let comment):
                flush()
                if !comment.isEmpty { notes += comment.split(separator: "\n").map { "> \($0)  " } }
            case .instruction(let instruction):
                let next = Self.heading(instruction)
                if next != heading || !Self.isSetting(instruction) { flush() }
                heading = next
                block.append(instruction)
            }
        }
        flush()
        if !attachments.isEmpty {
            text += "\n## Files\n\nBeside the `Dockerfile` lie:\n\n"
            text += attachments.map { "* `\($0.path.visible)`\n" }.joined()
        }
        text += "\n## Build it\n\n```console\n$ docker build -t NAME .\n```\n\nor, with shale, `build -t NAME .`\n"
        return text
    }

    private static func longestFence(_ text: String) -> Int {
        var (longest, run) = (0, 0)
        for character in text {
            run = character == "`" ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }

    private static func isSetting(_ instruction: String) -> Bool {
        !["FROM", "RUN", "COPY", "ADD"].contains(String(instruction.prefix { $0 != " " }))
    }

    private static func heading(_ instruction: String) -> String {
        let words = instruction.split(separator: " ", maxSplits: 1).map(String.init)
        let rest = words.count > 1 ? words[1].split(separator: "\n").first.map(String.init) ?? "" : ""
        switch words.first ?? "" {
        case "FROM": return "Begin with \(rest)"
        case "RUN": return "Run a command"
        case "COPY", "ADD": return "Copy files"
        case "WORKDIR": return "Settings"
        default: return "Settings"
        }
    }
}
