import Basics
import Glibc
import Linux

/// Reads the events of a home, oldest first, also from renamed files.
///
/// After its end it can be asked again.
package struct EventReader: ~Copyable {
    /// The number of renamed files of the log, see ``EventLog``.
    private static let olderFiles = 3
    /// The longest line in bytes; a longer one is skipped.
    private static let longestLine = 1 << 20

    private let path: String
    /// The files, oldest first.
    ///
    /// The first one is read now.
    private var files: [EventFile]
    private var buffer: [UInt8] = []

    /// With `isAtEnd` only events from now on are read.
    package init(home: String, isAtEnd: Bool = false) {
        path = EventLog.path(home: home)
        files = EventFile.all(of: path, older: Self.olderFiles)
        guard isAtEnd, let last = files.last else { return }
        last.skipToEnd()
        files = [last]
    }

    /// The next event; `nil` when there is none yet.
    ///
    /// Lines that are no event are skipped.
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

/// One file of the log, which may be renamed while it is read.
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

    /// All files, oldest first.
    ///
    /// They are opened newest first: a file that is renamed meanwhile is then found twice, which is detected, and never
    /// missed.
    static func all(of path: String, older: Int) -> [EventFile] {
        var files: [EventFile] = []
        for name in [path] + (1...older).map({ "\(path).\($0)" }) {
            guard let file = EventFile(name), !files.contains(where: { $0.identity == file.identity }) else { continue }
            files.append(file)
        }
        return files.reversed()
    }

    /// The files that are newer than this one; empty while it is the current file.
    func newer(in path: String, older: Int) -> [EventFile] {
        if (try? FileStatus.of(hostPath: path))?.identity == identity { return [] }
        let all = Self.all(of: path, older: older)
        guard let place = all.firstIndex(where: { $0.identity == identity }) else { return all }
        return Array(all[(place + 1)...])
    }

    func skipToEnd() { _ = lseek(descriptor.raw, 0, SEEK_END) }

    /// The next bytes; `nil` when there are none yet.
    func read() -> [UInt8]? {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let raw = descriptor.raw
        let count = chunk.withUnsafeMutableBytes { Glibc.read(raw, $0.baseAddress, $0.count) }
        return count > 0 ? Array(chunk[..<count]) : nil
    }
}
