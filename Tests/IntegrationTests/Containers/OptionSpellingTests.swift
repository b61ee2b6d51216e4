import TestSupport
import Testing

/// Options as docker's users write them, through the built program.
@Suite("options as docker's users write them", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct OptionSpellingTests {
    @Test("values behind short options, switches with a word") func spellings() throws {
        let bench = ShaleHome()
        let told = try bench.run(["run", "--name", "one", "--rm=true", "-eA=b=c", "busybox", "sh", "-c", "echo $A"])
        #expect(told.text == "b=c\n")
        #expect(try bench.run(["ps", "-aq"]).text == "")
        try bench.run(["run", "-d", "--name", "two", "busybox", "sleep", "600"])
        for pause in ["-p", "--pause", "--pause=false", "--no-pause=false"] {
            #expect(try bench.run(["commit", pause, "-mx=y", "two", "made"]).text.hasPrefix("sha256:"))
        }
        #expect(try bench.run(["inspect", "-f", "{{.Comment}}", "made"]).text == "x=y\n")
        try bench.run(["rm", "-f", "two"])
    }

    @Test("what a processor limit may be") func processors() throws {
        let bench = ShaleHome()
        for limit in ["-1", "0.001", "99999"] {
            let refused = try bench.run(["run", "--rm", "--cpus", limit, "busybox", "true"], expecting: nil)
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
        let said = try ShaleHome().run(words, expecting: nil)
        #expect(said.status == 64 && said.errors.contains(answer), "\(said)")
    }

    @Test("a version as a template") func version() throws {
        let bench = ShaleHome()
        let plain = try bench.run(["version"]).text
        #expect(plain == "shale " + (try bench.run(["version", "--format", "{{.Client.Version}}"]).text))
        #expect(try bench.run(["version", "--format", "json"]).text.hasPrefix("{\"Client\":{\"Version\":"))
    }

    @Test("a name is free when stop or kill of an auto-removed container is done", arguments: ["stop", "kill"])
    func freeNames(verb: String) throws {
        let bench = ShaleHome()
        for _ in 0..<3 {
            try bench.run(["run", "-d", "--rm", "--name", "one", "--stop-signal", "KILL", "busybox", "sleep", "600"])
            try bench.run([verb, "one"])
            #expect(try bench.run(["ps", "-aq"]).text == "")
        }
    }
}
