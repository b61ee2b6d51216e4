import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Who runs shale.
enum CrashAccount: Sendable {
    /// Whoever runs the tests.
    case same
    /// This user and group id, without further groups.
    case user(uid: UInt32, gid: UInt32)
}

/// The built `shale` with a home of its own, and everything that it could leave behind.
final class CrashHome: Sendable {
    /// What one run of shale came to.
    struct Said: Sendable, CustomStringConvertible {
        var status: Int32
        var output: String
        var errors: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }
        var description: String { "status \(status)\nstdout: \(output)\nstderr: \(errors)" }
    }

    static var isRoot: Bool { geteuid() == 0 }

    let folder = TemporaryDirectory()
    let home: String
    /// Where commands run and find their files.
    let work: String
    private let account: CrashAccount
    private let programPath: String

    /// An empty home; the first start makes busybox in it.
    init(as account: CrashAccount = .same, home: String? = nil) throws {
        guard let program = BuiltShale.path else { throw CrashFailure(description: BuiltShale.absent) }
        self.account = account
        self.home = home ?? folder.path + "/home"
        work = folder.path + "/work"
        mkdir(work, 0o755)
        guard case .user(let uid, let gid) = account else {
            programPath = program
            return
        }
        // Others cannot look into the folder where shale was built.
        for path in [folder.path, work] { chmod(path, 0o755) }
        mkdir(folder.path + "/bin", 0o755)
        programPath = folder.path + "/bin/shale"
        try Peer("cp").run([program, program + "-runner", folder.path + "/bin"])
        try Peer("cp").run(["-r", Corpus.packageRoot + "/scripts/recipes", folder.path + "/recipes"])
        try Peer("chmod").run(["-R", "a+rX", folder.path + "/bin", folder.path + "/recipes"])
        mkdir(folder.path + "/own", 0o700)
        chown(folder.path + "/own", uid, gid)
        chown(work, uid, gid)
        if home == nil {
            mkdir(self.home, 0o700)
            chown(self.home, uid, gid)
        }
    }

    private var environment: [String: String] {
        var all = ["SHALE_HOME": home, "LC_ALL": "C", "TZ": "UTC", "SHALE_RETRY_WAIT": "0.05"]
        if case .user = account {
            all["HOME"] = folder.path + "/own"
            all["SHALE_RECIPES"] = folder.path + "/recipes"
        }
        return all
    }

    /// Starts shale; `folder.path/NAME.out` and `.err` take what it says.
    func start(_ arguments: [String], name: String, environment more: [String: String] = [:]) throws -> Child {
        try launch(programPath, arguments, name: name, more)
    }

    /// Runs shale to its end; one that does not end is killed, status 137.
    @discardableResult
    func shale(
        _ arguments: [String], environment more: [String: String] = [:], within seconds: Double = 60
    ) throws -> Said {
        try finish(arguments.joined(separator: " "), seconds) { name in
            try start(arguments, name: name, environment: more)
        }
    }

    /// Runs a line of `/bin/sh` in `work`, in which `shale` is the program.
    func sh(_ script: String, environment more: [String: String] = [:], within seconds: Double = 60) throws -> Said {
        try finish(script, seconds) { name in
            let text = "shale() { '\(programPath)' \"$@\"; }; cd '\(work)'; " + script
            return try launch("/bin/sh", ["-c", text], name: name, more)
        }
    }

    /// Like `shale`, and fails the test unless it succeeds.
    @discardableResult
    func must(_ arguments: String..., within seconds: Double = 60) throws -> Said {
        let said = try finish(arguments.joined(separator: " "), seconds) { try start(arguments, name: $0) }
        if said.status != 0 { throw CrashFailure(description: "shale \(arguments.joined(separator: " ")): \(said)") }
        return said
    }

    /// The same for words that are a list already.
    @discardableResult
    func must(_ arguments: [String], within seconds: Double = 60) throws -> Said {
        let said = try finish(arguments.joined(separator: " "), seconds) { try start(arguments, name: $0) }
        if said.status != 0 { throw CrashFailure(description: "shale \(arguments.joined(separator: " ")): \(said)") }
        return said
    }

    private func launch(
        _ path: String, _ arguments: [String], name: String, _ more: [String: String]
    ) throws -> Child {
        let variables = environment.merging(more) { $1 }
        let output = "\(folder.path)/\(name)"
        guard case .user(let uid, let gid) = account, let setpriv = Peer("setpriv").path else {
            return try Child(
                path, arguments, environment: variables, in: work, output: output + ".out", errors: output + ".err")
        }
        let leading = ["--reuid", "\(uid)", "--regid", "\(gid)", "--clear-groups", path]
        return try Child(
            setpriv, leading + arguments, environment: variables, in: work, output: output + ".out",
            errors: output + ".err")
    }

    private func finish(_ what: String, _ seconds: Double, _ start: (String) throws -> Child) throws -> Said {
        let name = "run-\(UInt32.random(in: 0 ... .max))"
        let child = try start(name)
        let deadline = Self.now() + seconds
        while child.isRunning {
            if Self.now() > deadline {
                Issue.record("`\(what)` does not end: \(said(name, 137))")
                child.stop()
                break
            }
            usleep(2000)
        }
        return said(name, child.wait())
    }

    /// What a program started under this name wrote.
    func said(_ name: String, _ status: Int32) -> Said {
        func text(_ path: String) -> String {
            (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        let path = "\(folder.path)/\(name)"
        return Said(status: status, output: text(path + ".out"), errors: text(path + ".err"))
    }

    /// Writes a file below `work`.
    func write(_ text: String, as name: String) throws { try write(Array(text.utf8), as: name) }

    func write(_ bytes: [UInt8], as name: String) throws {
        let path = "\(work)/\(name)"
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "/\(parent)", withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: path))
        chmod(path, 0o644)
    }

    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

