package import Basics
import Glibc
package import Linux
package import OCI

/// A blob that is being written.
///
/// It is hashed meanwhile, and moved to `blobs/` only when it is complete and correct.
///
/// Not thread-safe.
package final class BlobIngest {
    /// The number of bytes of an earlier attempt, which need not be downloaded again.
    package let offset: Int64
    private let expected: Descriptor?
    private let path: String
    private let isPartial: Bool
    private let paths: StorePaths
    private let leases: Leases
    private let file: OwnedFD
    private let lock: FileLock?
    private var hasher: DigestHasher
    private var isFinished = false

    init(
        expected: Descriptor?, paths: StorePaths, ingest: IngestFolder, leases: Leases
    ) throws(ShaleError) {
        self.expected = expected
        self.paths = paths
        self.leases = leases
        let partial = expected.map { "\(paths.ingest)/\($0.digest.hex).partial" } ?? ""
        lock = try Self.takePartial(partial, expected)
        isPartial = lock != nil
        path = isPartial ? partial : try ingest.newPath("blob")
        do throws(SystemCallError) {
            file = try OwnedFD.open(path, O_RDWR | O_CREAT, mode: 0o600)
            hasher = DigestHasher()
            offset = try Self.rehash(file, into: &hasher, limit: expected?.size ?? 0)
        } catch {
            throw error.shaleError("blob \(expected.map(\.digest.description) ?? "to store")")
        }
    }

    deinit { if !isFinished { abandon(keepingPartial: true) } }

    /// The number of bytes so far, with those of an earlier attempt.
    package var count: Int64 { hasher.count }

    /// The digest of the bytes so far.
    package var digest: Digest { hasher.digest() }

    /// Opens the bytes so far, from the first one, to unpack what an earlier attempt downloaded.
    ///
    /// Throws what opening the file throws.
    package func openForReading() throws(ShaleError) -> OwnedFD {
        do throws(SystemCallError) {
            return try OwnedFD.open(path, O_RDONLY)
        } catch {
            throw error.shaleError(subject)
        }
    }

    /// Appends bytes.
    ///
    /// Throws `corrupt` when there are more bytes than expected, and what writing the file throws.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(ShaleError) {
        if let expected, hasher.count + Int64(bytes.count) > expected.size {
            abandon(keepingPartial: false)
            throw ShaleError(.corrupt, "\(subject): more than the \(expected.size) bytes announced")
        }
        do throws(SystemCallError) {
            // An expected blob is usually compressed. A layer made here is a plain tar, in which zeros can be holes.
            if expected == nil { try file.writeLeavingHoles(bytes) } else { try file.write(bytes) }
        } catch {
            throw error.shaleError(subject)
        }
        hasher.update(bytes)
    }

    /// Appends the bytes of an array.
    ///
    /// Throws what writing them throws.
    package func append(_ bytes: [UInt8]) throws(ShaleError) {
        var failure: ShaleError?
        bytes.withUnsafeBytes { buffer in
            do throws(ShaleError) { try append(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Removes all bytes so far, for a server that starts again from the first byte.
    ///
    /// Throws what truncating the file throws.
    package func restart() throws(ShaleError) {
        hasher = DigestHasher()
        guard ftruncate(file.raw, 0) == 0, lseek(file.raw, 0, SEEK_SET) == 0 else {
            throw SystemCallError("ftruncate", path: path).shaleError(subject)
        }
    }

    /// Checks size and digest, syncs the file, and renames it to its place among the blobs.
    ///
    /// Throws `corrupt`, in docker's wording, when size or digest differ from the expected ones. After a wrong digest
    /// or too
    /// many bytes nothing is kept; after too few bytes the download can be resumed.
    @discardableResult
    package func commit() throws(ShaleError) -> Descriptor {
        let digest = hasher.digest()
        if let expected {
            guard hasher.count == expected.size else {
                // With too few bytes the download can be resumed later. `append` refuses too many.
                abandon(keepingPartial: true)
                throw ShaleError(
                    .corrupt, "\(subject): \(hasher.count) bytes instead of the \(expected.size) announced")
            }
            guard digest == expected.digest else {
                abandon(keepingPartial: false)
                throw ShaleError(
                    .corrupt, "filesystem layer verification failed for digest \(expected.digest)",
                    cause: "its bytes have the digest \(digest)")
            }
        } else {
            try leases.hold([.digest(digest)])
        }
        do throws(SystemCallError) {
            try place(as: paths.blob(digest))
        } catch {
            abandon(keepingPartial: true)
            throw error.shaleError(subject)
        }
        isFinished = true
        return Descriptor(mediaType: expected?.mediaType ?? "", digest: digest, size: hasher.count)
    }

    /// Ends without a blob.
    ///
    /// A partial download of a known digest may be kept for the next attempt.
    package func abandon(keepingPartial: Bool) {
        if isFinished { return }
        isFinished = true
        if isPartial, keepingPartial, hasher.count > 0 { return }
        unlink(path)
    }

    private var subject: String { expected.map { "blob \($0.digest)" } ?? "blob" }

    private func place(as target: String) throws(SystemCallError) {
        if access(target, F_OK) == 0 {
            unlink(path)
            return
        }
        try file.endWithHole()
        fchmod(file.raw, 0o600)
        try file.sync()
        try check("rename", path: target) { rename(path, target) }
        try WholeFile.syncFolder(paths.blobs)
    }

    /// Locks `<digest>.partial`; `nil` when another process downloads the same blob.
    private static func takePartial(_ path: String, _ expected: Descriptor?) throws(ShaleError) -> FileLock? {
        guard let expected else { return nil }
        do throws(SystemCallError) {
            for _ in 0..<3 {
                guard let lock = try FileLock.trying(path, exclusive: true) else { return nil }
                // Between open and lock the previous owner may have finished and renamed the file.
                guard let status = try? FileStatus.of(hostPath: path), status.inode == (try lock.inode()) else {
                    continue
                }
                if status.size > expected.size { truncate(path, 0) }
                return lock
            }
            return nil
        } catch {
            throw error.shaleError("blob \(expected.digest)")
        }
    }

    /// Hashes the existing bytes, and leaves the file position at their end.
    private static func rehash(
        _ file: borrowing OwnedFD, into hasher: inout DigestHasher, limit: Int64
    ) throws(SystemCallError) -> Int64 {
        if limit == 0 { return 0 }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try file.read(into: buffer)
            if count == 0 { return hasher.count }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}
