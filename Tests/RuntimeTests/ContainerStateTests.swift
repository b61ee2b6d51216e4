import Basics
import RunnerProtocol
import Testing

@Suite("state.json, by the type that writes and reads it")
struct ContainerStateTests {
    /// As the runner wrote it before shell and runner had one type for it.
    private static let running = """
        {"status":"running","pid":4242,"exitCode":0,"startedAt":"2026-01-02T03:04:05.6Z",\
        "finishedAt":"2026-01-02T03:04:00Z","restartCount":2,"pidStart":"9911","oomKilled":false,"error":"",\
        "ports":[{"proto":"udp","address":"127.0.0.1","host":8053,"container":53}],\
        "health":{"status":"unhealthy","failingStreak":3,"log":[{"start":"2026-01-02T03:04:06Z",\
        "end":"2026-01-02T03:04:07Z","exitCode":-1,"output":"no \\"answer\\"\\n"}]},"runnerPid":4240}

        """

    @Test("a running container's file means what it meant, and is written as it was, byte for byte")
    func running() throws {
        let state = ContainerState(parsing: Array(Self.running.utf8))
        #expect(state.status == .running && state.isRunning)
        #expect((state.pid, state.pidStart, state.runnerPid) == (4242, "9911", 4240))
        #expect(state.startedAt == Timestamp(rfc3339: "2026-01-02T03:04:05.6Z"))
        #expect(state.finishedAt == Timestamp(rfc3339: "2026-01-02T03:04:00Z"))
        #expect((state.exitCode, state.restartCount, state.oomKilled, state.error) == (0, 2, false, nil))
        #expect(
            state.ports == [PortBinding(proto: "udp", hostAddress: "127.0.0.1", hostPort: 8053, containerPort: 53)])
        let health = try #require(state.health)
        #expect((health.status, health.failures) == (.unhealthy, 3))
        #expect(health.probes.map(\.exitCode) == [-1] && health.probes.map(\.output) == ["no \"answer\"\n"])
        #expect(String(decoding: state.bytes, as: UTF8.self) == Self.running)
    }

    @Test(
        "files of older shales and of a recovery, with fewer members or in another order",
        arguments: [
            // A container that `build --step` kept.
            "{\"status\":\"exited\",\"pid\":0,\"exitCode\":137,\"startedAt\":\"2024-01-01T00:00:00Z\","
                + "\"finishedAt\":\"2024-01-01T00:00:09Z\",\"oomKilled\":true}",
            // One whose runner was killed.
            "{\"startedAt\":\"2024-01-01T00:00:00Z\",\"pidStart\":\"5\",\"oomKilled\":true,\"runnerPid\":7,"
                + "\"status\":\"exited\",\"pid\":0,\"exitCode\":137,\"finishedAt\":\"2024-01-01T00:00:09Z\","
                + "\"error\":\"the container's runner was killed\"}\n",
            // Times as numbers.
            "{\"status\":\"exited\",\"exitCode\":137,\"oomKilled\":true,\"startedAt\":1704067200000000000,"
                + "\"finishedAt\":1704067209000000000,\"ports\":[{\"proto\":\"tcp\"}],\"health\":{\"status\":\"odd\"}}",
        ])
    func older(_ text: String) {
        let state = ContainerState(parsing: Array(text.utf8))
        #expect((state.status, state.pid, state.exitCode, state.oomKilled) == (.exited, 0, 137, true))
        #expect(state.startedAt == Timestamp(rfc3339: "2024-01-01T00:00:00Z"))
        #expect(state.finishedAt == Timestamp(rfc3339: "2024-01-01T00:00:09Z"))
        #expect(state.ports.isEmpty && state.health == nil)
        #expect(ContainerState(parsing: state.bytes) == state)
    }

    @Test("whatever an error says comes back")
    func oddErrors() {
        var state = ContainerState(.created)
        state.error = "exec /bin/\u{1}\"\\\u{2028}\(OddByte.scalar(for: 0xFF).map(String.init) ?? "")é: no such file"
        #expect(ContainerState(parsing: state.bytes) == state)
    }
}
