import Glibc
import TestSupport
import Testing

/// shale as an ordinary user: with id ranges, and without.
@Suite(
    "as an ordinary user", .serialized,
    .enabled(if: BuiltShale.isPresent && CrashHome.isRoot, "needs root to become others, and the built program"))
struct RootlessTests {
    /// The user that `scripts/test` makes.
    static let tester: (uid: UInt32, gid: UInt32)? = getpwnam("shale-test").map {
        ($0.pointee.pw_uid, $0.pointee.pw_gid)
    }

    @Test("with id ranges", .enabled(if: tester != nil, "no user shale-test (scripts/test makes it)"))
    func withRanges() throws {
        let tester = try #require(Self.tester)
        let bench = try CrashHome(as: .user(uid: tester.uid, gid: tester.gid))
        let first = try bench.shale(["images", "--format", "{{.Repository}}:{{.Tag}}"])
        #expect(first.status == 0 && first.lines == ["busybox:latest"], "\(first)")
        #expect(first.errors.contains("made busybox"))
        // Everything in the home is the user's, or of the user's ranges.
        let foreign = try Peer("find").run([bench.home, "-uid", "0"]).text
        #expect(foreign.isEmpty)

        try everyday(bench)
        let user = try bench.shale(["run", "--rm", "-u", "1000", "busybox", "id", "-u"])
        #expect(user.status == 0 && user.output == "1000\n", "\(user)")
        let owner = try bench.must(
            "run", "--rm", "busybox", "sh", "-c", "touch /f && chown 1000:50 /f && stat -c %u:%g /f")
        #expect(owner.output == "1000:50\n")
        let lines =
            "enter busybox\ntouch /entered; chown 1000:50 /entered\ncd /tmp\nexit\nrun --rm @ stat -c %u:%g /entered"
        let entered = try bench.must("-c", lines)
        #expect(entered.output.hasSuffix("1000:50\n"), "\(entered)")
        // Owners survive a commit, and a copy out as a tar.
        try bench.must("run", "--name", "own", "busybox", "sh", "-c", "touch /f && chown 1000:50 /f")
        try bench.must("commit", "own", "owned:1")
        #expect(try bench.must("run", "--rm", "owned:1", "stat", "-c", "%u:%g", "/f").output == "1000:50\n")
        #expect(try bench.sh("shale cp own:/f - | tar tvf - --numeric-owner").output.contains("1000/50"))
        try bench.must("rm", "own")
        try bench.expectWhole("rootless")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }

    @Test("several shales in one user namespace", .enabled(if: tester != nil, "no user shale-test"))
    func together() throws {
        let tester = try #require(Self.tester)
        let bench = try CrashHome(as: .user(uid: tester.uid, gid: tester.gid))
        try bench.must("images")
        // The first is gone when the second comes: the container's runner keeps the namespace.
        try bench.must("run", "-d", "--name", "held", "busybox", "sleep", "1000")
        #expect(try bench.must("exec", "held", "echo", "here").output == "here\n")
        #expect(try bench.shale(["exec", "held", "sh", "-c", "exit 9"]).status == 9)
        #expect(try bench.must("ps", "--format", "{{.Names}}").output == "held\n")
        #expect(try bench.must("top", "held").output.contains("sleep 1000"))
        // Many at once, while it runs.
        let children = try (0..<6).map { try bench.start(["exec", "held", "echo", "\($0)"], name: "many\($0)") }
        for (number, child) in children.enumerated() {
            let status = child.wait()
            let said = bench.said("many\(number)", status)
            #expect(said.status == 0 && said.output == "\(number)\n", "\(said)")
        }
        // And a container that a killed shale had in front.
        let front = try bench.start(["run", "--name", "front", "busybox", "sleep", "1000"], name: "front")
        try CrashHome.wait { try !bench.must("ps", "-q", "--filter", "name=front").output.isEmpty }
        front.stop(SIGKILL)
        #expect(try bench.shale(["exec", "front", "true"]).status == 0)
        try bench.must("stop", "-t", "0", "held", "front")
        #expect(try bench.must("ps", "-q").output.isEmpty)
        #expect(try bench.must("inspect", "-f", "{{.State.ExitCode}}", "held").output == "137\n")
        try bench.must("rm", "held", "front")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
        // Six first starts of a fresh home at once.
        let fresh = try CrashHome(as: .user(uid: tester.uid, gid: tester.gid))
        let starts = try (0..<4).map { try fresh.start(["run", "--rm", "busybox", "true"], name: "fresh\($0)") }
        for (number, child) in starts.enumerated() {
            let status = child.wait()
            #expect(status == 0, "\(fresh.said("fresh\(number)", status))")
        }
        try fresh.expectWhole("first starts at once")
    }

