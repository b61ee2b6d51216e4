import Basics

/// The script that runs one line and writes down, beside the image's files, what became of the shell's own state.
///
/// POSIX sh only. It must come through whatever the line does: `exit`, `exec`, `set -eux`, a trap of its own, a changed
/// `IFS`, a syntax error. What it cannot write down counts as unchanged.
package enum RecorderScript {
    /// Where the container sees the report's folder: in its own `/dev`, which is part of no layer.
    package static let folder = "/dev/.enter"

    /// The script for a line.
    ///
    /// The line is quoted, so that its errors are its own, and nothing of the script follows it in the shell's eyes;
    /// `folder` is a path without blanks.
    package static func text(running line: String, in folder: String = RecorderScript.folder) -> String {
        let dump = ["set +o options", "umask umask", "pwd directory", "export -p exports", "alias aliases"]
        let bash = ["shopt -p shopt", "declare -p variables", "declare -f functions", "dirs -l -p stack"]
        // In one line: the shell prints line numbers in errors, and the user typed one line.
        return "_shale_dump() { \(writes(dump, folder)) if [ -n \"${BASH_VERSION-}\" ]; then \(writes(bash, folder)) "
            + "else \(writes(["set variables"], folder)) fi; }; "
            + "_shale_save() { _shale_status=$?; _shale_dump after || :; : >|\(folder)/complete || :; "
            + "return $_shale_status; }; "
            + "trap '{ _shale_save; } 2>/dev/null' EXIT; { _shale_dump before; } 2>/dev/null; "
            + "eval \(line.shellQuoted); { _shale_save; } 2>/dev/null"
    }

    /// Each command's output into the file named behind it.
    private static func writes(_ commands: [String], _ folder: String) -> String {
        commands.map { command in
            let parts = command.split(separator: " ")
            return "\(parts.dropLast().joined(separator: " ")) >|\(folder)/\"$1\".\(parts.last ?? "") || :;"
        }.joined(separator: " ")
    }
}
