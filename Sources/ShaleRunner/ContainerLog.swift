import Basics
import Glibc
import Linux

/// docker's json-file log: a JSON object a line, `{"log":…,"stream":…,"time":…}`.
///
/// A line is written when it is whole, or when 16 KiB of it are there: then its text has no newline at the end, and the
/// stream's next entry goes on with it. The file is made with the first line; one that
/// has grown to the limit becomes `log.1`, that one `log.2`, and so on.
final class ContainerLog {
    private static let longestLine = 16 << 10

    private let path: String
    /// Bytes; 0 for no limit.
    private let limit: UInt64
    private let files: UInt32
    private var file: Int32 = -1
    private var size: UInt64 = 0
    private var failed = false
    private var partial: [String: [UInt8]] = [:]

    init(path: String, limit: UInt64 = 0, files: UInt32 = 1) {
        self.path = path
        self.limit = limit
        self.files = max(1, files)
    }

    deinit { if file >= 0 { Glibc.close(file) } }

    func append(_ bytes: [UInt8], stream: String) {
        guard !path.isEmpty, !failed else { return }
        var pending = partial.removeValue(forKey: stream) ?? []
        if pending.isEmpty { pending = bytes } else { pending.append(contentsOf: bytes) }
        let end = Self.ending(stream, Timestamp.now())
        var out: [UInt8] = []
        out.reserveCapacity(pending.count + pending.count / 4 + 256)
        let used = pending.withUnsafeBufferPointer { Self.writeLines($0, end, to: &out) }
        if used < pending.count { partial[stream] = Array(pending[used...]) }
        write(out)
    }

    /// Writes the lines that are whole, or too long to wait for; how many bytes they were.
    private static func writeLines(
        _ bytes: UnsafeBufferPointer<UInt8>, _ end: [UInt8], to out: inout [UInt8]
    ) -> Int {
        var start = 0
        while start < bytes.count, let base = bytes.baseAddress {
            let bound = min(longestLine, bytes.count - start)
            let length: Int
            if let newline = memchr(base + start, 10, bound) {
                length = UnsafeRawPointer(newline) - UnsafeRawPointer(base + start) + 1
            } else if bound == longestLine {
                length = wholeCharacters(base + start, bound)
            } else {
                break
            }
            write(UnsafeBufferPointer(start: base + start, count: length), end, to: &out)
            start += length
        }
        return start
    }

    /// The length without a last UTF-8 sequence of which a part is missing.
    private static func wholeCharacters(_ bytes: UnsafePointer<UInt8>, _ length: Int) -> Int {
        for back in 1...3 where back < length {
            let byte = bytes[length - back]
            if byte < 0x80 { return length }
            if byte < 0xC0 { continue }
            let wanted = byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
            return wanted > back ? length - back : length
        }
        return length
    }

    /// Writes what is left of unfinished lines.
    func close() {
        var out: [UInt8] = []
        for (stream, bytes) in partial.sorted(by: { $0.key > $1.key }) {
            let end = Self.ending(stream, Timestamp.now())
            bytes.withUnsafeBufferPointer { Self.write($0, end, to: &out) }
        }
        partial = [:]
        write(out)
        if file >= 0 { Glibc.close(file) }
        file = -1
    }

    private static let beginning = Array("{\"log\":".utf8)

    private static func ending(_ stream: String, _ time: Timestamp) -> [UInt8] {
        Array(",\"stream\":\"\(stream)\",\"time\":\"\(time)\"}\n".utf8)
    }

    private static func write(_ line: UnsafeBufferPointer<UInt8>, _ end: [UInt8], to out: inout [UInt8]) {
        out.append(contentsOf: beginning)
        JSONText.append(quoting: line, to: &out)
        out.append(contentsOf: end)
    }

    private func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if file < 0 { open() }
        var rest = bytes[...]
        while limit > 0, size + UInt64(rest.count) > limit, file >= 0 {
            // As many whole lines as fit, but one at least in a file that is empty.
            let room = Int(clamping: limit - min(size, limit))
            var end = rest.prefix(room).lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.startIndex
            if end == rest.startIndex, size == 0 {
                end = rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.endIndex
            }
            put(Array(rest[..<end]))
            rest = rest[end...]
            if rest.isEmpty { return }
            rotate()
        }
        put(Array(rest))
    }

    private func put(_ bytes: [UInt8]) {
        guard file >= 0 else { return }
        size += UInt64(bytes.count)
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + start }, $0.count - start) }
            if count < 0, errno == EINTR { continue }
            // On a full disk the log loses lines; the container goes on.
            guard count > 0 else { return }
            start += count
        }
    }

    private func open() {
        guard let opened = try? OwnedFD.open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW) else {
            failed = true
            return
        }
        size = (try? FileStatus.of(opened).size).map { UInt64(clamping: $0) } ?? 0
        file = opened.release()
    }

    /// Rotates the log: renames the file, begins a new one, and removes the oldest.
    private func rotate() {
        Glibc.close(file)
        file = -1
        if files == 1 {
            unlink(path)
        } else {
            for number in stride(from: files - 1, to: 0, by: -1) {
                _ = rename(number == 1 ? path : "\(path).\(number - 1)", "\(path).\(number)")
            }
        }
        open()
    }
}
