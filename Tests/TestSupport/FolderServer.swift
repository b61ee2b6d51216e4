import FoundationEssentials
import Glibc

/// A web server that gives the files of one folder as they are, on a free port of loopback: Python's own.
package final class FolderServer: Sendable {
    private static let python = Peer("python3")
    package static var isPresent: Bool { python.isPresent }

    /// The folder; removed with the server.
    package let folder = TemporaryDirectory()
    private let state: TemporaryDirectory
    private let child: Child
    package let port: UInt16

    /// Starts it and waits until it listens.
    package init() throws {
        guard let path = Self.python.path else { throw PeerError(text: Self.python.absent) }
        let state = TemporaryDirectory()
        let said = state.path + "/said"
        let child = try Child(
            path, ["-u", "-m", "http.server", "0", "--bind", "127.0.0.1"], in: folder.path, output: said,
            errors: state.path + "/log")
        var port: UInt16?
        for _ in 0..<600 where port == nil && child.isRunning {
            usleep(20_000)
            let words = (try? String(contentsOfFile: said, encoding: .utf8))?.split(separator: " ") ?? []
            port = words.firstIndex(of: "port").flatMap { $0 + 1 < words.count ? UInt16(words[$0 + 1]) : nil }
        }
        guard let port else {
            child.stop()
            throw PeerError(text: "python3 serves no folder")
        }
        (self.state, self.child, self.port) = (state, child, port)
    }

    deinit { child.stop() }

    package var url: String { "http://127.0.0.1:\(port)" }

    /// The paths that were asked for, one for each request.
    package var requests: [String] {
        let log = (try? String(contentsOfFile: state.path + "/log", encoding: .utf8)) ?? ""
        return log.split(separator: "\n").compactMap { line in
            let quoted = line.split(separator: "\"")
            return quoted.count > 1 ? quoted[1].split(separator: " ").dropFirst().first.map(String.init) : nil
        }
    }
}
