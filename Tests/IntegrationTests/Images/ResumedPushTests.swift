import Glibc
import TestSupport
import Testing

/// Uploads to Debian's registry that break off in the middle.
@Suite(
    .enabled(
        if: ShaleHome.isPresent && RegistryServer.isPresent && Peers.skopeo.isPresent,
        "needs docker-registry and skopeo"))
struct ResumedPushTests {
    /// Bytes of the largest file of an upload that is under way.
    private static func arrived(_ server: RegistryServer, _ repository: String) throws -> Int {
        let folder = "\(server.folder.path)/data/docker/registry/v2/repositories/\(repository)/_uploads"
        let sizes = try Peer("find").run([folder, "-name", "data", "-printf", "%s\\n"], expecting: nil).text
        return sizes.split(separator: "\n").compactMap { Int($0) }.max() ?? 0
    }

    /// This registry goes on with an upload only where a chunk ended: else the blob begins anew, by itself.
    @Test func aRegistryThatIsKilledAndComesBackGetsTheRest() throws {
        let server = try RegistryServer()
        let name = "\(server.host)/class/large:1"
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN head -c 150000000 /dev/urandom > /large\ntag @ \(name)"])
        let push = try shale.start(["push", "--no-recipe", name], environment: ["SHALE_RETRY_WAIT": "1"])
        for _ in 0..<6000 where push.isRunning {
            if try Self.arrived(server, "class/large") > 40 << 20 { break }
            usleep(5000)
        }
        try #require(push.isRunning, "the push was over before it was broken off")
        server.stop()
        usleep(1_500_000)
        try server.restart()
        #expect(push.wait() == 0)
        let said = shale.said()
        let text = said.text + said.errors
        #expect(text.contains("Retrying in "), "\(text)")
        let folder = TemporaryDirectory()
        try Peers.skopeo.run(
            ["copy", "--quiet", "--src-tls-verify=false", "docker://\(name)", "dir:\(folder.path)/back"])
    }
}
