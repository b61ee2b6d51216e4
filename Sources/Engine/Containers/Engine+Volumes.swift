import Basics
import Glibc
import Linux
import OCI
import Stores

extension Engine {
    /// The mounts of a new container: bind sources are made or checked, volumes are made and filled, and those of
    /// other containers (`--volumes-from`) taken over.
    func mounts(of plan: ContainerPlan, for record: ContainerRecord, image: Image) throws(ShaleError) -> [MountRecord] {
        var mounts: [MountRecord] = []
        var taken: Set<String> = []
        for request in plan.mounts where request.kind != .tmpfs {
            mounts.append(try mount(request, image: image))
            taken.insert(request.destination)
        }
        taken.formUnion(record.host.tmpfs.keys)
        for text in plan.options.volumesFrom {
            for mount in try volumes(from: text) where taken.insert(mount.destination).inserted { mounts.append(mount) }
        }
        for path in (record.config.volumes ?? [:]).keys.sorted() {
            let path = ImagePath.clean(path)
            guard path != "/", taken.insert(path).inserted else { continue }
            mounts.append(try mount(MountRequest(anonymousAt: path), image: image))
        }
        return mounts
    }

    private func mount(_ request: MountRequest, image: Image) throws(ShaleError) -> MountRecord {
        let options = request.mode.isEmpty ? nil : request.mode
        guard request.kind == .volume else {
            if request.makesSource { try makeBindSource(request.source) }
            return MountRecord(
                type: "bind", source: request.source, destination: request.destination, readOnly: request.readOnly,
                options: options ?? (request.recursive ? nil : "bind"))
        }
        let name = request.source.isEmpty ? Identifier.random() : request.source
        let path = try makeVolume(name, filledFrom: request.copiesImage ? image : nil, at: request.destination)
        return MountRecord(
            type: "volume", source: path, destination: request.destination, readOnly: request.readOnly, name: name,
            options: options)
    }

    private func makeBindSource(_ path: String) throws(ShaleError) {
        if access(path, F_OK) == 0 { return }
        do throws(SystemCallError) {
            try RootDirectory(hostPath: "/").makeDirectories(path)
        } catch {
            throw ShaleError(
                .denied, "error while creating mount source path '\(path)'", cause: "mkdir \(path): \(error.reason)")
        }
    }

    /// A volume's folder, made and filled with what the image has at the place it goes to when it is new.
    private func makeVolume(_ name: String, filledFrom image: Image?, at path: String) throws(ShaleError) -> String {
        let folder = "\(volumesFolder)/\(name)/_data"
        do throws(SystemCallError) {
            let root = try RootDirectory(hostPath: store.home)
            try root.makeDirectories("volumes/\(name)/_data")
            let volume = try RootDirectory(hostPath: folder)
            guard let image, try volume.names(in: "/").isEmpty else { return folder }
            try fill(volume, from: image, at: path)
        } catch {
            throw error.shaleError("volume \(name)")
        }
        return folder
    }

    private func fill(_ volume: RootDirectory, from image: Image, at path: String) throws(SystemCallError) {
        guard let tree = try? mountedTree(of: image), let status = try? tree.resolvedStatus(path),
            status.kind == .directory
        else { return }
        var options = TreeCopyOptions()
        options.updatesTopDirectory = true
        options.followSourceLink = true
        do throws(ShaleError) {
            try TreeCopy(from: tree, to: volume, options: options).copy(path, to: "/")
        } catch {
            throw SystemCallError("copy", path: path, errno: EIO)
        }
    }

    /// `--volumes-from CONTAINER[:ro|rw]`.
    private func volumes(from text: String) throws(ShaleError) -> [MountRecord] {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let mode = parts.count > 1 ? parts[1] : "rw"
        guard MountRequest.isMode(mode) else { throw ShaleError(.invalid, "invalid mode: \(mode)") }
        return try store.containers.find(parts[0]).host.mounts.map { mount in
            var mount = mount
            if mode.split(separator: ",").contains("ro") { mount.readOnly = true }
            return mount
        }
    }

    private var volumesFolder: String { store.home + "/volumes" }

    /// Removes the volumes without a name that a container had and no other has.
    func removeAnonymousVolumes(of record: ContainerRecord) {
        for name in anonymousVolumes(of: record) { try? FileTree.remove("\(volumesFolder)/\(name)") }
    }

    /// The volumes without a name that a container has and no other.
    private func anonymousVolumes(of record: ContainerRecord) -> [String] {
        let own = record.host.mounts.compactMap { $0.type == "volume" ? $0.name : nil }.filter { name in
            name.utf8.count == 64 && name.allSatisfy(\.isHexDigit)
        }
        guard !own.isEmpty, let others = try? store.containers.all() else { return [] }
        let used = Set(others.filter { $0.id != record.id }.flatMap { $0.host.mounts.compactMap(\.name) })
        return own.filter { !used.contains($0) }
    }

    // MARK: Volumes of containers that lie aside

    private func volumesAside(_ id: String) -> String { "\(store.containers.asideFolder(id).path)/volumes" }

    /// Moves the nameless volumes of a container that lies aside to it.
    func setAsideVolumes(of record: ContainerRecord) throws(ShaleError) {
        let names = anonymousVolumes(of: record)
        guard !names.isEmpty else { return }
        let aside = volumesAside(record.id)
        mkdir(aside, 0o700)
        for name in names where Glibc.rename("\(volumesFolder)/\(name)", "\(aside)/\(name)") == -1 && errno != ENOENT {
            throw SystemCallError("rename", path: "\(aside)/\(name)").shaleError("volume \(Identifier.short(name))")
        }
    }

    /// Moves them back.
    func returnVolumes(of id: String) throws(ShaleError) {
        let aside = volumesAside(id)
        guard let folder = try? OwnedFD.open(aside, O_RDONLY | O_DIRECTORY),
            let names = try? DirectoryEntries.names(of: folder)
        else { return }
        for name in names where Glibc.rename("\(aside)/\(name)", "\(volumesFolder)/\(name)") == -1 {
            throw SystemCallError("rename", path: "\(aside)/\(name)").shaleError("volume \(Identifier.short(name))")
        }
    }

    /// Volumes of a container aside that are neither with it nor where they were, as a person would call them.
    func missingVolumes(of record: ContainerRecord) -> [String] {
        record.host.mounts.filter { $0.type == "volume" }.compactMap { mount in
            guard let name = mount.name, access(mount.source, F_OK) != 0,
                access("\(volumesAside(record.id))/\(name)", F_OK) != 0
            else { return nil }
            return name.utf8.count == 64 ? "\(Identifier.short(name)) at \(mount.destination)" : name
        }
    }
}
