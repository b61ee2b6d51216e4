import Basics
import Diagnostics
import Glibc
import Images
import Linux
import Logging
import OCI
import Stores

extension ContainerEngine {
    /// Makes the mounts of a new container: makes or checks the sources of bind mounts, makes and fills volumes, and
    /// copies the mounts of other containers (`--volumes-from`).
    func mounts(of plan: ContainerPlan, for record: ContainerRecord, image: Image) throws(ShaleError) -> [MountRecord] {
        var mounts: [MountRecord] = []
        do throws(ShaleError) {
            try add(to: &mounts, of: plan, for: record, image: image)
        } catch {
            var unmade = record
            unmade.host.mounts = mounts
            removeAnonymousVolumes(of: unmade)
            throw error
        }
        return mounts
    }

    private func add(
        to mounts: inout [MountRecord], of plan: ContainerPlan, for record: ContainerRecord, image: Image
    ) throws(ShaleError) {
        var taken: Set<String> = []
        for request in plan.mounts where request.kind != .tmpfs && !request.isDeclaration {
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
            // No directory is made for a dangling link.
            if faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 {
                throw SystemCallError("mkdir", path: path, errno: EEXIST)
            }
            try RootDirectory(hostPath: "/").makeDirectories(path)
        } catch {
            throw ShaleError(
                .denied, "error while creating mount source path '\(path)'", cause: "mkdir \(path): \(error.reason)")
        }
    }

    /// The folder of a volume.
    ///
    /// A new volume is made and filled with the image's files at the mount point.
    ///
    /// Throws `notFound` when another process removes it meanwhile.
    private func makeVolume(_ name: String, filledFrom image: Image?, at path: String) throws(ShaleError) -> String {
        try store.volumes.hold(name)
        let folder = "\(store.volumes.folder(name))/_data"
        let source: Image
        let volume: RootDirectory
        let isNew = access(folder, F_OK) != 0
        do throws(SystemCallError) {
            let root = try RootDirectory(hostPath: store.home)
            try store.volumes.makeFolder()
            try root.makeDirectories("volumes/\(name)/_data")
            volume = try RootDirectory(hostPath: folder)
            if isNew { store.events.append(StoreEvent(.volume, "create", of: name, ["driver": "local"])) }
            guard let image, try volume.names(in: "/").isEmpty else { return folder }
            source = image
        } catch {
            if error.errno == ENOENT { throw VolumeStore.noSuchVolume(name) }
            throw error.shaleError("volume \(name)")
        }
        try fill(volume, of: name, from: images.mountedTree(of: source), at: path)
        return folder
    }

    /// Fills a new volume with what the image has at the place it goes to; nothing where the image has nothing there.
    private func fill(
        _ volume: RootDirectory, of name: String, from source: RootDirectory, at path: String
    ) throws(ShaleError) {
        let folder = "\(store.volumes.folder(name))/_data"
        let found: FileStatus?
        do throws(SystemCallError) {
            found = try ifPresent(source.resolvedStatus(path))
        } catch {
            // A link that leads round in a circle leads nowhere.
            guard error.errno == ELOOP else { throw error.shaleError("volume \(name)") }
            return
        }
        guard let status = found else { return }
        guard status.kind == .directory else {
            let isAnonymous = VolumeName.isAnonymous(name)
            if isAnonymous { removeVolume(name) }
            throw ShaleError(
                .invalid,
                isAnonymous
                    ? "cannot mount volume over existing file, file exists \(path)" : "source \(path) is not directory")
        }
        // A link may lead to the root. The volume would then get all files of the image.
        if let top = try? source.resolvedStatus("/"), top.identity == status.identity {
            if VolumeName.isAnonymous(name) { removeVolume(name) }
            throw ShaleError(
                .invalid, "invalid specification: destination can't be '/': \(path.visible) leads there")
        }
        do throws(SystemCallError) {
            try fill(volume, from: source, at: path)
        } catch {
            let (own, there) = (try? volume.resolvedStatus("/"), try? FileStatus.of(hostPath: folder))
            if own?.inode != there?.inode { throw VolumeStore.noSuchVolume(name) }
            throw error.shaleError("volume \(name)")
        }
    }

    private func fill(_ volume: RootDirectory, from tree: RootDirectory, at path: String) throws(SystemCallError) {
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

    /// Removes the anonymous volumes that only this container used.
    func removeAnonymousVolumes(of record: ContainerRecord) {
        for name in anonymousVolumes(of: record) { removeVolume(name) }
    }

    private func removeVolume(_ name: String) {
        Logger.container.attempt("remove volume \(name)") { try FileTree.remove(store.volumes.folder(name)) }
        store.events.append(StoreEvent(.volume, "destroy", of: name, ["driver": "local"]))
    }

    /// The anonymous volumes that only this container uses.
    private func anonymousVolumes(of record: ContainerRecord) -> [String] {
        let own = record.host.mounts.compactMap { $0.type == "volume" ? $0.name : nil }
            .filter { VolumeName.isAnonymous($0) }
        // Where the others cannot be read, the volumes stay: another container may have them.
        guard !own.isEmpty,
            let others = Logger.container.attempt(
                "look for users of volumes", { () throws(ShaleError) in try store.containers.all() })
        else { return [] }
        let used = Set(others.filter { $0.id != record.id }.flatMap { $0.host.mounts.compactMap(\.name) })
        return own.filter { !used.contains($0) }
    }

    // MARK: Volumes of containers in the trash

    private func volumeTrash(_ id: String) -> String { "\(store.containers.trashFolder(id).path)/volumes" }

    /// Moves the anonymous volumes of a container in the trash into its trash folder.
    func moveVolumesToTrash(of record: ContainerRecord) throws(ShaleError) {
        let names = anonymousVolumes(of: record)
        guard !names.isEmpty else { return }
        let trash = volumeTrash(record.id)
        mkdir(trash, 0o700)
        for name in names where Linux.rename(store.volumes.folder(name), "\(trash)/\(name)") == -1 && errno != ENOENT {
            throw SystemCallError("rename", path: "\(trash)/\(name)").shaleError("volume \(Identifier.short(name))")
        }
    }

    /// Moves these volumes back.
    func returnVolumes(of id: String) throws(ShaleError) {
        let trash = volumeTrash(id)
        let names: [String]
        do throws(SystemCallError) {
            guard let folder = try ifPresent(OwnedFD.open(trash, O_RDONLY | O_DIRECTORY)) else { return }
            names = try DirectoryEntries.names(of: folder)
        } catch {
            throw error.storeError("volumes of container \(Identifier.short(id))", at: trash)
        }
        for name in names where Linux.rename("\(trash)/\(name)", store.volumes.folder(name)) == -1 {
            throw SystemCallError("rename", path: "\(trash)/\(name)").shaleError("volume \(Identifier.short(name))")
        }
    }

    /// The volumes of a container in the trash that are missing, by their names for messages.
    func missingVolumes(of record: ContainerRecord) -> [String] {
        record.host.mounts.filter { $0.type == "volume" }.compactMap { mount in
            guard let name = mount.name, access(mount.source, F_OK) != 0,
                access("\(volumeTrash(record.id))/\(name)", F_OK) != 0
            else { return nil }
            return VolumeName.isAnonymous(name) ? "\(Identifier.short(name)) at \(mount.destination)" : name
        }
    }
}
