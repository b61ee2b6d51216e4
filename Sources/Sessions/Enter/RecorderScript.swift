import Basics

/// The script that runs one line and writes the shell's state to a report.
///
/// It is POSIX sh. It must work whatever the line does: `exit`, `exec`, `set -eux`, its own trap, a changed `IFS`, a
/// syntax error. State that it cannot write counts as unchanged.
package enum RecorderScript {
    /// The path of the report's folder in the container.
    ///
    /// It is below `/dev`, so it is in no layer.
    package static let folder = "/dev/.enter"

    /// The script for a line.
    ///
    /// The line is quoted for `eval`, so its errors are reported as its own and it cannot change the rest of the
    /// script.
    /// `folder` must contain no spaces.
    package static func text(running line: String, in folder: String = RecorderScript.folder) -> String {
        let dump = ["set +o options", "umask umask", "pwd directory", "export -p exports", "alias aliases"]
        let bash = ["shopt -p shopt", "declare -p variables", "declare -f functions", "dirs -l -p stack"]
        // On one line: the shell prints line numbers in errors, and the user typed one line.
        return "_shale_dump() { \(writes(dump, folder)) if [ -n \"${BASH_VERSION-}\" ]; then \(writes(bash, folder)) "
            + "else \(writes(["set variables"], folder)) fi; }; "
            + "_shale_save() { _shale_status=$?; _shale_dump after || :; : >|\(folder)/complete || :; "
            + "return $_shale_status; }; "
            + "trap '{ _shale_save; } 2>/dev/null' EXIT; { _shale_dump before; } 2>/dev/null; "
            + "eval \(line.shellQuoted); { _shale_save; } 2>/dev/null"
    }

    /// Commands that write each command's output to the file named after it.
    private static func writes(_ commands: [String], _ folder: String) -> String {
        commands.map { command in
            let parts = command.split(separator: " ")
            return "\(parts.dropLast().joined(separator: " ")) >|\(folder)/\"$1\".\(parts.last ?? "") || :;"
        }.joined(separator: " ")
    }
}
