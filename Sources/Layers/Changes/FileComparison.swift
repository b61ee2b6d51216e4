import Basics
import Glibc
import Linux

/// Compares two files of the same path.
enum FileComparison {
    /// The differences in status and link text.
    ///
    /// The content is not compared.
    static func reasons(
        _ new: FileStatus, _ old: FileStatus, newLink: String, oldLink: String
    ) -> Set<Change.Reason> {
        var reasons: Set<Change.Reason> = []
        if new.kind != old.kind { reasons.insert(.type) }
        // The permission bits of a symbolic link have no meaning.
        if new.kind != .symlink || old.kind != .symlink, new.permissions != old.permissions { reasons.insert(.mode) }
        if new.uid != old.uid || new.gid != old.gid { reasons.insert(.owner) }
        guard new.kind == old.kind, new.kind != .directory else { return reasons }
        if !areSame(new.modified, old.modified) { reasons.insert(.mtime) }
        switch new.kind {
        case .regular: if new.size != old.size { reasons.formUnion([.size, .content]) }
        case .symlink: if !PathOrder.same(newLink, oldLink) { reasons.insert(.link) }
        case .characterDevice, .blockDevice:
            if new.rdevMajor != old.rdevMajor || new.rdevMinor != old.rdevMinor { reasons.insert(.device) }
        default: break
        }
        return reasons
    }

    /// Whether two times are equal in an archive.
    ///
    /// Archives store whole seconds, so a time without nanoseconds equals every time within its second.
    static func areSame(_ left: Timestamp, _ right: Timestamp) -> Bool {
        left.seconds == right.seconds
            && (left.nanoseconds == right.nanoseconds || left.nanoseconds == 0 || right.nanoseconds == 0)
    }

    /// Compares two files of the same size byte by byte.
    static func haveSameContents(
        _ left: borrowing OwnedFD, _ right: borrowing OwnedFD
    ) throws(SystemCallError) -> Bool {
        let chunk = 128 << 10
        let buffers = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * chunk, alignment: 4096)
        defer { buffers.deallocate() }
        let first = UnsafeMutableRawBufferPointer(rebasing: buffers[..<chunk])
        let second = UnsafeMutableRawBufferPointer(rebasing: buffers[chunk...])
        while true {
            let count = try fill(first, left)
            guard try fill(second, right) == count else { return false }
            if count == 0 { return true }
            guard let one = first.baseAddress, let other = second.baseAddress, memcmp(one, other, count) == 0 else {
                return false
            }
            if count < chunk { return true }
        }
    }

    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, _ file: borrowing OwnedFD
    ) throws(SystemCallError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}
