import TestSupport
import Testing

/// Options as docker's users write them, through the built program.
@Suite("options as docker's users write them", .enabled(if: BuiltShale.isPresent, "\(BuiltShale.absent)"))
struct OptionSpellingTests {
    @Test("values behind short options, switches with a word") func spellings() throws {
        let bench = try CrashHome()
        let told = try bench.must("run", "--name", "one", "--rm=true", "-eA=b=c", "busybox", "sh", "-c", "echo $A")
        #expect(told.output == "b=c\n")
        #expect(try bench.must("ps", "-aq").output == "")
        try bench.must("run", "-d", "--name", "two", "busybox", "sleep", "600")
        for pause in ["-p", "--pause", "--pause=false", "--no-pause=false"] {
            #expect(try bench.must("commit", pause, "-mx=y", "two", "made").output.hasPrefix("sha256:"))
        }
        #expect(try bench.must("inspect", "-f", "{{.Comment}}", "made").output == "x=y\n")
        try bench.must("rm", "-f", "two")
    }

    @Test("what a processor limit may be") func processors() throws {
        let bench = try CrashHome()
        for limit in ["-1", "0.001", "99999"] {
            let refused = try bench.shale(["run", "--rm", "--cpus", limit, "busybox", "true"])
            #expect(refused.status == 125 && refused.errors.contains("range of CPUs is from 0.01 to "), "\(refused)")
        }
    }

    @Test(
        "words that are missing, and nouns without a verb",
        arguments: [
            (["logs"], "'logs' requires at least 1 argument"),
            (["rename", "a"], "'rename' requires at least 2 arguments"),
            (["commit"], "'commit' requires at least 1 argument"), (["pull"], "'pull' requires at least 1 argument"),
            (["container"], "hint: container attach, container commit"), (["network", "ls"], "container:NAME"),
        ] as [([String], String)])
    func missing(_ words: [String], _ answer: String) throws {
        let said = try CrashHome().shale(words)
        #expect(said.status == 64 && said.errors.contains(answer), "\(said)")
    }

    @Test("a version as a template") func version() throws {
        let bench = try CrashHome()
        let plain = try bench.must("version").output
        #expect(plain == "shale " + (try bench.must("version", "--format", "{{.Client.Version}}").output))
        #expect(try bench.must("version", "--format", "json").output.hasPrefix("{\"Client\":{\"Version\":"))
    }

    @Test("a name is free when stop or kill of an auto-removed container is done", arguments: ["stop", "kill"])
    func freeNames(verb: String) throws {
        let bench = try CrashHome()
        for _ in 0..<3 {
            try bench.must("run", "-d", "--rm", "--name", "one", "--stop-signal", "KILL", "busybox", "sleep", "600")
            try bench.must(verb, "one")
            #expect(try bench.must("ps", "-aq").output == "")
        }
    }
}
