import Basics
import Containers
import Dockerfiles
import FoundationEssentials
import Glibc
import Linux
import OCI
import Stores

/// What a `RUN` sees beside its image's files: `--mount`, the volumes declared so far, a script that stands in the file.
struct StepMounts {
    private(set) var binds: [BindMount] = []
    private(set) var temporaries: [TemporaryMount] = []
    /// Bytes of `/dev/shm`, where a mount says so.
    private(set) var sharedMemory: Int64?
    /// Where volumes go, with the directories above: they stay in the layer.
    private(set) var volumePlaces: Set<String> = []
    /// What of them belongs to the cache's key.
    private(set) var cacheText = ""
    /// Folders that live as long as the step.
    private var scratches: [ScratchFolder] = []
    private var locks: [FileLockBox] = []

    /// A lock that a struct may hold.
    private final class FileLockBox {
        let lock: FileLock
        init(_ lock: consuming FileLock) { self.lock = lock }
    }

    /// Puts an executable script in the container's own `/dev` and answers its path there.
    mutating func add(script: String, named name: String, _ engine: Engine) throws(ShaleError) -> String {
        let scratch = try ScratchFolder(in: engine.store)
        try scratch.write(Array(script.utf8), as: "script")
        let path = "\(scratch.path)/script"
        try translating(path) { try Linux.check("chmod", path: path) { chmod(path, 0o755) } }
        scratches.append(scratch)
        let place = "/dev/pipes/\(name.replacing("/", with: "_"))"
        binds.append(BindMount(source: path, destination: place, readOnly: true))
        return place
    }

