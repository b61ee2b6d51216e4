import Basics
import Glibc
import Linux
import RunnerProtocol

/// What a process of the container starts with for its standard streams.
struct StandardStreams {
    /// -1: the container's null device.
    var input: Int32 = -1
    var output: Int32 = -1
    var errors: Int32 = -1
    /// The slave of the process's terminal, which then stands for all three.
    var terminal: Int32 = -1
}

/// The last steps of a process that already is in the container's namespaces and root.
struct ProcessStart {
    let plan: ProcessPlan
    let streams: StandardStreams
    /// Failures are written here; when exec closes it without a message, the start succeeded.
    let report: Int32
    /// Whether the working directory is made when it is missing, as docker does for a container's first process.
    var makesWorkingDirectory = false
    /// Whether a process of ours stays as process 1.
    var reaper = false
    /// Where that one writes what was typed and not read; empty for nowhere.
    var typedAhead = ""

    /// In docker's order (runc's `standard_init`): seccomp early, while it still may be loaded, or with
    /// no_new_privs as late as possible; then ids, capabilities, the parent's death, the program.
    func run() throws(StepFailure) -> Never {
        let user = try lookUpUser()
        if makesWorkingDirectory { try makeWorkingDirectory() }
        if reaper { try splitReaper(user) }
        try placeStreams(user)
        for limit in plan.limits {
            try step("error setting rlimit type", String(limit.resource)) { () throws(SystemCallError) in
                try ProcessCalls.setLimit(limit.resource, soft: limit.soft, hard: limit.hard)
            }
        }
        for file in plan.kernelFiles {
            let path = "/proc/self/\(file.name)"
            try step("write", path) { () throws(SystemCallError) in
                try OwnedFD.open(path, O_WRONLY | O_NOFOLLOW).write(Array(file.value.utf8))
            }
        }
        ProcessCalls.joinNewKeyring()
        ProcessCalls.resetSignals()
        umask(0o022)
        if plan.noNewPrivileges {
            try step("no_new_privs") { () throws(SystemCallError) in try ProcessCalls.setNoNewPrivileges() }
        } else {
            try loadSeccomp()
        }
        let reachedEarly = try changeDirectory(mayWait: true)
        try takeIdentity(user)
        if !reachedEarly { _ = try changeDirectory(mayWait: false) }
        try dieWithParent()
        // A directory outside the root (CVE-2024-21626) has no path here.
        guard ProcessCalls.workingDirectory() != nil else {
            throw StepFailure(
                step: "chdir", path: plan.workingDirectory, errno: ENOENT,
                words: "working directory \(plan.workingDirectory) is outside of the container's root")
        }
        let environment = Self.environment(plan.environment, home: user.home)
        let program = try ProgramSearch(environment: environment).find(plan.arguments.first ?? "")
        if plan.noNewPrivileges { try loadSeccomp() }
        ProcessCalls.closeOnExec(from: 3)
        let error = ProcessCalls.execute(program, arguments: plan.arguments, environment: environment)
        throw ProgramSearch.failure(of: program, errno: error)
    }

    private func lookUpUser() throws(StepFailure) -> ContainerUser {
        let root = try step("open", "/") { () throws(SystemCallError) in try RootDirectory(hostPath: "/") }
        let database = UserDatabase(
            passwd: try? root.contents(of: "etc/passwd"), group: try? root.contents(of: "etc/group"))
        do throws(ShaleError) {
            return try database.resolve(plan.user, additionalGroups: plan.additionalGroups)
        } catch {
            throw StepFailure(step: "user", path: plan.user, words: error.message)
        }
    }

    private func makeWorkingDirectory() throws(StepFailure) {
        let path = plan.workingDirectory
        let isDirectory = try step("mkdir", path) { () throws(SystemCallError) in
            let root = try RootDirectory(hostPath: "/")
            do throws(SystemCallError) {
                return try FileStatus.of(root.open(path, OpenFlags.path)).kind == .directory
            } catch {
                // Other errors are reported by `chdir` later.
                guard error.errno == ENOENT else { return true }
            }
            var points = MountPoints(root: root)
            _ = try points.place(path, directory: true, restoringTimes: false)
            return true
        }
        guard isDirectory else {
            throw StepFailure(
                step: "mkdir", path: path, errno: ENOTDIR, words: "Cannot mkdir: \(path) is not a directory")
        }
    }

