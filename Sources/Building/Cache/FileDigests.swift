import Basics
import Diagnostics
import Glibc
import Layers
import Linux
import Logging
import OCI
import Stores
import Synchronization

/// The digests of a folder's files, kept from build to build.
///
/// A file whose size, times and inode did not change is not read again.
///
/// Each folder has one file below `cache/hashes`. The digest of a file that changed a moment ago is not kept, because
/// another change might leave its times the same. When these files are lost, the next build only takes longer.
final class FileDigests: Sendable {
    /// The facts of a file that must be the same for its digest to be used.
    private struct Stamp: Equatable {
        var size: Int64
        var inode: UInt64
        var device: UInt64
        var modified: Timestamp
        var changed: Timestamp

        init(_ status: FileStatus) {
            size = status.size
            inode = status.inode
            device = status.device
            modified = status.modified
            changed = status.changed
        }

        init(size: Int64, inode: UInt64, device: UInt64, modified: Timestamp, changed: Timestamp) {
            self.size = size
            self.inode = inode
            self.device = device
            self.modified = modified
            self.changed = changed
        }
    }

    struct Digests: Sendable {
        var content: Digest
        /// `nil` for a file without extended attributes.
        ///
        /// A change of the attributes changes the file's ctime, so it is noticed.
        var attributes: Digest?
    }

    private struct Entry {
        var stamp: Stamp
        var digests: Digests
    }

    private struct State {
        var entries: [PathKey: Entry]
        var isChanged = false
    }

    private let store: CacheStore
    private let key: Digest
    private let state: Mutex<State>

    /// Within this many nanoseconds two changes may get the same time stamp, on a file system with nanosecond times.
    private static let tick: Int64 = 50_000_000

    /// Reads what is kept for a folder of the host; the folder's device and inode are the key.
    init?(folder: RootDirectory, _ store: CacheStore) {
        guard let status = try? FileStatus.of(folder.descriptor) else { return nil }
        self.store = store
        key = Digest.of("files of \(status.device) \(status.inode)".utf8)
        state = Mutex(State(entries: Self.decode(store.value(.hashes, key) ?? [])))
    }

    /// The digests of a file from an earlier build; `nil` when the file may have changed since.
    func digests(of path: String, _ status: FileStatus) -> Digests? {
        let entry = state.withLock { $0.entries[PathKey(path)] }
        return entry.flatMap { $0.stamp == Stamp(status) ? $0.digests : nil }
    }

    /// Keeps the digests of a file.
    ///
    /// The status must have been taken before the file was read.
    func keep(_ digests: Digests, of path: String, _ status: FileStatus) {
        guard Self.isOldEnough(status) else { return }
        let entry = Entry(stamp: Stamp(status), digests: digests)
        state.withLock { state in
            state.entries[PathKey(path)] = entry
            state.isChanged = true
        }
    }

    /// Whether a later change of the file would certainly give it other times.
    private static func isOldEnough(_ status: FileStatus) -> Bool {
        let age = Timestamp.now().wholeNanoseconds(since: status.changed)
        // A time without a fraction comes from a file system that counts in steps of one or two seconds.
        return age > (status.changed.nanoseconds == 0 ? 2_500_000_000 : tick)
    }

    /// Writes the new digests.
    ///
    /// A failure is only logged: the files are read again next time.
    func save() {
        let entries: [PathKey: Entry]? = state.withLock { state in
            guard state.isChanged else { return nil }
            state.isChanged = false
            return state.entries
        }
        guard let entries else { return }
        Logger.cache.attempt("keep the hashes of files") { try store.set(.hashes, key, to: Self.encode(entries)) }
    }

    // MARK: The file

    private static let hexLength = 64
    private static let noAttributes = [UInt8](repeating: UInt8(ascii: "0"), count: hexLength)

    /// The first bytes of the file.
    ///
    /// A file in another format is not read.
    private static let magic = Array("shale-files-2\n".utf8)

    /// For each file: length of the path (4 bytes), size, inode, device (8 bytes each), both times (seconds 8 bytes,
    /// nanoseconds 4), the content's digest and the attributes' digest (64 hex digits each, zeros for none), and the
    /// path.
    ///
    /// Numbers are little-endian.
    private static func encode(_ entries: [PathKey: Entry]) -> [UInt8] {
        var bytes = magic
        bytes.reserveCapacity(entries.count * 120)
        func put<Number: FixedWidthInteger>(_ number: Number) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        for (path, entry) in entries {
            let name = Array(path.path.pathBytes)
            put(UInt32(name.count))
            put(entry.stamp.size)
            put(entry.stamp.inode)
            put(entry.stamp.device)
            for time in [entry.stamp.modified, entry.stamp.changed] {
                put(time.seconds)
                put(time.nanoseconds)
            }
            bytes += Array(entry.digests.content.hex.utf8)
            bytes += entry.digests.attributes.map { Array($0.hex.utf8) } ?? noAttributes
            bytes += name
        }
        return bytes
    }

    private static func digest(_ bytes: ArraySlice<UInt8>) -> Digest? {
        try? Digest(parsing: "sha256:" + String(decoding: bytes.prefix(hexLength), as: UTF8.self))
    }

    private static func decode(_ bytes: [UInt8]) -> [PathKey: Entry] {
        guard bytes.starts(with: magic) else { return [:] }
        var entries: [PathKey: Entry] = [:]
        var place = magic.count
        func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
            let width = MemoryLayout<Number>.size
            guard place + width <= bytes.count else { return nil }
            var value: Number = 0
            for offset in 0..<width { value |= Number(truncatingIfNeeded: bytes[place + offset]) << (8 * offset) }
            place += width
            return value
        }
        while let length = number(UInt32.self), let size = number(Int64.self), let inode = number(UInt64.self),
            let device = number(UInt64.self), let modified = number(Int64.self), let fraction = number(Int32.self),
            let changed = number(Int64.self), let changedFraction = number(Int32.self),
            place + 2 * hexLength + Int(length) <= bytes.count, let content = digest(bytes[place...]),
            let attributes = digest(bytes[(place + hexLength)...])
        {
            let isPlain = bytes[(place + hexLength)...].starts(with: noAttributes)
            let digests = Digests(content: content, attributes: isPlain ? nil : attributes)
            place += 2 * hexLength
            let path = String(pathBytes: bytes[place..<place + Int(length)])
            place += Int(length)
            let stamp = Stamp(
                size: size, inode: inode, device: device,
                modified: Timestamp(seconds: modified, nanoseconds: fraction),
                changed: Timestamp(seconds: changed, nanoseconds: changedFraction))
            entries[PathKey(path)] = Entry(stamp: stamp, digests: digests)
        }
        return entries
    }
}
