import Basics
import Glibc
import Linux
import Runtime
import TestSupport
import Testing

extension RunTests {
    @Suite(.serialized, .enabled(if: ContainerFixture.isPossible, "containers cannot run here"))
    struct AttachTests {
        let fixture = ContainerFixture()

        private func terminalSpec(_ arguments: String...) -> LaunchSpec {
            var spec = fixture.spec("x")
            spec.arguments = arguments
            spec.terminal = true
            spec.openStdin = true
            return spec
        }

        @Test func terminalOfItsOwn() throws {
            let terminal = try TerminalFixture()
            var spec = terminalSpec(
                "sh", "-c", "tty; stty size; echo $TERM; ls -l /dev/console | cut -c1; read x; echo got $x; exit 3")
            spec.initialSize = TerminalSize(rows: 33, columns: 101)
            Terminal.resize(terminal.slave, to: TerminalSize(rows: 33, columns: 101))
            let container = try fixture.runtime.start(spec, attach: terminal.streams)
            let outcome = Background { try container.relay() }
            #expect(terminal.sees("/dev/pts/0\r\n33 101\r\nxterm\r\nc"))
            #expect(!terminal.isCooked)
            terminal.type("word\r")
            #expect(terminal.sees("got word"))
            #expect(try outcome.get() == .exited(3))
            #expect(terminal.isCooked)
        }

        @Test func interruptTravelsAsByte() throws {
            let terminal = try TerminalFixture()
            let spec = terminalSpec(
                "sh", "-c", "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done")
            let container = try fixture.runtime.start(spec, attach: terminal.streams)
            let outcome = Background { try container.relay() }
            #expect(terminal.sees("ready"))
            terminal.type("\u{3}")
            #expect(try outcome.get() == .exited(9))
        }

        @Test func sizeFollows() throws {
            let terminal = try TerminalFixture()
            let spec = terminalSpec(
                "sh", "-c", "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done")
            let container = try fixture.runtime.start(spec, attach: terminal.streams)
            let outcome = Background { try container.relay() }
            #expect(terminal.sees("ready"))
            Terminal.resize(terminal.slave, to: TerminalSize(rows: 50, columns: 123))
            // The terminal is not this test's controlling one: nobody else would tell.
            kill(getpid(), SIGWINCH)
            #expect(try outcome.get() == .exited(0))
            #expect(terminal.sees("50 123"))
        }

        @Test func detachAndComeBack() throws {
            let terminal = try TerminalFixture()
            let spec = terminalSpec("sh", "-c", "echo ready; read a; echo one $a; read b; echo two $b")
            let container = try fixture.runtime.start(spec, attach: terminal.streams)
            let outcome = Background { try container.relay() }
            #expect(terminal.sees("ready"))
            terminal.type("x\r")
            #expect(terminal.sees("one x"))
            terminal.type("\u{10}\u{11}")
            #expect(try outcome.get() == .detached)
            #expect(terminal.isCooked)
            #expect(fixture.runtime.status(socketDirectory: spec.socketDirectory)?.hasTerminal == true)
            let second = try TerminalFixture()
            let fixture = fixture
            let again = Background {
                try fixture.runtime.attach(socketDirectory: spec.socketDirectory, streams: second.streams)
            }
            // Ctrl-P alone goes through after a moment, and is no part of the answer.
            #expect(ContainerFixture.eventually { !second.isCooked })
            second.type("\u{10}")
            usleep(450_000)
            second.type("\u{15}y\r")
            #expect(try again.get() == .exited(0))
            #expect(second.sees("two y"))
        }

        @Test func severalSeeTheSame() throws {
            let spec = fixture.spec(
                "sh", "-c", "while ! read -t 0.05 x; do echo here; done; echo all $x; exit 4")
            var open = spec
            open.openStdin = true
            _ = try fixture.runtime.start(open, attach: nil)
            let collectors = (0..<3).map { _ in Collector() }
            let fixture = fixture
            let watchers = collectors.map { collector in
                Background {
                    try fixture.runtime.attach(
                        socketDirectory: spec.socketDirectory, streams: collector.streams(input: nil))
                }
            }
            #expect(ContainerFixture.eventually { collectors.allSatisfy { $0.output.contains("here\n") } })
            let writer = Collector()
            let source = ContainerFixture.pipe("hello\n")
            let outcome = try fixture.runtime.attach(
                socketDirectory: spec.socketDirectory, streams: writer.streams(input: source))
            close(source)
            #expect(outcome == .exited(4))
            for (watcher, collector) in zip(watchers, collectors) {
                #expect(try watcher.get() == .exited(4))
                #expect(collector.output.hasSuffix("here\nall hello\n"))
            }
        }

        @Test func signalsAreProxied() throws {
            let spec = fixture.spec("sh", "-c", "trap 'exit 6' TERM; echo ready; while :; do sleep 0.05; done")
            let collector = Collector()
            let container = try fixture.runtime.start(spec, attach: collector.streams(input: nil))
            let outcome = Background { try container.relay() }
            #expect(ContainerFixture.eventually { collector.output == "ready\n" })
            kill(getpid(), SIGTERM)
            #expect(try outcome.get() == .exited(6))
        }

        // MARK: exec

        private func running(_ change: (inout LaunchSpec) -> Void = { _ in }) throws -> LaunchSpec {
            var spec = fixture.spec("sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done")
            spec.network = .none
            change(&spec)
            _ = try fixture.runtime.start(spec, attach: nil)
            return spec
        }

