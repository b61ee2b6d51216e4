import Basics
import Glibc
import Linux
import Synchronization

/// A file that lines are appended to: `HOME/log/shale.log`, or another one beside it, for its owner alone.
///
/// Any number of processes append: each line is one `write(2)` with `O_APPEND`, which no other comes into. The file is
/// opened with the first line. One that grew long is renamed to `shale.log.1`, the older ones to `.2` and `.3`. Nothing
/// here fails a command: on a full disk, or in a home that cannot be written to, lines are lost.
package final class LogFile: Sendable {
    private struct State: ~Copyable {
        var file: OwnedFD?
        /// The identity of the file, to notice that another process renamed it.
        var identity: FileIdentity?
        /// Whether the last line was cut by a full disk.
        var isCut = false
        /// Lines from before there was a home to keep them in.
        var early: [[UInt8]] = []
    }

    package let path: String
    private let home: String
    private let folder: String
    /// The file that shows that the home exists: nothing is made in a folder that is no home.
    private let layout: String
    private let rotation: FileRotation
    private let state = Mutex(State())
    private static let mostEarly = 256

    package init(home: String, name: String = "shale.log", size: Int64 = 4 << 20, kept: Int = 3) {
        self.home = home
        folder = home + "/log"
        path = Self.path(home: home, name: name)
        layout = home + "/oci-layout"
        rotation = FileRotation(path, size: size, kept: kept)
    }

    /// Where the log of a home lies, or another file beside it.
    package static func path(home: String, name: String = "shale.log") -> String { "\(home)/log/\(name)" }

    /// Appends one line, its newline included.
    package func append(_ line: [UInt8]) {
        state.withLock { state in
            guard open(&state) else {
                if state.early.count < Self.mostEarly { state.early.append(line) }
                return
            }
            let early = state.early
            state.early = []
            for line in early { write(line, &state) }
            write(line, &state)
        }
    }

    /// Opens the file at the path and renames it when it is too long; false when there is no file to write to.
    private func open(_ state: inout State) -> Bool {
        if state.file != nil {
            guard let now = try? FileStatus.of(hostPath: path), now.identity == state.identity else {
                state.file = nil
                return open(&state)
            }
            guard now.size >= rotation.size else { return true }
            rotation.rotateIfLong()
            state.file = nil
        }
        guard let file = openFile(), let status = try? FileStatus.of(file) else { return false }
        state.identity = status.identity
        state.file = consume file
        return true
    }

    private func openFile() -> OwnedFD? {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK
        // Another user, also root, would make a file that the owner cannot write to.
        guard let owner = try? FileStatus.of(hostPath: home, followingLink: true).uid, owner == geteuid() else {
            return nil
        }
        if let file = try? OwnedFD.open(path, flags, mode: 0o600) { return file }
        guard access(layout, F_OK) == 0, folder.withPath({ mkdir($0, 0o700) }) == 0 else { return nil }
        return try? OwnedFD.open(path, flags, mode: 0o600)
    }

    private func write(_ line: [UInt8], _ state: inout State) {
        // What follows a cut line begins a new one.
        let line = state.isCut ? [UInt8(ascii: "\n")] + line : line
        guard let raw = state.file?.raw else { return }
        let done = line.withUnsafeBytes { Glibc.write(raw, $0.baseAddress, $0.count) }
        if done > 0 { state.isCut = done < line.count }
    }
}
