import Basics
import Containers
import Dockerfiles
import FoundationEssentials
import Glibc
import Images
import Linux
import OCI
import Runtime
import Stores

/// The mounts of a `RUN`: `--mount`, the volumes declared so far, and a heredoc script.
///
/// The mounts are first planned, for the cache key. Only when the step is carried out are files copied, caches locked
/// and agents forwarded.
struct StepMounts {
    /// A planned mount.
    private enum Planned {
        /// `top` is its source after links are followed; a mount of a single file is made from a copy.
        case bind(RunMount, place: String, BuildContext, top: String, isDirectory: Bool)
        case cache(RunMount, place: String, BuildContext?, isShared: Bool)
        case secret(RunMount, directory: String, BuildSecret, id: String)
        case agent(RunMount, directory: String, BuildAgent)
        /// A required secret or agent that was not given. A step that is found in the cache does not need it.
        case missing(ShaleError)
    }

    private var planned: [Planned] = []
    /// Whether directories were not read again, but used as the walk before the first step found them.
    private(set) var isFromSurvey = false
    private(set) var binds: [BindMount] = []
    private(set) var temporaries: [TemporaryMount] = []
    /// The size of `/dev/shm` in bytes, when a mount sets it.
    private(set) var sharedMemory: Int64?
    /// The destinations of volumes and their parent directories.
    ///
    /// They stay in the layer.
    private(set) var volumePlaces: Set<String> = []
    /// Environment variables that mounts set: secrets, and an agent's socket.
    private(set) var variables: [String] = []
    private var agents = 0
    /// The text of the mounts in the cache key.
    private(set) var cacheText = ""
    /// Scratch folders that are kept until the step ends.
    private var scratches: [ScratchFolder] = []
    private var forwarders: [AgentForwarder] = []
    private var locks: [FileLockBox] = []

    /// Holds a lock, so that a copyable struct can keep it.
    private final class FileLockBox {
        let lock: FileLock
        init(_ lock: consuming FileLock) { self.lock = lock }
    }

    /// Mounts an executable script below the container's `/dev`; returns its path there.
    mutating func add(script: String, named name: String, _ engine: BuildEngine) throws(ShaleError) -> String {
        let scratch = try ScratchFolder(in: engine.store)
        try scratch.write(Array(script.utf8), as: "script")
        let path = "\(scratch.path)/script"
        try translating(path) { try Linux.check("chmod", path: path) { chmod(path, 0o755) } }
        scratches.append(scratch)
        let place = "/dev/pipes/\(name.replacing("/", with: "_"))"
        binds.append(BindMount(source: path, destination: place, readOnly: true))
        return place
    }

    /// Mounts a temporary folder for each declared volume, filled from the image and removed after the step.
    ///
    /// As in docker's classic builder, what a `RUN` writes to a volume does not go into the image.
    mutating func addVolumes(of state: StageState, _ engine: BuildEngine, _ operation: OperationContext)
        throws(ShaleError)
    {
        let taken = Set(binds.map(\.destination) + temporaries.map(\.destination))
        for written in (state.settings.volumes ?? [:]).keys.sorted() {
            let place = ImagePath.clean(written)
            guard place != "/", !taken.contains(place) else { continue }
            let scratch = try ScratchFolder(in: engine.store)
            try translating(scratch.path) { try Linux.check("chmod") { chmod(scratch.path, 0o755) } }
            if let image = state.image {
                let tree = try engine.images.mountedTree(of: image)
                if (try? tree.resolvedStatus(place))?.kind == .directory {
                    try Self.copy(place, of: tree, into: scratch, operation)
                }
            }
            scratches.append(scratch)
            binds.append(BindMount(source: scratch.path, destination: place))
            var above = place
            while above != "/" {
                volumePlaces.insert(above)
                above = above.parentPath
            }
        }
    }

