package import Basics
import Glibc
import Images
package import Layers
import Linux
import OCI
import RunnerProtocol
import Runtime
import Stores

extension ContainerEngine {
    /// Carries out `cp`: copies between the host, containers and images by docker's rules.
    ///
    /// Returns one outcome for each source.
    ///
    /// `input` is the descriptor that `-` as a source reads; the caller owns it. `output` receives the archive for `-`
    /// as the destination. The error of one source is its outcome. Throws an error in docker's wording for a request
    /// that is not possible.
    package func copy(
        _ request: CopyRequest, input: Int32 = 0, _ operation: OperationContext,
        output: @escaping ByteSink = { _ in }
    ) throws(ShaleError) -> [CopyOutcome] {
        try validate(request)
        let noted = beginNote(of: request)
        var results: [CopyOutcome] = []
        for source in request.sources {
            switch (source, request.destination) {
            case (.stream, let place):
                results.append(try unpack(input, into: place, request, operation))
            case (let place, .stream):
                for found in try sources(place, request) {
                    results.append(try pack(found, into: output, operation))
                }
            default: results += try copy(from: source, request, operation)
            }
        }
        if let noted { note(request, noted.window, in: noted.record, operation) }
        tell(request)
        return results
    }

    /// Records docker's events: files were copied from a container, or into it.
    private func tell(_ request: CopyRequest) {
        var events: [StoreEvent] = []
        for (places, action) in [(request.sources, "archive-path"), ([request.destination], "extract-to-dir")] {
            for case .inside(let name, _) in places {
                guard let record = try? store.containers.find(name) else { continue }
                events.append(StoreEvent(action, of: record))
            }
        }
        store.events.append(events)
    }

    private func validate(_ request: CopyRequest) throws(ShaleError) {
        let places = request.sources + [request.destination]
        guard places.contains(where: { if case .inside = $0 { true } else { false } }) else {
            throw ShaleError(.usage, "must specify at least one container source", exitStatus: 1)
        }
        for case .inside(_, let path) in places where path.isEmpty {
            throw ShaleError(.invalid, "bad parameter: path cannot be empty")
        }
        if request.sources.count > 1, request.sources.contains(.stream) || request.destination == .stream {
            throw ShaleError(.usage, "cp: - stands for one archive: give one source")
        }
    }

    private func copy(
        from place: CopyOperand, _ request: CopyRequest, _ operation: OperationContext
    ) throws(ShaleError) -> [CopyOutcome] {
        let found = try sources(place, request)
        let written = path(of: request.destination, request)
        let (side, path, lease) = try side(request.destination, written, forWriting: true)
        defer { withExtendedLifetime(lease) {} }
        if let refusal = side.refusal { throw ShaleError(.denied, refusal) }
        let target = try CopyTarget(written, at: path, on: side)
        try target.requireFile(named: request.destination)
        if found.count + request.sources.count > 2, !target.isDirectory {
            throw ShaleError(.invalid, "destination \"\(request.destination.text)\" must be a directory")
        }
        var results: [CopyOutcome] = []
        for source in found.map({ $0.reading(from: side) }) {
            let place = try target.place(of: source)
            var options = TreeCopyOptions()
            options.owner = try owner(request, on: side)
            options.replacesOtherKinds = false
            options.followSourceLink = source.follows
            options.followDestinationLink = false
            options.updatesTopDirectory = !place.merges
            // An existing directory on the host keeps its mode, so that the mode of a container's `/tmp` does not
            // change the host's.
            options.keepsDirectories = side.name == nil
            let copied = try translatingRefusals(side) { () throws(ShaleError) in
                try TreeCopy(from: source.side.root, to: side.root, options: options)
                    .copy(source.path, to: place.path, cancellation: operation.cancellation)
            }
            results.append(
                CopyOutcome(
                    destination: request.destination.text, content: copied.bytes, transferred: copied.archiveBytes))
        }
        return results
    }