    private func placeStreams(_ user: ContainerUser) throws(StepFailure) {
        // Process 1 leads the session where it looks after what is typed.
        if typedAhead.isEmpty { setsid() }
        try step("stdio") { () throws(SystemCallError) in
            if streams.terminal >= 0 {
                if typedAhead.isEmpty {
                    try check("TIOCSCTTY") { PseudoTerminal.takeControl(streams.terminal) }
                }
                for number: Int32 in 0...2 { try ProcessCalls.place(streams.terminal, at: number) }
            } else {
                let null = try OwnedFD.open("/dev/null", O_RDWR | O_NOFOLLOW)
                for (number, fd) in [streams.input, streams.output, streams.errors].enumerated() {
                    try ProcessCalls.place(fd >= 0 ? fd : null.raw, at: Int32(number))
                }
            }
        }
        ProcessCalls.closeAll(from: 3, but: report)
        // So that the user may open /dev/stdout again.
        if user.uid != 0 || streams.terminal >= 0 {
            for number: Int32 in 0...2 where Self.isOwnStream(number) { fchown(number, user.uid, .max) }
        }
    }

    /// A pipe or terminal, not the shared null device.
    private static func isOwnStream(_ fd: Int32) -> Bool {
        var info = stat()
        guard fstat(fd, &info) == 0 else { return false }
        return info.st_mode & S_IFMT == S_IFIFO || isatty(fd) == 1
    }

    private func loadSeccomp() throws(StepFailure) {
        // The filter may forbid writing an error.
        StepClock.report(to: report)
        guard !plan.seccomp.isEmpty else { return }
        try step("seccomp") { () throws(SystemCallError) in try ProcessCalls.loadSeccomp(plan.seccomp) }
    }

    private func takeIdentity(_ user: ContainerUser) throws(StepFailure) {
        let capabilities = Capabilities(rawValue: plan.capabilities)
        try step("capabilities") { () throws(SystemCallError) in try Credentials.limitBounding(to: capabilities) }
        do throws(SystemCallError) {
            try Credentials.setGroups(user.groups)
        } catch {
            // A user namespace of one id cannot set groups; the groups that are set have no name in it.
            let denied = (try? WholeFile.read("/proc/self/setgroups", limit: 64))?.starts(with: Array("deny".utf8))
            guard error.errno == EPERM, denied == true else { throw StepFailure("setgroups", error) }
        }
        try takeID(user.gid, "gid") { () throws(SystemCallError) in try Credentials.setGroup(user.gid) }
        try takeID(user.uid, "uid") { () throws(SystemCallError) in try Credentials.setUser(user.uid) }
        try step("capabilities") { () throws(SystemCallError) in
            try Credentials.setCapabilities(user.uid == 0 ? capabilities : [])
        }
    }

    private func takeID(
        _ id: UInt32, _ kind: String, _ body: () throws(SystemCallError) -> Void
    ) throws(StepFailure) {
        do throws(SystemCallError) {
            try body()
        } catch {
            let user = plan.user.isEmpty ? "root" : plan.user
            let words = "user \(user): \(kind) \(id) is not mapped in the user namespace"
            throw StepFailure(
                step: "set\(kind)", path: String(id), errno: error.errno, words: error.errno == EINVAL ? words : "")
        }
    }

    private func dieWithParent() throws(StepFailure) {
        guard !reaper else { return }
        try step("prctl") { () throws(SystemCallError) in try ProcessCalls.dieWithParent() }
        // The parent may have died before it was asked.
        if !Poller.wait(for: report, events: [], milliseconds: 0).isDisjoint(with: .ended) { _exit(137) }
    }

    private func changeDirectory(mayWait: Bool) throws(StepFailure) -> Bool {
        let path = plan.workingDirectory.isEmpty ? "/" : plan.workingDirectory
        if path.withPath({ chdir($0) }) == 0 { return true }
        let error = errno
        if mayWait, error == EACCES || error == EPERM { return false }
        throw StepFailure(
            step: "chdir", path: path, errno: error,
            words: "chdir to cwd (\"\(path)\") failed: \(SystemCallError.words(of: error))")
    }

