import Glibc
import TestSupport
import Testing

/// What is watched over while a container runs: its health, its log's size, its limits.
@Suite("watched containers", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct WatchedContainerTests {
    private static func status(_ bench: ShaleHome, _ name: String) throws -> String {
        try bench.run(["inspect", "-f", "{{.State.Health.Status}}", name]).text
    }

    @Test("health: starting, unhealthy, healthy") func health() throws {
        let bench = ShaleHome()
        try bench.run([
            "run", "-d", "--name", "well", "--health-cmd", "test -e /ok || { echo no; exit 3; }", "--health-interval",
            "200ms", "--health-retries", "2", "busybox", "sleep", "60",
        ])
        #expect(try Self.status(bench, "well") == "starting\n")
        #expect(try bench.run(["ps", "--format", "{{.Status}}"]).text.hasSuffix("(health: starting)\n"))
        try Waiting.until { try Self.status(bench, "well") == "unhealthy\n" }
        let last = "{{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{end}}"
        #expect(try bench.run(["inspect", "-f", last, "well"]).text.hasPrefix("3 no\n3 no\n"))
        try bench.run(["exec", "well", "touch", "/ok"])
        try Waiting.until { try Self.status(bench, "well") == "healthy\n" }
        #expect(try bench.run(["ps", "--format", "{{.Status}}"]).text.hasSuffix("(healthy)\n"))
        #expect(try bench.run(["ps", "-q", "--filter", "health=healthy"]).lines.count == 1)
        #expect(try bench.run(["ps", "-q", "--filter", "health=none"]).lines.isEmpty)
        try bench.run(["rm", "-f", "well"])
        #expect(bench.residue().isEmpty)
    }

    @Test("health: an image's check, a check that hangs, and none") func healthOfImages() throws {
        let bench = ShaleHome()
        try bench.write(
            "FROM busybox\nHEALTHCHECK --interval=200ms --timeout=200ms --retries=1 CMD sleep 30\n", to: "Dockerfile")
        try bench.run(["build", "-q", "-t", "checked", "."])
        try bench.run(["run", "-d", "--name", "slow", "checked", "sleep", "60"])
        try Waiting.until { try Self.status(bench, "slow") == "unhealthy\n" }
        let said = try bench.run(["inspect", "-f", "{{(index .State.Health.Log 0).Output}}", "slow"]).text
        #expect(said.hasPrefix("Health check exceeded timeout (200ms)"))
        try bench.run(["run", "-d", "--name", "free", "--no-healthcheck", "checked", "sleep", "60"])
        #expect(try bench.run(["inspect", "-f", "{{json .State}}", "free"]).text.contains("Health") == false)
        let bad = try bench.run(["run", "--no-healthcheck", "--health-cmd", "true", "busybox"], expecting: nil)
        #expect(bad.status == 125 && bad.errors.contains("--no-healthcheck conflicts with --health-* options"))
        try bench.run(["rm", "-f", "slow", "free"])
        #expect(bench.residue().isEmpty)
    }

    @Test("a log has a bound, and is read whole across its files") func rotation() throws {
        let bench = ShaleHome()
        let lines = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done"
        try bench.run([
            "run", "--name", "short", "--log-opt", "max-size=1k", "--log-opt", "max-file=3", "busybox", "sh", "-c",
            lines,
        ])
        let kept = try bench.run(["logs", "short"]).lines
        #expect(kept.last == "line 199" && kept.count > 20 && kept.count < 60)
        #expect(kept.first == "line \(200 - kept.count)")
        #expect(try bench.sh("ls '\(bench.home)'/containers/*/log*").lines.count == 3)
        try bench.run([
            "run", "-d", "--name", "long", "--log-opt", "max-size=2k", "--log-opt", "max-file=99", "busybox", "sh",
            "-c",
            "until test -e /go; do sleep 0.05; done; \(lines); sleep 0.3; echo last >&2",
        ])
        let follower = try bench.start(["logs", "-f", "long"], name: "follower")
        try bench.run(["exec", "long", "touch", "/go"])
        #expect(follower.wait() == 0)
        let followed = bench.said("follower", 0)
        #expect(followed.lines == (0..<200).map { "line \($0)" } && followed.errors == "last\n")
        let bad = try bench.run(["run", "--log-opt", "nope=1", "busybox"], expecting: nil)
        #expect(bad.status == 125 && bad.errors.contains("unknown log opt 'nope' for json-file log driver"))
        try bench.run(["rm", "short", "long"])
    }

    @Test("limits hold, are seen inside, and are told", .enabled(if: ShaleHome.isRoot, "needs root"))
    func limits() throws {
        let bench = ShaleHome()
        let memory = try bench.run(
            [
                "run", "--name", "fat", "-m", "16m", "busybox", "dd", "if=/dev/zero", "of=/dev/null", "bs=200M",
                "count=1",
            ], expecting: nil)
        #expect(memory.status == 137, "\(memory)")
        #expect(try bench.run(["inspect", "-f", "{{.State.OOMKilled}}", "fat"]).text == "true\n")
        let seen = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
        #expect(
            try bench.run(["run", "--rm", "-m", "32m", "busybox", "sh", "-c", seen + ";true"]).text == "33554432\n")
        let forks = try bench.run(
            [
                "run", "--rm", "--pids-limit", "4", "busybox", "sh", "-c",
                "for i in 1 2 3 4 5 6; do sleep 0.2 & done; wait",
            ], expecting: nil)
        #expect(forks.errors.contains("can't fork"))
        try bench.run(
            ["run", "-d", "--name", "busy", "--cpus", "0.3", "-m", "64m", "busybox", "sh", "-c", "while :; do :; done"])
        try Waiting.until {
            let line = try bench.run([
                "stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}", "busy",
            ]).text
            let share = Double(line.prefix { $0 != "%" }) ?? 100
            return share > 5 && share < 60 && line.contains("/ 64MiB") && line.hasSuffix(" 1\n")
        }
        let ids = try bench.run(["ps", "-aq", "--no-trunc"]).lines
        try bench.run(["rm", "-f", "fat", "busy"])
        #expect(try ShaleHome.controlGroups(of: ids).isEmpty)
        #expect(bench.residue().isEmpty)
    }

    @Test(
        "without control groups of one's own a limit is told to be discarded",
        .enabled(if: ShaleHome.Account.tester != nil, "\(ShaleHome.Account.noTester)"))
    func discarded() throws {
        let tester = try #require(ShaleHome.Account.tester)
        let bench = try ShaleHome(as: tester)
        let said = try bench.run(["run", "--name", "free", "-m", "64m", "busybox", "true"], expecting: nil)
        guard said.errors.contains("Limitation discarded") else {
            // A host that hands groups over: then the limit is there.
            #expect(try bench.run(["inspect", "-f", "{{.HostConfig.Memory}}", "free"]).text == "67108864\n")
            return
        }
        #expect(said.status == 0 && said.errors.contains("WARNING: --memory"))
        #expect(try bench.run(["inspect", "-f", "{{.HostConfig.Memory}}", "free"]).text == "0\n")
        let doctor = try bench.run(["doctor"], expecting: nil)
        #expect(doctor.text.contains("limited  cgroups"))
    }
}
