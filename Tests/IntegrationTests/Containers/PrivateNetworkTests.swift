import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Networks of containers' own, with ports of the host's that lead in.
@Suite(
    "private networks", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"),
    .enabled(if: Peer("slirp4netns").isPresent, "slirp4netns is not installed"),
    .enabled(if: access("/dev/net/tun", R_OK | W_OK) == 0, "there is no /dev/net/tun"))
struct PrivateNetworkTests {
    /// A server in a container that answers with a line.
    private static let server = ["sh", "-c", "mkdir /www; echo inside > /www/index.html; exec httpd -f -p 80 -h /www"]

    private static func ask(_ port: some StringProtocol) throws -> String {
        try Waiting.value("port \(port) answers") {
            let answer = try Peer("busybox").run(
                ["wget", "-q", "-O", "-", "http://127.0.0.1:\(port)/"], expecting: nil)
            return answer.status == 0 ? answer.text : nil
        }
    }

    /// The host's port that `port` tells.
    private static func port(_ bench: ShaleHome, _ name: String, _ inside: String = "80") throws -> String {
        let place = try bench.run(["port", name, inside]).text.split(separator: "\n").first ?? ""
        return String(place.drop { $0 != ":" }.dropFirst())
    }

    @Test("published, seen and gone again") func published() throws {
        let bench = ShaleHome()
        try bench.run(["run", "-d", "--name", "web", "-p", "80", "--expose", "443", "busybox"] + Self.server)
        let port = try Self.port(bench, "web")
        #expect(try Self.ask(port) == "inside\n")
        #expect(try bench.run(["port", "web"]).text == "80/tcp -> 0.0.0.0:\(port)\n")
        #expect(try bench.run(["ps", "--format", "{{.Ports}}"]).text == "443/tcp, 0.0.0.0:\(port)->80/tcp\n")
        #expect(try bench.run(["ps", "-q", "--filter", "publish=80"]).lines.count == 1)
        #expect(try bench.run(["ps", "-q", "--filter", "publish=\(port)"]).lines.count == 1)
        #expect(try bench.run(["ps", "-q", "--filter", "publish=443"]).lines.isEmpty)
        let bound = "{{(index (index .NetworkSettings.Ports \"80/tcp\") 0).HostPort}} {{.NetworkSettings.IPAddress}}"
        #expect(try bench.run(["inspect", "-f", bound, "web"]).text == "\(port) 10.0.2.100\n")
        #expect(try bench.run(["exec", "web", "cat", "/etc/resolv.conf"]).text.contains("nameserver 10.0.2.3"))
        let missing = try bench.run(["port", "web", "99"], expecting: nil)
        #expect(missing.status == 1 && missing.errors.contains("No public port '99/tcp' published for web"))
        // The same port again is refused in docker's words, and nothing is left of the try.
        let again = try bench.run(["run", "--rm", "-p", "\(port):80", "busybox", "true"], expecting: nil)
        #expect(again.status == 125 && again.errors.contains("address already in use"), "\(again)")
        try bench.run(["restart", "-t", "0", "web"])
        #expect(try Self.ask(Self.port(bench, "web")) == "inside\n")
        try bench.run(["stop", "-t", "0", "web"])
        #expect(try bench.run(["port", "web"]).text == "")
        try bench.run(["rm", "web"])
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }

    @Test("a given host port, ranges, udp and -P") func forms() throws {
        let bench = ShaleHome()
        try bench.run([
            "run", "-d", "--name", "many", "-p", "127.0.0.1:46100-46199:81", "-p", "82/udp", "--expose", "83-84", "-P",
            "busybox", "sleep", "60",
        ])
        let lines = try bench.run(["port", "many"]).lines
        #expect(lines.map { $0.prefix { $0 != " " } } == ["81/tcp", "82/udp", "83/tcp", "84/tcp"])
        let first = try #require(Int(Self.port(bench, "many", "81")))
        #expect((46100...46199).contains(first))
        try bench.run(["rm", "-f", "many"])
        #expect(bench.residue().isEmpty)
    }

