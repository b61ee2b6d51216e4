import Basics
import Glibc
import Linux

/// Reads the events of a home, the oldest first, through the files that were renamed; at its end it may be asked again.
package struct EventReader: ~Copyable {
    /// How many files the log is renamed to, ``EventLog``.
    private static let olderFiles = 3
    /// A line that goes on for longer than that is none.
    private static let longestLine = 1 << 20

    private let path: String
    /// Oldest first; what is read from now is the first.
    private var files: [EventFile]
    private var buffer: [UInt8] = []

    /// `isAtEnd`: only what happens from now on.
    package init(home: String, isAtEnd: Bool = false) {
        path = EventLog.path(home: home)
        files = EventFile.all(of: path, older: Self.olderFiles)
        guard isAtEnd, let last = files.last else { return }
        last.skipToEnd()
        files = [last]
    }

    /// The next event; `nil` when there is none yet.
    ///
    /// What is no event is skipped.
    package mutating func next() -> StoreEvent? {
        while true {
            while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let event = StoreEvent(parsing: buffer[..<end])
                buffer.removeFirst(end + 1)
                if let event { return event }
            }
            if buffer.count > Self.longestLine { buffer = [] }
            guard fill() else { return nil }
        }
    }

    private mutating func fill() -> Bool {
        if files.isEmpty { files = EventFile.all(of: path, older: Self.olderFiles) }
        while let file = files.first {
            // It is checked whether a newer file was started before this one is read to its end, so that no event is
            // missed.
            let newer = files.count > 1 ? Array(files.dropFirst()) : file.newer(in: path, older: Self.olderFiles)
            if let bytes = file.read() {
                buffer += bytes
                return true
            }
            guard !newer.isEmpty else { return false }
            files = newer
            buffer = []
        }
        return false
    }
}

/// One file of the log; it may be renamed while it is read.
private final class EventFile {
    private let descriptor: OwnedFD
    private let identity: FileIdentity

    private init?(_ path: String) {
        guard let opened = try? OwnedFD.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            let status = try? FileStatus.of(opened), status.kind == .regular
        else { return nil }
        descriptor = opened
        identity = status.identity
    }

    /// Every file there is, oldest first; opened newest first, so that one renamed meanwhile is seen once and not
    /// never.
    static func all(of path: String, older: Int) -> [EventFile] {
        var files: [EventFile] = []
        for name in [path] + (1...older).map({ "\(path).\($0)" }) {
            guard let file = EventFile(name), !files.contains(where: { $0.identity == file.identity }) else { continue }
            files.append(file)
        }
        return files.reversed()
    }

    /// The files begun after this one; empty while it is the one that is written to.
    func newer(in path: String, older: Int) -> [EventFile] {
        if (try? FileStatus.of(hostPath: path))?.identity == identity { return [] }
        let all = Self.all(of: path, older: older)
        guard let place = all.firstIndex(where: { $0.identity == identity }) else { return all }
        return Array(all[(place + 1)...])
    }

    func skipToEnd() { _ = lseek(descriptor.raw, 0, SEEK_END) }

    /// The next bytes; `nil` where there are none yet.
    func read() -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let raw = descriptor.raw
        let count = chunk.withUnsafeMutableBytes { Glibc.read(raw, $0.baseAddress, $0.count) }
        return count > 0 ? Array(chunk[..<count]) : nil
    }
}
