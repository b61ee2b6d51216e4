import Glibc
import Linux

extension Journal {
    /// Whether a journal has an entry with a token.
    ///
    /// The entries are not parsed. A missing journal has none.
    package static func holds(_ path: String, _ token: String) -> Bool {
        // A session has no journal before its first line.
        guard let file = try? OwnedFD.open(path, O_RDONLY) else { return false }
        let size = (try? FileStatus.of(file).size) ?? 0
        // The entry is usually among the last lines, so these are searched first.
        return [64 << 10, size].contains { length in file.contains(token, after: max(0, size - length)) }
    }
}

extension OwnedFD {
    /// Whether a file contains a text after an offset in bytes.
    fileprivate borrowing func contains(_ text: String, after offset: Int64) -> Bool {
        let raw = self.raw
        guard lseek(raw, off_t(offset), SEEK_SET) >= 0, let bytes = try? readAll(limit: 1 << 30) else { return false }
        return (bytes + [0]).withUnsafeBytes { all in
            all.baseAddress.map { strstr($0.assumingMemoryBound(to: CChar.self), text) != nil } ?? false
        }
    }
}
