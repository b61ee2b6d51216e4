import Basics
import Glibc
import Linux
import Runtime
import TestSupport
import Testing

@Suite(.serialized, .enabled(if: ContainerFixture.isPossible, "containers cannot run here"))
struct RunTests {
    let fixture = ContainerFixture()

    @Test(
        arguments: [
            ("true", 0), ("false", 1), ("exit 42", 42), ("sh -c 'kill -9 $$'; exit $?", 137),
            ("sh -c 'kill -15 $$'; exit $?", 143),
            // Process 1 cannot kill itself, as in docker.
            ("kill -9 $$; exit 3", 3),
        ] as [(String, Int32)])
    func exitCodes(_ script: String, _ status: Int32) throws {
        let spec = fixture.spec("sh", "-c", script)
        #expect(try fixture.run(spec).status == status)
        #expect(fixture.state(spec)?["status"]?.string == "exited")
        #expect(fixture.state(spec)?["exitCode"]?.int == Int(status))
    }

    @Test func streamsAreApart() throws {
        let spec = fixture.spec("sh", "-c", "echo out; echo err >&2")
        #expect(try fixture.run(spec) == ContainerFixture.Result(status: 0, output: "out\n", errors: "err\n"))
        let log = fixture.log(spec)
        #expect(Set(log.compactMap { $0["stream"]?.string }) == ["stdout", "stderr"])
        #expect(log.compactMap { $0["log"]?.string }.sorted() == ["err\n", "out\n"])
    }

