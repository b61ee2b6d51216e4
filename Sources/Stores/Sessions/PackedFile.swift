package import Basics
import Glibc
import Linux
package import OCI

/// A packed layer that is being written into the cache: hashed while it grows, and named by its digest when it is
/// whole.
///
/// For one thread at a time.
package final class PackedFile: @unchecked Sendable {
    // Unchecked: whoever packs writes block after block, each when its turn has come.
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

    /// Adds bytes.
    ///
    /// Throws what writing the file throws.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(ShaleError) {
        do throws(SystemCallError) { try file.write(bytes) } catch { throw error.shaleError("packed layer") }
        hasher.update(bytes)
    }

    /// Syncs the file and gives it its name.
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

/// What is noted of a packed layer that is kept.
package struct PackedNote: Sendable, Hashable {
    package let packed: Digest
    package let size: Int64
    /// The plain layer that was packed.
    package let layer: Digest

    package init(packed: Digest, size: Int64, layer: Digest) {
        self.packed = packed
        self.size = size
        self.layer = layer
    }

    /// Reads a note; `nil` for bytes that are none.
    init?(_ bytes: [UInt8]) {
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        guard words.count == 3, let packed = try? Digest(parsing: String(words[0])), let size = Int64(words[1]),
            let layer = try? Digest(parsing: String(words[2]))
        else { return nil }
        self.init(packed: packed, size: size, layer: layer)
    }
}

extension CacheStore {
    /// What is noted under a key, where the packed layer is there and whole by its size.
    package func packedNote(_ key: Digest) -> PackedNote? {
        guard let note = value(.packings, key).flatMap({ PackedNote($0) }),
            let status = try? FileStatus.of(hostPath: path(.packed, note.packed)), status.size == note.size
        else { return nil }
        return note
    }

    /// Notes a packed layer.
    ///
    /// Throws what writing the file throws.
    package func note(_ note: PackedNote, as key: Digest) throws(ShaleError) {
        try set(.packings, key, to: Array("\(note.packed) \(note.size) \(note.layer)".utf8))
    }

    /// Seconds for which a packed layer that nothing notes stays: another shale may be about to note it.
    private static let noteTime: Int64 = 600

    /// Removes packed layers that are kept, all or those of layers that are gone; returns what they were, and
    /// their bytes.
    package func removePacked(
        dryRun: Bool, where isGone: (Digest) -> Bool
    ) -> (digests: [Digest], bytes: Int64) {
        // Looked at first: what comes meanwhile is not among them.
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
