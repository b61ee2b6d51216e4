import Glibc
import TestSupport
import Testing

/// shale as an ordinary user: with id ranges, and without.
@Suite(
    "as an ordinary user", .serialized,
    .enabled(if: ShaleHome.isPresent && ShaleHome.isRoot, "needs root to become others, and the built program"))
struct RootlessTests {
    @Test("with id ranges", .enabled(if: ShaleHome.Account.tester != nil, "\(ShaleHome.Account.noTester)"))
    func withRanges() throws {
        let tester = try #require(ShaleHome.Account.tester)
        let bench = try ShaleHome(as: tester)
        let first = try bench.run(["images", "--format", "{{.Repository}}:{{.Tag}}"], expecting: nil)
        #expect(first.status == 0 && first.lines == ["busybox:latest"], "\(first)")
        #expect(first.errors.contains("made busybox"))
        // Everything in the home is the user's, or of the user's ranges.
        let foreign = try Peer("find").run([bench.home, "-uid", "0"]).text
        #expect(foreign.isEmpty)

        try everyday(bench)
        let user = try bench.run(["run", "--rm", "-u", "1000", "busybox", "id", "-u"], expecting: nil)
        #expect(user.status == 0 && user.text == "1000\n", "\(user)")
        let owner = try bench.run([
            "run", "--rm", "busybox", "sh", "-c", "touch /f && chown 1000:50 /f && stat -c %u:%g /f",
        ])
        #expect(owner.text == "1000:50\n")
        let lines =
            "enter busybox\ntouch /entered; chown 1000:50 /entered\ncd /tmp\nexit\nrun --rm @ stat -c %u:%g /entered"
        let entered = try bench.run(["-c", lines])
        #expect(entered.text.hasSuffix("1000:50\n"), "\(entered)")
        // Owners survive a commit, and a copy out as a tar.
        try bench.run(["run", "--name", "own", "busybox", "sh", "-c", "touch /f && chown 1000:50 /f"])
        try bench.run(["commit", "own", "owned:1"])
        #expect(try bench.run(["run", "--rm", "owned:1", "stat", "-c", "%u:%g", "/f"]).text == "1000:50\n")
        #expect(try bench.sh("shale cp own:/f - | tar tvf - --numeric-owner").text.contains("1000/50"))
        try bench.run(["rm", "own"])
        try bench.expectWhole("rootless")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }

    @Test(
        "several shales in one user namespace",
        .enabled(if: ShaleHome.Account.tester != nil, "\(ShaleHome.Account.noTester)"))
    func together() throws {
        let tester = try #require(ShaleHome.Account.tester)
        let bench = try ShaleHome(as: tester)
        try bench.run(["images"])
        // The first is gone when the second comes: the container's runner keeps the namespace.
        try bench.run(["run", "-d", "--name", "held", "busybox", "sleep", "1000"])
        #expect(try bench.run(["exec", "held", "echo", "here"]).text == "here\n")
        #expect(try bench.run(["exec", "held", "sh", "-c", "exit 9"], expecting: nil).status == 9)
        #expect(try bench.run(["ps", "--format", "{{.Names}}"]).text == "held\n")
        #expect(try bench.run(["top", "held"]).text.contains("sleep 1000"))
        // Many at once, while it runs.
        let children = try (0..<6).map { try bench.start(["exec", "held", "echo", "\($0)"], name: "many\($0)") }
        for (number, child) in children.enumerated() {
            let status = child.wait()
            let said = bench.said("many\(number)", status)
            #expect(said.status == 0 && said.text == "\(number)\n", "\(said)")
        }
        // And a container that a killed shale had in front.
        let front = try bench.start(["run", "--name", "front", "busybox", "sleep", "1000"], name: "front")
        try Waiting.until { try !bench.run(["ps", "-q", "--filter", "name=front"]).text.isEmpty }
        front.stop(SIGKILL)
        #expect(try bench.run(["exec", "front", "true"], expecting: nil).status == 0)
        try bench.run(["stop", "-t", "0", "held", "front"])
        #expect(try bench.run(["ps", "-q"]).text.isEmpty)
        #expect(try bench.run(["inspect", "-f", "{{.State.ExitCode}}", "held"]).text == "137\n")
        try bench.run(["rm", "held", "front"])
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
        // Six first starts of a fresh home at once.
        let fresh = try ShaleHome(as: tester)
        let starts = try (0..<4).map { try fresh.start(["run", "--rm", "busybox", "true"], name: "fresh\($0)") }
        for (number, child) in starts.enumerated() {
            let status = child.wait()
            #expect(status == 0, "\(fresh.said("fresh\(number)", status))")
        }
        try fresh.expectWhole("first starts at once")
    }

