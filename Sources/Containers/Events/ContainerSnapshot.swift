import Basics
import Glibc
import Layers
import Linux

/// What a container's own layer looked like at one moment: enough to tell which paths differ at another.
///
/// For each path a hash is kept, of inode, time of change (`ctime`, which cannot be set), size, mode and owner. The
/// hash of a directory has its attributes and no times: those say only that an entry was added or removed.
struct ContainerSnapshot: Sendable, Equatable {
    /// More paths than this are not looked at for every event: what changed is then not known.
    private static let largest = 50_000

    private(set) var marks: [PathKey: UInt64] = [:]

    /// An empty layer.
    init() {}

    /// Looks at an upper directory; `nil` when it holds too much.
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
        // Overlayfs gives all whiteouts one inode, so its times say nothing about one of them.
        if status.isWhiteout { return hash.value }
        hash.add(UInt64(status.permissions) | UInt64(kindNumber(status.kind)) << 32)
        hash.add(UInt64(status.uid) | UInt64(status.gid) << 32)
        if status.kind == .directory {
            for attribute in try ExtendedAttributes.names(of: name, in: directory).sorted() {
                // Overlayfs's own note of where a directory was copied up from says nothing.
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
    /// As a file keeps it: a path, a zero byte, eight bytes of its mark.
    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for (key, mark) in marks {
            bytes += key.path.pathBytes
            bytes.append(0)
            withUnsafeBytes(of: mark.littleEndian) { bytes += $0 }
        }
        return bytes
    }

    /// Reads a file back; `nil` for one that was interrupted.
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

/// FNV-1a in 64 bits: the same for the same bytes in every process.
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