    private static func copy(
        _ path: String, of tree: RootDirectory, into scratch: ScratchFolder, owner: TreeCopyOptions.Owner? = nil,
        _ operation: OperationContext, include: (@Sendable (String, Bool) -> TreeCopyOptions.Inclusion)? = nil
    ) throws(ShaleError) {
        var options = TreeCopyOptions()
        options.owner = owner
        options.updatesTopDirectory = true
        options.followSourceLink = true
        options.include = include
        try TreeCopy(from: tree, to: scratch.root, options: options)
            .copy(path, to: "/", cancellation: operation.cancellation)
    }

    /// Makes the planned mounts.
    mutating func prepare(_ engine: BuildEngine, _ operation: OperationContext) throws(ShaleError) {
        for mount in planned {
            switch mount {
            case .bind(let mount, let place, let source, let top, let isDirectory):
                try prepare(bind: mount, at: place, from: source, top: top, isDirectory: isDirectory, engine, operation)
            case .cache(let mount, let place, let source, let isShared):
                try prepare(cache: mount, at: place, engine, operation, filledFrom: source, isShared: isShared)
            case .secret(let mount, let directory, let secret, let id):
                try prepare(secret: mount, secret, id: id, relativeTo: directory, engine)
            case .agent(let mount, let directory, let agent):
                try prepare(agent: mount, agent, relativeTo: directory, engine)
            case .missing(let error): throw error
            }
        }
        planned = []
    }

    /// Plans a bind mount of files of the context, a stage or an image.
    mutating func add(
        bind mount: RunMount, at place: String, from source: BuildContext, _ operation: OperationContext
    ) throws(ShaleError) {
        let path = ImagePath.clean(mount.source ?? "/").withoutLeadingSlash
        guard source.holds(path), let top = try? source.root.pathBehindLinks(path.isEmpty ? "/" : path),
            let status = try? source.root.status(top)
        else {
            throw ShaleError(.notFound, "RUN --mount: \"/\(path.visible)\" not found")
        }
        // Files of the context are mounted as root's, as they are copied; stages and images keep their owners.
        var hash = SourceHash(countingOwners: source.image != nil)
        let survey = status.kind == .directory ? source.survey : nil
        if survey != nil { isFromSurvey = true }
        try hash.add(
            top == "/" ? "" : top, in: source.root, including: { !source.isIgnored($0) },
            descendingInto: { source.mayHoldExceptions($0) }, known: source.digests, survey: survey,
            operation.cancellation)
        cacheText += "\nmount \(place) \(hash.digest(relativeTo: top == "/" ? "" : top))"
        planned.append(.bind(mount, place: place, source, top: top, isDirectory: status.kind == .directory))
    }

    /// Makes a bind mount from a copy of the files, so that writes do not change the original.
    private mutating func prepare(
        bind mount: RunMount, at place: String, from source: BuildContext, top: String, isDirectory: Bool,
        _ engine: BuildEngine, _ operation: OperationContext
    ) throws(ShaleError) {
        let scratch = try ScratchFolder(in: engine.store)
        scratches.append(scratch)
        guard isDirectory else {
            var options = TreeCopyOptions()
            options.owner = source.image != nil ? nil : .root
            try TreeCopy(from: source.root, to: scratch.root, options: options)
                .copy(top, to: "file", cancellation: operation.cancellation)
            binds.append(BindMount(source: "\(scratch.path)/file", destination: place, readOnly: mount.isReadOnly))
            return
        }
        try Self.copy(top, of: source.root, into: scratch, owner: source.image != nil ? nil : .root, operation) {
            inside, _ in
            let whole = top == "/" || top.isEmpty ? inside : "\(top)/\(inside)"
            if source.isIgnored(whole) { return source.mayHoldExceptions(whole) ? .skip : .prune }
            return .include
        }
        if top == "/" || top.isEmpty {
            try translating(scratch.path) { try Linux.check("chmod") { chmod(scratch.path, 0o755) } }
        }
        binds.append(BindMount(source: scratch.path, destination: place, readOnly: mount.isReadOnly))
    }

