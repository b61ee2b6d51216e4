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

/// A process on the files of a stage: what `RUN` starts.
struct StagedProcess: Sendable {
    var id: String
    var arguments: [String]
    var environment: [String]
    var workingDirectory: String
    var user: String
    /// Its network as it was named.
    var network: String?
    var host: HostConfig
    var mounts: [BindMount] = []
    var temporaryMounts: [TemporaryMount] = []
    var cgroupParent = ""
    /// A person's own streams, with a terminal or without; `nil` for none to read, and an operation context to write
    /// to.
    var person: PersonAtStep?
}

/// How it ended, and the mount points it was given that its files lacked.
struct StagedOutcome: Sendable {
    var exitStatus: Int32
    var stubs: Set<String>
}

extension BuildEngine {
    /// Runs a process on a stage's layers, writing into `staging`, and waits for its end.
    ///
    /// Its output goes to the operation context as it comes; it has no input, unless a person sits before it.
    /// Cancelling kills it.
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
            // Ctrl-C must reach the shell: process 1 takes no signal that it has no handler for.
            spec.host.useInit = true
            spec.typedAhead = person.typedAhead
        }
        do throws(ShaleError) {
            return try carryOut(spec, in: folder, process.person?.streams ?? streams(operation), operation)
        } catch {
            // A process that is killed while it starts may fail in several ways: all count as an interruption.
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

    /// Makes a container of a step that failed, with everything it did; returns its id.
    func keepFailedStep(
        id: String, image: Image?, settings: ContainerConfig, arguments: [String], staging: LayerStaging,
        outcome: StagedOutcome
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
            state.finishedAt = .now()
            state.startedAt = .now()
            try WholeFile.replace(folder.state, with: state.bytes)
        }
        store.layers.discard(staging)
        return kept.id
    }

    private static let ownerPrefix = "unable to convert uid/gid chown string to host mapping: "

    /// Docker's complaint about a `--chown` that names nobody.
    private static func unknownOwner(_ parts: [String], _ users: UserDatabase) -> ShaleError? {
        guard let name = parts.first else { return nil }
        if UInt32(name) == nil, (try? users.resolve(name)) == nil {
            return ShaleError(.notFound, "\(ownerPrefix)can't find uid for user \(name): no such user: \(name)")
        }
        guard parts.count > 1 else { return nil }
        return ShaleError(.notFound, "\(ownerPrefix)can't find gid for group \(parts[1]): no such group: \(parts[1])")
    }

    /// An owner by name or number, `user[:group]`, looked up in a stage's own files (`--chown`).
    func identity(named text: String, in state: StageState) throws(ShaleError) -> TreeCopyOptions.Owner {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts.compactMap { UInt32($0) }
        if numbers.count == parts.count, let uid = numbers.first {
            return TreeCopyOptions.Owner(uid: uid, gid: numbers.count > 1 ? numbers[1] : uid)
        }
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
