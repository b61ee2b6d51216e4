package import Basics
import Glibc
package import Linux
package import OCI

/// One blob that is being written: hashed while it grows, moved to `blobs/` only when it is complete and correct.
///
/// For one thread.
package final class BlobIngest {
    /// The number of bytes that an earlier attempt left and that need not be fetched again.
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

    /// Bytes seen so far, the taken-up ones included.
    package var count: Int64 { hasher.count }

    /// The digest of the bytes seen so far.
    package var digest: Digest { hasher.digest() }

    /// The bytes so far, from the first one, to unpack what an earlier attempt fetched.
    ///
    /// Throws what opening the file throws.
    package func openForReading() throws(ShaleError) -> OwnedFD {
        do throws(SystemCallError) {
            return try OwnedFD.open(path, O_RDONLY)
        } catch {
            throw error.shaleError(subject)
        }
    }

    /// Adds bytes; `corrupt` once there are more than announced.
    ///
    /// Throws `corrupt` in that case, and what writing the file throws.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(ShaleError) {
        if let expected, hasher.count + Int64(bytes.count) > expected.size {
            abandon(keepingPartial: false)
            throw ShaleError(.corrupt, "\(subject): more than the \(expected.size) bytes announced")
        }
        do throws(SystemCallError) {
            // What is announced is packed mostly; a layer made here is a plain tar, in which a hole is zeros.
            if expected == nil { try file.writeLeavingHoles(bytes) } else { try file.write(bytes) }
        } catch {
            throw error.shaleError(subject)
        }
        hasher.update(bytes)
    }

    /// The same of bytes in an array.
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
    /// Throws `corrupt`, in docker's words, when they are others than announced; nothing of them is kept then.
    @discardableResult
    package func commit() throws(ShaleError) -> Descriptor {
        let digest = hasher.digest()
        if let expected {
            guard hasher.count == expected.size else {
                // With too few bytes the download may be resumed later; `append` refuses too many.
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

    /// Ends without a blob; a partial download of a known digest may stay for the next attempt.
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

    /// Locks `<digest>.partial`; `nil` when another downloads the same.
    private static func takePartial(_ path: String, _ expected: Descriptor?) throws(ShaleError) -> FileLock? {
        guard let expected else { return nil }
        do throws(SystemCallError) {
            for _ in 0..<3 {
                guard let lock = try FileLock.trying(path, exclusive: true) else { return nil }
                // Between open and lock its owner may have finished and renamed it away.
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

    /// Hashes what is there and leaves the position at its end.
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
