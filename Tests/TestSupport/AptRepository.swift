import FoundationEssentials

/// An apt repository on loopback whose packages change, and an image with Debian's own apt and dpkg.
package final class AptRepository: Sendable {
    package static var isPossible: Bool {
        FolderServer.isPresent && Peer("dpkg-deb").isPresent && Peer("apt-get").isPresent
    }
    package static let impossible = "needs Debian's apt-get, dpkg-deb and python3"

    private static let scripts = Corpus.packageRoot + "/Tests/Fixtures/Packages"
    /// The root with apt and dpkg, made once a run.
    private static let root: Result<TemporaryDirectory, PeerError> = {
        let folder = TemporaryDirectory()
        do {
            try Peer("python3").run(["\(scripts)/debian-root.py", folder.path + "/root.tar"])
            return .success(folder)
        } catch {
            return .failure(PeerError(text: "no root of Debian could be made: \(error)"))
        }
    }()

    private let server: FolderServer

    package init() throws { server = try FolderServer() }

    package var url: String { server.url }
    /// What was asked for, one path for each request.
    package var requests: [String] { server.requests }

    /// Adds packages (`NAME=VERSION[/DEPENDS]`), or takes all versions of one away (`-NAME`).
    package func change(_ packages: String...) throws {
        try Peer("python3").run(["\(Self.scripts)/apt-repository.py", server.folder.path] + packages)
    }

    /// Makes `debian:test` in a home, which installs from this repository alone.
    package func makeImage(in shale: ShaleHome) throws {
        try shale.run(["import", try Self.root.get().path + "/root.tar", "debian:root"])
        try shale.run([
            "-c",
            """
            FROM debian:root
            RUN echo 'deb [trusted=yes] \(url) ./' > /etc/apt/sources.list
            tag @ debian:test
            """,
        ])
    }
}
