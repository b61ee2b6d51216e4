package import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging
import OCI

/// Containers that were removed and that a session can bring back: their folders lie in the trash, out of every
/// listing.
extension ContainerStore {
    /// The paths of a removed container's files.
    package func trashFolder(_ id: String) -> ContainerFolder {
        ContainerFolder(path: "\(paths.containerTrash)/\(id)")
    }

    /// Takes a container away whole, for `bringBack`.
    ///
    /// Callers know that it does not run, and that a session holds it. Throws what reading the record, taking the lock
    /// or renaming the folder throws.
    package func moveToTrash(_ id: String) throws(ShaleError) {
        let record = try read(id)
        let name = record.name
        if mkdir(paths.containerTrash, 0o700) == -1, errno != EEXIST {
            throw SystemCallError("mkdir", path: paths.containerTrash).shaleError("container \(Identifier.short(id))")
        }
        // A failure here (a full disk) must not stop the removal, which frees disk space.
        Logger.store.attempt("write down whose doing a removal is") { try stampRemoval(of: id) }
        try lock.exclusively { () throws(ShaleError) in
            // The folder first: should this be interrupted, a name without its container counts as free and is swept.
            guard Linux.rename(folder(id).path, trashFolder(id).path) == 0 else {
                throw SystemCallError("rename", path: folder(id).path).shaleError("container \(Identifier.short(id))")
            }
            if target(of: name) == id { unlink(link(name)) }
            events.append(StoreEvent("destroy", of: record))
        }
    }

    /// Notes which line makes the removal.
    ///
    /// The note is moved to the trash with the container, so that either both are there or neither.
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

    /// The line that moved a container to the trash, and the name of the container; `nil` when no line did, or when it
    /// was put back.
    package func cutOffRemoval(of id: String) -> (stamp: LineStamp, name: String)? {
        guard let bytes = try? WholeFile.read(trashFolder(id).removal, limit: 1 << 20),
            let stamp = try? JSONDecoder().decode(LineStamp.self, from: Data(bytes)), writeAhead.isCutOff(stamp),
            let record = trashRecord(id)
        else { return nil }
        return (stamp, record.name)
    }

    /// The record of a container in the trash; `nil` where there is none.
    package func trashRecord(_ id: String) -> ContainerRecord? {
        guard let bytes = try? WholeFile.read(trashFolder(id).config, limit: 16 << 20) else { return nil }
        return try? ContainerRecord(reading: bytes, id: id)
    }

    /// Whether there is a container of that id, or one in the trash.
    package func isHere(_ id: String) -> Bool {
        access(folder(id).config, F_OK) == 0 || access(trashFolder(id).config, F_OK) == 0
    }

    /// Puts a container back as it was, with id, name and changes.
    ///
    /// Throws `conflict` when another has its name meanwhile, `notFound` when it is not in the trash.
    package func bringBack(_ id: String) throws(ShaleError) {
        try leases.holdInUse([.container(id)])
        guard let record = trashRecord(id) else { throw Self.noSuchContainer(id) }
        try lock.exclusively { () throws(ShaleError) in
            // The name first: interrupted, it leads to no container, counts as free and is swept.
            try take(record.name, for: id)
            guard Linux.rename(trashFolder(id).path, folder(id).path) == 0 else {
                let error = SystemCallError("rename", path: trashFolder(id).path)
                unlink(link(record.name))
                throw error.shaleError("container \(record.name)")
            }
            events.append(StoreEvent("create", of: record))
        }
    }

    /// Ids of all in the trash.
    ///
    /// Throws what reading the folder throws.
    package func trashIdentifiers() throws(ShaleError) -> [String] {
        guard access(paths.containerTrash, F_OK) == 0 else { return [] }
        return try StoreFolder.names(paths.containerTrash).filter { ContainerName.isIdentifier($0) }
    }
}
