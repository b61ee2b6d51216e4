import Basics
import Containers
import Diagnostics
import FoundationEssentials
import Glibc
import Images
import Layers
import Linux
import Logging
import OCI
import RunnerProtocol
import Runtime
import Stores

/// A process that runs on a stage's files, for `RUN`.
struct StagedProcess: Sendable {
    var id: String
    var arguments: [String]
    var environment: [String]
    var workingDirectory: String
    var user: String
    /// The value of `--network`.
    var network: String?
    var host: HostConfig
    var mounts: [BindMount] = []
    var temporaryMounts: [TemporaryMount] = []
    var cgroupParent = ""
    /// The streams of a person at the prompt; `nil` for a process without input whose output goes to the operation
    /// context.
    var person: PersonAtStep?
}

/// The exit status, and the mount points that the runner made because the files had none.
struct StagedOutcome: Sendable {
    var exitStatus: Int32
    var stubs: Set<String>
}

extension BuildEngine {
    /// Runs a process on a stage's layers, with `staging` as the upper directory, and waits for its end.
    ///
    /// Its output goes to the operation context. It has no input, unless `process.person` is set. A cancellation kills
    /// it.
    ///
    /// Throws `cancelled`, and what the start of the process throws.
    func runInStaging(
        _ process: StagedProcess, lowers: [String], staging: LayerStaging, _ operation: OperationContext
    ) throws(ShaleError) -> StagedOutcome {
        let folder = try ScratchFolder(in: store)
        var spec = LaunchSpec(
            containerID: process.id, arguments: process.arguments, lowerPaths: lowers, upperPath: staging.fsPath,
            workPath: staging.workPath, logPath: "", statePath: "\(folder.path)/state.json",
            socketDirectory: folder.path, home: store.home)
        spec.volatile = true
        spec.environment = process.environment
        spec.workingDirectory = process.workingDirectory
        spec.user = process.user
        spec.host = process.host
        spec.network = try ContainerEngine.network(process.network)
        spec.mounts = process.mounts
        spec.temporaryMounts = process.temporaryMounts
        spec.cgroupParent = process.cgroupParent
        (spec.seccomp, spec.noNewPrivileges) = try ContainerEngine.filter(process.host.securityOptions)
        spec.endsWithLauncher = true
        if let person = process.person {
            spec.terminal = person.hasTerminal
            spec.openStdin = person.streams.input != nil
            spec.initialSize = person.size
            // Process 1 ignores signals for which it has no handler. With an init process Ctrl-C reaches the shell.
            spec.host.useInit = true
            spec.typedAhead = person.typedAhead
        }
        do throws(ShaleError) {
            return try carryOut(spec, in: folder, process.person?.streams ?? streams(operation), operation)
        } catch {
            // A process that is killed while it starts may fail in several ways. All are reported as an interruption.
            if operation.cancellation.isCancelled { throw ShaleError(.cancelled, "interrupted") }
            throw error
        }
    }

    private func carryOut(
        _ spec: LaunchSpec, in folder: ScratchFolder, _ streams: AttachStreams, _ operation: OperationContext
    ) throws(ShaleError) -> StagedOutcome {
        let running = try runtime.start(spec, attach: streams)
        let watch = try CancellationWatch(operation.cancellation) { [runtime] in
            Logger.build.attempt("kill what was interrupted") {
                try runtime.signal(SIGKILL, socketDirectory: folder.path)
            }
        }
        defer { watch.end() }
        guard case .exited(let status) = try running.relay() else { throw ShaleError(.cancelled, "interrupted") }
        return StagedOutcome(exitStatus: status, stubs: ContainerEngine.stubs(in: folder.path))
    }

    private func streams(_ operation: OperationContext) -> AttachStreams {
        var streams = AttachStreams(
            stdin: nil,
            output: { (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                operation.tell(.output(Array(bytes), isError: false))
            },
            errors: { (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                operation.tell(.output(Array(bytes), isError: true))
            })
        streams.proxiesSignals = false
        return streams
    }

    /// Makes a container from a failed step, with all its changes; returns its ID.
    ///
    /// Without an image below, the changes are discarded and the ID is empty.
    ///
    /// Throws what creating the container and moving the files throw.
    func keepFailedStep(
        id: String, image: Image?, settings: ContainerConfig, arguments: [String], staging: LayerStaging,
        outcome: StagedOutcome, started: Timestamp
    ) throws(ShaleError) -> String {
        guard let image else {
            store.layers.discard(staging)
            return ""
        }
        var config = settings
        config.cmd = arguments
        var record = ContainerRecord(
            image: image, imageName: image.id.short, config: config, path: arguments.first ?? "",
            arguments: Array(arguments.dropFirst()))
        record.id = id
        record.mountStubs = outcome.stubs.sorted()
        let kept = try store.containers.create(record)
        let folder = store.containers.folder(kept.id)
        try translating("container \(Identifier.short(id))") {
            _ = rmdir(folder.upper)
            try Linux.check("rename", path: folder.upper) { Linux.rename(staging.fsPath, folder.upper) }
            var state = ContainerState(.exited)
            state.exitCode = outcome.exitStatus
            state.startedAt = started
            state.finishedAt = .now()
            try WholeFile.replace(folder.state, with: state.bytes)
        }
        store.layers.discard(staging)
        return kept.id
    }

    private static let ownerPrefix = "unable to convert uid/gid chown string to host mapping: "

    /// Docker's error for a `--chown` with an unknown user or group; `nil` when the user is known and no group is
    /// given.
    private static func unknownOwner(_ parts: [String], _ users: UserDatabase) -> ShaleError? {
        guard let name = parts.first else { return nil }
        if UInt32(name) == nil, (try? users.resolve(name)) == nil {
            return ShaleError(.notFound, "\(ownerPrefix)can't find uid for user \(name): no such user: \(name)")
        }
        guard parts.count > 1 else { return nil }
        return ShaleError(.notFound, "\(ownerPrefix)can't find gid for group \(parts[1]): no such group: \(parts[1])")
    }

    /// The owner for `--chown`, `user[:group]` by name or number, looked up in the stage's `/etc/passwd` and
    /// `/etc/group`.
    ///
    /// Throws `notFound`, in docker's wording, for an unknown user or group.
    func identity(named text: String, in state: StageState) throws(ShaleError) -> TreeCopyOptions.Owner {
        if let owner = TreeCopyOptions.Owner(numbers: text) { return owner }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if let first = parts.first, first.isEmpty {
            throw ShaleError(.notFound, "\(Self.ownerPrefix)can't find uid for user : no such user: ")
        }
        let tree = MergedTree(layers: try images.directories(lowerPaths(of: state)), form: form)
        let users = UserDatabase(
            passwd: try tree.contents(of: "/etc/passwd"), group: try tree.contents(of: "/etc/group"))
        let user: ContainerUser
        do throws(ShaleError) {
            user = try users.resolve(text)
        } catch {
            throw Self.unknownOwner(parts.map(String.init), users) ?? error
        }
        return TreeCopyOptions.Owner(uid: user.uid, gid: user.gid)
    }
}
