import CLinux
import Glibc
import Synchronization

/// Copies a file's bytes in the fastest way the file system offers.
package enum FileCopying {
    /// Devices whose file system shares no blocks: it is asked once.
    private static let unsharing = Mutex<Set<UInt64>>([])

    /// The most bytes of one `copy_file_range`: between two of them a copy can be stopped.
    private static let largestRange: Int64 = 16 << 20

    /// Copies all of a regular file to an empty one.
    ///
    /// Shares the blocks where the file system can (`FICLONE`), else lets the kernel copy (`copy_file_range`), else
    /// reads and writes. Holes stay holes. `status` is the source's, where it is known already. `moved` is told how many
    /// more bytes are copied, at least every 16 MiB. Throws the error of reading or writing, and what `moved` throws.
    package static func copy(
        from source: borrowing OwnedFD, _ status: FileStatus? = nil, to target: borrowing OwnedFD,
        moved: (Int64) throws(SystemCallError) -> Void = { _ in }
    ) throws(SystemCallError) {
        let status = if let status { status } else { try FileStatus.of(source) }
        let size = status.size
        if shareBlocks(of: source, status, with: target) { return try moved(size) }
        if status.blocks * 512 >= size { return try copyRange(from: source, to: target, 0, size, moved) }
        try target.truncate(to: size)
        var position: Int64 = 0
        while position < size {
            let from = source.raw
            let start = lseek(from, off_t(position), 3)  // SEEK_DATA
            if start < 0 {
                if errno == ENXIO { return }
                try copyRange(from: source, to: target, position, size, moved)
                return
            }
            let found = lseek(from, start, 4)  // SEEK_HOLE
            let end = found < 0 ? size : min(size, Int64(found))
            try copyRange(from: source, to: target, Int64(start), end, moved)
            position = max(end, Int64(start) + 1)
        }
    }

    private static func shareBlocks(
        of source: borrowing OwnedFD, _ status: FileStatus, with target: borrowing OwnedFD
    ) -> Bool {
        if unsharing.withLock({ $0.contains(status.device) }) { return false }
        if shale_clone_file(source.raw, target.raw) == 0 { return true }
        if errno == EOPNOTSUPP { unsharing.withLock { _ = $0.insert(status.device) } }
        return false
    }

    private static func copyRange(
        from source: borrowing OwnedFD, to target: borrowing OwnedFD, _ start: Int64, _ end: Int64,
        _ moved: (Int64) throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        let (from, to) = (source.raw, target.raw)
        var position = start
        while position < end {
            let count = shale_copy_file_range(from, to, position, Int(min(end - position, largestRange)))
            if count == 0 { return }
            if count < 0 {
                let error = errno
                if error == EINTR { continue }
                guard [EXDEV, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, EBADF].contains(error) else {
                    throw SystemCallError("copy_file_range", errno: error)
                }
                return try readAndWrite(from: source, to: target, position, end, moved)
            }
            position += Int64(count)
            try moved(Int64(count))
        }
    }

    private static func readAndWrite(
        from source: borrowing OwnedFD, to target: borrowing OwnedFD, _ start: Int64, _ end: Int64,
        _ moved: (Int64) throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        let raw = source.raw
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        var position = start
        while position < end {
            let wanted = Int(min(Int64(buffer.count), end - position))
            let count = try checkLength("read") { pread(raw, buffer.baseAddress, wanted, off_t(position)) }
            if count == 0 { return }
            try target.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: position)
            position += Int64(count)
            try moved(Int64(count))
        }
    }
}
