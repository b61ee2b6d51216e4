import TestSupport
import Testing

/// What options bring about, and the words for those that docker refuses, through the built program.
@Suite("what options bring about", .enabled(if: CrashHome.isBuilt, "\(CrashHome.notBuilt)"))
struct OptionEffectTests {
    @Test(
        "values that docker refuses",
        arguments: [
            ("ps --filter health=foo", "Unrecognised filter value for health: foo"),
            ("ps --filter is-task=maybe", "Invalid filter 'is-task=[maybe]'"),
            ("prune -f --filter bogus=1", "Invalid filter 'bogus'"),
            ("prune -f --filter until=foo", "failed to parse value as time or duration: \"foo\""),
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
        let bench = try CrashHome()
        let said = try bench.sh("printf 'A=1\\0B\\n' > null; ln -s gone nowhere; shale \(line)")
        #expect(said.status != 0 && said.errors.contains(words), "\(said)")
        #expect(try bench.sh("test -e gone").status != 0)
    }

    @Test("a volume at /etc has the container's names on top") func names() throws {
        let bench = try CrashHome()
        let look = "hostname; cat /etc/hostname; grep -c db /etc/hosts; ls /etc/passwd"
        let options = ["--network", "none", "--add-host", "db:1.2.3.4", "-h", "web"]
        for place in [["-v", "conf:/etc"], ["-v", "conf:/etc:ro"]] {
            let said = try bench.must(["run", "--rm"] + options + place + ["busybox", "sh", "-c", look])
            #expect(said.output == "web\nweb\n1\n/etc/passwd\n", "\(said)")
        }
        // Nothing is there to put them on, and nothing may be made.
        let empty = try bench.sh(
            "mkdir etc; shale run --rm -v \"$PWD/etc:/etc:ro\" busybox ls /etc; ls etc; shale volume rm conf")
        #expect(empty.status == 0 && empty.output == "conf\n", "\(empty)")
    }

    @Test("--domainname is the domain's name inside") func domain() throws {
        let bench = try CrashHome()
        let said = try bench.must(
            "run", "--rm", "--domainname", "example.org", "busybox", "cat", "/proc/sys/kernel/domainname")
        #expect(said.output == "example.org\n")
    }

    @Test("the same -v twice, detach keys that are none") func takenAsDocker() throws {
        let bench = try CrashHome()
        let twice = ["-v", "/tmp:/m", "-v", "/tmp:/m"]
        #expect(try bench.must(["run", "--rm"] + twice + ["busybox", "ls", "-d", "/m"]).output == "/m\n")
        #expect(try bench.must("run", "--rm", "--detach-keys", "", "busybox", "echo", "hi").output == "hi\n")
    }

    @Test("logs --details, columns and words of top, keys of a template's json") func shown() throws {
        let bench = try CrashHome()
        try bench.must("run", "-d", "--name", "one", "busybox", "sh", "-c", "echo a; sleep 600")
        try CrashHome.wait { try bench.must("logs", "one").output == "a\n" }
        #expect(try bench.must("logs", "--details", "one").output == " a\n")
        #expect(try bench.must("logs", "--details", "-t", "one").output.hasSuffix("Z  a\n"))
        let top = try bench.must("top", "one", "-o", "pid,comm").lines
        #expect(top.first == "PID                 COMMAND", "\(top)")
        let refused = try bench.shale(["top", "one", "-bogus"])
        #expect(refused.status == 1 && refused.errors.hasPrefix("shale: ps: error: unsupported"), "\(refused)")
        for verb in [["ps"], ["stats", "--no-stream"]] {
            let template = try bench.must(verb + ["--format", "{{json .}}"]).output
            let keys = template.split(separator: "\"").filter { ["ID", "Names", "Name", "PIDs"].contains($0) }
            #expect(keys == keys.sorted() && keys.first == "ID", "\(template)")
        }
        try bench.must("rm", "-f", "one")
    }

    @Test("prune by labels: containers, and images") func labels() throws {
        let bench = try CrashHome()
        for (name, label) in [("one", "of=db"), ("two", "of=web"), ("three", "x")] {
            try bench.must("create", "--name", name, "--label", label, "busybox")
        }
        #expect(try bench.must("prune", "-f", "containers", "--filter", "label=of=db").output.contains("Deleted "))
        let names = { try bench.must("ps", "-a", "--format", "{{.Names}}").lines.sorted() }
        #expect(try names() == ["three", "two"])
        try bench.must("prune", "-f", "containers", "--filter", "label!=of")
        #expect(try names() == ["two"])
        try bench.must("commit", "-c", "LABEL keep=yes", "two", "kept")
        try bench.must("commit", "-c", "LABEL keep=no", "two", "gone")
        try bench.must("prune", "-f", "-a", "--history", "images", "--filter", "label=keep=no")
        #expect(try bench.must("images", "--format", "{{.Repository}}").lines.sorted() == ["busybox", "kept"])
    }
}