    /// `HOME` from the user's account unless one is given that is not empty.
    private static func environment(_ given: [String], home: String) -> [String] {
        if given.contains(where: { $0.hasPrefix("HOME=") && $0 != "HOME=" }) { return given }
        return given.filter { $0 != "HOME=" } + ["HOME=\(home)"]
    }

    // MARK: Process 1 of our own

    /// The child goes on to become the program; this process stays, with the same rights, and reaps.
    private func splitReaper(_ user: ContainerUser) throws(StepFailure) {
        let queue = try step("signals") { () throws(SystemCallError) in
            try SignalQueue((1...64).filter { ![9, 19, 32, 33].contains($0) })
        }
        let typed = typedAhead.isEmpty ? nil : try TypedAhead(path: typedAhead, terminal: streams.terminal)
        let child = try step("fork") { () throws(SystemCallError) in try ProcessCalls.fork() }
        guard child != 0 else {
            typed?.handOver()
            return
        }
        ProcessCalls.setName("shale-init")
        let signals = queue.descriptor.raw
        typed?.keep()
        ProcessCalls.closeAll(from: typed == nil ? 0 : 2, but: signals)
        // Rights enough to signal a program of any user, and no more.
        let kill = Capabilities(rawValue: 1 << 5)
        try? Credentials.limitBounding(to: kill)
        try? Credentials.setCapabilities(kill)
        try? ProcessCalls.setNoNewPrivileges()
        try? ProcessCalls.dieWithParent()
        while true {
            _ = Poller.wait(for: signals, events: .input, milliseconds: -1)
            while let number = queue.next() {
                if number != SIGCHLD { Glibc.kill(child, number) }
            }
            if typed != nil { TypedAhead.wake(child) }
            while let (pid, code) = ProcessCalls.reap() {
                guard pid == child else { continue }
                if typed != nil { TypedAhead.save() }
                _exit(code)
            }
        }
    }
}

/// Finds the container's command as docker's runtime does, and words its failures.
struct ProgramSearch {
    let path: String

    init(environment: [String]) {
        path = environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? ""
    }

    func find(_ name: String) throws(StepFailure) -> String {
        if name.contains("/") {
            try Self.check(name)
            return name
        }
        guard !name.isEmpty else { throw Self.notFound(name) }
        for folder in path.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = (folder.isEmpty ? "." : folder) + "/" + name
            if let status = try? FileStatus.of(hostPath: candidate, followingLink: true), status.kind != .directory,
                ProcessCalls.mayExecute(candidate)
            {
                return candidate
            }
        }
        throw Self.notFound(name)
    }

    private static func check(_ name: String) throws(StepFailure) {
        do throws(SystemCallError) {
            let status = try FileStatus.of(hostPath: name, followingLink: true)
            if status.kind == .directory { throw SystemCallError("exec", path: name, errno: EISDIR) }
            guard status.permissions & 0o111 != 0, ProcessCalls.mayExecute(name) else {
                throw SystemCallError("exec", path: name, errno: EACCES)
            }
        } catch {
            let isMissing = error.errno == ENOENT || error.errno == ENOTDIR
            let about = isMissing ? "stat \(name): \(error.reason)" : error.reason
            throw StepFailure(
                step: "exec", path: name, errno: error.errno, status: isMissing ? 127 : 126,
                words: "exec: \(goQuoted(name)): \(about)")
        }
    }

    private static func notFound(_ name: String) -> StepFailure {
        StepFailure(
            step: "exec", path: name, errno: ENOENT, status: 127,
            words: "exec: \(goQuoted(name)): executable file not found in $PATH")
    }

    /// What execve itself refused: a wrong format, a missing interpreter.
    static func failure(of program: String, errno: Int32) -> StepFailure {
        StepFailure(
            step: "exec", path: program, errno: errno, status: errno == ENOENT || errno == ENOTDIR ? 127 : 126,
            words: "exec \(program): \(SystemCallError.words(of: errno))")
    }
}