        private func end(_ spec: LaunchSpec) throws {
            _ = try fixture.runtime.stop(socketDirectory: spec.socketDirectory, timeout: 5)
        }

        @Test func execIsInside() throws {
            let spec = try running()
            let script = """
                echo out; echo err >&2; hostname
                for n in mnt pid uts ipc net cgroup; do
                    readlink /proc/self/ns/$n >> /tmp/own; readlink /proc/1/ns/$n >> /tmp/first
                done
                wc -l < /tmp/own; grep -vxFf /tmp/own /tmp/first || echo same
                grep -E 'CapEff|Seccomp:' /proc/self/status; cat; exit 11
                """
            let result = try fixture.exec(spec, ExecSpec(arguments: ["sh", "-c", script]), input: "in\n")
            #expect(result.status == 11)
            #expect(result.errors == "err\n")
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.prefix(4) == ["out", String(spec.containerID.prefix(12)), "6", "same"])
            #expect(lines.contains("CapEff:\t00000000a80425fb"))
            #expect(lines.contains("Seccomp:\t2"))
            #expect(lines.last == "in")
            try end(spec)
        }

        @Test func execUserPlaceAndFailures() throws {
            let spec = try running()
            let many = ContainerFixture.hasManyIDs
            var exec = ExecSpec(
                arguments: ["sh", "-c", "id -u; pwd; echo $X $HOME"], user: many ? "ann" : "root")
            exec.environment = ["X=1"]
            exec.workingDirectory = "/tmp"
            #expect(try fixture.exec(spec, exec).output == (many ? "1000\n/tmp\n1 /home/ann\n" : "0\n/tmp\n1 /root\n"))
            for (name, code) in [("nada", ShaleError.Code.commandNotFound), ("/etc", .notExecutable)] {
                let error = #expect(throws: ShaleError.self) { try fixture.exec(spec, ExecSpec(arguments: [name])) }
                #expect(error?.code == code)
            }
            exec.workingDirectory = "/missing"
            let error = #expect(throws: ShaleError.self) { try fixture.exec(spec, exec) }
            #expect(error?.message == "chdir to cwd (\"/missing\") failed: no such file or directory")
            #expect(try fixture.exec(spec, ExecSpec(arguments: ["sh", "-c", "kill -9 $$"])).status == 137)
            try end(spec)
            let gone = #expect(throws: ShaleError.self) { try fixture.exec(spec, ExecSpec(arguments: ["true"])) }
            #expect(gone?.code == .notFound)
        }

        @Test func execWithTerminal() throws {
            let spec = try running()
            let terminal = try TerminalFixture()
            var exec = ExecSpec(arguments: ["sh", "-c", "tty; stty size; read x; echo got $x"])
            exec.terminal = true
            exec.openStdin = true
            exec.initialSize = TerminalSize(rows: 24, columns: 80)
            let (fixture, asked) = (fixture, exec)
            let outcome = Background {
                try fixture.runtime.exec(
                    socketDirectory: spec.socketDirectory, asked, streams: terminal.streams)
            }
            #expect(terminal.sees("/dev/pts/0\r\n24 80"))
            terminal.type("w\r")
            #expect(try outcome.get() == .exited(0))
            #expect(terminal.sees("got w"))
            try end(spec)
        }

        @Test func manyAtOnceAndDetached() throws {
            let spec = try running()
            let fixture = fixture
            let runs = (0..<8).map { number in
                Background { try fixture.exec(spec, ExecSpec(arguments: ["sh", "-c", "sleep 0.1; echo \(number)"])) }
            }
            for (number, run) in runs.enumerated() { #expect(try run.get().output == "\(number)\n") }
            var detached = ExecSpec(arguments: ["sh", "-c", "sleep 0.05; touch /tmp/done"])
            detached.detached = true
            #expect(try fixture.exec(spec, detached).status == 0)
            #expect(ContainerFixture.eventually { access(spec.upperPath + "/tmp/done", F_OK) == 0 })
            try end(spec)
        }

        @Test func execEndsWithItsContainer() throws {
            let spec = try running()
            let fixture = fixture
            let run = Background { try fixture.exec(spec, ExecSpec(arguments: ["sleep", "100"])) }
            #expect(
                ContainerFixture.eventually {
                    fixture.runtime.status(socketDirectory: spec.socketDirectory)?.execs == 1
                })
            try end(spec)
            #expect(try run.get().status == 137)
        }

        @Test func pauseStopsEverything() throws {
            let spec = try running { $0.arguments = ["sh", "-c", "while :; do echo x; sleep 0.02; done"] }
            #expect(ContainerFixture.eventually { fixture.log(spec).count > 2 })
            try fixture.runtime.pause(socketDirectory: spec.socketDirectory)
            #expect(fixture.state(spec)?["status"]?.string == "paused")
            // What was on its way is written yet; then nothing comes for ten of its beats.
            var count = -1
            #expect(
                ContainerFixture.eventually {
                    let before = count
                    usleep(200_000)
                    count = fixture.log(spec).count
                    return count == before
                })
            let error = #expect(throws: ShaleError.self) { try fixture.exec(spec, ExecSpec(arguments: ["true"])) }
            #expect(error?.message.contains("is paused, unpause the container before exec") == true)
            try fixture.runtime.unpause(socketDirectory: spec.socketDirectory)
            #expect(ContainerFixture.eventually { fixture.log(spec).count > count })
            try fixture.runtime.pause(socketDirectory: spec.socketDirectory)
            #expect(try fixture.runtime.stop(socketDirectory: spec.socketDirectory, timeout: 0) == 137)
        }
    }
}
