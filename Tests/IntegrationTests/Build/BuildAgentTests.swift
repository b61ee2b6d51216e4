import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// `--ssh` with private keys and with sockets, and `RUN --mount=type=ssh`.
@Suite(
    "agents of builds", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"),
    .enabled(if: Peer("ssh-agent").isPresent, "needs openssh-client"))
struct BuildAgentTests {
    private let home = ShaleHome()
    private let context: ContextFolder

    /// A context with OpenSSH's `ssh-add` and what it loads, and two keys, one of them locked.
    init() throws {
        context = try ContextFolder()
        let script = """
            set -e
            mkdir root
            for file in $(command -v ssh-add) $(ldd "$(command -v ssh-add)" | grep -o '/[^ ]*'); do
                mkdir -p "root$(dirname "$file")"; cp -L "$file" "root$file"
            done
            ssh-keygen -q -t ed25519 -N '' -C open -f open
            ssh-keygen -q -t ed25519 -N secret -C locked -f locked
            chmod 644 open
            """
        try Peer("sh").run(["-c", script], in: context.path)
    }

    private func build(_ text: String, _ options: [String], expecting status: Int32 = 0) throws -> Peer.Outcome {
        try context.write(Array("FROM busybox\nCOPY root /\n\(text)".utf8), to: "Dockerfile")
        return try home.run(["build"] + options + ["."], in: context.path, expecting: status)
    }

    @Test func aKeyIsServedAndItsAgentEndsWithTheBuild() throws {
        let text =
            "RUN --mount=type=ssh ssh-add -l; echo $SSH_AUTH_SOCK; stat -c '%u %a' $SSH_AUTH_SOCK; ssh-add -D || echo refused\n"
            + "RUN --mount=type=ssh,id=other,required,uid=1,mode=0600 su -s /bin/sh daemon -c 'ssh-add -l'\n"
            + "RUN ls -d /run/buildkit 2>/dev/null; echo \"<$SSH_AUTH_SOCK>\"\n"
        let run = try build(text, ["--ssh", "default=open", "--ssh", "other=open", "-t", "keyed"])
        #expect(run.text.components(separatedBy: " open (ED25519)").count == 3, "\(run.text)\(run.errors)")
        #expect(run.text.contains("\n/run/buildkit/ssh_agent.0\n0 600\nrefused\n"), "\(run.text)")
        #expect(run.text.contains("\n<>\n"))
        // Neither a key nor a socket is in the image, the cache or the history.
        let secret = try String(contentsOfFile: context.path + "/open", encoding: .utf8).split(separator: "\n")[1]
        let found = try Peer("grep").run(["-rlF", String(secret), home.home], expecting: nil)
        #expect(found.status == 1, "\(found.text)")
    }

    @Test func keysThatCannotBeUsedAreRefusedBeforeTheFirstStep() throws {
        let locked = try build("RUN true\n", ["--ssh", "default=locked"], expecting: 1)
        #expect(locked.errors.contains("failed to parse locked: ssh: this private key is passphrase protected\nhint: "))
        #expect(!locked.text.contains("Step"))
        let none = try build("RUN true\n", ["--ssh", "default=Dockerfile"], expecting: 1)
        #expect(none.errors.contains("failed to parse Dockerfile: ssh: no key found"))
        let gone = try build("RUN true\n", ["--ssh", "default=nowhere"], expecting: 1)
        #expect(gone.errors.contains("stat nowhere: no such file or directory"))
        let missing = try build("RUN --mount=type=ssh,required true\n", [], expecting: 1)
        #expect(missing.errors.contains("unset ssh forward key default"))
        let bare = try home.run(
            ["build", "--ssh", "default=open", "."], in: context.path, environment: ["PATH": "/nowhere"], expecting: 1)
        #expect(bare.errors.contains("hint: apt-get install openssh-client"))
    }

    @Test func anAgentsSocketIsForwarded() throws {
        try context.write(
            Array("FROM busybox\nCOPY root /\nRUN --mount=type=ssh,mode=0666 ssh-add -l\n".utf8), to: "Dockerfile")
        let program = try #require(ShaleHome.program)
        let command = "ssh-add -q - < open && SHALE_HOME=\(home.home) \(program) build --ssh default ."
        let run = try Peer("ssh-agent").run(["sh", "-c", command], in: context.path)
        #expect(run.text.contains(" open (ED25519)"), "\(run.text)")
    }

    @Test func theAgentOfAKilledBuildEnds() throws {
        try context.write(
            Array("FROM busybox\nCOPY root /\nRUN --mount=type=ssh ssh-add -l; sleep 4712\n".utf8), to: "Dockerfile")
        let child = try home.start(["build", "--ssh", "default=open", "."], in: context.path)
        func listed() -> Bool { home.said().text.contains(" open (ED25519)") }
        for _ in 0..<1200 where !listed() { usleep(50_000) }
        #expect(listed())
        let watchers = try Peer("pgrep").run(["-P", String(child.pid), "-f", "SSH_AUTH_SOCK.*read -r _"]).text
        let watcher = try #require(watchers.split(separator: "\n").first)
        let environment = try Data(contentsOf: URL(filePath: "/proc/\(watcher)/environ"))
        let variables = String(decoding: environment, as: UTF8.self).split(separator: "\0")
        let agent = try #require(variables.first { $0.hasPrefix("SSH_AGENT_PID=") }).dropFirst(14)
        #expect(access("/proc/\(agent)", F_OK) == 0)
        child.stop(SIGKILL)
        _ = child.wait()
        for _ in 0..<1200 where access("/proc/\(agent)", F_OK) == 0 { usleep(50_000) }
        #expect(access("/proc/\(agent)", F_OK) != 0)
    }
}
