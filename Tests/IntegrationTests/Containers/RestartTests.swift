import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Containers whose program is started again: by `restart`, and by their own policy.
@Suite("restarts", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
struct RestartTests {
    @Test("a detached --rm is restarted, and removed at its end only") func removedLater() throws {
        let bench = try CrashHome()
        try bench.must("run", "-d", "--rm", "--name", "box", "busybox", "sh", "-c", "echo on >> /log; sleep 1000")
        for _ in 0..<2 { #expect(try bench.must("restart", "-t", "0", "box").output == "box\n") }
        try CrashHome.wait { try bench.must("exec", "box", "cat", "/log").output == "on\non\non\n" }
        try bench.must("stop", "-t", "0", "box")
        #expect(try bench.must("ps", "-aq").output == "")
        // One in the foreground: whoever waits for it is told its end, and does not remove it.
        let front = try bench.start(["run", "--rm", "--name", "box", "busybox", "sleep", "1000"], name: "front")
        try CrashHome.wait { try bench.must("ps", "-q").lines.count == 1 }
        try bench.must("restart", "-t", "0", "box")
        #expect(front.wait() == 137)
        #expect(try bench.must("ps", "--format", "{{.Names}} {{.State}}").output == "box running\n")
        try bench.must("rm", "-f", "box")
        #expect(bench.residue().isEmpty)
    }

    @Test("rm -f and the container's own end by --rm do not stand in each other's way") func removedTwice() throws {
        let bench = try CrashHome()
        for _ in 0..<15 {
            try bench.must("run", "-d", "--rm", "--name", "box", "busybox", "sleep", "1000")
            let removed = try bench.must("rm", "-f", "box")
            #expect(removed.output == "box\n" && removed.errors == "")
            #expect(try bench.must("ps", "-aq").output == "")
        }
        #expect(bench.residue().isEmpty)
        try bench.expectWhole("fifteen removed twice")
    }

    @Test("on-failure: so often and no more; never after success") func onFailure() throws {
        let bench = try CrashHome()
        try bench.must(
            "run", "-d", "--name", "bad", "--restart", "on-failure:2", "busybox", "sh", "-c", "echo x; exit 3")
        try bench.must("run", "-d", "--name", "good", "--restart", "on-failure", "busybox", "echo", "x")
        let state =
            "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{.HostConfig.RestartPolicy.Name}} "
            + "{{.HostConfig.RestartPolicy.MaximumRetryCount}}"
        try CrashHome.wait {
            try bench.must("inspect", "-f", state, "bad", "good").lines
                == ["exited 3 2 on-failure 2", "exited 0 0 on-failure 0"]
        }
        #expect(try bench.must("logs", "bad").output == "x\nx\nx\n")
        #expect(try bench.must("logs", "good").output == "x\n")
        // Its run in the foreground tells the first end; the rest is its own.
        let front = try bench.shale([
            "run", "--restart", "on-failure:1", "--name", "front", "busybox", "sh", "-c", "exit 4",
        ])
        #expect(front.status == 4)
        try CrashHome.wait { try bench.must("inspect", "-f", state, "front").output.hasPrefix("exited 4 1") }
        #expect(bench.residue().isEmpty)
    }

    @Test("always: its files and log stay, stop and kill end it, a policy can be changed") func always() throws {
        let bench = try CrashHome()
        let script = "trap 'exit 9' USR1; echo >> /log; test $(wc -l < /log) -lt 3 && exit 1; sleep 1000 & wait"
        let made = try bench.must(
            "run", "-d", "--name", "box", "--restart", "always", "-m", "64m", "busybox", "sh", "-c", script)
        #expect(made.errors.contains("no daemon to start it at boot"))
        try CrashHome.wait { try bench.shale(["exec", "box", "wc", "-l", "/log"]).output == "3 /log\n" }
        #expect(try bench.must("inspect", "-f", "{{.RestartCount}} {{.State.Restarting}}", "box").output == "2 false\n")
        // A signal whose meaning is the program's own does not end it, and what it does then counts as an end.
        try bench.must("kill", "-s", "USR1", "box")
        try CrashHome.wait { try bench.must("inspect", "-f", "{{.RestartCount}}", "box").output == "3\n" }
        try bench.must("stop", "-t", "0", "box")
        #expect(try bench.must("ps", "-a", "--format", "{{.State}}").output == "exited\n")
        try bench.must("start", "box")
        #expect(try bench.must("inspect", "-f", "{{.RestartCount}}", "box").output == "0\n")
        try bench.must("kill", "box")
        #expect(try bench.must("ps", "-a", "--format", "{{.State}}").output == "exited\n")
        try bench.must("start", "box")
        try bench.must("update", "--restart", "no", "box")
        try bench.must("kill", "-s", "USR1", "box")
        try CrashHome.wait { try bench.must("ps", "-q").output == "" }
        try bench.must("rm", "box")
        #expect(bench.residue().isEmpty)
    }

    @Test("between two runs: docker's words, and stop ends it") func between() throws {
        let bench = try CrashHome()
        // Each end doubles the pause: after some it is long.
        try bench.must("run", "-d", "--name", "box", "--restart", "always", "busybox", "sh", "-c", "echo ran; exit 7")
        try CrashHome.wait { try (Int(bench.must("inspect", "-f", "{{.RestartCount}}", "box").lines[0]) ?? 0) >= 6 }
        try CrashHome.wait { try bench.must("ps", "--format", "{{.State}}").output == "restarting\n" }
        let status = try bench.must("ps", "--format", "{{.Status}}").output
        #expect(status.hasPrefix("Restarting (7) ") && status.hasSuffix(" ago\n"), "\(status)")
        #expect(try bench.must("ps", "-q", "--filter", "status=restarting").lines.count == 1)
        #expect(
            try bench.must("inspect", "-f", "{{.State.Restarting}} {{.State.Running}} {{.State.Pid}}", "box").output
                == "true true 0\n")
        for (words, refusal, code) in [
            (["exec", "box", "true"], "is restarting, wait until the container is running", 125),
            (["top", "box"], "is restarting, wait until the container is running", 1),
            (["pause", "box"], "is restarting, wait until the container is running", 1),
            (["attach", "box"], "You cannot attach to a restarting container, wait until it is running", 1),
            (["rm", "box"], "You cannot remove a restarting container", 1),
        ] as [([String], String, Int32)] {
            let said = try bench.shale(words)
            #expect(said.status == code && said.errors.contains(refusal), "\(words): \(said)")
        }
        // Its files are there meanwhile, also for those who write.
        try bench.must("cp", "box:/etc/passwd", "out")
        try bench.must("cp", "out", "box:/in")
        #expect(try bench.must("diff", "box").output == "A /in\n")
        #expect(try bench.must("stop", "box").output == "box\n")
        #expect(try bench.must("ps", "-a", "--format", "{{.Status}}").output.hasPrefix("Exited (7)"))
        #expect(bench.residue().isEmpty)
    }

    @Test("the runner killed, nothing is started again") func runnerKilled() throws {
        let bench = try CrashHome()
        try bench.must("run", "-d", "--name", "box", "--restart", "always", "busybox", "sleep", "1000")
        let runners = bench.residue(within: 0).filter { $0.contains("/runner.lock") }.compactMap { text in
            text.split(separator: " ").dropFirst().first.flatMap { Int32($0) }
        }
        #expect(!runners.isEmpty)
        for pid in runners { kill(pid, SIGKILL) }
        #expect(bench.residue().isEmpty)
        #expect(try bench.must("ps", "-a", "--format", "{{.State}}").output == "exited\n")
    }

    @Test(
        "what cannot be read or kept is refused in docker's words",
        arguments: [
            (["--rm", "--restart", "always"], "conflicting options: cannot specify both --restart and --rm"),
            (["--restart", "foo"], "invalid restart policy 'foo'"),
            (["--restart", "on-failure:x"], "invalid restart policy format: maximum retry count must be an integer"),
            (["--restart", "always:3"], "maximum retry count cannot be used with restart policy 'always'"),
            (["--restart", "on-failure:-1"], "maximum retry count cannot be negative"),
            (["--restart", ":3"], "invalid restart policy format: no policy provided before colon"),
            (["--memory-swap", "10m"], "You should always set the Memory limit when using Memoryswap limit"),
            (["-m", "10m", "--memory-swap", "7m"], "Minimum memoryswap limit should be larger than memory limit"),
            (["--cpuset-cpus", "4096"], "requested CPUs are not available - requested 4096, available: 0"),
            (["--cpuset-cpus", "q"], "invalid value \"q\" for cpuset cpus: invalid format: q"),
            (["-c", "1"], "the minimum allowed cpu-shares is 2"),
            (["--network", "container:"], "invalid network mode: invalid container format container:<name|id>"),
            (["--network", "container:nope"], "No such container: nope"),
            (["--name", "self", "--network", "container:self"], "cannot join own network"),
            (["--network", "container:a", "-p", "80"], "conflicting options: port publishing and the container type"),
            (["--network", "container:a", "-h", "x"], "conflicting options: hostname and the network mode"),
            (["--network", "container:a", "--dns", "1.1.1.1"], "conflicting options: dns and the network mode"),
            (["--network", "container:a", "--expose", "1"], "conflicting options: port exposing and the container"),
        ] as [([String], String)])
    func refused(_ options: [String], _ words: String) throws {
        let bench = try CrashHome()
        let said = try bench.shale(["run"] + options + ["busybox", "true"])
        #expect([64, 125].contains(said.status) && said.errors.contains(words), "\(said)")
        #expect(try bench.must("ps", "-aq").output == "")
    }
}

/// `update`, and networks that are shared.
@Suite("changed and joined containers", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
struct UpdateTests {
    @Test("limits of a running container change at once, and stay", .enabled(if: CrashHome.isRoot, "needs root"))
    func limits() throws {
        let bench = try CrashHome()
        try bench.must("run", "-d", "--name", "plain", "busybox", "sleep", "1000")
        try bench.must("run", "-d", "--name", "box", "-m", "64m", "busybox", "sleep", "1000")
        let limits = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}"
        for name in ["plain", "box"] {
            #expect(
                try bench.must("update", "-m", "32m", "--memory-swap", "96m", "--pids-limit", "5", name).output
                    == "\(name)\n")
            #expect(try bench.must("inspect", "-f", limits, name).output == "33554432 100663296\n")
            // They hold: a sixth process cannot be.
            let many = "for i in 1 2 3 4 5 6; do sleep 5 & done; wait"
            #expect(try bench.shale(["exec", name, "sh", "-c", many]).errors.contains("fork"), "\(name)")
            let stats = try bench.must("stats", "--no-stream", "--format", "{{.MemUsage}}", name).output
            #expect(stats.hasSuffix("/ 32MiB\n"), "\(stats)")
        }
        try bench.must("update", "--pids-limit", "-1", "--cpus", "0.5", "-c", "512", "--cpuset-cpus", "0", "box")
        let all =
            "{{json .HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.CpusetCpus}}"
        #expect(try bench.must("inspect", "-f", all, "box").output == "null 500000000 512 0\n")
        #expect(try bench.must("exec", "box", "grep", "Cpus_allowed_list", "/proc/1/status").output.hasSuffix("\t0\n"))
        let more = "for i in 1 2 3 4 5 6; do sleep 0 & done; wait; echo done"
        #expect(try bench.must("exec", "box", "sh", "-c", more).output == "done\n")
        // Another start begins with them.
        try bench.must("restart", "-t", "0", "box")
        #expect(try bench.must("exec", "box", "grep", "Cpus_allowed_list", "/proc/1/status").output.hasSuffix("\t0\n"))
        try bench.must("stop", "-t", "0", "box")
        try bench.must("update", "-m", "48m", "box")
        #expect(try bench.must("inspect", "-f", limits, "box").output == "50331648 100663296\n")
        let ids = try bench.must("ps", "-aq", "--no-trunc").lines
        try bench.must("rm", "-f", "plain", "box")
        #expect(try CrashHome.controlGroups(of: ids) == [])
    }

    @Test("what update refuses") func refused() throws {
        let bench = try CrashHome()
        try bench.must("run", "-d", "--rm", "--name", "box", "-m", "10m", "busybox", "sleep", "1000")
        for (words, refusal) in [
            ([], "you must provide one or more flags when using this command"),
            (["-m", "1m"], "Minimum memory limit allowed is 6MB"),
            (["-m", "x"], "invalid size: 'x'"),
            (["--cpus", "9999"], "range of CPUs is from 0.01 to"),
            (["--restart", "foo"], "invalid restart policy 'foo'"),
            (["--restart", "always"], "Restart policy cannot be updated because AutoRemove is enabled"),
        ] as [([String], String)] {
            let said = try bench.shale(["update"] + words + ["box"])
            #expect([1, 64].contains(said.status) && said.errors.contains(refusal), "\(words): \(said)")
        }
        if CrashHome.isRoot {
            let said = try bench.shale(["update", "-m", "64m", "box"])
            #expect(said.errors.contains("Memory limit should be smaller than already set memoryswap limit"), "\(said)")
        }
        let missing = try bench.shale(["update", "-m", "64m", "nope"])
        #expect(missing.status == 1 && missing.errors.contains("No such container: nope"))
        try bench.must("rm", "-f", "box")
    }

    @Test("a shared network: one localhost, one name, one set of hosts") func sharedNetwork() throws {
        let bench = try CrashHome()
        let server = "mkdir /www; echo inside > /www/index.html; httpd -p 80 -h /www; sleep 1000"
        try bench.must(
            "run", "-d", "--name", "web", "--network", "none", "-h", "webhost", "--add-host", "db:1.2.3.4", "busybox",
            "sh", "-c", server)
        let client = "until wget -q -O - http://127.0.0.1/; do sleep 0.05; done; hostname; grep db /etc/hosts; ls /www"
        let said = try bench.shale(["run", "--rm", "--network", "container:web", "busybox", "sh", "-c", client])
        #expect(said.output == "inside\nwebhost\n1.2.3.4\tdb\n" && said.status == 1, "\(said)")
        // By an exec too, and by a third that joins the second.
        try bench.must("run", "-d", "--name", "two", "--network", "container:web", "busybox", "sleep", "1000")
        let ask = ["wget", "-q", "-O", "-", "http://127.0.0.1/"]
        #expect(try bench.must(["exec", "two"] + ask).output == "inside\n")
        #expect(try bench.must(["run", "--rm", "--network", "container:two", "busybox"] + ask).output == "inside\n")
        let id = try bench.must("inspect", "-f", "{{.Id}}", "web").lines[0]
        #expect(try bench.must("inspect", "-f", "{{.HostConfig.NetworkMode}}", "two").output == "container:\(id)\n")
        try bench.must("stop", "-t", "0", "web", "two")
        let stopped = try bench.shale(["start", "two"])
        #expect(stopped.status == 1 && stopped.errors.contains("cannot join network of a non running container: \(id)"))
        try bench.must("start", "web", "two")
        try bench.must("rm", "-f", "web", "two")
        #expect(bench.residue().isEmpty)
        // That of a container on the host's network is the host's.
        try bench.must("run", "-d", "--name", "host", "busybox", "sleep", "1000")
        let namespaces = try bench.must(
            "run", "--rm", "--network", "container:host", "busybox", "readlink", "/proc/self/ns/net")
        #expect(try Peer("readlink").run(["/proc/self/ns/net"]).text == namespaces.output)
        try bench.must("rm", "-f", "host")
    }
}
