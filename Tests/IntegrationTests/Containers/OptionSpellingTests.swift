import TestSupport
import Testing

/// Options as docker's users write them, through the built program.
@Suite("options as docker's users write them", .enabled(if: CrashHome.isBuilt, "\(CrashHome.notBuilt)"))
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