    @Test("without id ranges")
    func withoutRanges() throws {
        let bench = try ShaleHome(as: .user(uid: 65534, gid: 65534))
        let first = try bench.run(["images", "-q"], expecting: nil)
        #expect(first.status == 0 && first.lines.count == 1, "\(first)")
        try everyday(bench)
        let refused = BadInputRow("shale run --rm -u 1000 busybox id", 125, "uid 1000")
        let said = try bench.sh(refused.script)
        #expect(refused.faults(said).isEmpty, "\(said)")
        let doctor = try bench.run(["doctor"], expecting: nil)
        #expect(doctor.text.contains("range"), "\(doctor)")
        #expect(!doctor.text.contains("not needed for root"), "\(doctor)")
        try bench.expectWhole("without ranges")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }

    /// What anyone does in a day; leaves nothing but images.
    private func everyday(_ bench: ShaleHome) throws {
        #expect(try bench.run(["run", "--rm", "busybox", "id", "-u"]).text == "0\n")
        for (command, status) in [("exit 7", Int32(7)), ("sleep 9 & kill -9 $!; wait $!", 137), ("nosuch", 127)] {
            let said = try bench.run(["run", "--rm", "busybox", "sh", "-c", command], expecting: nil)
            #expect(said.status == status, "\(command): \(said)")
        }
        #expect(try bench.run(["run", "--rm", "busybox", "nosuch"], expecting: nil).status == 127)
        #expect(try bench.run(["run", "--rm", "busybox", "/etc"], expecting: nil).status == 126)
        try bench.run(["run", "-d", "--name", "box", "busybox", "sh", "-c", "echo one > /file; rm /bin/vi; sleep 1000"])
        #expect(try bench.run(["ps", "--format", "{{.Names}}"]).text == "box\n")
        #expect(
            try bench.sh("shale exec box sh -c 'until test -f /file; do sleep 0.1; done; cat /file'").text == "one\n")
        try bench.write("two", to: "two")
        try bench.run(["cp", "two", "box:/two"])
        #expect(try bench.run(["exec", "box", "cat", "/two"]).text == "two")
        try bench.run(["cp", "box:/file", "copied"])
        #expect(try bench.sh("cat copied").text == "one\n")
        let diff = try bench.run(["diff", "box"]).lines
        #expect(diff.contains("A /file") && diff.contains("A /two"), "\(diff)")
        try bench.run(["commit", "-m", "by a test", "box", "made:1"])
        #expect(try bench.run(["run", "--rm", "made:1", "sh", "-c", "cat /file /two"]).text == "one\ntwo")
        try bench.run(["stop", "-t", "0", "box"])
        try bench.run(["start", "box"])
        try bench.run(["rm", "-f", "box"])
        try bench.write(
            "FROM made:1\nCOPY two /three\nRUN cat /three > /four && rm /file\nENV A=b\nCMD cat /four\n",
            to: "context/Dockerfile")
        try bench.write("three", to: "context/two")
        let built = try bench.run(["build", "-t", "made:2", "context"], expecting: nil)
        #expect(built.status == 0 && built.text.contains("Successfully tagged made:2"), "\(built)")
        #expect(try bench.run(["run", "--rm", "made:2"]).text == "three")
        #expect(try bench.run(["run", "--rm", "made:2", "test", "-e", "/file"], expecting: nil).status == 1)
        #expect(try bench.run(["ps", "-aq"]).text.isEmpty)
        try bench.run(["rmi", "made:2", "made:1"])
    }
}
