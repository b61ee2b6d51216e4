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
        let own = record.host.mounts.compactMap { $0.type == "volume" ? $0.name : nil }.filter { name in
            name.utf8.count == 64 && name.allSatisfy(\.isHexDigit)
        }
        guard !own.isEmpty, let others = try? store.containers.all() else { return }
        let used = Set(others.filter { $0.id != record.id }.flatMap { $0.host.mounts.compactMap(\.name) })
        for name in own where !used.contains(name) { try? FileTree.remove("\(volumesFolder)/\(name)") }
    }
}
