package import Basics
import FoundationEssentials
import Glibc
package import Linux
import OCI

/// A volume and the containers that have it.
package struct Volume: Sendable, Hashable {
    package let name: String
    /// What containers see of it.
    package let data: String
    package let created: Timestamp
    package let labels: [String: String]
    /// Ids of the containers that have it, running or not, oldest first.
    package let users: [String]

    /// Bytes of the files in it.
    package var bytes: Int64 { (try? FileTree.usage(of: data).bytes) ?? 0 }
}

/// The volumes of a home: a folder each, with what containers see in `_data` and labels beside it.
package final class VolumeStore: Sendable {
    private struct Notes: Codable {
        var labels: [String: String]
    }

    private let paths: StorePaths
    private let containers: ContainerStore
    private let ingest: IngestFolder
    private let lock: StoreLock
    private let events: EventLog

    init(
        paths: StorePaths, containers: ContainerStore, ingest: IngestFolder, lock: StoreLock, events: EventLog
    ) {
        self.paths = paths
        self.containers = containers
        self.ingest = ingest
        self.lock = lock
        self.events = events
    }

    /// All volumes by name; what was half-made is left out.
    ///
    /// Throws what reading the volumes' folder or the containers' records throws.
    package func all() throws(ShaleError) -> [Volume] {
        let users = try users()
        var volumes: [Volume] = []
        for name in try StoreFolder.names(paths.volumes).sorted() {
            if let volume = try volume(name, users) { volumes.append(volume) }
        }
        return volumes
    }

    /// The volume of a name; throws `notFound` in docker's words.
    package func find(_ name: String) throws(ShaleError) -> Volume {
        guard let volume = try volume(name, users()) else { throw Self.noSuchVolume(name) }
        return volume
    }

    /// Makes a volume, whole or not at all; one that is there stays as it is.
    ///
    /// Throws `invalid` when the name cannot be a volume's, and what making the folders throws.
    package func create(_ name: String, labels: [String: String]) throws(ShaleError) {
        let name = try VolumeName.validated(name)
        let aside = try ingest.newPath("volume")
        do throws(SystemCallError) {
            try makeFolder()
            try check("mkdir", path: aside) { mkdir(aside, 0o755) }
            try RootDirectory(hostPath: aside).makeDirectories("_data")
        } catch {
            throw error.shaleError("volume \(name)")
        }
        if !labels.isEmpty { try write(Notes(labels: labels), to: "\(aside)/labels.json", of: name) }
        let isThere = try lock.exclusively { () throws(ShaleError) in
            if access(folder(name), F_OK) == 0 { return true }
            if rename(aside, folder(name)) == -1 {
                throw SystemCallError("rename", path: folder(name)).shaleError("volume \(name)")
            }
            return false
        }
        if isThere {
            try ingest.discard(aside)
        } else {
            events.append(StoreEvent(.volume, "create", of: name, ["driver": "local"]))
        }
    }

    /// Leases a volume for a container that is being made, while a use is under way.
    ///
    /// Throws what locking the file of leases throws.
    package func hold(_ name: String) throws(ShaleError) { try containers.leases.holdInUse([.volume(name)]) }

    /// Makes the folder of all volumes, which other users do not enter.
    ///
    /// Throws the error of `mkdir`, unless the folder is there already.
    package func makeFolder() throws(SystemCallError) {
        if mkdir(paths.volumes, 0o700) == -1, errno != EEXIST { throw SystemCallError("mkdir", path: paths.volumes) }
    }

    /// Removes a volume and what is in it.
    ///
    /// Under the lock that records are written with, so that a container that is being made meanwhile either is seen
    /// here or finds the volume gone and makes it again. Throws `inUse` in docker's words while a container has it.
    package func remove(_ name: String) throws(ShaleError) {
        guard VolumeName.isValid(name) else { throw Self.noSuchVolume(name) }
        let exclusion = try Exclusion(paths: paths)
        let place = try lock.exclusively { () throws(ShaleError) in
            guard access(folder(name), F_OK) == 0 else { throw Self.noSuchVolume(name) }
            if let users = try users()[name] {
                throw ShaleError(
                    .inUse, "remove \(name): volume is in use - [\(users.joined(separator: ", "))]",
                    hint: "rm \(users.map(Identifier.short).joined(separator: " "))")
            }
            guard exclusion.take(.volume(name)) else {
                throw ShaleError(.inUse, "remove \(name): volume is in use - by a container that is being made")
            }
            return try ingest.moveAway(folder(name))
        }
        events.append(StoreEvent(.volume, "destroy", of: name, ["driver": "local"]))
        if let place { try ingest.removeMoved(place) }
    }

    /// Docker's words for a name that no volume has.
    package static func noSuchVolume(_ name: String) -> ShaleError {
        ShaleError(.notFound, "get \(name): no such volume")
    }

    /// The path of a volume, whether it exists or not.
    package func folder(_ name: String) -> String { "\(paths.volumes)/\(name)" }

    private func volume(_ name: String, _ users: [String: [String]]) throws(ShaleError) -> Volume? {
        let data = folder(name) + "/_data"
        guard VolumeName.isValid(name) else { return nil }
        do throws(SystemCallError) {
            guard try ifPresent(FileStatus.of(hostPath: data)) != nil,
                let status = try ifPresent(FileStatus.of(hostPath: folder(name)))
            else { return nil }
            return Volume(
                name: name, data: data, created: status.modified, labels: try labels(of: name),
                users: users[name] ?? [])
        } catch {
            throw error.storeError("volume \(name)", at: folder(name))
        }
    }

    /// The ids of the containers that have each volume, oldest first.
    private func users() throws(ShaleError) -> [String: [String]] {
        var users: [String: [String]] = [:]
        for record in try containers.all().reversed() {
            for name in Set(record.host.mounts.filter { $0.type == "volume" }.compactMap(\.name)) {
                users[name, default: []].append(record.id)
            }
        }
        return users
    }

    /// Labels that cannot be read must not count as none: `volume prune --filter label!=keep` would remove the volume.
    private func labels(of name: String) throws(SystemCallError) -> [String: String] {
        let path = "\(folder(name))/labels.json"
        guard let bytes = try ifPresent(WholeFile.read(path, limit: 1 << 20)) else { return [:] }
        guard let notes = try? JSONDecoder().decode(Notes.self, from: Data(bytes)) else {
            throw SystemCallError("read", path: path, errno: EBADMSG)
        }
        return notes.labels
    }

    private func write(_ notes: Notes, to path: String, of name: String) throws(ShaleError) {
        let bytes = Array(try OCIDocument.encode(notes))
        do throws(SystemCallError) {
            try WholeFile.replace(path, with: bytes, mode: 0o600)
        } catch {
            throw error.shaleError("volume \(name)")
        }
    }
}
