package import ArgumentParser
package import Basics
import Engine
import Glibc
import Linux
import OCI

/// `build`: an image from a Dockerfile.
package struct Build: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Build an image from a Dockerfile",
        usage: "build [OPTIONS] PATH|- [OPTIONS]")

    package static let examples = [
        "build . -t hello-docker", "build -f other/Dockerfile --build-arg version=2 .",
        "build --target test --no-cache .",
    ]
    package static let differences = [
        "A cache miss after a hit says why in one line.",
        "A failed RUN leaves its container as $failed: diff $failed, cp $failed:/path .",
    ]

    @Argument(
        help: ArgumentHelp(
            "The build context: a directory, or - for a tar or a Dockerfile on standard input.", valueName: "path"))
    var path: String?

    @Option(name: [.customShort("t", allowingJoined: true), .customLong("tag")], help: "Name the image (NAME[:TAG]).")
    var tags: [String] = []

    @Option(
        name: [.customShort("f", allowingJoined: true), .customLong("file")],
        help: "The Dockerfile; - for standard input.")
    var file: String?

    @Option(name: .customLong("build-arg"), help: "Set a build argument (NAME=VALUE; NAME alone takes the host's).")
    var buildArguments: [String] = []

    @Option(name: .customLong("label"), help: "Set a label on the image.")
    var labels: [String] = []

    @Option(help: "Stop at this stage.")
    var target: String?

    @Option(help: "Build for this platform (OS/ARCH).")
    var platform: String?

    @Option(help: "Network of RUN: host or none.")
    var network: String?

    @Option(name: .customLong("add-host"), help: "Add a line to /etc/hosts of RUN (HOST:IP).")
    var extraHosts: [String] = []

    @Option(name: .customLong("iidfile"), help: "Write the image id to this file.")
    var imageIDFile: String?

    @Option(help: "Wording of the progress: seed or plain.")
    var progress = "seed"

    @Flag(name: .customLong("no-cache"), help: "Carry out every step anew.")
    var noCache = false

    @Flag(help: "Ask the registry for newer base images.")
    var pull = false

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Print nothing but the image id.")
    var isQuiet = false

    @Flag(
        name: .customLong("rm"), inversion: .prefixedNo,
        help: "Taken for docker's sake: containers of good steps always go.")
    var removes = true

    @Flag(name: .customLong("force-rm"), help: "Remove the container of a failed step too.")
    var forceRemove = false

    @Option(name: .customLong("ulimit"), help: "Limit of RUN: NAME=SOFT[:HARD].") var limits: [String] = []
    @Option(name: .customLong("shm-size"), help: "Size of RUN's /dev/shm.") var sharedMemory: String?
    @Option(name: .customLong("cache-from"), help: "Taken for docker's sake: every image here serves the cache.")
    var cacheFrom: [String] = []

    @Option(help: .hidden) var secret: [String] = []
    @Option(help: .hidden) var ssh: [String] = []
    @Flag(help: .hidden) var check = false
    @Flag(help: .hidden) var step = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let request = try self.request(shell)
        let outcome: BuildOutcome
        if isQuiet {
            outcome = try quietly(shell, request)
        } else {
            outcome = try shell.conversing { talk throws(ShaleError) in
                try rememberingFailure(shell) { failed throws(ShaleError) in
                    try shell.engine().build(request, failedContainer: &failed, talk)
                }
            }
        }
        shell.remember(image: outcome.imageID.hex)
        if let imageIDFile { try write("\(outcome.imageID)", to: imageIDFile) }
        return isQuiet ? .line("\(outcome.imageID)") : .done
    }

    /// `-q`: the whole log goes to standard error, and only when the build fails.
    private func quietly(_ shell: ShellContext, _ request: BuildRequest) throws(ShaleError) -> BuildOutcome {
        let log = OutputBuffer()
        let sink: ProgressSink = { progress in
            switch progress {
            case .line(let line), .note(let line): log.append(Array("\(line)\n".utf8))
            case .output(let bytes, _): log.append(bytes)
            default: break
            }
        }
        do throws(ShaleError) {
            return try rememberingFailure(shell) { failed throws(ShaleError) in
                try shell.engine().build(
                    request, failedContainer: &failed, Conversation(cancellation: shell.cancellation, tell: sink))
            }
        } catch {
            shell.console.write(log.bytes, to: .errors)
            throw error
        }
    }

    private func rememberingFailure(
        _ shell: ShellContext, _ body: (inout String?) throws(ShaleError) -> BuildOutcome
    ) throws(ShaleError) -> BuildOutcome {
        var failed: String?
        defer { if let failed { shell.remember(failed: failed) } }
        return try body(&failed)
    }

    private func request(_ shell: ShellContext) throws(ShaleError) -> BuildRequest {
        for (name, isGiven) in [
            ("--secret", !secret.isEmpty), ("--ssh", !ssh.isEmpty), ("--check", check), ("--step", step),
        ]
        where isGiven {
            throw ShaleError(.unsupported, "build: \(name) is not supported yet")
        }
        guard ["seed", "plain", "auto"].contains(progress) else {
            throw ShaleError(
                .unsupported, "build: --progress \(progress.visible) is not supported", hint: "build --progress seed .")
        }
        guard let path else {
            throw ShaleError(.usage, "'build' requires 1 argument", hint: "build -t NAME .")
        }
        var request = BuildRequest(source: path == "-" ? .bytes(try input(shell)) : .directory(path))
        if file == "-" {
            if path == "-" {
                throw ShaleError(.usage, "invalid argument: can't use stdin for both build context and dockerfile")
            }
            request.dockerfileText = String(decoding: try input(shell), as: UTF8.self)
        } else {
            request.dockerfile = file
        }
        for tag in tags { request.tags.append(try Self.tag(tag)) }
        for argument in buildArguments {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first, !name.isEmpty else {
                throw ShaleError(.usage, "invalid build argument \"\(argument.visible)\"")
            }
            request.arguments[name] = .some(parts.count > 1 ? parts[1] : shell.console.environment[name])
        }
        for label in labels {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            request.labels[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        request.target = target
        if let platform { request.platform = try Platform(parsing: platform) }
        request.steps.usesCache = !noCache
        request.steps.network = network
        request.steps.extraHosts = extraHosts
        request.steps.forceRemove = forceRemove
        request.pullsBases = pull
        for limit in limits {
            guard let parsed = ResourceLimit(parsing: limit) else {
                throw ShaleError(.usage, "invalid argument \"\(limit.visible)\" for \"--ulimit\" flag")
            }
            request.steps.limits.append(parsed)
        }
        if let sharedMemory {
            guard let bytes = ByteCount.parse(sharedMemory) else {
                throw ShaleError(.usage, "invalid argument \"\(sharedMemory.visible)\" for \"--shm-size\" flag")
            }
            request.steps.sharedMemory = bytes
        }
        return request
    }

    /// Docker's complaint about a name that is none.
    private static func tag(_ text: String) throws(ShaleError) -> Reference {
        do throws(ShaleError) {
            let reference = try Reference(parsing: text)
            if reference.digest != nil { throw ShaleError(.invalid, "build tag cannot contain a digest") }
            return reference
        } catch {
            throw ShaleError(
                .invalid, "invalid argument \"\(text.visible)\" for \"-t, --tag\" flag: \(error.message)",
                exitStatus: 64)
        }
    }

    private func input(_ shell: ShellContext) throws(ShaleError) -> [UInt8] {
        let descriptor = shell.input
        return try translating("standard input") {
            try OwnedFD(adopting: Linux.check("dup", { fcntl(descriptor, F_DUPFD_CLOEXEC, 3) })).readAll(limit: 1 << 30)
        }
    }

    private func write(_ text: String, to path: String) throws(ShaleError) {
        try translating("--iidfile") { try WholeFile.replace(path, with: Array(text.utf8), mode: 0o644) }
    }
}
