import Glibc
import Linux

extension Console {
    /// Writes a long result through the user's pager when it does not fit the terminal.
    ///
    /// `SHALE_PAGER`, then `setting`, then `PAGER`, then `less -FRX`; empty, `cat` or `off` means none. Without a
    /// terminal on both ends, or when the text fits, it is simply written. The styles of a drawing of shale's own stay.
    package func page(_ text: String, isDrawing: Bool = false, setting: String? = nil) {
        let text = isTerminal(.output) ? (isDrawing ? text.visibleButStyled : text.visibleLines) : text
        guard let pager = pager(setting), isTerminal(.output), isatty(0) == 1, let size = size(.output),
            text.split(separator: "\n", omittingEmptySubsequences: false).count > size.rows
        else {
            write(text)
            return
        }
        if run(pager, with: text) {
            observe(text.pathBytes, .output)
        } else {
            write(text)
        }
    }

    private func pager(_ setting: String?) -> String? {
        if TerminalStyle.isDumb(environment) { return nil }
        let chosen = environment["SHALE_PAGER"] ?? setting ?? environment["PAGER"] ?? "less -FRX"
        return ["", "cat", "off"].contains(chosen) ? nil : chosen
    }

    /// Runs the pager on the text and waits for it; false when it could not be started.
    private func run(_ pager: String, with text: String) -> Bool {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return false }
        _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
        _ = fcntl(ends[1], F_SETFD, FD_CLOEXEC)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
        if let output = descriptor(.output), output != 1 { posix_spawn_file_actions_adddup2(&actions, output, 1) }
        var variables = environment
        variables["LESS"] = variables["LESS"] ?? "FRX"
        var process: pid_t = 0
        let status = ProcessCalls.withStringList(["/bin/sh", "-c", pager]) { arguments in
            ProcessCalls.withStringList(variables.map { "\($0.key)=\($0.value)" }) { environment in
                posix_spawn(&process, "/bin/sh", &actions, nil, arguments, environment)
            }
        }
        close(ends[0])
        guard status == 0 else {
            close(ends[1])
            return false
        }
        // A pager that is left early closes its end: what remains is not wanted.
        Console(output: .descriptor(ends[1]), environment: environment).write(text)
        close(ends[1])
        var result: Int32 = 0
        while waitpid(process, &result, 0) < 0, errno == EINTR {}
        // The shell's words for a program that is not there, or cannot be run.
        return ![126, 127].contains((result >> 8) & 0xFF)
    }
}
