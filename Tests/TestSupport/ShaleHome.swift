import FoundationEssentials
import Glibc

/// The built program with a home of its own, run as a person's shell would run it.
///
/// Every test that starts shale starts it through this type. Below `folder` lie the home, which shale makes, and `work`,
/// where commands run and find their files; `folder` itself is the `HOME` of whoever runs it.
package final class ShaleHome: Sendable {
    package let account: Account
    package let folder = TemporaryDirectory()
    /// The store: `SHALE_HOME`.
    package let home: String
    /// Where commands run.
    package let work: String
    private let program: String?
    private let ownEnvironment: [String: String]
    /// The words of a program that starts all others here.
    private let before: [String]

    /// An empty home of whoever runs the tests; the first start makes busybox in it.
    package init(_ environment: [String: String] = [:]) {
        account = .same
        home = folder.path + "/home"
        work = folder.path + "/work"
        program = Self.program
        recipes = Self.recipes
        ownEnvironment = environment
        before = []
        mkdir(work, 0o755)
    }

    /// A home that is used by another user, or that lies elsewhere: `home` is not removed with the folder.
    ///
    /// `before` is a program that starts everything in it, with its arguments: ``withoutNetwork``.
    ///
    /// - Throws: ``PeerError`` when the program cannot be copied to where that user may start it.
    package init(_ environment: [String: String] = [:], as account: Account, home: String? = nil, before: [String] = [])
        throws
    {
        self.account = account
        self.before = before
        self.home = home ?? folder.path + "/home"
        work = folder.path + "/work"
        mkdir(work, 0o755)
        guard case .user(let uid, let gid) = account else {
            program = Self.program
            recipes = Self.recipes
            ownEnvironment = environment
            return
        }
        // Others cannot look into the folder where shale was built.
        guard let built = Self.program else { throw PeerError(text: Self.absent) }
        mkdir(folder.path + "/bin", 0o755)
        program = folder.path + "/bin/shale"
        recipes = folder.path + "/recipes"
        ownEnvironment = environment
        try Peer("cp").run(["--reflink=auto", built, built + "-runner", folder.path + "/bin"])
        try Peer("cp").run(["-R", Self.recipes, recipes])
        try Peer("chmod").run(["-R", "a+rX", folder.path])
        for path in [folder.path, work] { chown(path, uid, gid) }
    }

    deinit {
        // Containers and layers leave files of the user's range of ids, in folders that only they may write.
        guard home.hasPrefix(folder.path) else { return }
        _ = try? Peer("rm").run(["-rf", home], expecting: nil)
    }

    /// Where `scripts/recipes` lies.
    package let recipes: String
    private static let recipes = Corpus.packageRoot + "/scripts/recipes"

    /// What shale is started with, over the environment that every program of a test has.
    package var environment: [String: String] {
        ["SHALE_HOME": home, "HOME": folder.path, "NO_COLOR": "1", "SHALE_RETRY_WAIT": "0.05"]
            .merging(ownEnvironment) { $1 }
    }

    /// The words that start shale, or another program, as this home's user.
    ///
    /// - Throws: ``PeerError`` when shale is not built.
    package func command(_ arguments: [String], program other: String? = nil) throws -> [String] {
        guard let program = other ?? program else { throw PeerError(text: Self.absent) }
        guard case .user(let uid, let gid) = account else { return before + [program] + arguments }
        let leading = before + ["/usr/bin/setpriv", "--reuid", "\(uid)", "--regid", "\(gid)", "--clear-groups"]
        return leading + [program] + arguments
    }
}

// MARK: The program

extension ShaleHome {
    /// The one program that every test starts: `SHALE`, else what was built last of release, debug and what lies beside
    /// the tests that run, with its runner beside it.
    ///
    /// A stale release build beside a fresh debug one would test yesterday's program.
    package static let program: String? = {
        if let given = getenv("SHALE") { return String(cString: given) }
        let candidates =
            ["release", "debug"].map { "\(Corpus.packageRoot)/.build/\($0)/shale" } + [Terminal.product("shale")]
        let built = candidates.filter { access($0, X_OK) == 0 && access("\($0)-runner", X_OK) == 0 }
        return built.max { modified($0) < modified($1) }
    }()
    package static var isPresent: Bool { program != nil }
    package static let absent = "shale is not built (swift build), and SHALE names none"

    /// When the file was last written, in seconds since 1970.
    private static func modified(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
    }
}

// MARK: Users

extension ShaleHome {
    /// Who runs shale.
    package enum Account: Sendable, CustomStringConvertible {
        /// Whoever runs the tests.
        case same
        /// This user and group id, without further groups; needs root.
        case user(uid: UInt32, gid: UInt32)

        /// The ordinary user that scripts/test makes; `nil` where there is none or this process is not root.
        package static let tester: Account? = {
            guard ShaleHome.isRoot, let entry = getpwnam("shale-test") else { return nil }
            return .user(uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid)
        }()
        /// Everybody that this process can be or become.
        package static let all: [Account] = [.same] + (tester.map { [$0] } ?? [])
        package static let noTester = "needs root to become the user shale-test"

        package var description: String {
            switch self {
            case .same: "whoever runs the tests"
            case .user(let uid, _): "user \(uid)"
            }
        }
    }

    package static var isRoot: Bool { geteuid() == 0 }

    /// Starts a program in a network namespace of its own, where even loopback is down; needs root.
    package static let withoutNetwork = isRoot ? ["/usr/bin/unshare", "--net", "--"] : []
}

