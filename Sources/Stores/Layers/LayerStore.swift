package import Basics
import Diagnostics
import Glibc
package import Linux
import Logging
package import OCI

/// Unpacked layers: `layers/<diff id>/fs`, shared by all images and never changed.
///
/// A layer that depends on the layers below it, because of a hard link to a lower file, has the folder name
/// `<diff id>@<chain id of the layers below>`. Every layer can be unpacked again from its blob.
package final class LayerStore: Sendable {
    private let paths: StorePaths
    private let ingest: IngestFolder
    private let leases: Leases
    private let lock: StoreLock
    let syncing: LayerSyncing

    init(paths: StorePaths, ingest: IngestFolder, leases: Leases, lock: StoreLock) {
        self.paths = paths
        self.ingest = ingest
        self.leases = leases
        self.lock = lock
        syncing = LayerSyncing(paths: paths, lock: lock)
    }

    /// The `fs` folder of a layer above the layers with a chain ID; `nil` when it is not unpacked.
    package func path(_ diffID: Digest, on parentChain: Digest?) -> String? {
        folder(diffID, on: parentChain).map { $0 + "/fs" }
    }

    package func has(_ diffID: Digest, on parentChain: Digest?) -> Bool { folder(diffID, on: parentChain) != nil }

    /// Protects a layer from collection until an image names it; returns whether it is unpacked.
    ///
    /// Throws what locking the leases' file throws, also when the home cannot be written to.
    package func claim(_ diffID: Digest, on parentChain: Digest?) throws(ShaleError) -> Bool {
        try leases.hold([.digest(diffID)])
        return has(diffID, on: parentChain)
    }

    /// Opens a layer's tree.
    ///
    /// Throws `notFound` when the layer is not unpacked, and what opening it throws.
    package func directory(_ diffID: Digest, on parentChain: Digest?) throws(ShaleError) -> RootDirectory {
        guard let path = path(diffID, on: parentChain) else { throw Self.absent(diffID) }
        do throws(SystemCallError) {
            return try RootDirectory(hostPath: path)
        } catch {
            throw error.shaleError("layer \(diffID)")
        }
    }

    /// The path of the layer's index; `nil` when the layer is not unpacked.
    package func indexPath(_ diffID: Digest, on parentChain: Digest?) -> String? {
        folder(diffID, on: parentChain).map { $0 + "/index" }
    }

    /// The sizes that were noted when the layer was unpacked; `nil` when it is not unpacked.
    package func size(_ diffID: Digest, on parentChain: Digest?) -> LayerSize? {
        folder(diffID, on: parentChain).flatMap { Self.size(in: $0) }
    }

    func size(named name: String) -> LayerSize? { Self.size(in: "\(paths.layers)/\(name)") }

    private static func size(in folder: String) -> LayerSize? {
        guard let bytes = try? WholeFile.read(folder + "/size", limit: 256) else { return nil }
        let numbers = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }.compactMap { Int64($0) }
        return numbers.count == 2 ? LayerSize(tar: numbers[0], content: numbers[1]) : nil
    }

    /// The sum of the sizes of an image's unpacked layers, in bytes.
    package func totalSize(of config: ImageConfig) -> Int64 {
        Self.stack(of: config).reduce(0) { $0 &+ (size($1.diffID, on: $1.parentChain)?.content ?? 0) }
    }

    /// The `fs` folders of an image's layers, lowest first.
    ///
    /// Throws `notFound` for the first layer that is not unpacked.
    package func paths(for config: ImageConfig) throws(ShaleError) -> [String] {
        var found: [String] = []
        for layer in Self.stack(of: config) {
            guard let path = path(layer.diffID, on: layer.parentChain) else { throw Self.absent(layer.diffID) }
            found.append(path)
        }
        return found
    }

    /// The positions of an image's layers that are not unpacked, lowest first.
    package func missing(for config: ImageConfig) -> [Int] {
        Self.stack(of: config).enumerated().filter { !has($0.element.diffID, on: $0.element.parentChain) }.map(\.offset)
    }

    /// An image's layers, lowest first, each with the chain ID of the layers below it.
    package static func stack(of config: ImageConfig) -> [(diffID: Digest, parentChain: Digest?)] {
        var below: Digest?
        return config.rootfs.diffIDs.map { diffID in
            defer { below = Digest.chainID([below, diffID].compactMap(\.self)) }
            return (diffID, below)
        }
    }

    // MARK: Writing

    /// A new staging folder: an empty `fs`, which `commit` makes a layer.
    ///
    /// Throws what making the folders throws.
    package func beginUnpack() throws(ShaleError) -> LayerStaging {
        let staging = LayerStaging(path: try ingest.newTreePath("layer"))
        do throws(SystemCallError) {
            try check("mkdir", path: staging.path) { mkdir(staging.path, 0o700) }
            try check("mkdir", path: staging.fsPath) { mkdir(staging.fsPath, 0o755) }
        } catch {
            throw error.shaleError("layer")
        }
        return staging
    }

    /// Makes a staged tree a layer.
    ///
    /// When another process was first, the staged tree is removed.
    ///
    /// `parentChain` is given only for a tree that depends on the layers below (`UnpackedLayer.dependsOnLower`).
    ///
    /// Throws what writing the index and renaming the tree throws.
    package func commit(
        _ staging: LayerStaging, diffID: Digest, index: [UInt8], size: LayerSize, dependingOn parentChain: Digest? = nil
    ) throws(ShaleError) {
        try leases.hold([.digest(diffID)])
        let target = "\(paths.layers)/\(Self.name(diffID, on: parentChain))"
        do throws(SystemCallError) {
            try Self.write(index, to: staging.path + "/index")
            try Self.write(Array("\(size.tar) \(size.content)\n".utf8), to: staging.path + "/size")
        } catch {
            discard(staging)
            throw error.shaleError("layer \(diffID)")
        }
        defer { discard(staging) }
        try lock.exclusively { () throws(ShaleError) in
            do throws(SystemCallError) {
                try syncing.mark(staging.path)
                if rename(staging.path, target) == 0 {
                    staging.isCommitted = true
                } else if errno != ENOTEMPTY, errno != EEXIST {
                    throw SystemCallError("rename", path: target)
                }
            } catch {
                throw error.shaleError("layer \(diffID)")
            }
        }
    }

    /// Makes a container's upper directory a layer by renaming it, so that `upperPath` does not exist afterwards.
    ///
    /// Throws what renaming the directory or writing the index throws.
    package func adopt(
        _ upperPath: String, diffID: Digest, index: [UInt8], size: LayerSize, dependingOn parentChain: Digest? = nil
    ) throws(ShaleError) {
        let staging = LayerStaging(path: try ingest.newPath("layer"))
        do throws(SystemCallError) {
            try check("mkdir", path: staging.path) { mkdir(staging.path, 0o700) }
            try check("rename", path: upperPath) {
                upperPath.withPath { from in staging.fsPath.withPath { rename(from, $0) } }
            }
        } catch {
            discard(staging)
            throw error.shaleError("layer \(diffID)")
        }
        try commit(staging, diffID: diffID, index: index, size: size, dependingOn: parentChain)
    }

    /// Removes a staged tree.
    package func discard(_ staging: LayerStaging) {
        if staging.isCommitted { return }
        staging.isCommitted = true
        Logger.store.attempt("throw a staged layer away") { try FileTree.remove(staging.path) }
    }

    /// The folder names of all unpacked layers, each with its diff ID.
    ///
    /// Throws what reading the layers' folder throws.
    package func all() throws(ShaleError) -> [(name: String, diffID: Digest)] {
        try StoreFolder.names(paths.layers).compactMap { name in
            let hex = name.prefix { $0 != "@" }
            return (try? Digest(parsing: "sha256:\(hex)")).map { (name, $0) }
        }
    }

    /// Removes a layer by its folder name.
    ///
    /// The caller must know that nothing references it. Throws what removing the folder throws.
    package func remove(named name: String) throws(ShaleError) { try ingest.discard("\(paths.layers)/\(name)") }

    /// The folder name of a layer, with the chain ID of the layers below when it depends on them.
    package static func name(_ diffID: Digest, on parentChain: Digest?) -> String {
        parentChain.map { "\(diffID.hex)@\($0.hex)" } ?? diffID.hex
    }

    /// The folder name that a layer has or would have in this store.
    func folderName(_ diffID: Digest, on parentChain: Digest?) -> String {
        guard let folder = folder(diffID, on: parentChain), let slash = folder.lastIndex(of: "/") else {
            return diffID.hex
        }
        return String(folder[folder.index(after: slash)...])
    }

    private func folder(_ diffID: Digest, on parentChain: Digest?) -> String? {
        let plain = "\(paths.layers)/\(diffID.hex)"
        if access(plain, F_OK) == 0 { return plain }
        guard let parentChain else { return nil }
        let dependent = "\(paths.layers)/\(Self.name(diffID, on: parentChain))"
        return access(dependent, F_OK) == 0 ? dependent : nil
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(SystemCallError) {
        let file = try OwnedFD.open(path, O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(bytes)
    }

    private static func absent(_ diffID: Digest) -> ShaleError {
        ShaleError(.notFound, "layer \(diffID): not unpacked", hint: "pull the image again")
    }
}

/// The sizes of a layer in bytes.
package struct LayerSize: Sendable, Hashable {
    /// The size of its uncompressed tar.
    package var tar: Int64
    /// The size of its regular files.
    package var content: Int64

    package init(tar: Int64, content: Int64) {
        self.tar = tar
        self.content = content
    }
}

/// A layer that is being unpacked.
///
/// One thread at a time may use it.
package final class LayerStaging: @unchecked Sendable {
    // Unchecked: it is handed from the thread that unpacks to the one that commits, and never used by both at once.

    let path: String
    fileprivate(set) var isCommitted = false

    /// The empty folder to unpack into.
    package var fsPath: String { path + "/fs" }
    /// The work directory of an overlay mount, on the same file system.
    ///
    /// It is removed before the commit.
    package var workPath: String { path + "/work" }

    init(path: String) { self.path = path }

    /// Opens the folder to unpack into.
    ///
    /// Throws what opening the folder throws.
    package func root() throws(ShaleError) -> RootDirectory {
        do throws(SystemCallError) {
            return try RootDirectory(hostPath: fsPath)
        } catch {
            throw error.shaleError("layer")
        }
    }
}
