import Glibc
import TestSupport
import Testing

/// `debug`: tools where there are none, and no trace of them after.
@Suite("debug", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
struct DebugTests {
    /// A home with an image that holds one static program and nothing else.
    private static func bench(as account: CrashAccount = .same) throws -> CrashHome {
        let bench = try CrashHome(as: account)
        try Peer("cp").run(["/bin/busybox", bench.work + "/sleep"])
        chmod(bench.work + "/sleep", 0o755)
        try bench.write("FROM scratch\nCOPY sleep /sleep\nWORKDIR /w\nCMD [\"/sleep\", \"600\"]\n", as: "Dockerfile")
        try bench.must("build", "-q", "-t", "bare", ".")
        return bench
    }

    @Test("in a running container that has no shell") func running() throws {
        let bench = try Self.bench()
        try bench.must("run", "-d", "--name", "bare", "bare")
        try bench.must("exec", "bare", "/sleep", "0")
        #expect(try bench.shale(["exec", "bare", "sh"]).status == 127)
        #expect(try bench.must("diff", "bare").output == "")
        let seen = try bench.must("debug", "-c", "ls -A / | grep shale; pwd; cat /proc/1/comm; touch /w/made", "bare")
        #expect(seen.lines == [".shale", "/w", "sleep"])
        #expect(try bench.shale(["debug", "bare", "sh", "-c", "exit 7"]).status == 7)
        // Typed, several at once; the last one takes the place of the tools away.
        let piped = "for i in 1 2 3; do (echo 'echo in $((40+2)); sleep 0.1') | shale debug bare & done; wait"
        #expect(try bench.sh(piped).lines == ["in 42", "in 42", "in 42"])
        #expect(try bench.must("diff", "bare").output == "C /w\nA /w/made\n")
        try bench.must("commit", "bare", "kept")
        #expect(try bench.must("ls", "-a", "kept:/").output.contains("shale") == false)
        #expect(try bench.sh("shale export bare | tar tf -").output.contains("shale") == false)
        try bench.must("rm", "-f", "bare")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }

    @Test("in a stopped container and in an image, through a layer that is thrown away") func thrownAway() throws {
        let bench = try Self.bench()
        try bench.must("create", "--name", "still", "bare")
        try bench.must("cp", "Dockerfile", "still:/own")
        let script = "cat /own | head -1; rm /own; touch /more; ls /"
        #expect(try bench.must("debug", "-c", script, "still").output.hasPrefix("FROM scratch\n"))
        #expect(try bench.must("diff", "still").output == "A /own\n")
        #expect(try bench.must("debug", "bare", "ls", "/.shale/ls", "/sleep").lines == ["/.shale/ls", "/sleep"])
        #expect(try bench.must("ps", "-aq").lines.count == 1)
        #expect(try bench.sh("ls '\(bench.home)/ingest'").output == "")
        try bench.expectWhole("debug")
    }

    @Test("a read-only root, another user, a paused container") func kinds() throws {
        let bench = try Self.bench()
        try bench.must("run", "-d", "--name", "fixed", "--read-only", "-u", "1000", "bare")
        #expect(try bench.must("debug", "fixed", "id", "-u").output == "0\n")
        #expect(try bench.must("debug", "-u", "7", "fixed", "id", "-u").output == "7\n")
        #expect(try bench.must("diff", "fixed").output == "")
        try bench.must("pause", "fixed")
        let paused = try bench.shale(["debug", "fixed"])
        #expect(paused.status == 125 && paused.errors.contains("is paused, unpause the container before debug"))
        try bench.must("rm", "-f", "fixed")
    }

    @Test("the shell killed, nothing of it is left") func killed() throws {
        let bench = try Self.bench()
        try bench.must("run", "-d", "--name", "bare", "bare")
        for target in ["bare", "bare:latest"] {
            let child = try bench.start(["debug", "-c", "echo on; exec sleep 500", target], name: "debug")
            try CrashHome.wait { bench.said("debug", 0).output == "on\n" }
            kill(child.pid, SIGKILL)
            _ = child.wait()
        }
        try CrashHome.wait { try bench.must("top", "bare").lines.count == 2 }
        try CrashHome.wait { try bench.must("debug", "bare", "ls", "/").output.contains(".shale") == false }
        try bench.must("rm", "-f", "bare")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
        try bench.expectWhole("debug killed")
        #expect(try bench.sh("ls '\(bench.home)/ingest'").output == "")
    }

    @Test(
        "as an ordinary user",
        .enabled(if: CrashHome.isRoot && RootlessTests.tester != nil, "needs root to become the user shale-test"))
    func rootless() throws {
        let tester = try #require(RootlessTests.tester)
        let bench = try Self.bench(as: .user(uid: tester.uid, gid: tester.gid))
        try bench.must("run", "-d", "--name", "bare", "bare")
        #expect(try bench.must("debug", "bare", "cat", "/proc/1/comm").output == "sleep\n")
        #expect(try bench.must("debug", "bare:latest", "ls", "/sleep").output == "/sleep\n")
        #expect(try bench.must("diff", "bare").output == "")
        try bench.must("rm", "-f", "bare")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }
}