    @Test("without id ranges")
    func withoutRanges() throws {
        let bench = try CrashHome(as: .user(uid: 65534, gid: 65534))
        let first = try bench.shale(["images", "-q"])
        #expect(first.status == 0 && first.lines.count == 1, "\(first)")
        try everyday(bench)
        let refused = BadInputRow("shale run --rm -u 1000 busybox id", 125, "uid 1000")
        let said = try bench.sh(refused.script)
        #expect(refused.faults(said).isEmpty, "\(said)")
        let doctor = try bench.shale(["doctor"])
        #expect(doctor.output.contains("range"), "\(doctor)")
        #expect(!doctor.output.contains("not needed for root"), "\(doctor)")
        try bench.expectWhole("without ranges")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }

    /// What anyone does in a day; leaves nothing but images.
    private func everyday(_ bench: CrashHome) throws {
        #expect(try bench.must("run", "--rm", "busybox", "id", "-u").output == "0\n")
        for (command, status) in [("exit 7", Int32(7)), ("sleep 9 & kill -9 $!; wait $!", 137), ("nosuch", 127)] {
            let said = try bench.shale(["run", "--rm", "busybox", "sh", "-c", command])
            #expect(said.status == status, "\(command): \(said)")
        }
        #expect(try bench.shale(["run", "--rm", "busybox", "nosuch"]).status == 127)
        #expect(try bench.shale(["run", "--rm", "busybox", "/etc"]).status == 126)
        try bench.must("run", "-d", "--name", "box", "busybox", "sh", "-c", "echo one > /file; rm /bin/vi; sleep 1000")
        #expect(try bench.must("ps", "--format", "{{.Names}}").output == "box\n")
        #expect(
            try bench.sh("shale exec box sh -c 'until test -f /file; do sleep 0.1; done; cat /file'").output == "one\n")
        try bench.write("two", as: "two")
        try bench.must("cp", "two", "box:/two")
        #expect(try bench.must("exec", "box", "cat", "/two").output == "two")
        try bench.must("cp", "box:/file", "copied")
        #expect(try bench.sh("cat copied").output == "one\n")
        let diff = try bench.must("diff", "box").lines
        #expect(diff.contains("A /file") && diff.contains("A /two"), "\(diff)")
        try bench.must("commit", "-m", "by a test", "box", "made:1")
        #expect(try bench.must("run", "--rm", "made:1", "sh", "-c", "cat /file /two").output == "one\ntwo")
        try bench.must("stop", "-t", "0", "box")
        try bench.must("start", "box")
        try bench.must("rm", "-f", "box")
        try bench.write(
            "FROM made:1\nCOPY two /three\nRUN cat /three > /four && rm /file\nENV A=b\nCMD cat /four\n",
            as: "context/Dockerfile")
        try bench.write("three", as: "context/two")
        let built = try bench.shale(["build", "-t", "made:2", "context"])
        #expect(built.status == 0 && built.output.contains("Successfully tagged made:2"), "\(built)")
        #expect(try bench.must("run", "--rm", "made:2").output == "three")
        #expect(try bench.shale(["run", "--rm", "made:2", "test", "-e", "/file"]).status == 1)
        #expect(try bench.must("ps", "-aq").output.isEmpty)
        try bench.must("rmi", "made:2", "made:1")
    }
}
