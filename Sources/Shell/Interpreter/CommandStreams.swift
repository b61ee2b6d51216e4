import Basics
import Glibc
import Linux
import Rendering
import ShellLanguage

/// Where one command's streams go: files, here-documents, and the host's pipeline behind `|`.
struct CommandStreams {
    private let savedConsole: Console
    private let savedInput: Int32
    private var files: [Int32] = []
    private var pipe: HostPipe?
    private var host: HostCommand.Running?
    private var hostOutput: HostOutput?
    private var hostText = ""

    init(
        _ command: Command, shell: ShellContext, expand: (Word, _ isDocument: Bool) throws(ShaleError) -> String
    ) throws(ShaleError) {
        savedConsole = shell.console
        savedInput = shell.input
        do throws(ShaleError) {
            try redirect(command, shell: shell, expand: expand)
        } catch {
            restore(shell)
            throw error
        }
    }

    private mutating func redirect(
        _ command: Command, shell: ShellContext, expand: (Word, _ isDocument: Bool) throws(ShaleError) -> String
    ) throws(ShaleError) {
        // Every name is expanded before the first file is opened.
        var texts: [String] = []
        for redirection in command.redirections { texts.append(try Self.text(redirection, expand)) }
        var output: Int32?
        var errors: Int32?
        var names: [Console.Stream: String] = [:]
        if let pipeline = command.pipeline {
            let made = try HostPipe()
            pipe = made
            hostText = pipeline.text
            // Output for a recording or for a variable passes through here.
            let descriptor = shell.console.descriptor(.output)
            if descriptor == nil || shell.tap.isHeard { hostOutput = try HostOutput(shell.console) }
            host = try HostCommand.start(
                pipeline.text, input: made.readEnd, output: hostOutput?.writeEnd ?? descriptor ?? 1,
                environment: shell.hostEnvironment)
            made.closeReadEnd()
            output = made.writeEnd
            if pipeline.includesErrors { errors = made.writeEnd }
        }
        for (redirection, text) in zip(command.redirections, texts) {
            switch redirection {
            case .output(_, let append): (output, names[.output]) = try open(text, append: append)
            case .errors(_, let append): (errors, names[.errors]) = try open(text, append: append)
            case .both(_, let append):
                (output, names[.output]) = try open(text, append: append)
                (errors, names[.errors]) = (output, names[.output])
            case .errorsToOutput:
                (errors, names[.errors]) = (output ?? shell.console.descriptor(.output), names[.output])
            case .outputToErrors:
                (output, names[.output]) = (errors ?? shell.console.descriptor(.errors), names[.errors])
            case .input: shell.input = try openInput(text)
            case .hereDocument:
                shell.input = try holding(text)
                shell.inputIsHereDocument = true
            case .hereString: shell.input = try holding(text + "\n")
            }
        }
        if output != nil || errors != nil {
            shell.console = shell.console.redirected(
                output: output.map { .descriptor($0) }, errors: errors.map { .descriptor($0) }, names: names)
        }
    }

    /// The text of a redirection's word; none for those that have no word.
    private static func text(
        _ redirection: Redirection, _ expand: (Word, _ isDocument: Bool) throws(ShaleError) -> String
    ) throws(ShaleError) -> String {
        switch redirection {
        case .output(let word, _), .errors(let word, _), .both(let word, _), .input(let word), .hereString(let word):
            try expand(word, false)
        case .hereDocument(let word): try expand(word, true)
        case .errorsToOutput, .outputToErrors: ""
        }
    }

    private mutating func open(_ path: String, append: Bool) throws(ShaleError) -> (Int32, name: String) {
        let file = try CallersUmask.restored { () throws(ShaleError) in
            try keep(path, O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC))
        }
        return (file, path)
    }

    private mutating func openInput(_ path: String) throws(ShaleError) -> Int32 { try keep(path, O_RDONLY) }

    private mutating func keep(_ path: String, _ flags: Int32) throws(ShaleError) -> Int32 {
        do throws(SystemCallError) {
            let descriptor = try OwnedFD.open(path, flags, mode: 0o666).release()
            files.append(descriptor)
            return descriptor
        } catch {
            throw error.cancelled ?? ShaleError(.io, path.visible, cause: error.reason)
        }
    }

    /// A text to read, in a file that has no name any more.
    private mutating func holding(_ text: String) throws(ShaleError) -> Int32 {
        var template = Array("/tmp/shale-text-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError("mkstemp").shaleError("here-document") }
        unlink(template)
        files.append(descriptor)
        let bytes = text.pathBytes
        let written = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count, lseek(descriptor, 0, SEEK_SET) == 0 else {
            throw SystemCallError("write").shaleError("here-document")
        }
        return descriptor
    }

    /// Closes the input of the host's pipeline, so that it sees the end.
    func finishOutput() { pipe?.closeWriteEnd() }

    /// Waits for the host's pipeline; `nil` where there is none.
    mutating func waitForHost(_ shell: ShellContext) -> Int32? {
        let running = host
        host = nil
        defer { hostOutput = nil }
        guard let running else { return nil }
        guard let hostOutput else { return running.wait() }
        let status = hostOutput.wait(for: running)
        if hostOutput.isHeld { shell.tellHeldOutput(of: "| \(hostText)") }
        return status
    }

    func restore(_ shell: ShellContext) {
        shell.console = savedConsole
        shell.input = savedInput
        shell.inputIsHereDocument = false
        for file in files { close(file) }
    }
}