// MARK: Running

extension ShaleHome {
    /// Runs one command to its end.
    ///
    /// - Parameters:
    ///   - arguments: Its words, without the program's name.
    ///   - input: Its standard input.
    ///   - directory: Where it runs; `work` without it.
    ///   - environment: Added to the home's own.
    ///   - status: The exit status that is wanted; `nil` takes any.
    ///   - seconds: After which it is killed.
    /// - Returns: Its exit status, and what it wrote.
    /// - Throws: ``PeerError`` when it cannot be started, does not end in time, or ends with another status.
    @discardableResult
    package func run(
        _ arguments: [String], input: [UInt8] = [], in directory: String? = nil, environment: [String: String] = [:],
        expecting status: Int32? = 0, within seconds: Double = 300
    ) throws -> Peer.Outcome {
        try finish(
            command(arguments), called: "shale \(arguments.joined(separator: " "))", input, directory, environment,
            status, seconds)
    }

    /// Runs a script of `/bin/sh` in `work`, in which `shale` is the program, and takes any exit status.
    ///
    /// - Throws: ``PeerError`` when it cannot be started or does not end within `seconds`.
    package func sh(
        _ script: String, environment: [String: String] = [:], within seconds: Double = 300
    ) throws -> Peer.Outcome {
        let text = "shale() { '\(program ?? "")' \"$@\"; }; " + script
        return try finish(
            command(["-c", text], program: "/bin/sh"), called: script, [], nil, environment, nil, seconds)
    }

    /// Starts one command and lets it run; `said(NAME)` is what it has written so far.
    ///
    /// - Throws: ``PeerError`` when it cannot be started.
    package func start(
        _ arguments: [String], name: String = "started", in directory: String? = nil,
        environment: [String: String] = [:]
    ) throws -> Child {
        let path = "\(folder.path)/\(name)"
        return try launch(
            command(arguments), "/dev/null", directory, environment, output: path + ".out", errors: path + ".err")
    }

    /// What a command that was started under this name has written, with the exit status that the caller knows.
    package func said(_ name: String = "started", _ status: Int32 = 0) -> Peer.Outcome {
        Self.outcome("\(folder.path)/\(name)", status)
    }

    private func launch(
        _ words: [String], _ input: String, _ directory: String?, _ environment: [String: String], output: String,
        errors: String
    ) throws -> Child {
        try Child(
            words[0], Array(words.dropFirst()), environment: self.environment.merging(environment) { $1 },
            in: directory ?? work, input: input, output: output, errors: errors)
    }

    private func finish(
        _ words: [String], called what: String, _ input: [UInt8], _ directory: String?,
        _ environment: [String: String], _ status: Int32?, _ seconds: Double
    ) throws -> Peer.Outcome {
        let scratch = TemporaryDirectory()
        let path = scratch.path + "/run"
        try Data(input).write(to: URL(filePath: path + ".in"))
        let child = try launch(
            words, path + ".in", directory, environment, output: path + ".out", errors: path + ".err")
        let deadline = Waiting.now() + seconds
        while child.isRunning {
            guard Waiting.now() < deadline else {
                child.stop()
                throw PeerError(text: "`\(what)` does not end within \(seconds) s: \(Self.outcome(path, child.wait()))")
            }
            usleep(2000)
        }
        let outcome = Self.outcome(path, child.wait())
        if let status, outcome.status != status { throw PeerError(text: "\(what): \(outcome)") }
        return outcome
    }

    /// What lies in `PATH.out` and `PATH.err`.
    private static func outcome(_ path: String, _ status: Int32) -> Peer.Outcome {
        func bytes(_ path: String) -> [UInt8] { (try? Data(contentsOf: URL(filePath: path))).map(Array.init) ?? [] }
        return Peer.Outcome(
            status: status, output: bytes(path + ".out"), errors: String(decoding: bytes(path + ".err"), as: UTF8.self))
    }
}

// MARK: At a terminal

extension ShaleHome {
    /// Shale's prompt, or one command, in a terminal of its own.
    ///
    /// - Throws: ``PeerError`` when shale is not built, ``TerminalError`` when it cannot be started.
    package func terminal(
        _ arguments: [String] = [], environment: [String: String] = [:], columns: Int = 100, rows: Int = 30
    ) throws -> Terminal {
        let own = [
            "SHALE_PROMPT": "{PROMPT}", "TERM": "xterm-256color",
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        ]
        return try Terminal(
            ["/usr/bin/env", "-C", work] + command(arguments),
            environment: self.environment.merging(own) { $1 }.merging(environment) { $1 }, columns: columns, rows: rows)
    }
}

// MARK: Files in `work`

extension ShaleHome {
    package func exists(_ name: String) -> Bool { access(work + "/" + name, F_OK) == 0 }

    package func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: work + "/" + name)), as: UTF8.self)
    }

    /// Writes a file, and makes the folders that it lies in.
    package func write(_ text: String, to name: String, executable: Bool = false) throws {
        try write(Array(text.utf8), to: name, executable: executable)
    }

    package func write(_ bytes: [UInt8], to name: String, executable: Bool = false) throws {
        let path = work + "/" + name
        let parent = path.split(separator: "/").dropLast().joined(separator: "/")
        try FileManager.default.createDirectory(atPath: "/\(parent)", withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(filePath: path))
        chmod(path, executable ? 0o755 : 0o644)
        if case .user(let uid, let gid) = account { chown(path, uid, gid) }
    }
}
