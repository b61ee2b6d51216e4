import Basics
import Glibc
import Linux
import Rendering
import Runtime
import Stores

/// The streams of a command that is attached to a container.
enum ContainerStreams {
    /// Standard input (when it is passed on), and those of the two outputs that are wanted.
    static func make(
        _ shell: ShellContext, stdin: Bool, stdout: Bool = true, stderr: Bool = true,
        detachKeys: String? = nil
    ) throws(ShaleError) -> AttachStreams {
        let console = shell.console
        var streams = AttachStreams(
            stdin: stdin ? shell.input : nil,
            output: sink(console, stdout ? .output : nil), errors: sink(console, stderr ? .errors : nil))
        if console.isTerminal(.errors) {
            streams.ignoredInterrupt = { console.note("still running; press Ctrl-C again to kill it") }
        }
        if let detachKeys { streams.detachKeys = try DetachKeys(parsing: detachKeys) }
        return streams
    }

    private static func sink(_ console: Console, _ stream: Console.Stream?) -> AttachStreams.Sink {
        { (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
            guard let stream else { return }
            console.write(Array(bytes), to: stream)
            if stream == .output { try console.checkOutput() }
        }
    }

    /// Docker's error for `-it` when standard input is not a terminal.
    static func checkTerminal(_ shell: ShellContext, terminal: Bool, interactive: Bool) throws(ShaleError) {
        guard terminal, interactive, !Terminal.isTerminal(shell.input) else { return }
        throw ShaleError(
            .usage, "cannot attach stdin to a TTY-enabled container because stdin is not a terminal", exitStatus: 1)
    }

    static func size(_ shell: ShellContext, terminal: Bool) -> TerminalSize? {
        guard terminal else { return nil }
        return Terminal.size(of: shell.input) ?? Terminal.size(of: shell.console.descriptor(.output) ?? 1)
    }

    /// The exit status for the way in which the attachment ended.
    static func outcome(_ end: AttachOutcome) -> Outcome {
        switch end {
        case .exited(let code), .restarted(let code): .status(code)
        case .detached: .done
        case .interrupted(let signal): .status(128 + signal)
        }
    }
}
