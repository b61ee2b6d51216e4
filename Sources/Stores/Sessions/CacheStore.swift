package import Basics
import Diagnostics
import Glibc
package import Linux
import Logging
package import OCI

/// The cache: data that can be computed again, such as build steps, file hashes and seccomp programs.
///
/// It can be deleted at any time.
package final class CacheStore: Sendable {
    /// A kind of cached data; each has its own folder.
    package enum Kind: String, Sendable, CaseIterable {
        /// Build step key → image.
        case build
        /// Folder key → hashes of its files.
        case hashes
        /// Profile key → compiled program.
        case seccomp
        /// Data that was downloaded from a registry.
        case remote
        /// Layers as they were compressed for a push, each named by the digest of its bytes.
        case packed
        /// A layer and its compression → the digest of the compressed layer.
        case packings
        /// The path of a saved recipe's folder → the digests of the files that were written there.
        case recipes
    }

    package let folder: String

    private let ingest: IngestFolder

    init(folder: String, ingest: IngestFolder) {
        self.folder = folder
        self.ingest = ingest
    }

    /// The path of a value, whether it exists or not.
    package func path(_ kind: Kind, _ key: Digest) -> String { "\(folder)/\(kind.rawValue)/\(key.hex)" }

    /// A value; `nil` when there is none or it cannot be read.
    package func value(_ kind: Kind, _ key: Digest) -> [UInt8]? {
        let value = try? WholeFile.read(path(kind, key))
        noteLookup(kind, key, isHit: value != nil)
        return value
    }

    private func noteLookup(_ kind: Kind, _ key: Digest, isHit: Bool) {
        Logger.cache.debug("looked up", metadata: ["kind": "\(kind)", "key": "\(key.hex)", "hit": "\(isHit)"])
    }

    /// Stores a value with a rename, without a sync: a reader sees either all of it or nothing.
    package func set(_ kind: Kind, _ key: Digest, to bytes: [UInt8]) throws(ShaleError) {
        _ = try fill(kind, key) { file throws(ShaleError) in
            do throws(SystemCallError) { try file.write(bytes) } catch { throw error.shaleError("cache") }
        }
    }

    /// Stores what `body` writes, which may be larger than memory; returns the file, open for reading.
    ///
    /// Throws what writing the file or `body` throws.
    package func fill(
        _ kind: Kind, _ key: Digest, _ body: (borrowing OwnedFD) throws(ShaleError) -> Void
    ) throws(ShaleError) -> OwnedFD {
        // Not in the kind's folder, because another process may clear that folder at any moment.
        let aside = try ingest.newPath("cache")
        do throws(ShaleError) {
            let file = try translating("cache") { try OwnedFD.open(aside, O_RDWR | O_CREAT | O_EXCL) }
            try body(file)
            try translating("cache") { try place(aside, kind, key) }
            lseek(file.raw, 0, SEEK_SET)
            return file
        } catch {
            unlink(aside)
            throw error
        }
    }

    /// Begins a file of the kind `packed`.
    ///
    /// Throws what making the file throws.
    package func newPacked() throws(ShaleError) -> PackedFile {
        try PackedFile(aside: try ingest.newPath("cache")) { aside, digest throws(SystemCallError) in
            try self.place(aside, .packed, digest)
        }
    }

    /// Counts one use in a value, and makes the value when it is not there.
    ///
    /// Each use is one byte: the size is their number, and the time of the last write that of the last use.
    ///
    /// Throws what opening or writing the file throws.
    package func addUse(_ kind: Kind, _ key: Digest) throws(SystemCallError) {
        let file = try OwnedFD.open(path(kind, key), O_WRONLY | O_APPEND | O_CREAT)
        try file.write([UInt8(ascii: ".")])
    }

    /// How many uses a value counts, and when the last one was; `nil` when there was none.
    package func uses(_ kind: Kind, _ key: Digest) -> (count: Int64, last: Timestamp)? {
        guard let status = try? FileStatus.of(hostPath: path(kind, key)), status.size > 0 else { return nil }
        return (status.size, status.modified)
    }

    private func place(_ aside: String, _ kind: Kind, _ key: Digest) throws(SystemCallError) {
        let target = path(kind, key)
        for _ in 0..<100 {
            mkdir("\(folder)/\(kind.rawValue)", 0o700)
            if rename(aside, target) == 0 { return }
            if errno != ENOENT { break }
        }
        throw SystemCallError("rename", path: target)
    }

    /// Opens a value for reading; `nil` when there is none.
    package func open(_ kind: Kind, _ key: Digest) -> OwnedFD? { try? OwnedFD.open(path(kind, key), O_RDONLY) }

    package func remove(_ kind: Kind, _ key: Digest) { unlink(path(kind, key)) }

    /// The keys of a kind, with size in bytes and time of the last write.
    package func all(_ kind: Kind) -> [(key: Digest, bytes: Int64, modified: Timestamp)] {
        let names = (try? StoreFolder.names("\(folder)/\(kind.rawValue)")) ?? []
        return names.compactMap { name in
            guard let key = try? Digest(parsing: "sha256:\(name)"),
                let status = try? FileStatus.of(hostPath: path(kind, key))
            else { return nil }
            return (key, status.size, status.modified)
        }
    }

    /// Removes all values of some kinds; returns the number of bytes freed.
    ///
    /// Throws what removing the folders throws.
    @discardableResult
    package func clear(_ kinds: [Kind] = Kind.allCases) throws(ShaleError) -> Int64 {
        var bytes: Int64 = 0
        for kind in kinds {
            let path = "\(folder)/\(kind.rawValue)"
            // Moved away first, because another process may clear the folder too, or write to it.
            guard let place = try ingest.moveAway(path) else { continue }
            bytes += (try? FileTree.usage(of: place).bytes) ?? 0
            try ingest.removeMoved(place)
        }
        return bytes
    }
}