    /// The files of a source.
    ///
    /// A pattern can have several.
    private func sources(_ place: CopyOperand, _ request: CopyRequest) throws(ShaleError) -> [CopySource] {
        let written = path(of: place, request)
        let (side, path, _) = try side(place, written, forWriting: false)
        if Glob.isPattern(path), (try? side.root.status(path)) == nil {
            let matches = CopyPattern.matches(path, in: side.root)
            guard !matches.isEmpty else { throw side.missing(written.path) }
            var found: [CopySource] = []
            for match in matches {
                let path = CopyPath(match, relativeTo: "/")
                found.append(try CopySource(path, at: match, on: side, followsLinks: request.followsLinks))
            }
            return found
        }
        return [try CopySource(written, at: path, on: side, followsLinks: request.followsLinks)]
    }

    private func path(of place: CopyOperand, _ request: CopyRequest) -> CopyPath {
        switch place {
        case .stream: CopyPath("/", relativeTo: "/")
        case .host(let path): CopyPath(path, relativeTo: request.hostDirectory)
        case .inside(_, let path): CopyPath(path, relativeTo: "/")
        }
    }

    // MARK: Sides

    /// The root of an operand, and the path there.
    ///
    /// A lease prevents that a stopped container is started meanwhile.
    private func side(
        _ place: CopyOperand, _ written: CopyPath, forWriting: Bool
    ) throws(ShaleError) -> (CopySide, path: String, lease: ContainerLock?) {
        guard case .inside(let name, _) = place else {
            return (CopySide(root: try images.open("/"), prefix: "", name: nil), written.path, nil)
        }
        if let layer = try layerSide(name, forWriting: forWriting) { return (layer, written.path, nil) }
        if let record = try store.container(meantBy: name)?.record {
            return try side(of: view(of: record), name: name, written, forWriting: forWriting)
        }
        guard let image = try? store.images.find(name) else { throw ContainerStore.noSuchContainer(name) }
        if forWriting {
            throw ShaleError(
                .unsupported, "\(name) is an image: its layers never change",
                hint: "create --name NAME \(name), then cp to NAME")
        }
        return (CopySide(root: try images.mountedTree(of: image), prefix: "", name: name), written.path, nil)
    }

    /// The files of one layer, for `IMAGE#N`.
    ///
    /// Files that later layers deleted are in it.
    private func layerSide(_ name: String, forWriting: Bool) throws(ShaleError) -> CopySide? {
        guard let hash = name.lastIndex(of: "#"), let number = Int(name[name.index(after: hash)...]) else { return nil }
        let subject = String(name[..<hash])
        let image = try images.image(named: subject)
        if forWriting {
            throw ShaleError(
                .unsupported, "\(name) is a layer: it never changes",
                hint: "create --name NAME \(subject), then cp to NAME")
        }
        let stack = LayerStore.stack(of: image.config)
        guard stack.indices.contains(number - 1) else {
            throw ShaleError(
                .notFound, "\(name): no such layer: the image has \(stack.count)", hint: "layers \(subject)")
        }
        try images.unpackMissingLayers(of: image, OperationContext())
        let layer = stack[number - 1]
        let root = try store.layers.directory(layer.diffID, on: layer.parentChain)
        return CopySide(root: root, prefix: "", name: name)
    }

