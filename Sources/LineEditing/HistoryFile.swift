package import Basics
import Glibc
import Linux

/// What was typed, kept across sessions in libedit's own file format (`_HiStOrY_V2_`, entries vis-encoded).
///
/// Every line is appended as it is typed, so that two prompts on one file lose nothing of each other's; the file is
/// shortened when it is opened. Mode 0600. Secrets are in memory alone, so that a line can be recalled and mended; the
/// file has `***` in their place.
package final class HistoryFile {
    /// Oldest first.
    package private(set) var entries: [String] = []
    /// `nil` keeps the history in memory only.
    package let path: String?
    /// Entries kept.
    package let size: Int

    private static let header = "_HiStOrY_V2_"
    /// The largest file in bytes that is read, 32 MiB: a larger one is not a history of shale.
    private static let largest = 32 << 20

    /// Reads the file, if there is one; a file that cannot be read means an empty history.
    package init(path: String?, size: Int = 10_000) {
        self.path = path
        self.size = max(1, size)
        guard let path, let bytes = Self.read(path) else { return }
        let loaded = Self.decode(bytes)
        entries = Self.unique(loaded, size: self.size)
        if loaded.count > 2 * entries.count + 100 { shorten(path) }
    }

    /// Adds an entry, unless it is empty or repeats the one before, and appends it to the file.
    ///
    /// - Throws: `io` when the file cannot be written; the entry is in memory then.
    package func add(_ entry: String) throws(ShaleError) {
        guard !entry.trimmingBlanks.isEmpty, entry != entries.last else { return }
        entries.append(entry)
        if entries.count > size { entries.removeFirst(entries.count - size) }
        try append(entry)
    }

    /// The entries that start with a text, newest first, each once.
    package func entries(startingWith prefix: String) -> [String] {
        var seen: Set<String> = []
        return entries.reversed().filter { $0.hasPrefix(prefix) && seen.insert($0).inserted }
    }

    /// The rest of the newest entry of one line that starts with a text; `nil` where there is none.
    ///
    /// Nothing that a terminal does not show as it is: the file may come from elsewhere.
    package func suggestion(for text: String) -> String? {
        guard let first = text.unicodeScalars.first, !first.isBlank else { return nil }
        let start = text.utf8
        let found = entries.last {
            $0.utf8.count > start.count && $0.utf8.starts(with: start) && !$0.utf8.contains(UInt8(ascii: "\n"))
        }
        guard let rest = found.flatMap({ String($0.utf8.dropFirst(start.count)) }), rest.visible == rest else {
            return nil
        }
        return rest
    }

    /// The entry that `!!`, `!12` or `!-2` means; entries count from 1.
    package func entry(_ reference: String) -> String? {
        if reference == "!" { return entries.last }
        guard let number = Int(reference) else { return nil }
        let index = number < 0 ? entries.count + max(number, -entries.count - 1) : number - 1
        return entries.indices.contains(index) ? entries[index] : nil
    }

    /// Forgets everything, in the file as well.
    package func clear() {
        entries = []
        guard let path, let lock = Self.locked(path, O_RDWR) else { return }
        defer { close(lock) }
        replace(path)
    }

    // MARK: The file

    private func append(_ entry: String) throws(ShaleError) {
        guard let path else { return }
        guard let descriptor = Self.locked(path, O_WRONLY | O_APPEND | O_CREAT) else { throw Self.failure(path, errno) }
        defer { close(descriptor) }
        Self.makePrivate(descriptor)
        var text = Self.encode(Secrets.masked(entry).text) + "\n"
        if lseek(descriptor, 0, SEEK_END) == 0 { text = Self.header + "\n" + text }
        do throws(SystemCallError) {
            try BorrowedFD(descriptor).write(Array(text.utf8))
        } catch {
            throw Self.failure(path, error.errno)
        }
    }

    /// Opens the file and locks it; `nil` with `errno` where it cannot be opened.
    ///
    /// Another prompt may have put a shorter file in its place meanwhile: a line must not go into the old one.
    private static func locked(_ path: String, _ flags: Int32) -> Int32? {
        while true {
            let descriptor = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { return nil }
            flock(descriptor, LOCK_EX)
            var (opened, named) = (stat(), stat())
            if fstat(descriptor, &opened) == 0, lstat(path, &named) == 0, opened.st_ino == named.st_ino,
                opened.st_dev == named.st_dev
            {
                return descriptor
            }
            close(descriptor)
        }
    }

    /// Leaves each entry of the file once, with those that other prompts added until now.
    private func shorten(_ path: String) {
        guard let lock = Self.locked(path, O_RDWR) else { return }
        defer { close(lock) }
        guard let bytes = Self.read(path) else { return }
        entries = Self.unique(Self.decode(bytes), size: size)
        replace(path)
    }

    /// Replaces the file by what is in memory; a failure leaves the old one.
    private func replace(_ path: String) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        let lines = [Self.header] + entries.map { Self.encode(Secrets.masked($0).text) }
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        let isWritten = (try? BorrowedFD(descriptor).write(text)) != nil
        close(descriptor)
        if isWritten { rename(temporary, path) } else { unlink(temporary) }
    }

    /// An older file, or one that another tool made, may be open to others.
    private static func makePrivate(_ descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 != 0 else {
            return
        }
        fchmod(descriptor, 0o600)
    }

    private static func failure(_ path: String, _ error: Int32) -> ShaleError {
        ShaleError(.io, "history file \(path)", cause: String(cString: strerror(error)))
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < largest {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { break }
            bytes += chunk[..<count]
        }
        return bytes
    }

    /// Each entry once, at its last place.
    private static func unique(_ entries: [String], size: Int) -> [String] {
        var seen: Set<String> = []
        let kept = entries.reversed().filter { seen.insert($0).inserted }
        return Array(kept.prefix(size).reversed())
    }

    // MARK: The encoding of vis(3)

    /// One line of printable ASCII; everything else, blanks included, as `\ooo`.
    static func encode(_ entry: String) -> String {
        var out = ""
        for byte in entry.utf8 {
            if byte == UInt8(ascii: "\\") {
                out += "\\\\"
            } else if (33...126).contains(byte) {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                let digits = String(byte, radix: 8)
                out += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
        return out
    }

    static func decode(_ bytes: [UInt8]) -> [String] {
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: true)
        if let first = lines.first, String(decoding: first, as: UTF8.self).hasPrefix("_HiStOrY_V") {
            lines.removeFirst()
        }
        return lines.map { decode(line: Array($0)) }.filter { !$0.isEmpty }
    }

    private static func decode(line: [UInt8]) -> String {
        var out: [UInt8] = []
        var index = 0
        while index < line.count {
            guard line[index] == UInt8(ascii: "\\"), index + 1 < line.count else {
                out.append(line[index])
                index += 1
                continue
            }
            let digits = line[(index + 1)...].prefix(3)
            if digits.count == 3, digits.allSatisfy({ (48...55).contains($0) }) {
                out.append(UInt8(truncatingIfNeeded: digits.reduce(0) { $0 * 8 + Int($1 - 48) }))
                index += 4
            } else {
                out.append(line[index + 1])
                index += 2
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