    /// Plans a cache mount: a folder that is kept and shared by builds, found by its ID or its destination.
    mutating func add(cache mount: RunMount, at place: String, filledFrom source: BuildContext?, isShared: Bool) {
        cacheText += "\nmount cache \(place)"
        planned.append(.cache(mount, place: place, source, isShared: isShared))
    }

    private mutating func prepare(
        cache mount: RunMount, at place: String, _ engine: BuildEngine, _ operation: OperationContext,
        filledFrom source: BuildContext?, isShared: Bool
    ) throws(ShaleError) {
        let id = mount.id.flatMap { $0.isEmpty ? nil : $0 } ?? place
        let folder: String
        if isShared {
            folder = "\(engine.store.cache.folder)/mounts/\(Digest.of(id.utf8).hex)"
        } else {
            let scratch = try ScratchFolder(in: engine.store)
            scratches.append(scratch)
            folder = "\(scratch.path)/cache"
        }
        try translating("cache \(id)") {
            try RootDirectory(hostPath: engine.store.cache.folder).makeDirectories("mounts")
            if mount.sharing == .locked {
                locks.append(FileLockBox(try FileLock.waiting(on: "\(folder).lock", exclusive: true)))
            }
            if try ifPresent(FileStatus.of(hostPath: folder)) != nil { return }
            try Self.makeCache(folder, mount, engine, operation, filledFrom: source)
        }
        binds.append(BindMount(source: folder, destination: place, readOnly: mount.isReadOnly))
    }

    /// Makes a cache's folder, whole or not at all: a build that is stopped meanwhile leaves no half-filled one, and
    /// another build that shares it sees it only when it is filled.
    private static func makeCache(
        _ folder: String, _ mount: RunMount, _ engine: BuildEngine, _ operation: OperationContext,
        filledFrom source: BuildContext?
    ) throws {
        let scratch = try ScratchFolder(in: engine.store)
        let aside = "\(scratch.path)/filling"
        try Linux.check("mkdir", path: aside) { mkdir(aside, 0o755) }
        if let source {
            var options = TreeCopyOptions()
            options.updatesTopDirectory = true
            try TreeCopy(from: source.root, to: RootDirectory(hostPath: aside), options: options)
                .copy(mount.source ?? "/", to: "/", cancellation: operation.cancellation)
        }
        try Linux.check("chown", path: aside) { chown(aside, mount.user ?? 0, mount.group ?? 0) }
        try Linux.check("chmod", path: aside) { chmod(aside, mode_t(mount.mode ?? 0o755)) }
        do throws(SystemCallError) {
            try placeNew(aside, at: folder)
        } catch {
            // Another build was quicker.
            guard error.errno == EEXIST else { throw error }
        }
    }

    /// Plans a secret as a file or a variable.
    ///
    /// Its text is not part of the cache key or of the layer.
    mutating func add(
        secret mount: RunMount, relativeTo directory: String, _ secrets: [BuildSecret]
    ) {
        let names = [mount.id, mount.source, mount.target?.split(separator: "/").last.map(String.init)]
        let id = names.compactMap { $0 }.first { !$0.isEmpty } ?? ""
        cacheText += "\nmount secret \(id) \(mount.target ?? "") \(mount.environment ?? "")"
        guard let secret = secrets.first(where: { $0.id == id }) else {
            if mount.isRequired { planned.append(.missing(ShaleError(.notFound, "secret \(id): not found"))) }
            return
        }
        planned.append(.secret(mount, directory: directory, secret, id: id))
    }

    private mutating func prepare(
        secret mount: RunMount, _ secret: BuildSecret, id: String, relativeTo directory: String, _ engine: BuildEngine
    ) throws(ShaleError) {
        let bytes = try secret.bytes()
        if let name = mount.environment {
            variables.append("\(name.isEmpty ? id : name)=\(String(pathBytes: bytes))")
            if (mount.target ?? "").isEmpty { return }
        }
        let target = mount.target.flatMap { $0.isEmpty ? nil : $0 } ?? "/run/secrets/\(id)"
        let scratch = try ScratchFolder(in: engine.store)
        scratches.append(scratch)
        let file = "\(scratch.path)/secret"
        try translating("secret \(id)") {
            try WholeFile.replace(file, with: bytes, mode: 0o600, syncing: false)
            try Linux.check("chown") { chown(file, mount.user ?? 0, mount.group ?? 0) }
            try Linux.check("chmod") { chmod(file, mode_t(mount.mode ?? 0o400)) }
        }
        binds.append(
            BindMount(
                source: file, destination: ImagePath.clean(target, relativeTo: directory), readOnly: true))
    }