    private func side(
        of container: ContainerView, name: String, _ written: CopyPath, forWriting: Bool
    ) throws(ShaleError) -> (CopySide, path: String, lease: ContainerLock?) {
        let record = container.record
        let mount = record.host.mounts.filter { $0.destination.holds(written.path) }
            .max { $0.destination.utf8.count < $1.destination.utf8.count }
        var refusal: String?
        if let mount {
            if mount.readOnly { refusal = "mounted volume is marked read-only" }
        } else if record.host.readOnlyRoot, !record.host.tmpfs.keys.contains(where: { $0.holds(written.path) }) {
            refusal = "container rootfs is marked read-only"
        }
        if container.state.isRunning, let root = try runningRoot(of: container) {
            return (CopySide(root: root, prefix: "", name: name, refusal: refusal), written.path, nil)
        }
        if let mount {
            let rest = String(written.path.utf8.dropFirst(mount.destination.utf8.count)) ?? ""
            let source = try? FileStatus.of(hostPath: mount.source, followingLink: true)
            if source?.kind == .directory {
                let root = try images.open(mount.source)
                return (CopySide(root: root, prefix: "", name: name, refusal: refusal), rest.isEmpty ? "/" : rest, nil)
            }
            let path = CopyPath(mount.source, relativeTo: "/")
            let root = try images.open(path.parent)
            return (CopySide(root: root, prefix: "", name: name, refusal: refusal), "/\(path.name)", nil)
        }
        if let name = NetworkFiles.destinations.first(where: { $0.destination == written.path })?.name,
            let own = try? images.open(store.containers.folder(record.id).path), (try? own.status(name)) != nil
        {
            // While the container runs, a mount covers this path and would hide files that are copied below it.
            if forWriting { throw ShaleError(.conflict, "unlinkat \(written.path): device or resource busy") }
            return (CopySide(root: own, prefix: "", name: record.name), "/\(name)", nil)
        }
        let (root, lease) = try stoppedRoot(of: record, forWriting: forWriting)
        let side = CopySide(root: root, prefix: "", name: name, refusal: refusal, stopped: record.id)
        return (side, written.path, lease)
    }

    /// The files of a running container as its processes see them; `nil` when it has ended meanwhile.
    ///
    /// The link in `/proc` is followed once, and all paths are then resolved below the opened descriptor.
    func runningRoot(of container: ContainerView) throws(ShaleError) -> RootDirectory? {
        let pid = container.state.pid
        guard pid > 0 else { return nil }
        let root: RootDirectory
        do throws(SystemCallError) {
            root = try RootDirectory(hostPath: "/proc/\(pid)/root")
        } catch {
            if error.errno == ENOENT || error.errno == ESRCH { return nil }
            throw error.shaleError("container \(container.record.name)")
        }
        // Another process may have got the process ID between the check and the open.
        let now = state(of: container.record.id)
        return now.isRunning && now.pid == pid ? root : nil
    }

    /// The files of a stopped container: its layers read-only, or an overlay that writes to the container's layer.
    func stoppedRoot(
        of record: ContainerRecord, forWriting: Bool
    ) throws(ShaleError) -> (RootDirectory, ContainerLock?) {
        let folder = store.containers.folder(record.id)
        let lowers = try rootPaths(of: record)
        guard forWriting else {
            let all = [folder.upper] + lowers
            if all.count == 1 { return (try images.open(folder.upper), nil) }
            return (
                RootDirectory(try Overlay.detachedMount(lowers: all, upper: nil, work: nil, form: form)), nil
            )
        }
        let lease = try ContainerLock(folder)
        if lowers.isEmpty { return (try images.open(folder.upper), lease) }
        let mount = try Overlay.detachedMount(lowers: lowers, upper: folder.upper, work: folder.work, form: form)
        return (RootDirectory(mount), lease)
    }

    // MARK: Owners and errors

    private func owner(_ request: CopyRequest, on side: CopySide) throws(ShaleError) -> TreeCopyOptions.Owner? {
        if let text = request.owner {
            let database = UserDatabase(
                passwd: try? side.root.contents(of: "/etc/passwd"), group: try? side.root.contents(of: "/etc/group"))
            let user = try database.resolve(text)
            return TreeCopyOptions.Owner(uid: user.uid, gid: user.gid)
        }
        if request.keepsOwners { return nil }
        return side.name == nil ? TreeCopyOptions.Owner(uid: geteuid(), gid: getegid()) : .root
    }

