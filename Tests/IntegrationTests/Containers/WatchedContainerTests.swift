import Glibc
import TestSupport
import Testing

/// What is watched over while a container runs: its health, its log's size, its limits.
@Suite("watched containers", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
struct WatchedContainerTests {
    private static func status(_ bench: CrashHome, _ name: String) throws -> String {
        try bench.must("inspect", "-f", "{{.State.Health.Status}}", name).output
    }

    @Test("health: starting, unhealthy, healthy") func health() throws {
        let bench = try CrashHome()
        try bench.must(
            "run", "-d", "--name", "well", "--health-cmd", "test -e /ok || { echo no; exit 3; }", "--health-interval",
            "200ms", "--health-retries", "2", "busybox", "sleep", "60")
        #expect(try Self.status(bench, "well") == "starting\n")
        #expect(try bench.must("ps", "--format", "{{.Status}}").output.hasSuffix("(health: starting)\n"))
        try CrashHome.wait { try Self.status(bench, "well") == "unhealthy\n" }
        let last = "{{range .State.Health.Log}}{{.ExitCode}} {{.Output}}{{end}}"
        #expect(try bench.must("inspect", "-f", last, "well").output.hasPrefix("3 no\n3 no\n"))
        try bench.must("exec", "well", "touch", "/ok")
        try CrashHome.wait { try Self.status(bench, "well") == "healthy\n" }
        #expect(try bench.must("ps", "--format", "{{.Status}}").output.hasSuffix("(healthy)\n"))
        #expect(try bench.must("ps", "-q", "--filter", "health=healthy").lines.count == 1)
        #expect(try bench.must("ps", "-q", "--filter", "health=none").lines.isEmpty)
        try bench.must("rm", "-f", "well")
        #expect(bench.residue().isEmpty)
    }

    @Test("health: an image's check, a check that hangs, and none") func healthOfImages() throws {
        let bench = try CrashHome()
        try bench.write(
            "FROM busybox\nHEALTHCHECK --interval=200ms --timeout=200ms --retries=1 CMD sleep 30\n", as: "Dockerfile")
        try bench.must("build", "-q", "-t", "checked", ".")
        try bench.must("run", "-d", "--name", "slow", "checked", "sleep", "60")
        try CrashHome.wait { try Self.status(bench, "slow") == "unhealthy\n" }
        let said = try bench.must("inspect", "-f", "{{(index .State.Health.Log 0).Output}}", "slow").output
        #expect(said.hasPrefix("Health check exceeded timeout (200ms)"))
        try bench.must("run", "-d", "--name", "free", "--no-healthcheck", "checked", "sleep", "60")
        #expect(try bench.must("inspect", "-f", "{{json .State}}", "free").output.contains("Health") == false)
        let bad = try bench.shale(["run", "--no-healthcheck", "--health-cmd", "true", "busybox"])
        #expect(bad.status == 125 && bad.errors.contains("--no-healthcheck conflicts with --health-* options"))
        try bench.must("rm", "-f", "slow", "free")
        #expect(bench.residue().isEmpty)
    }

    @Test("a log has a bound, and is read whole across its files") func rotation() throws {
        let bench = try CrashHome()
        let lines = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done"
        try bench.must(
            "run", "--name", "short", "--log-opt", "max-size=1k", "--log-opt", "max-file=3", "busybox", "sh", "-c",
            lines)
        let kept = try bench.must("logs", "short").lines
        #expect(kept.last == "line 199" && kept.count > 20 && kept.count < 60)
        #expect(kept.first == "line \(200 - kept.count)")
        #expect(try bench.sh("ls '\(bench.home)'/containers/*/log*").lines.count == 3)
        try bench.must(
            "run", "-d", "--name", "long", "--log-opt", "max-size=2k", "--log-opt", "max-file=99", "busybox", "sh",
            "-c",
            "until test -e /go; do sleep 0.05; done; \(lines); sleep 0.3; echo last >&2")
        let follower = try bench.start(["logs", "-f", "long"], name: "follower")
        try bench.must("exec", "long", "touch", "/go")
        #expect(follower.wait() == 0)
        let followed = bench.said("follower", 0)
        #expect(followed.lines == (0..<200).map { "line \($0)" } && followed.errors == "last\n")
        let bad = try bench.shale(["run", "--log-opt", "nope=1", "busybox"])
        #expect(bad.status == 125 && bad.errors.contains("unknown log opt 'nope' for json-file log driver"))
        try bench.must("rm", "short", "long")
    }

    @Test("limits hold, are seen inside, and are told", .enabled(if: CrashHome.isRoot, "needs root"))
    func limits() throws {
        let bench = try CrashHome()
        let memory = try bench.shale(
            [
                "run", "--name", "fat", "-m", "16m", "busybox", "dd", "if=/dev/zero", "of=/dev/null", "bs=200M",
                "count=1",
            ])
        #expect(memory.status == 137, "\(memory)")
        #expect(try bench.must("inspect", "-f", "{{.State.OOMKilled}}", "fat").output == "true\n")
        let seen = "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null"
        #expect(
            try bench.must("run", "--rm", "-m", "32m", "busybox", "sh", "-c", seen + ";true").output == "33554432\n")
        let forks = try bench.shale(
            [
                "run", "--rm", "--pids-limit", "4", "busybox", "sh", "-c",
                "for i in 1 2 3 4 5 6; do sleep 0.2 & done; wait",
            ])
        #expect(forks.errors.contains("can't fork"))
        try bench.must(
            ["run", "-d", "--name", "busy", "--cpus", "0.3", "-m", "64m", "busybox", "sh", "-c", "while :; do :; done"])
        try CrashHome.wait {
            let line = try bench.must(
                "stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}", "busy"
            ).output
            let share = Double(line.prefix { $0 != "%" }) ?? 100
            return share > 5 && share < 60 && line.contains("/ 64MiB") && line.hasSuffix(" 1\n")
        }
        let ids = try bench.must("ps", "-aq", "--no-trunc").lines
        try bench.must("rm", "-f", "fat", "busy")
        #expect(try CrashHome.controlGroups(of: ids).isEmpty)
        #expect(bench.residue().isEmpty)
    }

    @Test(
        "without control groups of one's own a limit is told to be discarded",
        .enabled(if: CrashHome.isRoot && RootlessTests.tester != nil, "needs root to become the user shale-test"))
    func discarded() throws {
        let tester = try #require(RootlessTests.tester)
        let bench = try CrashHome(as: .user(uid: tester.uid, gid: tester.gid))
        let said = try bench.shale(["run", "--name", "free", "-m", "64m", "busybox", "true"])
        guard said.errors.contains("Limitation discarded") else {
            // A host that hands groups over: then the limit is there.
            #expect(try bench.must("inspect", "-f", "{{.HostConfig.Memory}}", "free").output == "67108864\n")
            return
        }
        #expect(said.status == 0 && said.errors.contains("WARNING: --memory"))
        #expect(try bench.must("inspect", "-f", "{{.HostConfig.Memory}}", "free").output == "0\n")
        let doctor = try bench.shale(["doctor"])
        #expect(doctor.output.contains("limited  cgroups"))
    }
}