    @Test("on another network a published port is told to be discarded") func discarded() throws {
        let bench = ShaleHome()
        let said = try bench.run(
            ["run", "--rm", "--network", "host", "-p", "46200:80", "busybox", "true"], expecting: nil)
        #expect(said.status == 0 && said.errors.contains("Published ports are discarded when using host network mode"))
        let other = try bench.run(["run", "--rm", "--network", "nowhere", "busybox", "true"], expecting: nil)
        #expect(other.status == 125 && other.errors.contains("network nowhere not found"))
    }

    @Test("a network program that is not there is named, with what mends it") func missing() throws {
        let bench = ShaleHome()
        try bench.run(["run", "--rm", "busybox", "true"])
        let said = try bench.run(
            ["run", "--rm", "-p", "80", "busybox", "true"], environment: ["PATH": "/nowhere"], expecting: nil)
        #expect(said.status == 125 && said.errors.contains("slirp4netns, which is not installed"), "\(said)")
        #expect(said.errors.contains("hint: apt-get install slirp4netns"))
        #expect(try bench.run(["ps", "-aq"]).text == "")
        let doctor = try bench.run(["doctor"], environment: ["PATH": "/nowhere"], expecting: nil)
        #expect(doctor.text.contains("apt-get install slirp4netns"))
    }

    @Test("where mounts are shared, the host keeps its own", .enabled(if: ShaleHome.isRoot, "needs root"))
    func sharedMounts() throws {
        let bench = ShaleHome()
        try bench.run(["run", "--rm", "busybox", "true"])
        let program = try #require(ShaleHome.program)
        let script = """
            # Other tests mount below /tmp meanwhile.
            mounts() { cut -d ' ' -f 5 /proc/self/mountinfo | grep -v ^/tmp/ | sort; }
            mounts > before
            '\(program)' run -d --name web -p 80 busybox sleep 1000 && mounts > during
            '\(program)' rm -f web
            cmp before during
            """
        try bench.write(script, to: "script")
        let said = try bench.sh("unshare --mount --propagation shared sh script")
        #expect(said.status == 0, "\(said)")
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }

    @Test("the runner killed, its network goes too") func runnerKilled() throws {
        let bench = ShaleHome()
        try bench.run(["run", "-d", "--name", "web", "-p", "80", "busybox"] + Self.server)
        let port = try Self.port(bench, "web")
        #expect(try Self.ask(port) == "inside\n")
        let pid = try bench.run(["inspect", "-f", "{{.State.Pid}}", "web"]).text
        let status = try WholeText.read("/proc/\(pid.dropLast())/status")
        let parent = status.split(separator: "\n").first { $0.hasPrefix("PPid:") }?.dropFirst(6)
        kill(try #require(parent.flatMap { Int32($0) }), SIGKILL)
        _ = try Waiting.value("the port is free") {
            try Peer("busybox").run(
                ["wget", "-q", "-O", "-", "http://127.0.0.1:\(port)/"], expecting: nil
            ).status != 0 ? true : nil
        }
        try bench.run(["rm", "-f", "web"])
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }

    @Test(
        "as an ordinary user",
        .enabled(if: ShaleHome.Account.tester != nil, "\(ShaleHome.Account.noTester)"))
    func rootless() throws {
        let tester = try #require(ShaleHome.Account.tester)
        let bench = try ShaleHome(as: tester)
        let start = ["run", "-d", "--name", "web", "-p", "80", "busybox"] + Self.server
        let said = try bench.run(start, expecting: nil)
        guard said.status == 0 else {
            // The device is root's alone here: then just that must be said.
            #expect(said.errors.contains("/dev/net/tun") && said.errors.contains("chmod 0666"), "\(said)")
            return
        }
        #expect(try Self.ask(Self.port(bench, "web")) == "inside\n")
        try bench.run(["rm", "-f", "web"])
        #expect(bench.residue().isEmpty, "\(bench.residue(within: 0))")
    }
}
