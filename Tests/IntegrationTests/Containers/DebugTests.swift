import Glibc
import TestSupport
import Testing

/// `debug`: tools where there are none, and no trace of them after.
@Suite("debug", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct DebugTests {
    /// A home with an image that holds one static program and nothing else.
    private static func bench(as account: ShaleHome.Account = .same) throws -> ShaleHome {
        let bench = try ShaleHome(as: account)
        try Peer("cp").run(["/bin/busybox", bench.work + "/sleep"])
        chmod(bench.work + "/sleep", 0o755)
        try bench.write("FROM scratch\nCOPY sleep /sleep\nWORKDIR /w\nCMD [\"/sleep\", \"600\"]\n", to: "Dockerfile")
        try bench.run(["build", "-q", "-t", "bare", "."])
        return bench
    }

    @Test("in a running container that has no shell") func running() throws {
        let bench = try Self.bench()
        try bench.run(["run", "-d", "--name", "bare", "bare"])
        try bench.run(["exec", "bare", "/sleep", "0"])
        #expect(try bench.run(["exec", "bare", "sh"], expecting: nil).status == 127)
        #expect(try bench.run(["diff", "bare"]).text == "")
        let seen = try bench.run(["debug", "-c", "ls -A / | grep shale; pwd; cat /proc/1/comm; touch /w/made", "bare"])
        #expect(seen.lines == [".shale", "/w", "sleep"])
        #expect(try bench.run(["debug", "bare", "sh", "-c", "exit 7"], expecting: nil).status == 7)
        // Typed, several at once; the last one takes the place of the tools away.
        let piped = "for i in 1 2 3; do (echo 'echo in $((40+2)); sleep 0.1') | shale debug bare & done; wait"
        #expect(try bench.sh(piped).lines == ["in 42", "in 42", "in 42"])
        #expect(try bench.run(["diff", "bare"]).text == "C /w\nA /w/made\n")
        try bench.run(["commit", "bare", "kept"])
        #expect(try bench.run(["ls", "-a", "kept:/"]).text.contains("shale") == false)
        #expect(try bench.sh("shale export bare | tar tf -").text.contains("shale") == false)
        try bench.run(["rm", "-f", "bare"])
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }

    @Test("in a stopped container and in an image, through a layer that is thrown away") func thrownAway() throws {
        let bench = try Self.bench()
        try bench.run(["create", "--name", "still", "bare"])
        try bench.run(["cp", "Dockerfile", "still:/own"])
        let script = "cat /own | head -1; rm /own; touch /more; ls /"
        #expect(try bench.run(["debug", "-c", script, "still"]).text.hasPrefix("FROM scratch\n"))
        #expect(try bench.run(["diff", "still"]).text == "A /own\n")
        #expect(try bench.run(["debug", "bare", "ls", "/.shale/ls", "/sleep"]).lines == ["/.shale/ls", "/sleep"])
        #expect(try bench.run(["ps", "-aq"]).lines.count == 1)
        #expect(try bench.sh("ls '\(bench.home)/ingest'").text == "")
        try bench.expectWhole("debug")
    }

    @Test("a read-only root, another user, a paused container") func kinds() throws {
        let bench = try Self.bench()
        try bench.run(["run", "-d", "--name", "fixed", "--read-only", "-u", "1000", "bare"])
        #expect(try bench.run(["debug", "fixed", "id", "-u"]).text == "0\n")
        #expect(try bench.run(["debug", "-u", "7", "fixed", "id", "-u"]).text == "7\n")
        #expect(try bench.run(["diff", "fixed"]).text == "")
        try bench.run(["pause", "fixed"])
        let paused = try bench.run(["debug", "fixed"], expecting: nil)
        #expect(paused.status == 125 && paused.errors.contains("is paused, unpause the container before debug"))
        try bench.run(["rm", "-f", "fixed"])
    }

    @Test("the shell killed, nothing of it is left") func killed() throws {
        let bench = try Self.bench()
        try bench.run(["run", "-d", "--name", "bare", "bare"])
        for target in ["bare", "bare:latest"] {
            let child = try bench.start(["debug", "-c", "echo on; exec sleep 500", target], name: "debug")
            try Waiting.until { bench.said("debug", 0).text == "on\n" }
            kill(child.pid, SIGKILL)
            _ = child.wait()
        }
        try Waiting.until { try bench.run(["top", "bare"]).lines.count == 2 }
        try Waiting.until { try bench.run(["debug", "bare", "ls", "/"]).text.contains(".shale") == false }
        try bench.run(["rm", "-f", "bare"])
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
        try bench.expectWhole("debug killed")
        #expect(try bench.sh("ls '\(bench.home)/ingest'").text == "")
    }

    @Test(
        "as an ordinary user",
        .enabled(if: ShaleHome.Account.tester != nil, "\(ShaleHome.Account.noTester)"))
    func rootless() throws {
        let tester = try #require(ShaleHome.Account.tester)
        let bench = try Self.bench(as: tester)
        try bench.run(["run", "-d", "--name", "bare", "bare"])
        #expect(try bench.run(["debug", "bare", "cat", "/proc/1/comm"]).text == "sleep\n")
        #expect(try bench.run(["debug", "bare:latest", "ls", "/sleep"]).text == "/sleep\n")
        #expect(try bench.run(["diff", "bare"]).text == "")
        try bench.run(["rm", "-f", "bare"])
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }
}
