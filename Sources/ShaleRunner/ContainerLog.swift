import Basics
import Glibc
import Linux

/// docker's json-file log: a JSON object a line, `{"log":…,"stream":…,"time":…}`.
///
/// A line is written when it is whole, or when 16 KiB of it are there. The file is made with the first line.
final class ContainerLog {
    private static let longestLine = 16 << 10

    private let path: String
    private var file: Int32 = -1
    private var failed = false
    private var partial: [String: [UInt8]] = [:]

    init(path: String) { self.path = path }

    deinit { if file >= 0 { Glibc.close(file) } }

    func append(_ bytes: [UInt8], stream: String) {
        guard !path.isEmpty, !failed else { return }
        var pending = partial.removeValue(forKey: stream) ?? []
        pending.append(contentsOf: bytes)
        var out: [UInt8] = []
        let time = "\(Timestamp.now())"
        var start = 0
        while start < pending.count {
            let bound = min(start + Self.longestLine, pending.count)
            if let newline = pending[start..<bound].firstIndex(of: 10) {
                Self.write(pending[start...newline], stream, time, to: &out)
                start = newline + 1
            } else if bound - start == Self.longestLine {
                Self.write(pending[start..<bound], stream, time, to: &out)
                start = bound
            } else {
                break
            }
        }
        if start < pending.count { partial[stream] = Array(pending[start...]) }
        write(out)
    }

    /// Writes what is left of unfinished lines.
    func close() {
        var out: [UInt8] = []
        let time = "\(Timestamp.now())"
        for (stream, bytes) in partial.sorted(by: { $0.key > $1.key }) {
            Self.write(bytes[...], stream, time, to: &out)
        }
        partial = [:]
        write(out)
        if file >= 0 { Glibc.close(file) }
        file = -1
    }

    private static func write(_ line: ArraySlice<UInt8>, _ stream: String, _ time: String, to out: inout [UInt8]) {
        out += Array("{\"log\":".utf8)
        JSONText.append(quoting: line, to: &out)
        out += Array(",\"stream\":\"\(stream)\",\"time\":\"\(time)\"}\n".utf8)
    }

    private func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        if file < 0 {
            let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW
            guard let opened = try? OwnedFD.open(path, flags) else {
                failed = true
                return
            }
            file = opened.release()
        }
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress.map { $0 + start }, $0.count - start) }
            if count < 0, errno == EINTR { continue }
            // A full disk loses the log, never the container.
            guard count > 0 else { return }
            start += count
        }
    }
}