    @Test func logsAnyBytes() throws {
        let spec = fixture.spec(
            "sh", "-c", #"printf 'a"b\\c\t\001\303\251\377\360\237\220\263\303\nlast'; head -c 40000 /dev/zero"#)
        let result = try fixture.run(spec)
        #expect(result.output.utf8.count > 40000)
        let lines = fixture.log(spec).compactMap { $0["log"]?.string }
        #expect(lines.first == "a\"b\\c\t\u{1}\u{E9}\u{FFFD}\u{1F433}\u{FFFD}\n")
        #expect(lines.dropFirst().joined() == "last" + String(repeating: "\0", count: 40000))
        #expect(lines.allSatisfy { $0.utf8.count <= 16 << 10 })
    }

    @Test func stdinHalfCloses() throws {
        #expect(try fixture.run(fixture.spec("cat"), input: "hi\n").output == "hi\n")
        let long = String(repeating: "0123456789abcdef\n", count: 200_000)
        let result = try fixture.run(fixture.spec("cat"), input: long)
        #expect(result.output == long)
    }

    @Test func withoutStdinReadsNothing() throws {
        #expect(try fixture.run(fixture.spec("cat")) == ContainerFixture.Result(status: 0, output: "", errors: ""))
    }

    @Test(
        arguments: [
            (["nada"], "exec: \"nada\": executable file not found in $PATH", .commandNotFound),
            (["/bin/nada"], "exec: \"/bin/nada\": stat /bin/nada: no such file or directory", .commandNotFound),
            (["/etc/notrunnable"], "exec: \"/etc/notrunnable\": permission denied", .notExecutable),
            (["/etc"], "exec: \"/etc\": is a directory", .notExecutable),
            (["/bin/badformat"], "exec /bin/badformat: exec format error", .notExecutable),
            (["/bin/badscript"], "exec /bin/badscript: no such file or directory", .commandNotFound),
        ] as [([String], String, ShaleError.Code)])
    func commandsThatDoNotRun(_ arguments: [String], _ message: String, _ code: ShaleError.Code) throws {
        var spec = fixture.spec("x")
        spec.arguments = arguments
        let error = #expect(throws: ShaleError.self) { try fixture.run(spec) }
        #expect(error?.message == message)
        #expect(error?.code == code)
        #expect(fixture.state(spec)?["error"]?.string == message)
    }

    @Test(
        .enabled(if: ContainerFixture.hasManyIDs, "there is one id alone here"),
        arguments: [
            ("", "uid=0(root) gid=0(root) groups=0(root),10(wheel),50(staff)\n"),
            ("ann", "uid=1000(ann) gid=1000(ann) groups=50(staff),1000(ann)\n"),
            ("1000:50", "uid=1000(ann) gid=50(staff) groups=50(staff)\n"),
            ("1234", "uid=1234 gid=0(root) groups=0(root)\n"),
            ("1234:5678", "uid=1234 gid=5678 groups=5678\n"),
            (":50", "uid=0(root) gid=50(staff) groups=50(staff)\n"),
        ])
    func users(_ user: String, _ expected: String) throws {
        var spec = fixture.spec("id")
        spec.user = user
        let output = try fixture.run(spec).output
        #expect(output == expected)
    }

    @Test func unknownUser() throws {
        var spec = fixture.spec("id")
        spec.user = "root:nosuch"
        let error = #expect(throws: ShaleError.self) { try fixture.run(spec) }
        #expect(error?.message == "unable to find group nosuch: no matching entries in group file")
        #expect(error?.code == .engine)
    }

    @Test func confinement() throws {
        let result = try fixture.run(
            fixture.spec("sh", "-c", "grep -E 'Cap|Seccomp:|NoNewPrivs' /proc/self/status; cat /proc/1/comm"))
        #expect(result.output.contains("CapEff:\t00000000a80425fb"))
        #expect(result.output.contains("CapPrm:\t00000000a80425fb"))
        #expect(result.output.contains("CapBnd:\t00000000a80425fb"))
        #expect(result.output.contains("CapInh:\t0000000000000000"))
        #expect(result.output.contains("CapAmb:\t0000000000000000"))
        #expect(result.output.contains("Seccomp:\t2"))
        #expect(result.output.contains("NoNewPrivs:\t0"))
    }

    @Test(.enabled(if: ContainerFixture.hasManyIDs, "there is one id alone here"))
    func ordinaryUserHasNoCapabilities() throws {
        var spec = fixture.spec("sh", "-c", "grep -E 'Cap' /proc/self/status")
        spec.user = "ann"
        spec.noNewPrivileges = true
        let output = try fixture.run(spec).output
        #expect(output.contains("CapEff:\t0000000000000000"))
        #expect(output.contains("CapBnd:\t00000000a80425fb"))
    }

    @Test func masksAndReadOnlyPaths() throws {
        let script = """
            wc -c < /proc/keys; ls /proc/scsi /sys/firmware | wc -l
            echo 1 > /proc/sys/vm/swappiness || echo no
            touch /sys/x || echo no; mount -t tmpfs none /tmp || echo no
            mknod /dev/sda b 8 0 && cat /dev/sda | head -c 1 || true
            """
        let result = try fixture.run(fixture.spec("sh", "-c", script))
        #expect(result.output.split(separator: "\n").prefix(1) == ["0"])
        #expect(result.output.split(separator: "\n").filter { $0 == "no" }.count == 3)
    }

    @Test func environmentAndPlace() throws {
        var spec = fixture.spec("sh", "-c", "env; pwd; hostname")
        spec.environment = ["A=1", "PATH=/bin"]
        if ContainerFixture.hasManyIDs { spec.user = "ann" }
        spec.network = .none
        spec.workingDirectory = "/made/by/start"
        let lines = Set(try fixture.run(spec).output.split(separator: "\n").map(String.init))
        let id = String(spec.containerID.prefix(12))
        #expect(lines.isSuperset(of: ["A=1", "PATH=/bin", "HOSTNAME=\(id)", "/made/by/start", id]))
        #expect(try FileStatus.of(hostPath: spec.upperPath + "/made/by/start").permissions == 0o755)
    }

    @Test func namespacesAreItsOwn() throws {
        let script = "ls /proc | grep -c '^[0-9]'; ls -l /proc/self/fd; ip -o link | wc -l"
        var spec = fixture.spec("sh", "-c", "\(script); cat /etc/hosts | head -1")
        spec.network = .none
        let result = try fixture.run(spec)
        #expect(result.output.contains("127.0.0.1\tlocalhost"))
        // Nothing but the three streams and ls's own directory.
        #expect(!result.output.contains(" 4 -> "))
    }

    @Test func stubsAreListedAndLeaveNoTrace() throws {
        let spec = fixture.spec("true")
        let before = try FileStatus.of(hostPath: ContainerFixture.lower + "/etc").modified
        _ = try fixture.run(spec)
        let text = String(decoding: try WholeFile.read(spec.socketDirectory + "/stubs.json"), as: UTF8.self)
        for stub in ["/proc", "/dev", "/sys", "/etc/resolv.conf", "/etc/hosts", "/etc/hostname"] {
            #expect(text.contains("\"\(stub)\""))
        }
        #expect(try FileStatus.of(hostPath: spec.upperPath + "/etc").modified == before)
        let first = text
        _ = try fixture.run(spec)
        let second = String(decoding: try WholeFile.read(spec.socketDirectory + "/stubs.json"), as: UTF8.self)
        #expect(second == first)
    }

    @Test func detachedOutlivesAndIsWaitedFor() throws {
        let spec = fixture.spec("sh", "-c", "sleep 0.3; exit 7")
        let container = try fixture.runtime.start(spec, attach: nil)
        #expect(container.pid > 0)
        #expect(ContainerRuntime.isAlive(socketDirectory: spec.socketDirectory))
        #expect(fixture.state(spec)?["status"]?.string == "running")
        #expect(try fixture.runtime.wait(socketDirectory: spec.socketDirectory, timeout: 0.01) == nil)
        #expect(try fixture.runtime.wait(socketDirectory: spec.socketDirectory) == 7)
        #expect(fixture.state(spec)?["exitCode"]?.int == 7)
        #expect(ContainerFixture.eventually { !ContainerRuntime.isAlive(socketDirectory: spec.socketDirectory) })
        #expect(access(spec.socketDirectory + "/control.sock", F_OK) != 0)
    }

    @Test func signalsAndStop() throws {
        let spec = fixture.spec("sh", "-c", "trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done")
        _ = try fixture.runtime.start(spec, attach: nil)
        #expect(ContainerFixture.eventually { fixture.log(spec).count == 1 })
        #expect(try fixture.runtime.stop(socketDirectory: spec.socketDirectory) == 5)
        let deaf = fixture.spec("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
        _ = try fixture.runtime.start(deaf, attach: nil)
        #expect(ContainerFixture.eventually { fixture.log(deaf).count == 1 })
        #expect(try fixture.runtime.stop(socketDirectory: deaf.socketDirectory, timeout: 0.2) == 137)
    }

    @Test func bindsAndTemporaryMounts() throws {
        let outside = TemporaryDirectory()
        ContainerFixture.write(outside.path + "/f", "from outside\n")
        var spec = fixture.spec(
            "sh", "-c", "cat /data/f /one; touch /data/new && touch /ro/x || echo denied; df /scratch | tail -1")
        spec.mounts = [
            BindMount(source: outside.path, destination: "/data"),
            BindMount(source: outside.path + "/f", destination: "/one", readOnly: true),
            BindMount(source: outside.path, destination: "/ro", readOnly: true),
        ]
        spec.temporaryMounts = [TemporaryMount(destination: "/scratch", options: "size=8m,mode=1777")]
        let result = try fixture.run(spec)
        #expect(result.output.hasPrefix("from outside\nfrom outside\ndenied\n"))
        #expect(result.output.contains("8192"))
        #expect(access(outside.path + "/new", F_OK) == 0)
    }
}
