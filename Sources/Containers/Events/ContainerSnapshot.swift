import Basics
import Glibc
import Layers
import Linux

/// The state of a container's layer at one time, so that changed paths can be found later.
///
/// It has a hash for each path, of inode, time of change (`ctime`, which programs cannot set), size, mode and owner.
/// The hash of a directory has its attributes but no times, because these change when an entry is added or removed.
struct ContainerSnapshot: Sendable, Equatable {
    /// The largest number of paths.
    ///
    /// When there are more, the changes of an event are not known.
    private static let largest = 50_000

    private(set) var marks: [PathKey: UInt64] = [:]

    /// An empty layer.
    init() {}

    /// Reads an upper directory; `nil` when it has too many paths.
    init?(upper: RootDirectory) throws(SystemCallError) {
        var pending = [""]
        while let directory = pending.popLast() {
            let here = try upper.directory(directory)
            for (name, status) in try DirectoryEntries.list(here) {
                let path = "\(directory)/\(name)"
                marks[PathKey(path)] = try Self.mark(status, name, in: here)
                if status.kind == .directory { pending.append(path) }
            }
            guard marks.count <= Self.largest else { return nil }
        }
    }

    /// The paths that differ, sorted.
    func differences(from other: ContainerSnapshot) -> [String] {
        var paths: [String] = []
        for (key, mark) in marks where other.marks[key] != mark { paths.append(key.path) }
        for key in other.marks.keys where marks[key] == nil { paths.append(key.path) }
        return paths.sorted(by: PathOrder.precedes)
    }

    private static func mark(
        _ status: FileStatus, _ name: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) -> UInt64 {
        var hash = StableHash()
        // All whiteouts of overlayfs share one inode, so its times do not belong to one of them.
        if status.isWhiteout { return hash.value }
        hash.add(UInt64(status.permissions) | UInt64(kindNumber(status.kind)) << 32)
        hash.add(UInt64(status.uid) | UInt64(status.gid) << 32)
        if status.kind == .directory {
            for attribute in try ExtendedAttributes.names(of: name, in: directory).sorted() {
                // Overlayfs's note about the origin of a directory is no change.
                if attribute.hasSuffix(".origin") || attribute.hasSuffix(".impure") { continue }
                hash.add(Array(attribute.utf8))
                hash.add(try ExtendedAttributes.value(attribute, of: name, in: directory) ?? [])
            }
        } else {
            hash.add(status.inode)
            hash.add(UInt64(bitPattern: status.changed.seconds))
            hash.add(UInt64(UInt32(bitPattern: status.changed.nanoseconds)))
            hash.add(UInt64(bitPattern: status.size))
        }
        return hash.value
    }

    private static func kindNumber(_ kind: FileStatus.Kind) -> UInt8 {
        switch kind {
        case .regular: 1
        case .directory: 2
        case .symlink: 3
        case .fifo: 4
        case .socket: 5
        case .characterDevice: 6
        case .blockDevice: 7
        }
    }
}

extension ContainerSnapshot {
    /// The form in a file: for each path the path, a zero byte, and the eight bytes of its hash.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for (key, mark) in marks {
            bytes += key.path.pathBytes
            bytes.append(0)
            withUnsafeBytes(of: mark.littleEndian) { bytes += $0 }
        }
        return bytes
    }

    /// Reads that form; `nil` for an incomplete file.
    init?(decoding bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let end = rest.firstIndex(of: 0), rest.endIndex - end > 8 else { return nil }
            let path = String(pathBytes: rest[..<end])
            var mark: UInt64 = 0
            for byte in rest[(end + 1)...(end + 8)].reversed() { mark = mark << 8 | UInt64(byte) }
            marks[PathKey(path)] = mark
            rest = rest[(end + 9)...]
        }
    }
}

/// FNV-1a with 64 bits.
///
/// The same bytes give the same hash in every process.
private struct StableHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: [UInt8]) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        add(UInt64(bytes.count))
    }

    mutating func add(_ word: UInt64) {
        var word = word
        for _ in 0..<8 {
            value = (value ^ (word & 0xff)) &* 0x0000_0100_0000_01b3
            word >>= 8
        }
    }
}
