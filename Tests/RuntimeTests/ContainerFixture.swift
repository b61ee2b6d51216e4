import Basics
import FoundationEssentials
import Glibc
import Linux
import Runtime
import Synchronization
import TestSupport

/// A tiny root of busybox, and containers on it, each with a folder of its own.
final class ContainerFixture: Sendable {
    static let runnerPath: String = {
        let program = CommandLine.arguments.first ?? ""
        let beside = program.split(separator: "/").dropLast().joined(separator: "/")
        let candidates = [
            getenv("SHALE_RUNNER").map { String(cString: $0) }, "/" + beside + "/shale-runner",
            Corpus.packageRoot + "/.build/debug/shale-runner",
        ]
        return candidates.compactMap { $0 }.first { access($0, X_OK) == 0 } ?? ""
    }()

    /// Why containers cannot run here, `nil` when they can.
    static let obstacle: String? = {
        if runnerPath.isEmpty { return "shale-runner is not built" }
        if access("/bin/busybox", X_OK) != 0 { return "busybox-static is not installed" }
        return Capabilities.effective().contains(.sysAdmin) ? nil : "needs CAP_SYS_ADMIN"
    }()
    static var isPossible: Bool { obstacle == nil }

    /// Whether ids other than root exist here.
    static let hasManyIDs: Bool = {
        let map = (try? WholeFile.read("/proc/self/uid_map")) ?? []
        return String(decoding: map, as: UTF8.self).split(whereSeparator: { " \n".contains($0) }).last != "1"
    }()

    private static let commands = [
        "sh", "cat", "echo", "sleep", "true", "false", "id", "ls", "mount", "hostname", "kill", "stat", "tty", "stty",
        "env", "pwd", "head", "wc", "touch", "mkdir", "rm", "grep", "ps", "printf", "dd", "yes", "seq", "sort",
        "readlink",
        "mknod", "ip", "nc", "df", "awk", "cut", "od", "chmod", "reset", "tail", "usleep", "find", "chroot", "umount",
        "setuidgid", "unshare",
        "test",
    ]

    /// Where things stand that all tests of one user share.
    private static let shared = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"