extension CrashHome {
    /// Fails the test unless the store is whole and the everyday commands work.
    func expectWhole(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        for arguments in [["images"], ["ps", "-a"], ["system", "check"]] {
            let said = try sh("shale " + arguments.joined(separator: " "))
            #expect(said.status == 0, "\(what): \(arguments): \(said)", sourceLocation: sourceLocation)
        }
        // Whatever is listed can be looked at.
        let each = try sh("ids=$(shale images -aq --no-trunc; shale ps -aq); test -z \"$ids\" || shale inspect $ids")
        #expect(each.status == 0, "\(what): \(each)", sourceLocation: sourceLocation)
    }

    /// Waits until something is so.
    static func wait(within seconds: Double = 60, until isSo: () throws -> Bool) throws {
        let deadline = now() + seconds
        while try !isSo() {
            guard now() < deadline else { throw CrashFailure(description: "waited too long") }
            usleep(30_000)
        }
    }

    /// What `value` gives as soon as it gives something.
    static func eventually<Value>(
        _ what: String, within seconds: Double = 60, _ value: () throws -> Value?
    ) throws -> Value {
        let deadline = now() + seconds
        while true {
            if let value = try value() { return value }
            guard now() < deadline else { throw CrashFailure(description: "waited too long: \(what)") }
            usleep(20_000)
        }
    }

    /// Mounts and processes that still have to do with this home, after a while of grace.
    func residue(within seconds: Double = 30) -> [String] {
        let deadline = Self.now() + seconds
        while true {
            let found = Self.mounts(below: home) + processes()
            if found.isEmpty || Self.now() > deadline { return found }
            usleep(50_000)
        }
    }

    /// Mounts of the tests' own mount namespace on this path or below it.
    static func mounts(below path: String) -> [String] {
        let table = (try? WholeText.read("/proc/self/mountinfo")) ?? ""
        return table.split(separator: "\n").map(String.init).filter { $0.contains(path + "/") }.map { "mount: \($0)" }
    }

    /// Processes that hold something below the home, have it in their environment, or see it mounted.
    private func processes() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { Int32($0) }.filter { $0 != getpid() }.compactMap { pid -> String? in
            let status = (try? WholeText.read("/proc/\(pid)/stat")) ?? ""
            guard let state = status.split(separator: ")").last?.first(where: { $0 != " " }), state != "Z" else {
                return nil
            }
            let reasons = ["environ", "mountinfo"].filter { file in
                ((try? WholeText.read("/proc/\(pid)/\(file)")) ?? "").contains(home)
            }
            let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? []
            let held = files.compactMap { Self.link("/proc/\(pid)/fd/\($0)") }.filter { $0.hasPrefix(home) }
            guard !reasons.isEmpty || !held.isEmpty else { return nil }
            let name = (try? WholeText.read("/proc/\(pid)/comm")) ?? "?"
            return "process \(pid) \(name.filter { $0 != "\n" }): \(reasons + held)"
        }
    }

    static func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink(path, $0.assumingMemoryBound(to: CChar.self), bytes.count) } ?? -1
        }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    /// Control groups with one of these ids in their names.
    static func controlGroups(of ids: [String]) throws -> [String] {
        let found = try Peer("find").run(["/sys/fs/cgroup", "-type", "d"], expecting: nil).text
        return found.split(separator: "\n").map(String.init).filter { path in
            ids.contains { path.contains($0.prefix(12)) }
        }
    }

    /// Sockets below the home.
    func sockets() throws -> [String] {
        try Peer("find").run([home, "-type", "s"], expecting: nil).text.split(separator: "\n").map(String.init)
    }
}

/// Why a test cannot go on.
struct CrashFailure: Error, CustomStringConvertible {
    var description: String
}

/// Files of /proc, whose size is not known before.
enum WholeText {
    static func read(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw CrashFailure(description: path) }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count > 0 else { break }
            all += chunk[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }
}