    /// Plans an SSH agent's socket.
    ///
    /// The command finds it by `SSH_AUTH_SOCK`.
    mutating func add(
        agent mount: RunMount, relativeTo directory: String, _ known: [BuildAgent]
    ) {
        let id = mount.id.flatMap { $0.isEmpty ? nil : $0 } ?? "default"
        cacheText += "\nmount ssh \(id) \(mount.target ?? "")"
        guard let agent = known.first(where: { $0.id == id }) else {
            if mount.isRequired { planned.append(.missing(ShaleError(.notFound, "unset ssh forward key \(id)"))) }
            return
        }
        planned.append(.agent(mount, directory: directory, agent))
    }

    /// Mounts a forwarder's socket instead of the agent's, so that it has the mount's mode and owner, and a command
    /// cannot
    /// change the agent.
    private mutating func prepare(
        agent mount: RunMount, _ agent: BuildAgent, relativeTo directory: String, _ engine: BuildEngine
    ) throws(ShaleError) {
        let target = mount.target.flatMap { $0.isEmpty ? nil : $0 } ?? "/run/buildkit/ssh_agent.\(agents)"
        let place = ImagePath.clean(target, relativeTo: directory)
        if agents == 0 { variables.append("SSH_AUTH_SOCK=\(place)") }
        agents += 1
        let scratch = try ScratchFolder(in: engine.store)
        let forwarder = try AgentForwarder(
            to: agent.socket, in: scratch, (mount.user ?? 0, mount.group ?? 0, mount.mode ?? 0o600))
        forwarders.append(forwarder)
        scratches.append(scratch)
        binds.append(BindMount(source: forwarder.path, destination: place))
    }

    mutating func add(temporary mount: RunMount, at place: String) {
        cacheText += "\nmount tmpfs \(place) \(mount.size ?? 0)"
        if place == "/dev/shm", let size = mount.size {
            sharedMemory = size
            return
        }
        // As in BuildKit, programs on it may be executed. Of docker's options nosuid, nodev and noexec only nosuid
        // stays.
        let size = mount.size.map { ",size=\($0)" } ?? ""
        temporaries.append(TemporaryMount(destination: place, options: "exec,dev" + size))
    }
}

extension StepExecutor {
    /// Plans one `--mount`, after expansion of variables.
    func addMount(_ mount: RunMount, to mounts: inout StepMounts, _ state: StageState) throws(ShaleError) {
        let place = ImagePath.clean(mount.target ?? "", relativeTo: state.workingDirectory)
        switch mount.kind {
        case .tmpfs, .bind, .cache:
            if place == "/" { throw ShaleError(.invalid, "invalid mount target \"/\"", hint: "--mount=…,target=/DIR") }
        case .secret, .ssh: break
        }
        switch mount.kind {
        case .tmpfs: mounts.add(temporary: mount, at: place)
        case .bind:
            guard let source = try mount.from.map({ name throws(ShaleError) in try files(named: name) }) ?? context
            else {
                throw ShaleError(.notFound, "RUN --mount: there is no build context")
            }
            try mounts.add(bind: mount, at: place, from: source, operation)
        case .cache:
            let source = try mount.from.map { name throws(ShaleError) in try files(named: name) }
            mounts.add(cache: mount, at: place, filledFrom: source, isShared: options.sharesCacheMounts)
        case .secret:
            mounts.add(secret: mount, relativeTo: state.workingDirectory, options.secrets)
        case .ssh: mounts.add(agent: mount, relativeTo: state.workingDirectory, options.agents)
        }
    }
}
