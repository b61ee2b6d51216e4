package import Basics
import Glibc
import Linux

extension Journal {
    /// Whether a journal has an entry with a token.
    ///
    /// The entries are not parsed. A missing journal has none: a session has no journal before its first line.
    ///
    /// Throws the error of a journal that cannot be read.
    package static func holds(_ path: String, _ token: String) throws(ShaleError) -> Bool {
        do throws(SystemCallError) {
            guard let file = try ifPresent(OwnedFD.open(path, O_RDONLY)) else { return false }
            let size = try FileStatus.of(file).size
            // The entry is usually among the last lines, so these are searched first.
            for length in [64 << 10, size] where try file.contains(token, after: max(0, size - length)) { return true }
            return false
        } catch {
            throw error.shaleError("session journal")
        }
    }
}

extension OwnedFD {
    /// Whether a file contains a text after an offset in bytes.
    fileprivate borrowing func contains(_ text: String, after offset: Int64) throws(SystemCallError) -> Bool {
        let raw = self.raw
        try checkLength("lseek") { Int(lseek(raw, off_t(offset), SEEK_SET)) }
        let (bytes, wanted) = (try readAll(limit: 1 << 30), Array(text.utf8))
        guard let first = wanted.first else { return true }
        return bytes.withUnsafeBytes { all in
            guard var place = all.baseAddress else { return false }
            var left = all.count
            while left >= wanted.count, let hit = memchr(place, Int32(first), left - wanted.count + 1) {
                if memcmp(hit, wanted, wanted.count) == 0 { return true }
                left -= UnsafeRawPointer(hit) - place + 1
                place = UnsafeRawPointer(hit) + 1
            }
            return false
        }
    }
}
