import TestSupport
import Testing

/// What options bring about, and the words for those that docker refuses, through the built program.
@Suite("what options bring about", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct OptionEffectTests {
    @Test(
        "values that docker refuses",
        arguments: [
            ("ps --filter health=foo", "Unrecognised filter value for health: foo"),
            ("ps --filter is-task=maybe", "Invalid filter 'is-task=[maybe]'"),
            ("prune -f --filter bogus=1", "Invalid filter 'bogus'"),
            ("prune -f --filter until=foo", "failed to parse value as time or duration: \"foo\""),
            ("images --filter until=foo", "failed to parse value as time or duration: \"foo\""),
            (
                "create --name con busybox true && shale logs --since foo con",
                "invalid value for \"since\": failed to parse value as time or duration: \"foo\""
            ),
            ("run -m 1x busybox true", "invalid argument \"1x\" for \"-m, --memory\" flag: invalid size: '1x'"),
            ("run --memory-swap x busybox true", "for \"--memory-swap\" flag: invalid size: 'x'"),
            ("run --shm-size 1..2k busybox true", "for \"--shm-size\" flag: invalid size: '1..2k'"),
            ("build --shm-size x .", "for \"--shm-size\" flag: invalid size: 'x'"),
            ("build -m x .", "for \"-m, --memory\" flag: invalid size: 'x'"),
            ("run --log-opt max-size=1e3 busybox true", "invalid value for max-size: \"1e3\""),
            ("run --mount type=tmpfs,dst=/t,tmpfs-size=x busybox true", "invalid value for tmpfs-size: x"),
            (
                "run --health-cmd true --health-interval 5x busybox true",
                "\"5x\" for \"--health-interval\" flag: time: unknown unit \"x\" in duration \"5x\""
            ),
            ("run -v /tmp:/m:ro,rw busybox true", "invalid mode: ro,rw"),
            (
                "run -v /tmp:/m:nocopy busybox true",
                "'/tmp:/m:nocopy': invalid mount config for type \"bind\": field VolumeOptions must not be specified"
            ),
            ("run --ulimit foo=1 busybox true", "invalid ulimit type: foo"),
            ("run --ulimit nofile=x busybox true", "strconv.ParseInt: parsing \"x\": invalid syntax"),
            ("run --ulimit nofile=1:2:3 busybox true", "too many limit value arguments - 1:2:3"),
            (
                "run --ulimit nofile=2:1 busybox true",
                "ulimit soft limit must be less than or equal to hard limit: 2 > 1"
            ),
            ("run --env-file null busybox true", "a variable's value cannot hold a null byte, line 1"),
            ("run -v \"$PWD/nowhere:/m\" busybox true", "error while creating mount source path"),
        ] as [(String, String)])
    func refusals(_ line: String, _ words: String) throws {
        let bench = ShaleHome()
        let said = try bench.sh("printf 'A=1\\0B\\n' > null; ln -s gone nowhere; shale \(line)")
        #expect(said.status != 0 && said.errors.contains(words), "\(said)")
        #expect(try bench.sh("test -e gone").status != 0)
    }

    @Test("a time means the same in logs, prune and images", arguments: ["1.5h", "1h30m", "90m", "1d", "@now"])
    func times(_ text: String) throws {
        let bench = ShaleHome()
        let said = try bench.sh(
            """
            set -e
            shale run --name con busybox echo out
            then=\(text == "@now" ? "$(date +%s.%N)" : text)
            shale logs --until "$then" con | wc -l
            shale prune containers -f --filter until="$then" >/dev/null; shale ps -aq | wc -l
            shale images -q --filter until="$then" busybox | wc -l
            """)
        // Only what was there at the moment that was just now is older than it; busybox was made in another year.
        let isPast = text != "@now"
        #expect(said.status == 0 && said.text == (isPast ? "out\n0\n1\n1\n" : "out\n1\n0\n1\n"), "\(said)")
    }

    @Test(
        "no verb gives an image a name that would be read as a digest",
        arguments: [
            "tag busybox NAME", "commit con NAME", "build -t NAME .", "import files.tar NAME",
            "load -i named.tar",
        ])
    func ambiguousNames(_ line: String) throws {
        let bench = ShaleHome()
        let digest = String(repeating: "a", count: 64)
        for (name, words) in [
            ("sha256", "refusing to create an ambiguous tag using digest algorithm as name"),
            ("sha256:v1", "refusing to create an ambiguous tag using digest algorithm as name"),
            ("app@sha256:\(digest)", "digest"),
        ] {
            let said = try bench.sh(
                """
                set -e
                echo FROM busybox > Dockerfile; tar cf files.tar Dockerfile; shale create --name con busybox true >/dev/null
                mkdir un; shale save busybox | tar x -C un
                sed -i 's|"busybox:latest"|"\(name)"|' un/manifest.json; rm -f un/index.json un/repositories
                tar cf named.tar -C un .; rm -r un
                shale images -q | sort > before
                shale \(line.replacing("NAME", with: name)) >out 2>err && echo done || echo refused
                shale rm con >/dev/null; shale images | grep -c sha256 || true
                shale images -q | sort | cmp - before
                """)
            #expect(said.text.hasPrefix("refused\n0\n"), "\(name): \(said)")
            // An archive's names are whole, with a tag and no digest.
            let refusal = try bench.sh("cat err").text
            #expect(refusal.contains(words) || refusal.contains("invalid tag \"\(name)\""), "\(name): \(refusal)")
        }
    }

    @Test("a date without a zone is one of the typing person's zone") func zone() throws {
        let bench = ShaleHome()
        let said = try bench.sh(
            """
            shale run --name con busybox echo out
            here=$(TZ=EAST-9 date -d @$(($(date +%s) - 60)) +%Y-%m-%dT%H:%M:%S)
            for zone in EAST-9 WEST+9; do TZ=$zone shale logs --until "$here" con | wc -l; done
            """)
        // A minute ago in the east; the clocks of the west show it eighteen hours later.
        #expect(said.text == "out\n0\n1\n", "\(said)")
    }

    @Test("a volume at /etc has the container's names on top") func names() throws {
        let bench = ShaleHome()
        let look = "hostname; cat /etc/hostname; grep -c db /etc/hosts; ls /etc/passwd"
        let options = ["--network", "none", "--add-host", "db:1.2.3.4", "-h", "web"]
        for place in [["-v", "conf:/etc"], ["-v", "conf:/etc:ro"]] {
            let said = try bench.run(["run", "--rm"] + options + place + ["busybox", "sh", "-c", look])
            #expect(said.text == "web\nweb\n1\n/etc/passwd\n", "\(said)")
        }
        // Nothing is there to put them on, and nothing may be made.
        let empty = try bench.sh(
            "mkdir etc; shale run --rm -v \"$PWD/etc:/etc:ro\" busybox ls /etc; ls etc; shale volume rm conf")
        #expect(empty.status == 0 && empty.text == "conf\n", "\(empty)")
    }

    @Test(
        "of tmpfs options that contradict each other the last one counts",
        arguments: [
            ("rw,exec,nosuid,noexec", "rw,nosuid,nodev,noexec,relatime"), ("noexec,exec", "rw,nosuid,nodev,relatime"),
            ("ro,rw", "rw,nosuid,nodev,noexec,relatime"), ("rw,ro", "ro,nosuid,nodev,noexec,relatime"),
            ("suid,nosuid", "rw,nosuid,nodev,noexec,relatime"), ("nosuid,suid", "rw,nodev,noexec,relatime"),
            ("dev,nodev", "rw,nosuid,nodev,noexec,relatime"), ("nodev,dev", "rw,nosuid,noexec,relatime"),
            ("relatime,noatime", "rw,nosuid,nodev,noexec,noatime"),
            ("noatime,atime", "rw,nosuid,nodev,noexec,relatime"),
            ("nodiratime", "rw,nosuid,nodev,noexec,nodiratime,relatime"),
            ("strictatime,relatime", "rw,nosuid,nodev,noexec"), ("defaults", "rw,nosuid,nodev,noexec,relatime"),
            ("size=1m,size=2m", "rw,nosuid,nodev,noexec,relatime,size=2048k"),
        ])
    func tmpfs(_ options: String, _ shown: String) throws {
        let bench = ShaleHome()
        let said = try bench.run(["run", "--rm", "--tmpfs", "/t:\(options)", "busybox", "grep", " /t ", "/proc/mounts"])
        let words = said.text.split(separator: " ")
        // An ordinary user's mounts are inode-poor, and say whose they are.
        #expect(words.count > 3 && String(words[3]).hasPrefix(shown), "\(said)")
    }

    @Test("-v of a place alone is a volume where nothing else is mounted") func declaredVolumes() throws {
        let bench = ShaleHome()
        try bench.run(["run", "--name", "parent", "-v", "/test", "busybox", "sh", "-c", "echo f >/test/f"])
        func files(_ options: String...) throws -> String {
            try bench.run(["run", "--rm"] + options + ["busybox", "ls", "/test"]).text
        }
        #expect(try files("--volumes-from", "parent", "-v", "/test") == "f\n")
        #expect(try files("--volumes-from", "parent", "-v", "/test/") == "f\n")
        #expect(try files("--volumes-from", "parent", "--mount", "type=volume,dst=/test") == "")
        #expect(try files("--volumes-from", "parent", "-v", "other:/test") == "")
        #expect(try files("--tmpfs", "/test", "-v", "/test") == "")
        #expect(
            try bench.sh("mkdir h; touch h/h; shale run --rm -v /test -v \"$PWD/h:/test\" busybox ls /test").text
                == "h\n")
        try bench.run(["create", "--name", "both", "--mount", "type=volume,dst=/m", "-v", "/v", "busybox", "true"])
        #expect(try bench.run(["inspect", "-f", "{{json .Config.Volumes}}", "both"]).text == "{\"/v\":{}}\n")
    }

    @Test("exec has the limits and groups of its container") func execLimits() throws {
        let bench = ShaleHome()
        try bench.run([
            "run", "-d", "--name", "limited", "--ulimit", "nofile=64:128", "--group-add", "4242", "busybox", "sleep",
            "100",
        ])
        #expect(
            try bench.run(["exec", "limited", "sh", "-c", "ulimit -n; ulimit -Hn; id -G"]).text == "64\n128\n0 4242\n")
        try bench.run(["rm", "-f", "limited"])
    }

    @Test("a container's processes have its score for the day memory runs out") func memoryScore() throws {
        let bench = ShaleHome()
        let score = ["cat", "/proc/self/oom_score_adj"]
        #expect(try bench.run(["run", "--rm", "--oom-score-adj", "321", "busybox"] + score).text == "321\n")
        try bench.run(["run", "-d", "--name", "scored", "--oom-score-adj=500", "busybox", "sleep", "100"])
        #expect(try bench.run(["exec", "scored"] + score).text == "500\n")
        #expect(try bench.run(["inspect", "-f", "{{.HostConfig.OomScoreAdj}}", "scored"]).text == "500\n")
        try bench.run(["restart", "-t", "0", "scored"])
        #expect(try bench.run(["exec", "scored"] + score).text == "500\n")
        try bench.run(["rm", "-f", "scored"])
        let refused = try bench.run(["run", "--oom-score-adj", "1001", "busybox", "true"], expecting: nil)
        #expect(refused.status == 125)
        #expect(refused.errors.contains("Invalid value 1001, range for oom score adj is [-1000, 1000]"))
    }

    @Test("an empty HOME is the user's") func home() throws {
        let bench = ShaleHome()
        func home(_ options: String...) throws -> String {
            try bench.run(["run", "--rm"] + options + ["busybox", "sh", "-c", "env | grep ^HOME"]).text
        }
        #expect(try home("-e", "HOME=") == "HOME=/root\n")
        #expect(try home("-e", "HOME=", "-u", "5") == "HOME=/\n")
        #expect(try home("-e", "HOME=/x") == "HOME=/x\n")
    }

    @Test("an image keeps what docker keeps of the container it was committed from") func console() throws {
        let bench = ShaleHome()
        let format =
            "{{.Config.Tty}} {{.Config.OpenStdin}} {{.Config.StdinOnce}} {{.Config.AttachStdin}} "
            + "{{.Config.Hostname}} {{json .Config.Labels}}"
        for (options, shown) in [
            (["-it", "-h", "web"], "true true true true web {}"), (["-i"], "false true true true  {}"),
            (["-t"], "true false false false  {}"), ([], "false false false false  {}"),
        ] {
            try bench.run(["create", "--name", "con"] + options + ["busybox", "sh"])
            try bench.run(["commit", "con", "made"])
            #expect(try bench.run(["inspect", "-f", format, "made"]).text == shown + "\n")
            try bench.run(["rm", "con"])
        }
        // A container of it has a terminal only if it is asked for.
        #expect(try bench.run(["run", "--rm", "made", "sh", "-c", "test -t 1 || echo none"]).text == "none\n")
    }

    @Test("inspect has docker's keys in docker's order") func order() throws {
        let bench = ShaleHome()
        try bench.run(["create", "--name", "con", "--health-cmd", "true", "--health-interval", "5s", "busybox", "true"])
        func json(_ path: String) throws -> String {
            try bench.run(["inspect", "-f", "{{json \(path)}}", "con"]).text
        }
        #expect(try json(".Config.Healthcheck") == "{\"Test\":[\"CMD-SHELL\",\"true\"],\"Interval\":5000000000}\n")
        #expect(try json(".HostConfig.Ulimits") == "[]\n")
        #expect(try json(".Config.Labels") == "{}\n")
        let keys = [
            "Binds", "ContainerIDFile", "LogConfig", "NetworkMode", "PortBindings", "RestartPolicy", "AutoRemove",
            "VolumeDriver", "CapAdd", "CapDrop", "CgroupnsMode", "Dns", "DnsOptions", "DnsSearch", "ExtraHosts",
            "GroupAdd", "IpcMode", "Links", "OomScoreAdj", "PidMode", "Privileged", "PublishAllPorts",
            "ReadonlyRootfs", "SecurityOpt", "UTSMode", "UsernsMode", "ShmSize", "CpuShares", "Memory", "NanoCpus",
            "CgroupParent", "BlkioWeight", "CpuPeriod", "CpuQuota", "CpuRealtimePeriod", "CpuRealtimeRuntime",
            "CpusetCpus", "CpusetMems", "Devices", "MemoryReservation", "MemorySwap", "MemorySwappiness",
            "OomKillDisable", "PidsLimit", "Ulimits",
        ]
        let text = try json(".HostConfig")
        let places = keys.compactMap { text.firstRange(of: "\"\($0)\":")?.lowerBound }
        #expect(places.count == keys.count && places == places.sorted(), "\(text)")
    }

    @Test("--domainname is the domain's name inside") func domain() throws {
        let bench = ShaleHome()
        let said = try bench.run([
            "run", "--rm", "--domainname", "example.org", "busybox", "cat", "/proc/sys/kernel/domainname",
        ])
        #expect(said.text == "example.org\n")
    }

    @Test("the same -v twice, detach keys that are none") func takenAsDocker() throws {
        let bench = ShaleHome()
        let twice = ["-v", "/tmp:/m", "-v", "/tmp:/m"]
        #expect(try bench.run(["run", "--rm"] + twice + ["busybox", "ls", "-d", "/m"]).text == "/m\n")
        #expect(try bench.run(["run", "--rm", "--detach-keys", "", "busybox", "echo", "hi"]).text == "hi\n")
    }

    @Test("logs --details, columns and words of top, keys of a template's json") func shown() throws {
        let bench = ShaleHome()
        try bench.run(["run", "-d", "--name", "one", "busybox", "sh", "-c", "echo a; sleep 600"])
        try Waiting.until { try bench.run(["logs", "one"]).text == "a\n" }
        #expect(try bench.run(["logs", "--details", "one"]).text == " a\n")
        #expect(try bench.run(["logs", "--details", "-t", "one"]).text.hasSuffix("Z  a\n"))
        let top = try bench.run(["top", "one", "-o", "pid,comm"]).lines
        #expect(top.first == "PID                 COMMAND", "\(top)")
        let refused = try bench.run(["top", "one", "-bogus"], expecting: nil)
        #expect(refused.status == 1 && refused.errors.hasPrefix("shale: ps: error: unsupported"), "\(refused)")
        for verb in [["ps"], ["stats", "--no-stream"]] {
            let template = try bench.run(verb + ["--format", "{{json .}}"]).text
            let keys = template.split(separator: "\"").filter { ["ID", "Names", "Name", "PIDs"].contains($0) }
            #expect(keys == keys.sorted() && keys.first == "ID", "\(template)")
        }
        try bench.run(["rm", "-f", "one"])
    }

    @Test("prune by labels: containers, and images") func labels() throws {
        let bench = ShaleHome()
        for (name, label) in [("one", "of=db"), ("two", "of=web"), ("three", "x")] {
            try bench.run(["create", "--name", name, "--label", label, "busybox"])
        }
        #expect(try bench.run(["prune", "-f", "containers", "--filter", "label=of=db"]).text.contains("Deleted "))
        let names = { try bench.run(["ps", "-a", "--format", "{{.Names}}"]).lines.sorted() }
        #expect(try names() == ["three", "two"])
        try bench.run(["prune", "-f", "containers", "--filter", "label!=of"])
        #expect(try names() == ["two"])
        try bench.run(["commit", "-c", "LABEL keep=yes", "two", "kept"])
        try bench.run(["commit", "-c", "LABEL keep=no", "two", "gone"])
        try bench.run(["prune", "-f", "-a", "--history", "images", "--filter", "label=keep=no"])
        #expect(try bench.run(["images", "--format", "{{.Repository}}"]).lines.sorted() == ["busybox", "kept"])
    }
}
