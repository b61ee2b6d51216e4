import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// What undo and goto cost, and what they stop at.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct UndoLimitTests {
    /// A line that changes the store for good, and what is there before it.
    struct Line: Sendable, CustomTestStringConvertible {
        var before = ""
        var line: String
        var testDescription: String { line }
    }

    static let lines =
        [
            Line(before: "create --name cc busybox", line: "prune containers -f"),
            Line(before: "volume create vv", line: "volume rm vv"),
            Line(before: "volume create vv", line: "volume prune -af"),
            Line(before: "create --name cc busybox", line: "rename cc dd"),
            Line(before: "create --name cc busybox", line: "cp /etc/hostname cc:/h"),
            Line(before: "session new other\nsession switch default", line: "session rm other"),
            Line(before: "session new other\nsession switch default", line: "session rename other another"),
        ]
        // A limit needs a control group, which an ordinary user is not always given.
        + (geteuid() == 0 ? [Line(before: "create --name cc busybox", line: "update --memory 64m cc")] : [])

    @Test(arguments: lines) func whatCannotBeUndoneStopsIt(_ line: Line) throws {
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN echo 1 > /1\n\(line.before)"])
        try shale.run(["-c", line.line])
        let stopped = try shale.run(["undo"], expecting: 1)
        #expect(stopped.errors.contains("(\(line.line)) cannot be taken back: "), "\(stopped.errors)")
        #expect(stopped.errors.contains("hint: goto 1 "), "\(stopped.errors)")
        #expect(try shale.run(["ls", "@:/1"]).text.contains("1"))
        // A state made since is taken back, and no more than that.
        let two = try shale.run(["-c", "tag @ later\nundo 2"], expecting: 1)
        #expect(two.text.contains("took back: tag @ later"), "\(two.text)")
        #expect(two.errors.contains("(\(line.line)) cannot be taken back: "))
        // Whoever says where to go gets there, is told, and comes back.
        let gone = try shale.run(["goto", "1"])
        #expect(gone.errors.contains("(\(line.line)): "), "\(gone.errors)")
        #expect(try shale.run(["-c", "redo\nundo"]).text.contains("took back: RUN echo 1 > /1"))
    }

    @Test(arguments: [
        "run --rm busybox true", "volume create ww", "run --name xx busybox true", "prune containers -f",
        "prune --dry-run", "volume prune -af", "cp @:/bin/true out",
    ])
    func whatTookNothingIsPassed(_ line: String) throws {
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN echo 1 > /1"])
        try shale.run(["-c", line])
        #expect(try shale.run(["undo"]).text.contains("took back: RUN echo 1 > /1"))
    }

    @Test(.enabled(if: Peer("strace").isPresent, "strace is not installed"))
    func aLongWayIsWrittenOnce() throws {
        let shale = ShaleHome()
        try shale.run([
            "-c", "FROM busybox\n" + (1...20).map { "tag @ x:\($0)\nENV A\($0)=1\n" }.joined(),
        ])
        let syncs = try Self.syncs(["goto", "1"], shale)
        #expect(syncs <= 6, "\(syncs)")
        #expect(try shale.run(["images", "-q", "x"]).text.isEmpty)
        #expect(try Self.syncs(["goto", "41"], shale) <= 6)
        #expect(try shale.run(["images", "x"]).text.split(separator: "\n").count == 21)
        #expect(try Self.syncs(["undo", "30"], shale) <= 6)
        #expect(try shale.run(["steps", "--format", "json"]).text.split(separator: "\n").count == 6)
        #expect(try Self.syncs(["redo", "30"], shale) <= 6)
        #expect(try shale.run(["-c", "recipe verify\nsystem check"]).text.hasSuffix("the store is whole\n"))
    }

    /// How often a command waits for the disk.
    private static func syncs(_ arguments: [String], _ shale: ShaleHome) throws -> Int {
        let log = "\(shale.work)/calls"
        try Peer("strace").run(
            ["-f", "-o", log, "-e", "trace=fsync,fdatasync", try #require(ShaleHome.program), "--home", shale.home]
                + arguments, environment: ["HOME": shale.work], in: shale.work)
        return try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n").count { $0.contains("sync(") }
    }

    @Test func rewritingBeginsAtTheStepThatChanges() throws {
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN touch /a\nRUN touch /b\nRUN touch /c\nRUN touch /d"])
        let before = try shale.run(["steps", "--format", "{{.Image}}"]).text.split(separator: "\n")
        let edited = try shale.run(["edit", "3", "RUN", "touch", "/C"])
        #expect(!edited.text.contains("Step 2/4") && edited.text.contains("Step 3/4 : RUN touch /C"), "\(edited.text)")
        let after = try shale.run(["steps", "--format", "{{.Image}}"]).text.split(separator: "\n")
        #expect(after.prefix(3) == before.prefix(3))
        #expect(after[3] != before[3] && after[4] != before[4])
        #expect(try shale.run(["move", "3", "4"]).text.contains("Step 3/4 : RUN touch /d"))
        #expect(try shale.run(["drop", "4"]).text.isEmpty)
        #expect(try shale.run(["recipe"]).text == "FROM busybox\nRUN touch /a\nRUN touch /b\nRUN touch /d\n")
        #expect(try shale.run(["recipe", "verify"]).status == 0)
    }

    /// A copied file that a later command removed is in no layer, and the recipe needs it.
    @Test func copiedFilesGoWithTheSession() throws {
        let shale = ShaleHome()
        try "print me\n".write(toFile: "\(shale.work)/script", atomically: false, encoding: .utf8)
        try shale.run([
            "-c",
            """
            FROM busybox
            tag @ base:1
            run -d --network host --name cc base:1 sleep 1000
            cp script cc:/script
            exec cc sh -c 'cat /script > /made; rm /script'
            commit cc made:1
            rm -f cc
            FROM made:1
            RUN cat /made
            tag @ app:1
            """,
        ])
        try shale.run(["prune", "-f"])
        #expect(try shale.run(["recipe", "verify", "app:1"]).status == 0)
        try shale.run(["session", "export", "all.tar"])
        let other = ShaleHome()
        try other.run(["session", "import", "\(shale.work)/all.tar", "mine"])
        try other.run(["prune", "-f"])
        for name in ["app:1", "made:1"] {
            let verified = try other.run(["-S", "mine", "recipe", "verify", name], expecting: nil)
            #expect(verified.status == 0, "\(name): \(verified.text)\(verified.errors)")
        }
        let folder = "\(other.work)/saved"
        try other.run(["recipe", "save", folder, "made:1"])
        #expect(try Peer("grep").run(["-r", "print me", folder]).status == 0)
        #expect(try other.run(["system", "check"]).text == "the store is whole\n")
    }

    @Test func aDamagedRecordIsToldAndMended() throws {
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN echo 1 > /1\ntag @ one"])
        let id = try shale.run(["inspect", "-f", "{{.Id}}", "one"]).text.split(separator: ":")[1].prefix(64)
        try "".write(toFile: "\(shale.home)/provenance/\(id)", atomically: false, encoding: .utf8)
        for command in [["recipe", "one"], ["recipe", "verify", "one"], ["session", "export", "x.tar"]] {
            let told = try shale.run(command, expecting: 1)
            #expect(told.errors.contains("the record of how image \(id.prefix(12)) was made cannot be read"))
            #expect(told.errors.contains("hint: system check --repair"))
        }
        #expect(try shale.run(["ls", "one:/1"]).status == 0)
        #expect(
            try shale.run(["system", "check"], expecting: 1).text.contains("the record of how it was made is empty"))
        try shale.run(["system", "check", "--repair"])
        let recipe = try shale.run(["recipe", "one"]).text
        #expect(recipe.contains("is lost: its files are kept\nFROM scratch\nADD step-1.tar /\n"), "\(recipe)")
        #expect(try shale.run(["recipe", "verify", "one"]).status == 0)
    }
}
