import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// What a step of a build sees is what a container sees, in every home and on every machine.
@Suite("steps see what containers see", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct StepsSeeContainersTests {
    /// A session that came from elsewhere says `FROM busybox`: it must mean the image that is here.
    @Test func theFirstImageIsTheSameInEveryHome() throws {
        let (one, other) = (ShaleHome(), ShaleHome())
        let id = try one.run(["images", "-q", "--no-trunc", "busybox"]).text
        sleep(1)
        #expect(try other.run(["images", "-q", "--no-trunc", "busybox"]).text == id)
        try one.run(["-c", "FROM busybox\nRUN echo 1 > /one\nsession export \(one.work)/s.tar"])
        try other.run(["session", "import", one.work + "/s.tar", "there"])
        #expect(try other.run(["--session", "there", "recipe"]).text == "FROM busybox\nRUN echo 1 > /one\n")
        #expect(try other.run(["--session", "there", "recipe", "verify"]).text.contains("same files, same config"))
    }

    @Test(arguments: ["ls -a /", "ls /etc", "ls -l /etc/mtab", "ls /dev", "test -f /.dockerenv && echo in a container"])
    func aStepListsTheSame(_ command: String) throws {
        let shale = ShaleHome()
        let seen = try shale.run(["run", "--rm", "busybox", "sh", "-c", command]).text
        try shale.run(["-c", "FROM busybox\nRUN \(command) > /tmp/seen"])
        func dated(_ text: String) -> String { text.replacing(#/[A-Z][a-z]{2} +\d+ +[\d:]+/#, with: "") }
        #expect(try dated(shale.run(["cat", "@:/tmp/seen"]).text) == dated(seen))
    }

    /// None of those places becomes a part of the image.
    @Test func whatEveryContainerHasIsInNoImage() throws {
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN touch /etc/mine /mine; rm -f /.dockerenv\ntag @ made:1"])
        #expect(try shale.run(["diff", "busybox", "made:1"]).text == "C /etc\nA /etc/mine\nA /mine\n")
        try shale.run(["run", "--name", "made", "busybox", "sh", "-c", "touch /etc/mine /mine"])
        try shale.run(["commit", "made", "made:2"])
        #expect(try shale.run(["recipe", "verify", "made:2"]).text.contains("same files"))
    }

    @Test func aHostNameIsBytes() throws {
        let shale = ShaleHome()
        let script = """
            name=$(printf 'n\\351')
            \(ShaleHome.program ?? "") --home \(shale.home) run --rm --hostname "$name" --add-host "$name:1.2.3.4" busybox \\
                sh -c 'hostname | od -An -tx1; tail -n 1 /etc/hosts | od -An -tx1; od -An -tx1 /etc/hostname'
            """
        let words = try Peer("sh").run(["-ec", script], in: shale.work).text.split(separator: "\n").map {
            $0.split(separator: " ")
        }
        #expect(words.map(\.first) == ["6e", "31", "6e"])
        #expect(words.allSatisfy { $0.contains("e9") && !$0.contains("f4") }, "\(words)")
    }
}