    /// The lower layer, made once and shared.
    static let lower: String = {
        let path = shared + "/shale-test-rootfs-\(getuid())-2"
        if access(path + "/complete", F_OK) == 0 { return path }
        let manager = FileManager.default
        for folder in ["bin", "etc", "tmp", "root", "home/ann", "data"] {
            try? manager.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
        }
        chmod(path + "/tmp", 0o1777)
        for folder in [path, path + "/bin", path + "/etc", path + "/home", path + "/home/ann"] { chmod(folder, 0o755) }
        try? manager.copyItem(atPath: "/bin/busybox", toPath: path + "/bin/busybox")
        for command in commands { symlink("busybox", "\(path)/bin/\(command)") }
        write(path + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n")
        write(path + "/etc/group", "root:x:0:\nwheel:x:10:root\nann:x:1000:\nstaff:x:50:ann,root\n")
        write(path + "/etc/notrunnable", "text\n")
        write(path + "/bin/badformat", "\u{1}\u{2}\u{3}garbage")
        write(path + "/bin/badscript", "#!/no/such/interpreter\n")
        for file in ["badformat", "badscript"] { chmod("\(path)/bin/\(file)", 0o755) }
        write(path + "/complete", "")
        return path
    }()

    static func write(_ path: String, _ text: String) {
        try? Data(text.utf8).write(to: URL(filePath: path))
        chmod(path, 0o644)
    }

    let directory = TemporaryDirectory()
    let runtime: ContainerRuntime

    init() {
        runtime = ContainerRuntime(
            runnerPath: Self.runnerPath, cachePath: Self.shared + "/shale-test-cache-\(getuid())")
    }

    deinit {
        // Overlay's work folder has no rights at all.
        for folder in (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? [] {
            // A test that failed half-way may have left its container running.
            try? runtime.signal(SIGKILL, socketDirectory: "\(directory.path)/\(folder)")
            chmod("\(directory.path)/\(folder)/work/work", 0o700)
        }
    }

    /// A container that runs these words.
    func spec(_ arguments: String..., id: String = Identifier.random()) -> LaunchSpec {
        let folder = directory.path + "/" + id.prefix(12)
        for path in [folder, folder + "/upper", folder + "/work"] { mkdir(path, 0o755) }
        return LaunchSpec(
            containerID: id, arguments: arguments, lowerPaths: [Self.lower], upperPath: folder + "/upper",
            workPath: folder + "/work", logPath: folder + "/log", statePath: folder + "/state.json",
            socketDirectory: folder, home: directory.path)
    }

    /// What a container wrote, and how it ended.
    struct Result: Equatable {
        var status: Int32?
        var output: String
        var errors: String
    }

    /// Runs a container in the foreground, with text for its stdin if it has one.
    func run(_ spec: LaunchSpec, input: String? = nil) throws -> Result {
        let collector = Collector()
        var spec = spec
        let source = input.map(Self.pipe)
        defer { if let source { close(source) } }
        if input != nil { spec.openStdin = true }
        let streams = collector.streams(input: source)
        let container = try runtime.start(spec, attach: streams)
        let outcome = try container.relay()
        return collector.result(outcome)
    }

    /// Runs a process in a running container.
    func exec(_ spec: LaunchSpec, _ exec: ExecSpec, input: String? = nil) throws -> Result {
        let collector = Collector()
        let source = input.map(Self.pipe)
        defer { if let source { close(source) } }
        var exec = exec
        if input != nil { exec.openStdin = true }
        let outcome = try runtime.exec(
            socketDirectory: spec.socketDirectory, exec, streams: collector.streams(input: source))
        return collector.result(outcome)
    }

    /// The reading end of a pipe that holds a text.
    static func pipe(_ text: String) -> Int32 {
        var ends: [Int32] = [0, 0]
        guard Glibc.pipe(&ends) == 0 else { return -1 }
        let writing = ends[1]
        let bytes = Array(text.utf8)
        if bytes.count <= 32 << 10 {
            Glibc.write(writing, bytes, bytes.count)
            close(writing)
        } else {
            Thread.detach {
                var start = 0
                while start < bytes.count {
                    let count = bytes.withUnsafeBytes {
                        Glibc.write(writing, $0.baseAddress.map { $0 + start }, $0.count - start)
                    }
                    if count <= 0 { break }
                    start += count
                }
                close(writing)
            }
        }
        return ends[0]
    }

    func state(_ spec: LaunchSpec) -> JSONValue? {
        (try? Data(contentsOf: URL(filePath: spec.statePath))).flatMap {
            try? JSONDecoder().decode(JSONValue.self, from: $0)
        }
    }

    func log(_ spec: LaunchSpec) -> [JSONValue] {
        guard let data = try? Data(contentsOf: URL(filePath: spec.logPath)) else { return [] }
        return data.split(separator: 10).compactMap { try? JSONDecoder().decode(JSONValue.self, from: Data($0)) }
    }

    /// Waits until something holds, at most a minute.
    static func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<12_000 {
            if condition() { return true }
            usleep(5000)
        }
        return false
    }
}

/// Gathers a container's output.
final class Collector: Sendable {
    private let gathered = Mutex<(output: [UInt8], errors: [UInt8])>(([], []))

    func streams(input: Int32?) -> AttachStreams {
        AttachStreams(
            stdin: input,
            output: { (bytes) throws(ShaleError) in self.gathered.withLock { $0.output += Array(bytes) } },
            errors: { (bytes) throws(ShaleError) in self.gathered.withLock { $0.errors += Array(bytes) } })
    }

    var output: String { gathered.withLock { String(decoding: $0.output, as: UTF8.self) } }

    func result(_ outcome: AttachOutcome) -> ContainerFixture.Result {
        var status: Int32?
        if case .exited(let code) = outcome { status = code }
        return gathered.withLock {
            ContainerFixture.Result(
                status: status, output: String(decoding: $0.output, as: UTF8.self),
                errors: String(decoding: $0.errors, as: UTF8.self))
        }
    }
}

/// A plain thread, for the far side of what a test does.
enum Thread {
    static func detach(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(Box(body))
        var thread = pthread_t()
        pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        pthread_detach(thread)
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