    private func translatingRefusals<Result>(
        _ side: CopySide, _ body: () throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        do throws(ShaleError) {
            return try body()
        } catch {
            if side.name != nil, error.systemError == EROFS {
                throw ShaleError(.denied, "mounted volume is marked read-only")
            }
            throw error
        }
    }

    // MARK: Archives

    private func unpack(
        _ input: Int32, into place: CopyOperand, _ request: CopyRequest, _ operation: OperationContext
    ) throws(ShaleError) -> CopyOutcome {
        let written = path(of: place, request)
        let (side, path, lease) = try side(place, written, forWriting: true)
        defer { withExtendedLifetime(lease) {} }
        if let refusal = side.refusal { throw ShaleError(.denied, refusal) }
        let target = try CopyTarget(written, at: path, on: side)
        guard target.isDirectory else {
            throw ShaleError(.invalid, "destination \"\(place.text)\" must be a directory")
        }
        let owner = try owner(request, on: side)
        let source = FDSource(try duplicate(input), subject: "standard input")
        var options = TreeArchive.UnpackOptions(owner: owner.map { ($0.uid, $0.gid) }, keepsTypes: true)
        // As with docker, the metadata of `.` in the archive is not applied to an existing directory.
        options.keepsTop = true
        options.refusesOutside = true
        let unpacked = try translatingRefusals(side) { () throws(ShaleError) in
            try TreeArchive.unpack(
                source, into: side.root, at: target.path, subject: "archive", options: options,
                cancellation: operation.cancellation)
        }
        return CopyOutcome(destination: place.text, content: unpacked.contentBytes, transferred: unpacked.size)
    }

    private func pack(
        _ source: CopySource, into output: @escaping ByteSink, _ operation: OperationContext
    ) throws(ShaleError) -> CopyOutcome {
        let packed = try TreeArchive.pack(
            MergedTree(layers: [source.side.root], form: form), path: source.path,
            options: .init(name: source.isContents ? "" : source.name, followsLink: source.follows),
            cancellation: operation.cancellation, to: output)
        return CopyOutcome(destination: "-", content: packed.contentBytes, transferred: packed.size)
    }

    private func duplicate(_ descriptor: Int32) throws(ShaleError) -> OwnedFD {
        try translating("standard streams") {
            OwnedFD(adopting: try Linux.check("fcntl") { fcntl(descriptor, F_DUPFD_CLOEXEC, 3) })
        }
    }

    // MARK: Events

    private func beginNote(of request: CopyRequest) -> (record: ContainerRecord, window: EventWindow)? {
        guard case .inside(let name, _) = request.destination, let record = try? store.container(meantBy: name)?.record
        else {
            return nil
        }
        return (record, openEvent(in: record))
    }

    /// Records a copy in the container's events, for recipes.
    ///
    /// Small files are stored too.
    private func note(
        _ request: CopyRequest, _ window: EventWindow, in record: ContainerRecord, _ operation: OperationContext
    ) {
        let sources = request.sources.map { place in
            if case .host(let path) = place {
                CopyPath(path, relativeTo: request.hostDirectory).path
            } else {
                place.text
            }
        }
        var event = ContainerEvent(.copyIn, arguments: sources)
        if case .inside(_, let path) = request.destination { event.destination = path }
        event.user = request.owner
        closeEvent(window, event, in: record) { changed in keepPayload(changed, of: record, operation) }
    }
}

/// A lock that prevents that a stopped container is started, or written by another `cp`, while its files are mounted.
package final class ContainerLock: Sendable {
    private let lock: FileLock

    /// Waits until no other process holds the lock.
    init(_ folder: ContainerFolder) throws(ShaleError) {
        do throws(SystemCallError) {
            lock = try FileLock.waiting(onDirectory: folder.path)
        } catch {
            throw error.shaleError("container")
        }
    }
}

extension String {
    /// Whether a path is this path or is below it.
    fileprivate func holds(_ path: String) -> Bool {
        PathOrder.same(path, self) || path.utf8.starts(with: "\(self)/".utf8)
    }
}
