package import Basics
import Glibc
import Linux
package import OCI

/// A compressed layer that is being written to the cache.
///
/// It is hashed meanwhile, and named by its digest when complete.
///
/// One thread at a time may use it.
package final class PackedFile: @unchecked Sendable {
    // Unchecked: the threads that compress write block after block, one at a time.
    private let aside: String
    private let file: OwnedFD
    private let place: (String, Digest) throws(SystemCallError) -> Void
    private var hasher = DigestHasher()
    private var isPlaced = false

    init(
        aside: String, place: @escaping (String, Digest) throws(SystemCallError) -> Void
    ) throws(ShaleError) {
        self.aside = aside
        self.place = place
        file = try translating("packed layer") { try OwnedFD.open(aside, O_RDWR | O_CREAT | O_EXCL) }
    }

    deinit { if !isPlaced { unlink(aside) } }

    package var digest: Digest { hasher.digest() }
    package var size: Int64 { hasher.count }

    /// Appends bytes.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(ShaleError) {
        do throws(SystemCallError) { try file.write(bytes) } catch { throw error.shaleError("packed layer") }
        hasher.update(bytes)
    }

    /// Syncs the file and renames it to its digest.
    ///
    /// Throws what syncing or renaming the file throws.
    package func commit() throws(ShaleError) {
        do throws(SystemCallError) {
            try file.sync()
            try place(aside, digest)
            isPlaced = true
        } catch {
            throw error.shaleError("packed layer")
        }
    }
}

/// The record of a compressed layer in the cache.
package struct PackedNote: Sendable, Hashable {
    package let packed: Digest
    package let size: Int64
    /// The digest of the uncompressed layer.
    package let layer: Digest

    package init(packed: Digest, size: Int64, layer: Digest) {
        self.packed = packed
        self.size = size
        self.layer = layer
    }

    /// Reads a record; `nil` for other bytes.
    init?(_ bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count == 3, let packed = try? Digest(parsing: String(words[0])), let size = Int64(words[1]),
            let layer = try? Digest(parsing: String(words[2]))
        else { return nil }
        self.init(packed: packed, size: size, layer: layer)
    }
}

extension CacheStore {
    /// The record of a key; `nil` when the compressed layer is missing or has another size.
    package func packedNote(_ key: Digest) -> PackedNote? {
        guard let note = value(.packings, key).flatMap({ PackedNote($0) }),
            let status = try? FileStatus.of(hostPath: path(.packed, note.packed)), status.size == note.size
        else { return nil }
        return note
    }

    /// Stores the record of a compressed layer.
    ///
    /// Throws what writing the file throws.
    package func note(_ note: PackedNote, as key: Digest) throws(ShaleError) {
        try set(.packings, key, to: Array("\(note.packed) \(note.size) \(note.layer)".utf8))
    }

    /// Seconds for which a compressed layer without a record is kept: another process may be about to store its record.
    private static let noteTime: Int64 = 600

    /// Removes compressed layers whose layer passes the test `isGone`; returns their digests and bytes.
    package func removePacked(
        dryRun: Bool, where isGone: (Digest) -> Bool
    ) -> (digests: [Digest], bytes: Int64) {
        // Listed first, so that files which are added meanwhile are not removed.
        let files = all(.packed)
        let now = Timestamp.now()
        var kept: Set<Digest> = []
        var noted: Set<Digest> = []
        for (key, _, _) in all(.packings) {
            let note = packedNote(key)
            if let note { noted.insert(note.packed) }
            if let note, !isGone(note.layer) {
                kept.insert(note.packed)
            } else if !dryRun {
                remove(.packings, key)
            }
        }
        let gone = files.filter { file in
            guard !kept.contains(file.key) else { return false }
            return noted.contains(file.key) || now.wholeSeconds(since: file.modified) > Self.noteTime
        }
        for (key, _, _) in gone where !dryRun { remove(.packed, key) }
        return (gone.map(\.key).sorted(), gone.reduce(0) { $0.addingClamped($1.bytes) })
    }
}
