package import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
import OCI

/// Removed containers that a session can bring back. Their folders are in the trash, which no listing shows.
extension ContainerStore {
    /// The paths of a removed container's files.
    package func trashFolder(_ id: String) -> ContainerFolder {
        ContainerFolder(path: "\(paths.containerTrash)/\(id)")
    }

    /// Moves a container with all its files to the trash, from where `bringBack` restores it.
    ///
    /// The caller must know that it does not run, and that a session retains it. Throws what reading the record, taking
    /// the
    /// lock or renaming the folder throws.
    package func moveToTrash(_ id: String) throws(ShaleError) {
        let record = try read(id)
        let name = record.name
        if mkdir(paths.containerTrash, 0o700) == -1, errno != EEXIST {
            throw SystemCallError("mkdir", path: paths.containerTrash).shaleError("container \(Identifier.short(id))")
        }
        // A failure here (a full disk) must not stop the removal, which frees disk space.
        Logger.store.attempt("write down whose doing a removal is") { try stampRemoval(of: id) }
        try lock.exclusively { () throws(ShaleError) in
            // The folder first: after an interruption a name without a container counts as free and is swept.
            guard Linux.rename(folder(id).path, trashFolder(id).path) == 0 else {
                throw SystemCallError("rename", path: folder(id).path).shaleError("container \(Identifier.short(id))")
            }
            if target(of: name) == id { unlink(link(name)) }
            events.append(StoreEvent("destroy", of: record))
        }
    }

    /// Notes which line makes the removal.
    ///
    /// Stores which line makes the removal.
    ///
    /// The file is moved to the trash together with the container.
    private func stampRemoval(of id: String) throws(ShaleError) {
        let path = folder(id).removal
        guard let stamp = try writeAhead.stamp() else {
            unlink(path)
            return
        }
        let bytes = Array(try OCIDocument.encode(stamp))
        try translating("container \(Identifier.short(id))") {
            try WholeFile.replace(path, with: bytes, syncing: false)
        }
    }

    /// The line that moved a container to the trash and was interrupted, with the container's name; `nil` when there is
    /// none.
    ///
    /// Throws the error of a file that cannot be read; a damaged stamp counts as none.
    package func cutOffRemoval(of id: String) throws(ShaleError) -> (stamp: LineStamp, name: String)? {
        let path = trashFolder(id).removal
        let bytes: [UInt8]?
        do throws(SystemCallError) {
            bytes = try ifPresent(WholeFile.read(path, limit: 1 << 20))
        } catch {
            throw error.storeError("container \(Identifier.short(id))", at: path)
        }
        guard let bytes, let stamp = try? JSONDecoder().decode(LineStamp.self, from: Data(bytes)),
            writeAhead.isCutOff(stamp), let record = try trashRecord(id)
        else { return nil }
        return (stamp, record.name)
    }

    /// The record of a container in the trash; `nil` when there is none.
    ///
    /// Throws the error of a record that cannot be read, and `corrupt` for a damaged one.
    package func trashRecord(_ id: String) throws(ShaleError) -> ContainerRecord? {
        let path = trashFolder(id).config
        let bytes: [UInt8]?
        do throws(SystemCallError) {
            bytes = try ifPresent(WholeFile.read(path, limit: 16 << 20))
        } catch {
            throw error.storeError("container \(Identifier.short(id))", at: path)
        }
        return try bytes.map { bytes throws(ShaleError) in try ContainerRecord(reading: bytes, id: id) }
    }

    /// Whether the container exists, listed or in the trash.
    package func isHere(_ id: String) -> Bool {
        access(folder(id).config, F_OK) == 0 || access(trashFolder(id).config, F_OK) == 0
    }

    /// Moves a container back from the trash, with its ID, name and changes.
    ///
    /// Throws `conflict` when another container has its name, `notFound` when it is not in the trash.
    package func bringBack(_ id: String) throws(ShaleError) {
        try leases.holdInUse([.container(id)])
        guard let record = try trashRecord(id) else { throw Self.noSuchContainer(id) }
        try lock.exclusively { () throws(ShaleError) in
            // The name first: after an interruption it leads to no container, counts as free and is swept.
            try take(record.name, for: id)
            guard Linux.rename(trashFolder(id).path, folder(id).path) == 0 else {
                let error = SystemCallError("rename", path: trashFolder(id).path)
                unlink(link(record.name))
                throw error.shaleError("container \(record.name)")
            }
            events.append(StoreEvent("create", of: record))
        }
    }

    /// The IDs of all containers in the trash.
    ///
    /// Throws what reading the folder throws.
    package func trashIdentifiers() throws(ShaleError) -> [String] {
        guard access(paths.containerTrash, F_OK) == 0 else { return [] }
        return try StoreFolder.names(paths.containerTrash).filter { ContainerName.isIdentifier($0) }
    }
}