    /// Gives each declared volume a folder of its own, filled from the image and gone with the step: what a `RUN` writes
    /// to a volume stays out of the image, as with docker's classic builder.
    mutating func addVolumes(of state: StageState, _ engine: Engine, _ talk: Conversation) throws(ShaleError) {
        let taken = Set(binds.map(\.destination) + temporaries.map(\.destination))
        for written in (state.settings.volumes ?? [:]).keys.sorted() {
            let place = ImagePath.clean(written)
            guard place != "/", !taken.contains(place) else { continue }
            let scratch = try ScratchFolder(in: engine.store)
            try translating(scratch.path) { try Linux.check("chmod") { chmod(scratch.path, 0o755) } }
            if let image = state.image {
                let tree = try engine.mountedTree(of: image)
                if (try? tree.resolvedStatus(place))?.kind == .directory {
                    try Self.copy(place, of: tree, into: scratch, talk)
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
        _ path: String, of tree: RootDirectory, into scratch: ScratchFolder, _ talk: Conversation,
        include: (@Sendable (String, Bool) -> TreeCopyOptions.Inclusion)? = nil
    ) throws(ShaleError) {
        var options = TreeCopyOptions()
        options.updatesTopDirectory = true
        options.followSourceLink = true
        options.include = include
        try TreeCopy(from: tree, to: scratch.root, options: options)
            .copy(path, to: "/", cancellation: talk.cancellation)
    }

    /// A bind mount of files of the context, a stage or an image: a copy, so that writing leaves the original alone.
    mutating func add(
        bind mount: RunMount, at place: String, from source: BuildContext, _ engine: Engine, _ talk: Conversation
    ) throws(ShaleError) {
        let path = String(ImagePath.clean(mount.source ?? "/").dropFirst())
        guard source.holds(path), let top = try? source.root.pathBehindLinks(path.isEmpty ? "/" : path),
            let status = try? source.root.status(top)
        else {
            throw ShaleError(.notFound, "RUN --mount: \"/\(path.visible)\" not found")
        }
        var hash = SourceHash()
        try hash.add(
            top == "/" ? "" : top, in: source.root, including: { !source.isIgnored($0) },
            descendingInto: { source.mayHoldExceptions($0) }, talk.cancellation)
        cacheText += "\nmount \(place) \(hash.digest(relativeTo: top == "/" ? "" : top))"
        let scratch = try ScratchFolder(in: engine.store)
        scratches.append(scratch)
        guard status.kind == .directory else {
            try TreeCopy(from: source.root, to: scratch.root).copy(top, to: "file", cancellation: talk.cancellation)
            binds.append(BindMount(source: "\(scratch.path)/file", destination: place, readOnly: mount.isReadOnly))
            return
        }
        try Self.copy(top, of: source.root, into: scratch, talk) { inside, _ in
            let whole = top == "/" || top.isEmpty ? inside : "\(top)/\(inside)"
            if source.isIgnored(whole) { return source.mayHoldExceptions(whole) ? .skip : .prune }
            return .include
        }
        if top == "/" || top.isEmpty {
            try translating(scratch.path) { try Linux.check("chmod") { chmod(scratch.path, 0o755) } }
        }
        binds.append(BindMount(source: scratch.path, destination: place, readOnly: mount.isReadOnly))
    }

    /// A folder that builds share and that outlives them, by its id or its place.
    mutating func add(
        cache mount: RunMount, at place: String, _ engine: Engine, _ talk: Conversation,
        filledFrom source: BuildContext?
    ) throws(ShaleError) {
        cacheText += "\nmount cache \(place)"
        let id = mount.id.flatMap { $0.isEmpty ? nil : $0 } ?? place
        let folder = "\(engine.store.cache.folder)/mounts/\(Digest.of(id.utf8).hex)"
        try translating("cache \(id)") {
            try RootDirectory(hostPath: engine.store.cache.folder).makeDirectories("mounts")
            if mount.sharing == .locked {
                locks.append(FileLockBox(try FileLock.waiting(on: "\(folder).lock", exclusive: true)))
            }
            guard mkdir(folder, 0o755) == 0 else {
                if errno == EEXIST { return }
                throw SystemCallError("mkdir", path: folder)
            }
            if let source {
                var options = TreeCopyOptions()
                options.updatesTopDirectory = true
                try TreeCopy(from: source.root, to: RootDirectory(hostPath: folder), options: options)
                    .copy(mount.source ?? "/", to: "/", cancellation: talk.cancellation)
            }
            try Linux.check("chown") { chown(folder, mount.user ?? 0, mount.group ?? 0) }
            try Linux.check("chmod") { chmod(folder, mode_t(mount.mode ?? 0o755)) }
        }
        binds.append(BindMount(source: folder, destination: place, readOnly: mount.isReadOnly))
    }

    mutating func add(temporary mount: RunMount, at place: String) {
        cacheText += "\nmount tmpfs \(place) \(mount.size ?? 0)"
        if place == "/dev/shm", let size = mount.size {
            sharedMemory = size
            return
        }
        temporaries.append(TemporaryMount(destination: place, options: mount.size.map { "size=\($0)" } ?? ""))
    }
}

extension StepExecutor {
    /// One `--mount`, its words replaced.
    func addMount(_ mount: RunMount, to mounts: inout StepMounts, _ state: StageState) throws(ShaleError) {
        let place = ImagePath.clean(mount.target ?? mount.source ?? "", relativeTo: state.workingDirectory)
        switch mount.kind {
        case .tmpfs: mounts.add(temporary: mount, at: place)
        case .bind:
            guard let source = try mount.from.map({ name throws(ShaleError) in try tree(of: name) }) ?? context else {
                throw ShaleError(.notFound, "RUN --mount: there is no build context")
            }
            try mounts.add(bind: mount, at: place, from: source, engine, talk)
        case .cache:
            let source = try mount.from.map { name throws(ShaleError) in try tree(of: name) }
            try mounts.add(cache: mount, at: place, engine, talk, filledFrom: source)
        case .secret, .ssh:
            // Neither can be given to a build here; one that is not required is simply not there, as with BuildKit.
            if mount.isRequired {
                throw ShaleError(.unsupported, "RUN --mount=type=\(mount.kind.rawValue) is not supported yet")
            }
        }
    }
}
