package import Basics
import FoundationEssentials
import Glibc
import Linux
import OCI

/// Containers that were removed and that a session can bring back: their folders lie aside, out of every listing.
extension ContainerStore {
    /// Where a removed container's files lie.
    package func asideFolder(_ id: String) -> ContainerFolder {
        ContainerFolder(path: "\(paths.containersAside)/\(id)")
    }

    /// Takes a container away whole, for `bringBack`.
    ///
    /// Callers know that it does not run, and that a session holds it.
    package func setAside(_ id: String) throws(ShaleError) {
        let name = try read(id).name
        if mkdir(paths.containersAside, 0o700) == -1, errno != EEXIST {
            throw SystemCallError("mkdir", path: paths.containersAside).shaleError("container \(Identifier.short(id))")
        }
        // A disk too full for it must not keep a removal from making room.
        try? stampRemoval(of: id)
        try lock.exclusively { () throws(ShaleError) in
            // The folder first: should this be cut short, a name without its container counts as free and is swept.
            guard Linux.rename(folder(id).path, asideFolder(id).path) == 0 else {
                throw SystemCallError("rename", path: folder(id).path).shaleError("container \(Identifier.short(id))")
            }
            if target(of: name) == id { unlink(link(name)) }
        }
    }

    /// Writes down whose doing the removal is: it goes aside with the container, so both are there or neither.
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

    /// The line that set a container aside, and what the container is called; `nil` where none did, or it lives on.
    package func cutOffRemoval(of id: String) -> (stamp: LineStamp, name: String)? {
        guard let bytes = try? WholeFile.read(asideFolder(id).removal, limit: 1 << 20),
            let stamp = try? JSONDecoder().decode(LineStamp.self, from: Data(bytes)), writeAhead.isCutOff(stamp),
            let record = asideRecord(id)
        else { return nil }
        return (stamp, record.name)
    }

    /// The record of a container that lies aside; `nil` where there is none.
    package func asideRecord(_ id: String) -> ContainerRecord? {
        guard let bytes = try? WholeFile.read(asideFolder(id).config, limit: 16 << 20) else { return nil }
        return try? OCIDocument.decode(ContainerRecord.self, from: Data(bytes), naming: "container \(id)")
    }

    /// Whether there is a container of that id, or one that lies aside.
    package func isHere(_ id: String) -> Bool {
        access(folder(id).config, F_OK) == 0 || access(asideFolder(id).config, F_OK) == 0
    }

    /// Puts a container back as it was, with id, name and changes.
    ///
    /// Throws `conflict` when another has its name meanwhile, `notFound` when it is not aside.
    package func bringBack(_ id: String) throws(ShaleError) {
        try leases.holdInUse([.container(id)])
        guard let record = asideRecord(id) else { throw Self.noSuchContainer(id) }
        try lock.exclusively { () throws(ShaleError) in
            // The name first: cut short, it leads to no container, counts as free and is swept.
            try take(record.name, for: id)
            guard Linux.rename(asideFolder(id).path, folder(id).path) == 0 else {
                let error = SystemCallError("rename", path: asideFolder(id).path)
                unlink(link(record.name))
                throw error.shaleError("container \(record.name)")
            }
        }
    }

    /// Ids of all that lie aside.
    package func asideIdentifiers() throws(ShaleError) -> [String] {
        guard access(paths.containersAside, F_OK) == 0 else { return [] }
        return try StoreFolder.names(paths.containersAside).filter { ContainerName.isIdentifier($0) }
    }
}
