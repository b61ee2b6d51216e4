import CEditline
import Glibc

/// Ctrl-X Ctrl-E: the line in `$VISUAL` or `$EDITOR`.
extension LineEditor {
    func editOutside() -> KeyOutcome {
        guard let handle, let path = temporaryFile(holding: line.text) else { return .error }
        defer { unlink(path) }
        let environment = console.environment
        let editor = [environment["VISUAL"], environment["EDITOR"]].compactMap { $0 }.first { !$0.isEmpty } ?? "vi"
        console.write("\r\n")
        shale_editline_lend_terminal(handle, true)
        let isDone = Self.runShell("\(editor) \"$1\"", argument: path, environment: environment)
        shale_editline_lend_terminal(handle, false)
        if isDone, let text = Self.contents(of: path) { replaceLine(with: text) }
        shale_editline_refresh(handle)
        return .normal
    }

    private func temporaryFile(holding text: String) -> String? {
        let folder = console.environment["TMPDIR"] ?? "/tmp"
        var template = Array("\(folder)/shale-line-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        Console(output: .descriptor(descriptor), environment: [:]).write(text + "\n")
        close(descriptor)
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Runs a shell command line on the terminal and waits; true when it ended well.
    static func runShell(_ command: String, argument: String, environment: [String: String]) -> Bool {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // What is ignored here meanwhile is the editor's to handle.
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in [SIGINT, SIGQUIT, SIGPIPE] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var process: pid_t = 0
        let status = withCStrings(["/bin/sh", "-c", command, "sh", argument]) { arguments in
            withCStrings(environment.map { "\($0.key)=\($0.value)" }) { variables in
                posix_spawn(&process, "/bin/sh", nil, &attributes, arguments, variables)
            }
        }
        guard status == 0 else { return false }
        var result: Int32 = 0
        while waitpid(process, &result, 0) < 0 {
            if errno != EINTR { return false }
        }
        return result == 0
    }

    static func contents(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 1 << 20 {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            bytes += chunk[..<count]
        }
        var text = String(decoding: bytes, as: UTF8.self)
        while text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}
