package import Basics
package import FoundationEssentials
import Glibc
package import Linux
package import OCI

/// Content by digest.
///
/// A file is in `blobs/sha256` only when the hash of its bytes is its name.
package final class BlobStore: Sendable {
    private let paths: StorePaths
    private let ingest: IngestFolder
    private let leases: Leases

    init(paths: StorePaths, ingest: IngestFolder, leases: Leases) {
        self.paths = paths
        self.ingest = ingest
        self.leases = leases
    }

    /// The path of a blob, whether it exists or not.
    package func path(_ digest: Digest) -> String { paths.blob(digest) }

    package func contains(_ digest: Digest) -> Bool { access(path(digest), R_OK) == 0 }

    /// Protects a blob (or the layer with that diff ID) from collection until an image names it; returns whether it
    /// exists.
    ///
    /// Used before a download is skipped: the blob cannot be collected between this check and the image's naming.
    /// Throws what
    /// locking the leases' file throws, also when the home cannot be written to.
    package func claim(_ digest: Digest) throws(ShaleError) -> Bool {
        try leases.hold([.digest(digest)])
        return contains(digest)
    }

    /// Protects blobs from collection until this process releases them.
    ///
    /// Throws what locking the file of leases throws, and an error when the home cannot be written to.
    package func hold(_ digests: [Digest]) throws(ShaleError) { try leases.hold(digests.map { .digest($0) }) }

    package func release(_ digests: [Digest]) { leases.release(digests.map { .digest($0) }) }

    /// The size of a blob in bytes.
    ///
    /// Throws `notFound` when the blob is not in the store.
    package func size(_ digest: Digest) throws(ShaleError) -> Int64 {
        do throws(SystemCallError) {
            return try FileStatus.of(hostPath: path(digest)).size
        } catch {
            throw absent(digest, error)
        }
    }

    /// Opens a blob for reading.
    ///
    /// Throws `notFound` when the blob is not in the store, and what opening it throws.
    package func open(_ digest: Digest) throws(ShaleError) -> OwnedFD {
        do throws(SystemCallError) {
            return try OwnedFD.open(path(digest), O_RDONLY)
        } catch {
            throw absent(digest, error)
        }
    }

    /// The bytes of a small blob, checked against its digest.
    ///
    /// Throws `notFound` when the blob is not in the store, `corrupt` when its bytes have another digest, and `invalid`
    /// when it has more than `limit` bytes.
    package func bytes(_ digest: Digest, limit: Int = OCIDocument.largest) throws(ShaleError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path(digest), limit: limit)
        } catch {
            if error.errno == EFBIG { throw ShaleError(.invalid, "blob \(digest): larger than \(limit) bytes") }
            throw absent(digest, error)
        }
        guard Digest.of(bytes) == digest else { throw Self.mismatch(digest) }
        return bytes
    }

    /// The bytes as `Data`.
    ///
    /// Throws what `bytes` throws.
    package func data(_ digest: Digest, limit: Int = OCIDocument.largest) throws(ShaleError) -> Data {
        Data(try bytes(digest, limit: limit))
    }

    /// Stores bytes in memory under their digest.
    ///
    /// Throws what writing the blob throws.
    package func put(_ bytes: some Collection<UInt8>) throws(ShaleError) -> Digest {
        let digest = Digest.of(bytes)
        if try claim(digest) { return digest }
        let writer = try newIngest()
        try writer.append(Array(bytes))
        return try writer.commit().digest
    }

    /// Begins to store the blob of a descriptor.
    ///
    /// A partial download is continued.
    ///
    /// When another process stores the same blob, this one writes its own file from the start, and the first to finish
    /// stores
    /// the blob. Throws `unsupported` for a digest that is not sha256, and what making the file or its lease throws.
    package func ingest(expected: Descriptor) throws(ShaleError) -> BlobIngest {
        guard expected.digest.algorithm == "sha256" else {
            throw ShaleError(.unsupported, "blob \(expected.digest): only sha256 digests can be stored")
        }
        try leases.hold([.digest(expected.digest)])
        return try BlobIngest(expected: expected, paths: paths, ingest: ingest, leases: leases)
    }

    /// Begins to store bytes whose digest is not known yet.
    ///
    /// Throws what making the file throws.
    package func newIngest() throws(ShaleError) -> BlobIngest {
        try BlobIngest(expected: nil, paths: paths, ingest: ingest, leases: leases)
    }

    /// All digests in the store, sorted.
    ///
    /// File names that are no digest are skipped.
    ///
    /// Throws what reading the folder throws.
    package func all() throws(ShaleError) -> [Digest] {
        try StoreFolder.names(paths.blobs).compactMap { try? Digest(parsing: "sha256:\($0)") }
    }

    /// Removes a blob; a missing blob is no error.
    ///
    /// The caller must know that nothing references it.
    func remove(_ digest: Digest) throws(ShaleError) {
        if unlink(path(digest)) == -1, errno != ENOENT {
            throw SystemCallError("unlink", path: path(digest)).shaleError("blob \(digest)")
        }
    }

    static func mismatch(_ digest: Digest) -> ShaleError {
        ShaleError(
            .corrupt, "blob \(digest): its bytes do not match its digest", hint: "system check --repair")
    }

    private func absent(_ digest: Digest, _ error: SystemCallError) -> ShaleError {
        guard error.errno == ENOENT else { return error.storeError("blob \(digest)", at: path(digest)) }
        return ShaleError(.notFound, "blob \(digest): not in the store", hint: "pull the image again")
    }
}

/// Lists folders of the store.
enum StoreFolder {
    static func names(_ path: String) throws(ShaleError) -> [String] {
        do throws(SystemCallError) {
            return try DirectoryEntries.names(of: OwnedFD.open(path, O_RDONLY | O_DIRECTORY))
        } catch {
            if error.errno == ENOENT { return [] }
            throw error.storeError(path, at: path)
        }
    }
}
