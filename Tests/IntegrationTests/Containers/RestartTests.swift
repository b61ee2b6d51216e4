import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Containers whose program is started again: by `restart`, and by their own policy.
@Suite("restarts", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RestartTests {
    @Test("a detached --rm is restarted, and removed at its end only") func removedLater() throws {
        let bench = ShaleHome()
        try bench.run(["run", "-d", "--rm", "--name", "box", "busybox", "sh", "-c", "echo on >> /log; sleep 1000"])
        for _ in 0..<2 { #expect(try bench.run(["restart", "-t", "0", "box"]).text == "box\n") }
        try Waiting.until { try bench.run(["exec", "box", "cat", "/log"]).text == "on\non\non\n" }
        try bench.run(["stop", "-t", "0", "box"])
        #expect(try bench.run(["ps", "-aq"]).text == "")
        // One in the foreground: whoever waits for it is told its end, and does not remove it.
        let front = try bench.start(["run", "--rm", "--name", "box", "busybox", "sleep", "1000"], name: "front")
        try Waiting.until { try bench.run(["ps", "-q"]).lines.count == 1 }
        try bench.run(["restart", "-t", "0", "box"])
        #expect(front.wait() == 137)
        #expect(try bench.run(["ps", "--format", "{{.Names}} {{.State}}"]).text == "box running\n")
        try bench.run(["rm", "-f", "box"])
        #expect(bench.residue().isEmpty)
    }

    @Test("rm -f and the container's own end by --rm do not stand in each other's way") func removedTwice() throws {
        let bench = ShaleHome()
        for _ in 0..<15 {
            try bench.run(["run", "-d", "--rm", "--name", "box", "busybox", "sleep", "1000"])
            let removed = try bench.run(["rm", "-f", "box"])
            #expect(removed.text == "box\n" && removed.errors == "")
            #expect(try bench.run(["ps", "-aq"]).text == "")
        }
        #expect(bench.residue().isEmpty)
        try bench.expectWhole("fifteen removed twice")
    }

    @Test("on-failure: so often and no more; never after success") func onFailure() throws {
        let bench = ShaleHome()
        try bench.run([
            "run", "-d", "--name", "bad", "--restart", "on-failure:2", "busybox", "sh", "-c", "echo x; exit 3",
        ])
        try bench.run(["run", "-d", "--name", "good", "--restart", "on-failure", "busybox", "echo", "x"])
        let state =
            "{{.State.Status}} {{.State.ExitCode}} {{.RestartCount}} {{.HostConfig.RestartPolicy.Name}} "
            + "{{.HostConfig.RestartPolicy.MaximumRetryCount}}"
        try Waiting.until {
            try bench.run(["inspect", "-f", state, "bad", "good"]).lines
                == ["exited 3 2 on-failure 2", "exited 0 0 on-failure 0"]
        }
        #expect(try bench.run(["logs", "bad"]).text == "x\nx\nx\n")
        #expect(try bench.run(["logs", "good"]).text == "x\n")
        // Its run in the foreground tells the first end; the rest is its own.
        let front = try bench.run(
            [
                "run", "--restart", "on-failure:1", "--name", "front", "busybox", "sh", "-c", "exit 4",
            ], expecting: nil)
        #expect(front.status == 4)
        try Waiting.until { try bench.run(["inspect", "-f", state, "front"]).text.hasPrefix("exited 4 1") }
        #expect(bench.residue().isEmpty)
    }

    @Test("always: its files and log stay, stop and kill end it, a policy can be changed") func always() throws {
        let bench = ShaleHome()
        let script = "trap 'exit 9' USR1; echo >> /log; test $(wc -l < /log) -lt 3 && exit 1; sleep 1000 & wait"
        let made = try bench.run([
            "run", "-d", "--name", "box", "--restart", "always", "-m", "64m", "busybox", "sh", "-c", script,
        ])
        #expect(made.errors.contains("no daemon to start it at boot"))
        try Waiting.until { try bench.run(["exec", "box", "wc", "-l", "/log"], expecting: nil).text == "3 /log\n" }
        #expect(try bench.run(["inspect", "-f", "{{.RestartCount}} {{.State.Restarting}}", "box"]).text == "2 false\n")
        // A signal whose meaning is the program's own does not end it, and what it does then counts as an end.
        try bench.run(["kill", "-s", "USR1", "box"])
        try Waiting.until { try bench.run(["inspect", "-f", "{{.RestartCount}}", "box"]).text == "3\n" }
        try bench.run(["stop", "-t", "0", "box"])
        #expect(try bench.run(["ps", "-a", "--format", "{{.State}}"]).text == "exited\n")
        try bench.run(["start", "box"])
        #expect(try bench.run(["inspect", "-f", "{{.RestartCount}}", "box"]).text == "0\n")
        try bench.run(["kill", "box"])
        #expect(try bench.run(["ps", "-a", "--format", "{{.State}}"]).text == "exited\n")
        try bench.run(["start", "box"])
        try bench.run(["update", "--restart", "no", "box"])
        try bench.run(["kill", "-s", "USR1", "box"])
        try Waiting.until { try bench.run(["ps", "-q"]).text == "" }
        try bench.run(["rm", "box"])
        #expect(bench.residue().isEmpty)
    }

    @Test("between two runs: docker's words, and stop ends it") func between() throws {
        let bench = ShaleHome()
        // Each end doubles the pause: after some it is long.
        try bench.run(["run", "-d", "--name", "box", "--restart", "always", "busybox", "sh", "-c", "echo ran; exit 7"])
        try Waiting.until { try (Int(bench.run(["inspect", "-f", "{{.RestartCount}}", "box"]).lines[0]) ?? 0) >= 6 }
        try Waiting.until { try bench.run(["ps", "--format", "{{.State}}"]).text == "restarting\n" }
        let status = try bench.run(["ps", "--format", "{{.Status}}"]).text
        #expect(status.hasPrefix("Restarting (7) ") && status.hasSuffix(" ago\n"), "\(status)")
        #expect(try bench.run(["ps", "-q", "--filter", "status=restarting"]).lines.count == 1)
        #expect(
            try bench.run(["inspect", "-f", "{{.State.Restarting}} {{.State.Running}} {{.State.Pid}}", "box"]).text
                == "true true 0\n")
        for (words, refusal, code) in [
            (["exec", "box", "true"], "is restarting, wait until the container is running", 125),
            (["top", "box"], "is restarting, wait until the container is running", 1),
            (["pause", "box"], "is restarting, wait until the container is running", 1),
            (["attach", "box"], "You cannot attach to a restarting container, wait until it is running", 1),
            (["rm", "box"], "You cannot remove a restarting container", 1),
        ] as [([String], String, Int32)] {
            let said = try bench.run(words, expecting: nil)
            #expect(said.status == code && said.errors.contains(refusal), "\(words): \(said)")
        }
        // Its files are there meanwhile, also for those who write.
        try bench.run(["cp", "box:/etc/passwd", "out"])
        try bench.run(["cp", "out", "box:/in"])
        #expect(try bench.run(["diff", "box"]).text == "A /in\n")
        #expect(try bench.run(["stop", "box"]).text == "box\n")
        #expect(try bench.run(["ps", "-a", "--format", "{{.Status}}"]).text.hasPrefix("Exited (7)"))
        #expect(bench.residue().isEmpty)
    }

    @Test("the runner killed, nothing is started again") func runnerKilled() throws {
        let bench = ShaleHome()
        try bench.run(["run", "-d", "--name", "box", "--restart", "always", "busybox", "sleep", "1000"])
        let runners = bench.residue(within: 0).filter { $0.contains("/runner.lock") }.compactMap { text in
            text.split(separator: " ").dropFirst().first.flatMap { Int32($0) }
        }
        #expect(!runners.isEmpty)
        for pid in runners { kill(pid, SIGKILL) }
        #expect(bench.residue().isEmpty)
        #expect(try bench.run(["ps", "-a", "--format", "{{.State}}"]).text == "exited\n")
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
        let bench = ShaleHome()
        let said = try bench.run(["run"] + options + ["busybox", "true"], expecting: nil)
        #expect([64, 125].contains(said.status) && said.errors.contains(words), "\(said)")
        #expect(try bench.run(["ps", "-aq"]).text == "")
    }
}

/// `update`, and networks that are shared.
@Suite("changed and joined containers", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct UpdateTests {
    @Test("limits of a running container change at once, and stay", .enabled(if: ShaleHome.isRoot, "needs root"))
    func limits() throws {
        let bench = ShaleHome()
        try bench.run(["run", "-d", "--name", "plain", "busybox", "sleep", "1000"])
        try bench.run(["run", "-d", "--name", "box", "-m", "64m", "busybox", "sleep", "1000"])
        let limits = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}}"
        for name in ["plain", "box"] {
            #expect(
                try bench.run(["update", "-m", "32m", "--memory-swap", "96m", "--pids-limit", "5", name]).text
                    == "\(name)\n")
            #expect(try bench.run(["inspect", "-f", limits, name]).text == "33554432 100663296\n")
            // They hold: a sixth process cannot be.
            let many = "for i in 1 2 3 4 5 6; do sleep 5 & done; wait"
            #expect(try bench.run(["exec", name, "sh", "-c", many], expecting: nil).errors.contains("fork"), "\(name)")
            let stats = try bench.run(["stats", "--no-stream", "--format", "{{.MemUsage}}", name]).text
            #expect(stats.hasSuffix("/ 32MiB\n"), "\(stats)")
        }
        try bench.run(["update", "--pids-limit", "-1", "--cpus", "0.5", "-c", "512", "--cpuset-cpus", "0", "box"])
        let all =
            "{{json .HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}} {{.HostConfig.CpuShares}} {{.HostConfig.CpusetCpus}}"
        #expect(try bench.run(["inspect", "-f", all, "box"]).text == "null 500000000 512 0\n")
        #expect(try bench.run(["exec", "box", "grep", "Cpus_allowed_list", "/proc/1/status"]).text.hasSuffix("\t0\n"))
        let more = "for i in 1 2 3 4 5 6; do sleep 0 & done; wait; echo done"
        #expect(try bench.run(["exec", "box", "sh", "-c", more]).text == "done\n")
        // Another start begins with them.
        try bench.run(["restart", "-t", "0", "box"])
        #expect(try bench.run(["exec", "box", "grep", "Cpus_allowed_list", "/proc/1/status"]).text.hasSuffix("\t0\n"))
        try bench.run(["stop", "-t", "0", "box"])
        try bench.run(["update", "-m", "48m", "box"])
        #expect(try bench.run(["inspect", "-f", limits, "box"]).text == "50331648 100663296\n")
        let ids = try bench.run(["ps", "-aq", "--no-trunc"]).lines
        try bench.run(["rm", "-f", "plain", "box"])
        #expect(try ShaleHome.controlGroups(of: ids) == [])
    }

    @Test("what update refuses") func refused() throws {
        let bench = ShaleHome()
        try bench.run(["run", "-d", "--rm", "--name", "box", "-m", "10m", "busybox", "sleep", "1000"])
        for (words, refusal) in [
            ([], "you must provide one or more flags when using this command"),
            (["-m", "1m"], "Minimum memory limit allowed is 6MB"),
            (["-m", "x"], "invalid size: 'x'"),
            (["--cpus", "9999"], "range of CPUs is from 0.01 to"),
            (["--restart", "foo"], "invalid restart policy 'foo'"),
            (["--restart", "always"], "Restart policy cannot be updated because AutoRemove is enabled"),
        ] as [([String], String)] {
            let said = try bench.run(["update"] + words + ["box"], expecting: nil)
            #expect([1, 64].contains(said.status) && said.errors.contains(refusal), "\(words): \(said)")
        }
        if ShaleHome.isRoot {
            let said = try bench.run(["update", "-m", "64m", "box"], expecting: nil)
            #expect(said.errors.contains("Memory limit should be smaller than already set memoryswap limit"), "\(said)")
        }
        let missing = try bench.run(["update", "-m", "64m", "nope"], expecting: nil)
        #expect(missing.status == 1 && missing.errors.contains("No such container: nope"))
        try bench.run(["rm", "-f", "box"])
    }

    @Test("a shared network: one localhost, one name, one set of hosts") func sharedNetwork() throws {
        let bench = ShaleHome()
        let server = "mkdir /www; echo inside > /www/index.html; httpd -p 80 -h /www; sleep 1000"
        try bench.run([
            "run", "-d", "--name", "web", "--network", "none", "-h", "webhost", "--add-host", "db:1.2.3.4", "busybox",
            "sh", "-c", server,
        ])
        let client = "until wget -q -O - http://127.0.0.1/; do sleep 0.05; done; hostname; grep db /etc/hosts; ls /www"
        let said = try bench.run(
            ["run", "--rm", "--network", "container:web", "busybox", "sh", "-c", client], expecting: nil)
        #expect(said.text == "inside\nwebhost\n1.2.3.4\tdb\n" && said.status == 1, "\(said)")
        // By an exec too, and by a third that joins the second.
        try bench.run(["run", "-d", "--name", "two", "--network", "container:web", "busybox", "sleep", "1000"])
        let ask = ["wget", "-q", "-O", "-", "http://127.0.0.1/"]
        #expect(try bench.run(["exec", "two"] + ask).text == "inside\n")
        #expect(try bench.run(["run", "--rm", "--network", "container:two", "busybox"] + ask).text == "inside\n")
        let id = try bench.run(["inspect", "-f", "{{.Id}}", "web"]).lines[0]
        #expect(try bench.run(["inspect", "-f", "{{.HostConfig.NetworkMode}}", "two"]).text == "container:\(id)\n")
        try bench.run(["stop", "-t", "0", "web", "two"])
        let stopped = try bench.run(["start", "two"], expecting: nil)
        #expect(stopped.status == 1 && stopped.errors.contains("cannot join network of a non running container: \(id)"))
        try bench.run(["start", "web", "two"])
        try bench.run(["rm", "-f", "web", "two"])
        #expect(bench.residue().isEmpty)
        // That of a container on the host's network is the host's.
        try bench.run(["run", "-d", "--name", "host", "busybox", "sleep", "1000"])
        let namespaces = try bench.run([
            "run", "--rm", "--network", "container:host", "busybox", "readlink", "/proc/self/ns/net",
        ])
        #expect(try Peer("readlink").run(["/proc/self/ns/net"]).text == namespaces.text)
        try bench.run(["rm", "-f", "host"])
    }
}
