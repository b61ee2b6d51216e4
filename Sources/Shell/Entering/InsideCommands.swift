import Basics

/// Shale's own commands inside the recorded shell, behind a `\`.
///
/// Only commands that no image has a program for: `\ls` and `\rm` are how a shell avoids an alias.
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
        // What the last line did.
        case "diff": return "diff @~1 @"
        default: return String(command)
        }
    }
}
