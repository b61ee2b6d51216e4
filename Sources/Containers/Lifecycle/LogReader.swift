import Basics
import Glibc
import Linux

/// Reads a log entry by entry, the rotated files first; at its end it may be asked again.
struct LogReader {
    private let path: String
    /// Oldest first; what is read from now is the first.
    private var files: [LogFile]
    private var buffer: [UInt8] = []
    private var start = 0
    /// Streams whose line goes on with their next entry.
    private var unfinished: Set<Bool> = []

    init(path: String) {
        self.path = path
        files = LogFile.all(of: path)
    }

    mutating func next() throws(ShaleError) -> LogEntry? {
        while true {
            while let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = buffer[start..<end]
                start = end + 1
                // A line that a crash damaged is skipped.
                guard var entry = LogEntry(parsing: line) else { continue }
                entry.continuesLine = unfinished.contains(entry.isError)
                if entry.text.last == UInt8(ascii: "\n") {
                    unfinished.remove(entry.isError)
                } else {
                    unfinished.insert(entry.isError)
                }
                return entry
            }
            guard try fill() else { return nil }
        }
    }

    /// Leaves out, before anything is read, what comes before the last lines; false where there are no more than those.
    mutating func skip(toLast lines: Int) throws(ShaleError) -> Bool {
        var missing = lines
        for (index, file) in files.enumerated().reversed() {
            do throws(SystemCallError) {
                guard try file.skip(toLast: &missing, isNewest: index == files.count - 1) else { continue }
            } catch {
                throw error.shaleError("log")
            }
            files.removeFirst(index)
            return true
        }
        return false
    }

    private mutating func fill() throws(ShaleError) -> Bool {
        if files.isEmpty { files = LogFile.all(of: path) }
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        do throws(SystemCallError) {
            while let file = files.first {
                // Whether it was rotated is asked before it is read to its end, so that nothing is missed.
                let newer = files.count > 1 ? Array(files.dropFirst()) : file.newer(in: path)
                if try file.read(into: &buffer) { return true }
                guard !newer.isEmpty else { return false }
                files = newer
                buffer = []
            }
            return false
        } catch {
            throw error.shaleError("log")
        }
    }
}

/// One file of a log; it may be rotated while it is read.
private final class LogFile {
    private let descriptor: OwnedFD
    private let inode: UInt64

    private init?(_ path: String) {
        guard let opened = try? OwnedFD.open(path, O_RDONLY | O_NOFOLLOW),
            let status = try? FileStatus.of(opened)
        else { return nil }
        descriptor = opened
        inode = status.inode
    }

    /// Every file there is, oldest first; opened newest first, so that a file rotated meanwhile is seen twice instead
    /// of never.
    static func all(of path: String) -> [LogFile] {
        var files: [LogFile] = []
        if let current = LogFile(path) { files.append(current) }
        var number = 1
        while let old = LogFile("\(path).\(number)") {
            if !files.contains(where: { $0.inode == old.inode }) { files.append(old) }
            number += 1
        }
        return files.reversed()
    }

    /// The files begun after this one; empty while it is the one that is written to.
    func newer(in path: String) -> [LogFile] {
        if (try? FileStatus.of(hostPath: path))?.inode == inode { return [] }
        let all = Self.all(of: path)
        guard let place = all.firstIndex(where: { $0.inode == inode }) else { return all }
        return Array(all[(place + 1)...])
    }

    /// How many of an entry's last bytes tell whether it ends a line: `\n","stream":"stdout","time":"…"}`.
    private static let endLength = 128

    /// Goes to where the last lines begin; false, and the count less the lines that begin in the file, where it has no
    /// more than those.
    func skip(toLast missing: inout Int, isNewest: Bool) throws(SystemCallError) -> Bool {
        var end = try FileStatus.of(descriptor).size
        var chunk = [UInt8](repeating: 0, count: (64 << 10) + Self.endLength)
        let raw = descriptor.raw
        // Behind the newest file's last newline there is no line any more.
        var isAtEnd = isNewest
        while end > 0 {
            let begin = max(0, end - 64 << 10)
            let lead = Int(begin - max(0, begin - Int64(Self.endLength)))
            let (length, place) = (Int(end - begin) + lead, begin - Int64(lead))
            let count = try checkLength("read") {
                chunk.withUnsafeMutableBytes { pread(raw, $0.baseAddress, length, Int(place)) }
            }
            for index in stride(from: count - 1, through: lead, by: -1) where chunk[index] == UInt8(ascii: "\n") {
                defer { isAtEnd = false }
                if missing > 0 {
                    guard !isAtEnd, Self.endsLine(chunk[max(0, index - Self.endLength)..<index]) else { continue }
                    missing -= 1
                    guard missing == 0 else { continue }
                }
                _ = try check("lseek") { Int32(clamping: lseek(raw, Int(place) + index + 1, SEEK_SET)) }
                return true
            }
            end = begin
        }
        return false
    }

    /// Whether an entry with these last bytes has a newline at the end of its text: `\n",` with no further `\` before.
    private static func endsLine(_ bytes: ArraySlice<UInt8>) -> Bool {
        let mark = Array("n\",\"stream\":\"".utf8)
        // A short entry does not fill them: the one before it does not count.
        let bytes = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes[($0 + 1)...] } ?? bytes
        guard bytes.count >= mark.count else { return false }
        var place = bytes.endIndex - mark.count
        while place > bytes.startIndex, !bytes[place..<place + mark.count].elementsEqual(mark) { place -= 1 }
        guard place > bytes.startIndex else { return false }
        let backslashes = bytes[..<place].reversed().prefix { $0 == UInt8(ascii: "\\") }.count
        return backslashes % 2 == 1
    }

    /// Appends what comes next; false at the end.
    func read(into buffer: inout [UInt8]) throws(SystemCallError) -> Bool {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let raw = descriptor.raw
        let count = try checkLength("read") {
            chunk.withUnsafeMutableBytes { Glibc.read(raw, $0.baseAddress, $0.count) }
        }
        buffer.append(contentsOf: chunk[..<count])
        return count > 0
    }
}
