import Glibc
import Linux

extension Journal {
    /// Whether a journal has an entry that carries a token, without reading the entries; a missing journal has none.
    package static func holds(_ path: String, _ token: String) -> Bool {
        // Without a journal it is a session's first line.
        guard let file = try? OwnedFD.open(path, O_RDONLY) else { return false }
        let size = (try? FileStatus.of(file).size) ?? 0
        // Mostly the last lines have it.
        return [64 << 10, size].contains { length in file.contains(token, after: max(0, size - length)) }
    }
}

extension OwnedFD {
    /// Whether a file holds a text behind an offset.
    fileprivate borrowing func contains(_ text: String, after offset: Int64) -> Bool {
        let raw = self.raw
        guard lseek(raw, off_t(offset), SEEK_SET) >= 0, let bytes = try? readAll(limit: 1 << 30) else { return false }
        return (bytes + [0]).withUnsafeBytes { all in
            all.baseAddress.map { strstr($0.assumingMemoryBound(to: CChar.self), text) != nil } ?? false
        }
    }
}
