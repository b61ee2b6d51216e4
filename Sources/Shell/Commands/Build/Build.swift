package import ArgumentParser
package import Basics
import Building
import Containers
import Dockerfiles
import Glibc
import Images
import Linux
import OCI
import Recipes
import Rendering
import Runtime
import Stores

/// `build`: an image from a Dockerfile.
package struct Build: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Build an image from a Dockerfile",
        usage: "build [OPTIONS] PATH|- [OPTIONS]")
    package static let operandKinds: [ValueKind] = [.hostDirectory]
    package static let hasVariablesOfItsOwn = true

    package static let managementNames: [ManagementName] = ["image build", "builder build", "buildx build"]
    package static let examples = [
        "build . -t hello-docker", "build -f other/Dockerfile --build-arg version=2 .",
        "build -o out --cache-from type=local,src=cache --cache-to type=local,dest=cache .",
    ]
    package static let refusedFlags = BuildFlags.refused
    package static let differences = [
        "A cache miss after a hit says why in one line.",
        "A failed RUN leaves its container as $failed: diff $failed, cp $failed:/path .",
        "--step stops before each instruction: forward, back, into a shell, on with another command.",
        "A git context is fetched without your git's settings, keys and credentials: a private one comes over ssh with "
            + "--ssh default, or with --secret id=GIT_AUTH_TOKEN,env=GIT_AUTH_TOKEN.",
        "--cache-to keeps layers with the keys of the steps that made them, for other machines' --cache-from; with "
            + "mode=max those of all stages. It is shale's own: buildx reads none of it.",
        "--squash merges the layers of the last stage, and no others.",
        "With several platforms each is built in turn, and the name stands for their index. A RUN for another processor "
            + "needs a registered emulator (qemu-user-static), and is refused by name before anything starts, or at its step where a cache may have it; FROM, "
            + "COPY and stages FROM --platform=$BUILDPLATFORM need none.",
        "Stages that the target needs are built at once, and told one after the other; others are not built.",
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

    @Option(help: "Build for this platform (OS/ARCH); for several, with commas: the name stands for their index.")
    var platform: String?

    @Option(help: "Network of RUN: host or none.")
    var network: String?

    @Option(name: .customLong("allow"), help: "Let the Dockerfile ask for it: network.host (RUN --network=host).")
    var allowed: [String] = []

    @Option(name: .customLong("add-host"), help: "Add a line to /etc/hosts of RUN (HOST:IP).")
    var extraHosts: [String] = []

    @Option(name: .customLong("iidfile"), help: "Write the image id to this file.")
    var imageIDFile: String?

    @Option(help: "What is told: auto, seed, plain or tty for docker's lines, json or rawjson for an object an event.")
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

    @Flag(help: "Make the layers of the build one, on top of the base's.")
    var squash = false

    @Flag(name: .customLong("force-rm"), help: "Remove the container of a failed step too.")
    var forceRemove = false

    @OptionGroup var limits: BuildLimits
    @OptionGroup var sharing: BuildSharing

    @Option(
        name: .customLong("secret"),
        help: "A secret for RUN --mount=type=secret: id=NAME,src=FILE or id=NAME,env=VARIABLE.")
    var secrets: [String] = []
    @Option(
        name: .customLong("ssh"),
        help: "An agent for RUN --mount=type=ssh: default, ID=SOCKET, or ID=KEY[,KEY] (private keys).")
    var agents: [String] = []
    @Flag(help: "Look for what should not be written (docker's rules), and build nothing.") var check = false
    @Flag(help: "Stop before each instruction and ask: next, continue, back, break, enter, retry, edit, help.")
    var step = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var request = try self.request(shell)
        let call = try BuildCall(sharing.call)
        if check || call.kind == .check { return try lint(request, isJSON: call.isJSON, shell) }
        if call.kind != .build { return try CalledBuild(request, call, shell).outcome() }
        if step { return try stepThrough(request, shell) }
        let isSilent = isQuiet || ["none", "quiet", "json", "rawjson"].contains(progress)
        let results = BuildResults(
            outputs: try BuildOutput.parse(sharing.outputs, pushing: sharing.push), tags: request.tags,
            metadataFile: sharing.metadataFile, imageIDFile: imageIDFile, platforms: request.platforms,
            isQuiet: isSilent)
        try results.check(shell)
        request.tags = results.storedTags
        noteFlagsWithoutEffect(shell)
        let lines: Console.Stream = results.takesStandardOutput ? .errors : .output
        let outcome: BuildOutcome
        switch progress {
        case "json", "rawjson": outcome = try telling(request, to: lines, shell)
        case "none", "quiet": outcome = try quietly(shell, request)
        default:
            outcome = isQuiet ? try quietly(shell, request) : try loudly(request, to: lines, shell)
        }
        shell.remember(image: outcome.imageID.hex)
        try results.write(outcome, shell)
        let saysID = (isQuiet || progress == "quiet") && !progress.hasSuffix("json") && lines == .output
        return saysID ? .line("\(outcome.index?.digest ?? outcome.imageID)") : .done
    }

    private func noteFlagsWithoutEffect(_ shell: ShellContext) {
        for (name, isGiven) in [("compress", sharing.compress), ("load", sharing.load), ("no-rm", !removes)]
        where isGiven {
            if let reason = BuildFlags.withoutEffect[name] { shell.console.note("--\(name) has no effect: \(reason)") }
        }
    }

    private func loudly(
        _ request: BuildRequest, to lines: Console.Stream, _ shell: ShellContext
    ) throws(ShaleError) -> BuildOutcome {
        let kept = "the finished steps; the same build goes on after them"
        return try shell.withOperation(lines: lines, keeping: kept) { operation throws(ShaleError) in
            try rememberingFailure(shell) { failed throws(ShaleError) in
                try shell.building().build(request, failedContainer: &failed, operation)
            }
        }
    }

    /// `--progress json`.
    private func telling(
        _ request: BuildRequest, to lines: Console.Stream, _ shell: ShellContext
    ) throws(ShaleError) -> BuildOutcome {
        var request = request
        let console = shell.console
        request.observe = { event in
            let text = BuildEventText.line(event)
            if lines == .output { console.line(text) } else { console.note(text) }
        }
        return try rememberingFailure(shell) { failed throws(ShaleError) in
            try shell.building().build(
                request, failedContainer: &failed, OperationContext(cancellation: shell.cancellation))
        }
    }

    /// `--check`.
    private func lint(_ request: BuildRequest, isJSON: Bool, _ shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        let source = try engine.building.buildSource(request, OperationContext(cancellation: shell.cancellation))
        let arguments = request.arguments.compactMapValues { $0 }
        let text = try LintText(
            checking: source.text, named: source.fileName, target: target, arguments: arguments,
            ignoring: source.ignored
        ) { engine.images.planned($0, platform: $1) }
        return try text.outcome(format: isJSON || progress.hasSuffix("json") ? "json" : nil) {
            shell.console.report($0)
        }
    }

    /// `--step`.
    private func stepThrough(_ request: BuildRequest, _ shell: ShellContext) throws(ShaleError) -> Outcome {
        let program = try SteppedDockerfile(request, shell)
        let status = try StepLoop(program, shell).run()
        try writeResults(of: program, shell)
        return .status(status)
    }

    /// The same build for a debugger; `step` is set, so that what cannot be stepped through is refused.
    ///
    /// Throws what `build --step` throws.
    func stepped(_ shell: ShellContext) throws(ShaleError) -> SteppedDockerfile {
        try SteppedDockerfile(request(shell), shell)
    }

    /// Writes the files that `--iidfile` and `--metadata-file` name, once the program has made an image.
    func writeResults(of program: SteppedDockerfile, _ shell: ShellContext) throws(ShaleError) {
        guard let made = program.outcome else { return }
        var names: [Reference] = []
        for tag in tags { names.append(try Self.tag(tag)) }
        try BuildResults(
            outputs: [], tags: names, metadataFile: sharing.metadataFile, imageIDFile: imageIDFile
        ).write(made, shell)
    }

    /// `-q`: the whole log goes to standard error, and only when the build fails.
    private func quietly(_ shell: ShellContext, _ request: BuildRequest) throws(ShaleError) -> BuildOutcome {
        let log = OutputBuffer()
        let sink: ProgressSink = { progress in
            switch progress {
            case .line(let line, _), .note(let line, _): log.append(Array("\(line)\n".utf8))
            case .output(let bytes, _): log.append(bytes)
            default: break
            }
        }
        do throws(ShaleError) {
            return try rememberingFailure(shell) { failed throws(ShaleError) in
                try shell.building().build(
                    request, failedContainer: &failed, OperationContext(cancellation: shell.cancellation, tell: sink))
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
        defer { if let failed, !failed.isEmpty { shell.remember(failed: failed) } }
        do throws(ShaleError) {
            return try body(&failed)
        } catch {
            guard let failed, !failed.isEmpty else { throw error }
            var told = error
            if path != "-", file != "-" { told.hint = nil }
            throw told.hinting("enter \(Identifier.short(failed))   ($failed, where it failed; or \(steppingCommand))")
        }
    }

    /// The same build, stepped through.
    private var steppingCommand: String {
        var words = ["build", "--step"]
        if let file { words += ["-f", file] }
        if let target { words += ["--target", target] }
        return (words + [path ?? "."]).joined(separator: " ").visible
    }

    private func request(_ shell: ShellContext) throws(ShaleError) -> BuildRequest {
        guard ["auto", "seed", "plain", "tty", "quiet", "none", "json", "rawjson"].contains(progress) else {
            throw ShaleError(
                .usage,
                "invalid value \"\(progress.visible)\" passed to --progress, valid values are: auto, plain, tty, quiet, "
                    + "none, seed, json, rawjson")
        }
        guard let path else {
            throw ShaleError(.usage, "'build' requires 1 argument", hint: "build -t NAME .")
        }
        if step, path == "-" || file == "-" {
            throw ShaleError(
                .usage, "build: --step reads its commands from standard input; the Dockerfile cannot come from there",
                hint: "build --step .")
        }
        if step, !sharing.outputs.isEmpty || !sharing.cacheTo.isEmpty || sharing.push {
            throw ShaleError(
                .usage, "build: --step writes neither an --output nor a --cache-to", hint: "build --step .")
        }
        if step, squash {
            throw ShaleError(.usage, "build: --step keeps every layer", hint: "squash IMAGE -t NEW   (afterwards)")
        }
        var request = BuildRequest(source: try source(path, shell))
        if file == "-" {
            if path == "-" {
                throw ShaleError(.usage, "invalid argument: can't use stdin for both build context and dockerfile")
            }
            request.dockerfileText = String(pathBytes: try input(shell))
        } else {
            request.dockerfile = file
        }
        for tag in tags { request.tags.append(try Self.tag(tag)) }
        for argument in buildArguments {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let name = parts.first, !name.isEmpty else {
                throw ShaleError(
                    .usage,
                    "invalid argument \"\(argument.visible)\" for \"--build-arg\" flag: invalid environment variable: "
                        + argument.visible)
            }
            request.arguments[name] = .some(parts.count > 1 ? parts[1] : shell.console.environment[name])
        }
        for label in labels {
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            request.labels[parts[0]] = parts.count > 1 ? parts[1] : ""
        }
        request.target = target
        if let platform { try take(platform, into: &request) }
        request.steps.usesCache = !noCache
        request.steps.network = network
        request.steps.allowsHostNetwork = try allowsHostNetwork
        // Checked now, because a build whose steps are all cached would never read it.
        try ContainerEngine.network(network)
        for host in extraHosts { _ = try ExtraHost.parse(host) }
        request.steps.host.extraHosts = extraHosts
        request.steps.forceRemove = forceRemove
        request.pullsBases = pull
        request.squashes = squash
        request.traceName = shell.options.session
        let environment = shell.console.environment
        for text in secrets {
            let secret = try BuildSecret(parsing: text, environment: environment)
            try secret.check()
            request.steps.secrets.append(secret)
        }
        for text in agents { request.steps.agents.append(try BuildAgent(parsing: text, environment: environment)) }
        for warning in try limits.write(to: &request.steps, hostDirectory: shell.hostDirectory) {
            shell.console.note(warning)
        }
        try sharing.write(to: &request)
        return request
    }

    /// One platform, or several for an index.
    private func take(_ text: String, into request: inout BuildRequest) throws(ShaleError) {
        let platforms = try Platform.options(text)
        request.platform = platforms.first
        guard platforms.count > 1 else { return }
        request.platforms = platforms
        if step {
            throw ShaleError(
                .usage, "build: --step goes through one platform", hint: "build --step --platform linux/amd64 .")
        }
    }

    /// Whoever gives the build the host's network has allowed it; no other entitlement can be had here.
    private var allowsHostNetwork: Bool {
        get throws(ShaleError) {
            if let other = allowed.first(where: { $0 != "network.host" }) {
                throw ShaleError(
                    .unsupported, "--allow \(other.visible): cannot be granted here", hint: "--allow network.host")
            }
            return network == "host" || !allowed.isEmpty
        }
    }

    private func source(_ path: String, _ shell: ShellContext) throws(ShaleError) -> BuildRequest.Source {
        if path == "-" { return .bytes(try input(shell)) }
        return RemoteContext(path).map { .remote($0) } ?? .directory(path)
    }

    /// Docker's complaint about a name that is none.
    private static func tag(_ text: String) throws(ShaleError) -> Reference {
        do throws(ShaleError) {
            let reference = try Reference(parsing: text)
            if reference.digest != nil { throw ShaleError(.invalid, "build tag cannot contain a digest") }
            return try reference.asTarget()
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
}
