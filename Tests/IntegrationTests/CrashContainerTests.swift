import Glibc
import TestSupport
import Testing

/// Containers leave nothing behind, whatever ends them.
@Suite("what containers leave", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct CrashContainerTests {
    @Test("many at once, removed")
    func many() throws {
        let bench = ShaleHome()
        try bench.run(["images"])
        let count = 20
        let starts = try (0..<count).map {
            try bench.start(["run", "-d", "--name", "many\($0)", "busybox", "sleep", "1000"], name: "start\($0)")
        }
        for (number, child) in starts.enumerated() {
            let status = child.wait()
            #expect(status == 0, "\(bench.said("start\(number)", status))")
        }
        let ids = try bench.run(["ps", "-q", "--no-trunc"]).lines
        #expect(ids.count == count)
        #expect(!(try ShaleHome.controlGroups(of: ids)).isEmpty || !ShaleHome.isRoot)
        let removals = try (0..<count).map {
            try bench.start(["rm", "-f", "many\($0)"], name: "remove\($0)")
        }
        for (number, child) in removals.enumerated() {
            let status = child.wait()
            #expect(status == 0, "\(bench.said("remove\(number)", status))")
        }
        try expectNothing(bench, ids)
    }

    @Test("with --rm, one after the other and at once")
    func removedByThemselves() throws {
        let bench = ShaleHome()
        try bench.run(["images"])
        let children = try (0..<8).map {
            try bench.start(["run", "--rm", "busybox", "sh", "-c", "echo \($0) > /f; exit \($0)"], name: "own\($0)")
        }
        for (number, child) in children.enumerated() {
            let status = child.wait()
            #expect(status == Int32(number), "\(bench.said("own\(number)", status))")
        }
        let detached = try bench.run(["run", "-d", "--rm", "busybox", "sleep", "0.2"]).lines
        try Waiting.until { try bench.run(["ps", "-aq"]).text.isEmpty }
        try expectNothing(bench, detached)
    }

    @Test("the runner killed")
    func runnerKilled() throws {
        let bench = ShaleHome()
        let id = try bench.run(["run", "-d", "--name", "box", "busybox", "sh", "-c", "sleep 1000 & sleep 1001"]).lines
        let runners = try runners(of: bench)
        #expect(!runners.isEmpty)
        for pid in runners { kill(pid, SIGKILL) }
        let left = bench.residue()
        #expect(left.isEmpty, "\(left)")
        #expect(try bench.run(["ps", "-q"]).text.isEmpty)
        let state = try bench.run(["inspect", "-f", "{{.State.Status}} {{.State.Running}}", "box"]).text
        #expect(state == "exited false\n", "\(state)")
        let exec = BadInputRow("shale exec box true", 125, "is not running")
        let said = try bench.sh(exec.script)
        #expect(exec.faults(said).isEmpty, "\(said)")
        // It can be started again, and removed.
        try bench.run(["start", "box"])
        #expect(try bench.run(["exec", "box", "echo", "again"]).text == "again\n")
        try bench.run(["rm", "-f", "box"])
        try expectNothing(bench, id)
    }

    @Test("the shell killed")
    func shellKilled() throws {
        let bench = ShaleHome()
        try bench.run(["images"])
        let front = try bench.start(["run", "--name", "box", "busybox", "sh", "-c", "sleep 1000"], name: "front")
        try Waiting.until { try !bench.run(["ps", "-q"]).text.isEmpty }
        front.stop(SIGKILL)
        // Its container goes on, as with docker.
        let id = try bench.run(["ps", "-q", "--no-trunc"]).lines
        #expect(id.count == 1)
        #expect(try bench.run(["exec", "box", "echo", "alive"]).text == "alive\n")
        try bench.run(["stop", "-t", "0", "box"])
        try bench.run(["rm", "box"])
        try expectNothing(bench, id)
    }

    @Test("an exec, a cp and an attach killed")
    func clientsKilled() throws {
        let bench = ShaleHome()
        let id = try bench.run(["run", "-d", "--name", "box", "busybox", "sleep", "1000"]).lines
        let clients = [
            try bench.start(["exec", "box", "sleep", "1002"], name: "exec"),
            try bench.start(["attach", "box"], name: "attach"),
            try bench.start(["logs", "-f", "box"], name: "logs"),
        ]
        usleep(300_000)
        for client in clients { client.stop(SIGKILL) }
        #expect(try bench.run(["exec", "box", "echo", "alive"]).text == "alive\n")
        try bench.run(["rm", "-f", "box"])
        try expectNothing(bench, id)
    }

    @Test("a commit killed while the container stands still: it goes on")
    func commitKilled() throws {
        let bench = ShaleHome()
        let script =
            "dd if=/dev/urandom of=/big bs=1M count=96 2>/dev/null; touch /ready; while :; do date +%N > /beat; done"
        let id = try bench.run(["run", "-d", "--name", "box", "busybox", "sh", "-c", script]).lines
        try Waiting.until(within: 60) {
            try bench.run(["exec", "box", "test", "-e", "/ready"], expecting: nil).status == 0
        }
        for _ in 0..<3 {
            let commit = try bench.start(["commit", "box", "made"], name: "commit")
            try Waiting.until {
                try !commit.isRunning || bench.run(["ps", "--format", "{{.State}}"]).text == "paused\n"
            }
            commit.stop(SIGKILL)
            try Waiting.until { try bench.run(["ps", "--format", "{{.State}}"]).text == "running\n" }
            let before = try bench.run(["exec", "box", "cat", "/beat"]).text
            try Waiting.until { try bench.run(["exec", "box", "cat", "/beat"]).text != before }
        }
        #expect(try bench.run(["images", "-q", "made"]).text == "")
        // Paused by hand it stays so, though a commit comes and goes.
        try bench.run(["pause", "box"])
        try bench.run(["commit", "box", "made"])
        #expect(try bench.run(["ps", "--format", "{{.State}}"]).text == "paused\n")
        try bench.run(["rm", "-f", "box"])
        try expectNothing(bench, id)
    }

    private func runners(of bench: ShaleHome) throws -> [Int32] {
        let found = bench.residue(within: 0)
        return found.filter { $0.contains("/runner.lock") }.compactMap { text in
            text.split(separator: " ").dropFirst().first.flatMap { Int32($0) }
        }
    }

    private func expectNothing(_ bench: ShaleHome, _ ids: [String]) throws {
        #expect(try bench.run(["ps", "-aq"]).text.isEmpty)
        try bench.expectWhole("containers gone")
        let left = bench.residue()
        #expect(left.isEmpty, "\(left)")
        #expect(try ShaleHome.controlGroups(of: ids) == [])
        #expect(try bench.sockets() == [])
        let folders = try bench.sh(
            "ls \"$SHALE_HOME\"/containers \"$SHALE_HOME\"/containers/names \"$SHALE_HOME\"/ingest")
        #expect(!folders.lines.contains { $0.count == 64 }, "\(folders)")
    }
}
