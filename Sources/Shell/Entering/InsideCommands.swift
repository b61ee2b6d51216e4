import Basics

/// Shale's own commands inside the recorded shell, behind a `\`.
///
/// Only commands for which no image has a program: in a shell, `\ls` and `\rm` mean the command without an alias.
enum InsideCommands {
    static let verbs = [
        "undo", "redo", "steps", "diff", "recipe", "timeline", "goto", "edit", "drop", "move", "reflog", "layers",
        "images", "inspect", "tag", "session", "explain", "waste", "blame", "packages", "compare", "replay", "record",
        "help",
    ]

    /// The command of shale's that a line is; `nil` for a line of the image's shell.
    static func command(in line: String) -> String? {
        let text = line.trimmingBlanks
        guard text.hasPrefix("\\") else { return nil }
        let command = text.dropFirst()
        let verb = command.prefix { $0 != " " && $0 != ";" && $0 != "|" && $0 != ">" }
        guard verbs.contains(String(verb)) else { return nil }
        switch command {
        case "help": return "help enter"
        // The changes of the last line.
        case "diff": return "diff @~1 @"
        default: return String(command)
        }
    }
}
