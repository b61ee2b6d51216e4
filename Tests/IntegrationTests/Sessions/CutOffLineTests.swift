import Basics
import FoundationEssentials
import Glibc
import Linux
import TestSupport
import Testing

/// Lines that were killed after they did what they did, and before the session's journal had them.
@Suite("lines that were cut off", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct CutOffLineTests {
    /// A line, and how what it did is seen in the home: by a script that succeeds once it is done.
    struct Line: CustomTestStringConvertible, Sendable {
        var text: String
        var isDone: String
        var before = "images"
        /// What undo says it took back.
        var tookBack: String
        /// Succeeds where nothing of it is left.
        var isUndone: String

        var testDescription: String { text }
    }

    private static func named(_ name: String) -> String {
        "grep -q 'docker.io/library/\(name)\"' \"$SHALE_HOME/index.json\""
    }

    static let lines = [
        Line(
            text: "tag busybox one:1", isDone: named("one:1"),
            tookBack: "took back: tag busybox one:1  (cut off)  (one:1 ", isUndone: "! shale inspect one:1"),
        Line(
            text: "tag busybox two:1", isDone: "! shale inspect -f '{{.Config.Env}}' two:1 | grep -q A=b",
            before: "FROM busybox\nENV A=b\ntag @ two:1",
            tookBack: "took back: tag busybox two:1  (cut off)  (two:1 ",
            isUndone: "test \"$(shale inspect -f '{{.Config.Env}}' two:1 | grep -c A=b)\" = 1"),
        Line(
            text: "rmi three:1", isDone: "! " + named("three:1"), before: "tag busybox three:1",
            tookBack: "took back: rmi three:1  (cut off)  (three:1 none -> ", isUndone: "shale inspect three:1"),
        Line(
            text: "commit box four:1", isDone: named("four:1"),
            before: "run --name box busybox sh -c 'echo hi > /hi'",
            tookBack: "took back: commit box four:1  (cut off)  (four:1 ", isUndone: "! shale inspect four:1"),
        Line(
            text: "rm box", isDone: "ls \"$SHALE_HOME/containers/aside\" | grep -q .",
            before: "run --name box busybox sh -c 'echo hi > /hi'",
            tookBack: "took back: rm box  (cut off)  (container box is back)",
            isUndone: "shale diff box | grep -qx 'A /hi'"),
    ]

    /// Starts a line and kills it where it waits to write into the journal; `look` sees it waiting.
    private func cutOff(
        _ text: String, once isDone: String, session: String = "default", in bench: ShaleHome,
        look: () throws -> Void = {}
    ) throws {
        let child = try CutOffLineTests.hold(session, in: bench) {
            let child = try bench.start(["-S", session, "-c", text], name: "killed")
            try Waiting.until(within: 60) { try bench.sh(isDone).status == 0 }
            try look()
            child.stop(SIGKILL)
            return child
        }
        #expect(child.wait() == 137)
    }

    /// Holds a session's journal meanwhile, so that no line of it gets any further.
    private static func hold<Result>(
        _ session: String, in bench: ShaleHome, _ body: () throws -> Result
    ) throws -> Result {
        let lock = try FileLock.waiting(on: "\(bench.home)/sessions/\(session)/journal.lock", exclusive: true)
        let result = try body()
        withExtendedLifetime(lock) {}
        return result
    }

    @Test(arguments: lines) func whatItDidIsAState(line: Line) throws {
        let bench = ShaleHome()
        #expect(try bench.run(["-c", line.before], expecting: nil).status == 0)
        try cutOff(line.text, once: line.isDone, in: bench)
        // Who may read the index reads no lines in it, and no more than is needed.
        let index = try bench.sh("cat \"$SHALE_HOME/index.json\"").text
        #expect(!index.contains(line.text))
        let looked = try bench.run(["-c", "timeline\nreflog"], expecting: nil)
        #expect(looked.text.contains("\(line.text)  (cut off)"), "\(looked)")
        let back = try bench.run(["undo"], expecting: nil)
        #expect(back.text.hasPrefix(line.tookBack), "\(back)")
        #expect(try bench.sh("(\(line.isUndone)) >/dev/null 2>&1").status == 0)
        let again = try bench.run(["redo"], expecting: nil)
        #expect(again.status == 0, "\(again)")
        #expect(try bench.sh("(\(line.isUndone)) >/dev/null 2>&1").status != 0)
        try bench.expectWhole(line.text)
    }

    @Test func aStepThatWasMadeIsNoMystery() throws {
        let bench = ShaleHome()
        try bench.run(["-c", "FROM busybox\nENV A=b"])
        let count = try bench.run(["images", "-aq"]).lines.count
        try cutOff(
            "RUN echo hi > /hi", once: "test \"$(shale images -aq | wc -l)\" -gt \(count)", in: bench)
        let back = try bench.run(
            ["-c", "steps --format '{{.Instruction}}'\nundo\nimages -aq | wc -l\nrecipe"], expecting: nil)
        #expect(back.status == 0, "\(back)")
        #expect(
            back.text.contains("ENV A=b\ntook back: RUN echo hi > /hi  (cut off)  (image "), "\(back)")
        #expect(back.text.hasSuffix("\n\(count)\nFROM busybox\nENV A=b\n"), "\(back)")
    }

    @Test func whatCameToNothingLeavesNoWord() throws {
        let bench = ShaleHome()
        try bench.run(["-c", "FROM busybox\nRUN echo hi > /hi\nrecipe verify"])
        try bench.run(["recipe", "verify"])
        try bench.run(["tag", "busybox", "a:1"])
        try bench.run(["untag", "a:1"])
        let count = try bench.sh("grep -o token \"$SHALE_HOME/index.json\" | wc -l").lines
        #expect(count == ["1"])
    }

    @Test func whoseWordsAreLostIsAStateToo() throws {
        let bench = ShaleHome()
        try bench.run(["-c", "FROM busybox"])
        try cutOff("tag busybox lost:1", once: Self.named("lost:1"), in: bench)
        #expect(try bench.sh(": > \"$SHALE_HOME/sessions/default/underway\"").status == 0)
        #expect(try bench.run(["timeline"]).text.contains(" (a line)  (cut off) "))
        #expect(try bench.run(["undo"]).text.hasPrefix("took back: (a line)  (cut off)  (lost:1 "))
    }

    @Test func whatALivingShaleDoesIsItsOwnToWrite() throws {
        let bench = ShaleHome()
        try bench.run(["-c", "FROM busybox"])
        let child = try Self.hold("default", in: bench) {
            let child = try bench.start(["tag", "busybox", "mine:1"], name: "living")
            try Waiting.until(within: 60) { try bench.sh(Self.named("mine:1")).status == 0 }
            let other = try bench.run(["timeline"], expecting: nil)
            #expect(other.status == 0 && !other.text.contains("mine"), "\(other)")
            return child
        }
        #expect(child.wait() == 0)
        let lines = try bench.run(["timeline", "--format", "{{.Line}}"]).lines
        #expect(lines == ["FROM busybox", "tag busybox mine:1"])
    }

    @Test func anotherSessionsLineIsNotThisOnes() throws {
        let bench = ShaleHome()
        try bench.run(["-c", "FROM busybox"])
        try bench.run(["-S", "other", "-c", "FROM busybox"])
        try cutOff("tag busybox theirs:1", once: Self.named("theirs:1"), session: "other", in: bench)
        // This one's lines go on, and what they write keeps the other's word.
        try bench.run(["-c", "tag busybox here:1\nuntag here:1\ntag busybox here:2"])
        #expect(try !bench.run(["timeline"]).text.contains("theirs"))
        #expect(try bench.run(["-S", "other", "timeline"]).text.contains("tag busybox theirs:1  (cut off)"))
        // Written down once, however often it is looked for.
        try bench.run(["-S", "other", "-c", "tag busybox more:1\ntimeline"])
        let lines = try bench.run(["-S", "other", "timeline", "--format", "{{.Line}}"]).lines
        #expect(lines == ["FROM busybox", "tag busybox theirs:1  (cut off)", "tag busybox more:1"])
        #expect(try bench.run(["-S", "other", "-c", "undo 2\nimages -q theirs"]).lines.count == 2)
    }

    @Test func aSessionThatGetsTheNameOfAnotherInheritsNothing() throws {
        let bench = ShaleHome()
        try bench.run(["-S", "old", "-c", "FROM busybox"])
        try cutOff("tag busybox kept:1", once: Self.named("kept:1"), session: "old", in: bench)
        try bench.run(["session", "rename", "old", "new"])
        #expect(try bench.run(["-S", "new", "timeline"]).text.contains("tag busybox kept:1  (cut off)"))
        try bench.run(["-S", "old", "-c", "FROM busybox"])
        #expect(try !bench.run(["-S", "old", "timeline"]).text.contains("kept"))
        try cutOff("tag busybox gone:1", once: Self.named("gone:1"), session: "old", in: bench)
        try bench.run(["session", "rm", "old"])
        #expect(try !bench.run(["-S", "old", "timeline"]).text.contains("gone"))
    }

    /// Names as the session says they are, and as they are.
    @Test func killedAtAnyMomentTheReflogIsTrue() throws {
        let bench = ShaleHome()
        try bench.run(["-c", "FROM busybox\nENV A=b\ntag @ first"])
        let script = """
            tag @ a
            tag busybox b
            undo 2
            redo 2
            tag busybox a
            untag b
            undo
            tag @ c
            rmi a
            undo 3
            redo
            create --name box busybox
            rm box
            undo
            rm box
            """
        let start = Waiting.now()
        _ = try bench.start(["--keep-going", "-c", script], name: "first").wait()
        let length = Waiting.now() - start
        let seed = getenv("SHALE_CRASH_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0 ... .max)
        var random = CrashRandom(state: seed)
        for round in 1...SessionCrashTests.rounds {
            let child = try bench.start(["--keep-going", "-c", script], name: "killed")
            usleep(UInt32(length * Double(random.next() % 1000) / 1000 * 1e6))
            child.stop(SIGKILL)
            _ = child.wait()
            try bench.expectNamesAsTold("seed \(seed), round \(round)")
            try bench.expectWhole("seed \(seed), round \(round)")
        }
    }
}

extension ShaleHome {
    /// Fails the test unless every name that the session moved leads where its reflog says, and what it says it removed
    /// is gone.
    func expectNamesAsTold(_ what: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        var told: [String: String] = [:]
        for line in try run(["reflog", "--format", "{{.Name}} {{.After}}"]).lines {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 2, told[words[0]] == nil else { continue }
            told[words[0]] = words[1]
        }
        for (name, image) in told {
            let found = try sh("shale inspect -f '{{.Id}}' \(name)").text.split(separator: ":").last ?? ""
            let now = found.isEmpty ? "none" : String(found.prefix(12))
            #expect(now == image, "\(what): \(name)", sourceLocation: sourceLocation)
        }
    }
}
