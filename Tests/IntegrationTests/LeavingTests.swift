import TestSupport
import Testing

/// `quit` and `exit`, which are one verb with its help, and no names for an alias.
@Suite("leaving", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct LeavingTests {
    @Test(
        "a script ends with the status that is given, else with that of the last command",
        arguments: [("quit 3", 3), ("exit 4", 4), ("quit", 0), ("!exit 7 || quit", 7), ("\\q", 0), ("exit x", 0)])
    func ends(_ line: String, _ status: Int32) throws {
        let run = try ShaleHome().run(["-c", "version\n\(line)\nversion"], expecting: status)
        #expect(run.lines.filter { $0.hasPrefix("shale ") }.count == 1, "\(run)")
    }

    @Test func helpAndCompletionsKnowIt() throws {
        let shale = ShaleHome()
        #expect(try shale.run(["help", "quit"]).text.contains("quit [STATUS]"))
        #expect(try shale.run(["help"]).text.contains("  quit        Leave\n"))
        #expect(try shale.run(["qit"], expecting: 64).errors.contains("hint: quit"))
    }

    @Test(arguments: ["quit", "exit", "alias"]) func itsNameStays(name: String) throws {
        let run = try ShaleHome().run(["-c", "alias \(name) = version"], expecting: 64)
        #expect(run.errors.contains("alias: \(name) keeps its meaning"), "\(run)")
    }
}
