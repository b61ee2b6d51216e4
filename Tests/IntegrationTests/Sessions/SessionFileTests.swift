import FoundationEssentials
import Glibc
import Linux
import TestSupport
import Testing

/// Sessions as a whole: kept across restarts, shared, renamed, taken elsewhere in one file.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct SessionFileTests {
    /// A home with a session that has something of everything, exported.
    private static func exported() throws -> ShaleHome {
        let shale = ShaleHome()
        try shale.run([
            "-c",
            """
            FROM busybox
            RUN echo one > /one
            tag @ app
            RUN echo two > /two
            ENV A=b
            rmi app
            undo 2
            x = inspect -f '{{.Id}}' @
            """,
        ])
        try shale.run(["session", "export", "all.tar"])
        return shale
    }

    private func archive(_ shale: ShaleHome) -> String { "\(shale.work)/all.tar" }

    @Test func aSessionGoesElsewhereInOneFile() throws {
        let shale = try Self.exported()
        let id = try shale.run(["inspect", "-f", "{{.Id}}", "@"]).text
        try shale.run(["session", "export", "again.tar"])
        try Peer("cmp").run([archive(shale), "\(shale.work)/again.tar"])
        let other = ShaleHome()
        let told = try other.run(["session", "import", archive(shale), "mine"])
        #expect(told.text == "imported session mine: 6 states, 8 images; session switch mine enters it\n")
        let looked = try other.run([
            "-S", "mine", "-c",
            "inspect -f '{{.Id}}' @\nrun --rm @ cat /one\nredo\nrun --rm @ cat /two\nundo 2\nsteps | wc -l\ngoto 3\n"
                + "run --rm app cat /one\n!test \"$x\" = \(id.dropLast())\nrecipe verify\nsystem check",
        ])
        #expect(looked.text.hasPrefix(id + "one\nmade again: ENV A=b"), "\(looked.text)\(looked.errors)")
        #expect(looked.text.contains("\ntwo\n"))
        #expect(looked.text.hasSuffix("the store is whole\n"))
        // What only the session holds is in no listing.
        #expect(try other.run(["-S", "mine", "-c", "goto 6\nimages app"]).text.contains("now at state 6"))
        let taken = try other.run(["session", "import", archive(shale), "mine"], expecting: nil)
        #expect(taken.status == 1)
        #expect(taken.errors.contains("session mine exists already\nhint: session import \(archive(shale)) NAME "))
        // Through pipes, packed on the way, and out again as it came.
        let packed = try Peer("sh").run(["-c", "gzip -c \(archive(shale))"])
        try other.run(["session", "import", "-", "piped"], input: packed.output)
        #expect(try other.run(["-S", "piped", "run", "--rm", "@", "cat", "/two"]).text == "two\n")
    }

    @Test func aRemovedContainerStaysAndThatIsSaid() throws {
        let shale = ShaleHome()
        try shale.run([
            "-c",
            "FROM busybox\nENV A=b\ncreate --name box busybox\ncreate --name web busybox\nrm box web\nENV B=c\nundo\nundo\nredo",
        ])
        let told = try shale.run(["session", "export", "all.tar"])
        #expect(
            told.errors
                == "removed containers box, web stay here: undo cannot bring them back where this is imported, and says so\n"
        )
        let other = ShaleHome()
        try other.run(["session", "import", archive(shale), "mine"])
        let refused = try other.run(["-S", "mine", "undo"], expecting: 1)
        #expect(
            refused.errors.hasPrefix(
                "shale: state 5 (rm box web) cannot be taken back: container box stayed where this session was "
                    + "exported\nhint: goto 2   (without the container)\n"), "\(refused.errors)")
        let past = try other.run(["-S", "mine", "-c", "goto 2\nredo"])
        #expect(past.errors.contains("left as it is: container box stayed where"), "\(past.errors)")
        #expect(past.text.contains("now at state 2\n") && past.text.contains("made again: rm box web"), "\(past.text)")
        try other.run(["system", "check"])
        // Where they are they come back, whichever session says so.
        try shale.run(["session", "import", "all.tar", "copy"])
        let back = try shale.run(["-S", "copy", "-c", "undo\nps -a --format '{{.Names}}' | sort"])
        #expect(back.text.hasSuffix("box\nweb\n"), "\(back.text)\(back.errors)")
    }

    @Test func whatIsNoWholeSessionIsRefused() throws {
        let shale = try Self.exported()
        let other = ShaleHome()
        try other.run(["images"])
        let before = try Peer("find").run([other.home, "-type", "f", "-path", "*/blobs/*"]).text
        let size = try #require(Int(Peer("stat").run(["-c", "%s", archive(shale)]).text.dropLast()))
        let folder = shale.work
        // Cut anywhere, also between two members; other members; changed bytes; something else altogether.
        let spoiled = [
            "head -c 300 all.tar", "head -c 4096 all.tar", "head -c \(size / 2) all.tar",
            "head -c \(size - 10240) all.tar", "head -c \(size - 2048) all.tar",
            "cp all.tar x.tar; echo evil > evil; tar rf x.tar evil; cat x.tar",
            "sed 's/\"name\":\"default\"/\"name\":\"..\\/defau\"/' all.tar", "sed 's/echo one/echo eno/g' all.tar",
            "tar cf - --transform 's,.*,session.json,' /etc/passwd 2>/dev/null", "cat /etc/passwd",
            "head -c 100000 /dev/zero",
            "mkdir -p d; tar xf all.tar -C d; rm -f d/blobs/sha256/*; tar cf - -C d session.json journal index.json held.json end",
            "mkdir -p e; tar xf all.tar -C e; echo '{' >> e/journal; tar cf - -C e session.json journal index.json held.json end",
            "mkdir -p f; tar xf all.tar -C f; ln -sf /etc/passwd f/journal; tar cf - -C f session.json journal end",
            ": ",
        ]
        for command in spoiled {
            try Peer("sh").run(["-c", "cd \(folder) && { \(command); } > spoiled.tar"])
            let outcome = try other.run(["session", "import", "\(folder)/spoiled.tar", "bad"], expecting: nil)
            #expect(outcome.status == 1, "\(command): \(outcome.text)\(outcome.errors)")
            #expect(outcome.errors.split(separator: "\n").count <= 2, "\(command): \(outcome.errors)")
            #expect(outcome.errors.hasPrefix("shale: "), "\(command): \(outcome.errors)")
        }
        #expect(try other.run(["session", "-q"], expecting: nil).text.contains("bad") == false)
        #expect(!FileManager.default.fileExists(atPath: "\(other.home)/sessions/bad"))
        #expect(try Peer("find").run([other.home, "-type", "f", "-path", "*/blobs/*"]).text == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(other.home)/ingest").isEmpty)
        try other.run(["system", "check"])
    }

    @Test func variablesAndHistoryAreKept() throws {
        let shale = ShaleHome()
        try shale.run(["-c", "color = blue\nAPI_TOKEN = hunter2\ntag busybox one\n tag busybox hidden"])
        let later = try shale.run(["-c", "!echo $color\nhistory"])
        #expect(later.text.hasPrefix("blue\n"))
        #expect(later.text.contains("tag busybox one"))
        #expect(!later.text.contains("tag busybox hidden"))
        let secret = try shale.run(["-c", "!echo $API_TOKEN\nx = $API_TOKEN"], expecting: nil)
        #expect(secret.errors.contains("no such variable"), "\(secret.text)\(secret.errors)")
        let other = try shale.run(["-S", "other", "-c", "x = $color"], expecting: nil)
        #expect(other.status == 1 || other.status == 64)
        #expect(!(try Peer("grep").run(["-r", "hunter2", shale.home], expecting: nil).text.contains("variables")))
    }

    /// Two shales type into one session at once: both see all of it, in one order.
    @Test func twoShalesInOneSessionAgree() throws {
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nENV start=1"])
        let lines = (0..<12).map { "ENV v\($0)=1" }
        let one = try shale.start(["-c", lines.map { $0.replacing("v", with: "a") }.joined(separator: "\n")])
        try shale.run(["-c", lines.map { $0.replacing("v", with: "b") }.joined(separator: "\n")])
        #expect(one.wait() == 0)
        let timeline = try shale.run(["timeline", "--format", "{{.State}} {{.On}}"]).text.split(separator: "\n")
        #expect(timeline.count == 26)
        let numbers = timeline.map { $0.split(separator: " ").compactMap { Int($0) } }
        for (before, after) in zip(numbers, numbers.dropFirst()) {
            #expect(after[0] > before[0])
            #expect(after[1] == before[0], "one line of states: \(timeline)")
        }
        #expect(try shale.run(["steps", "--format", "{{.Instruction}}"]).text.split(separator: "\n").count == 26)
        // And each step stands on the one before: the image has all of it.
        let environment = try shale.run(["inspect", "-f", "{{json .Config.Env}}", "@"]).text
        for number in 0..<12 {
            #expect(
                environment.contains("\"a\(number)=1\"") && environment.contains("\"b\(number)=1\""), "\(environment)")
        }
        #expect(try shale.run(["recipe"]).text.split(separator: "\n").count == 26)
        try shale.run(["system", "check"])
    }

    /// Steps that were changed as a whole are not put over what another shale did meanwhile.
    @Test func whatIsRewrittenTakesNothingFromOthers() throws {
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nENV A=1\nENV B=2"])
        let folder = "\(shale.home)/sessions/default"
        var lock: FileLock? = try FileLock.waiting(on: folder + "/journal.lock", exclusive: true)
        let child = try shale.start(["drop", "1"])
        // It has made its steps, and waits for the journal's lock.
        func isWaiting() throws -> Bool {
            try WholeText.read("/proc/locks").split(separator: "\n").contains { line in
                line.contains("-> FLOCK") && line.split(separator: " ").contains("\(child.pid)")
            }
        }
        try Waiting.until(within: 60) { try isWaiting() }
        kill(child.pid, SIGSTOP)
        try Waiting.until(within: 60) {
            try Peer("ps").run(["-o", "state=", "-p", "\(child.pid)"]).text.hasPrefix("T")
        }
        withExtendedLifetime(lock) {}
        lock = nil
        try shale.run(["ENV", "C=3"])
        kill(child.pid, SIGCONT)
        #expect(child.wait() == 1)
        let errors = shale.said().errors
        #expect(
            errors == "shale: another shale changed the working image meanwhile\nhint: steps\n", "\(errors)")
        #expect(try shale.run(["recipe"]).text == "FROM busybox\nENV A=1\nENV B=2\nENV C=3\n")
    }

    @Test func aSessionInUseIsLeftAlone() throws {
        let shale = ShaleHome()
        try shale.run(["-S", "busy", "-c", "FROM busybox"])
        let child = try shale.start(["-S", "busy", "-c", "ENV A=b\n!touch there\n!sleep 60"])
        while !FileManager.default.fileExists(atPath: "\(shale.work)/there") { usleep(5000) }
        for arguments in [["rm", "busy"], ["rename", "busy", "idle"]] {
            let outcome = try shale.run(["session"] + arguments, expecting: nil)
            #expect(outcome.status == 1)
            #expect(outcome.errors.contains("session busy is in use by another shale"), "\(outcome.errors)")
        }
        child.stop(SIGKILL)
        _ = child.wait()
        #expect(try shale.run(["session", "rename", "busy", "idle"]).text == "session busy is called idle now\n")
        #expect(try shale.run(["-S", "idle", "recipe"]).text == "FROM busybox\nENV A=b\n")
        let own = try shale.run(
            ["-S", "idle", "-c", "session rename idle mine\nENV B=c\nrecipe\nsession rm mine"], expecting: nil)
        #expect(own.text.hasSuffix("FROM busybox\nENV A=b\nENV B=c\n"), "\(own.errors)")
        #expect(own.errors.contains("session mine is the one you are in\nhint: session switch default"))
        #expect(try shale.run(["session", "rm", "mine"]).text == "mine\n")
        let gone = try shale.run(["session", "switch", "mine"], expecting: nil)
        #expect(gone.errors.contains("no session \"mine\""))
    }

    @Test func theFirstSessionIsFoundBeforeItsFirstLine() throws {
        let shale = ShaleHome()
        let lines = "session new other\nsession switch default\nsession ls --format '{{.Name}}'"
        let outcome = try shale.run(["-c", lines])
        #expect(
            outcome.text == "now in session other\nnow in session default\n ---> no working image\ndefault\nother\n")
        let alone = try shale.run(["fork", "third"])
        #expect(alone.text == "now in session third\n")
        #expect(alone.errors == "for this command alone: shale -S third goes on there\n")
    }

    @Test func fromTakesTheSessionsVariables() throws {
        let lines =
            "base = busybox\nFROM $base\nrecipe\nENV A=b\nFROM $img\ninspect -f '{{.Config.Env}}' @ | grep -c A=b"
        let outcome = try ShaleHome().run(["-c", lines])
        #expect(outcome.text.contains("FROM busybox\n"))
        #expect(outcome.text.hasSuffix("\n1\n"), "\(outcome.text)")
    }

    @Test(arguments: [
        ("session export /nosuch/x.tar", Int32(1), "directory \"/nosuch\" does not exist"),
        ("session export x.tar nosuch", 1, "no session \"nosuch\""),
        ("session import nosuch.tar", 1, "no such file or directory"), ("session import", 64, "wrong usage"),
        ("session new ../x", 1, "a name has letters"), ("session rename default a/b", 1, "a name has letters"),
        ("fork 0 default", 1, "session default exists already"), ("fork 99 x", 1, "no state 99"),
        ("session rm default", 1, "is the one you are in\nhint: session new NAME\n"),
        ("session import", 64, "-c:1: session: wrong usage\nhint: session import FILE [NAME]\n"),
        (
            "FROM busybox\nRUN touch /a\nRUN cat /a\nedit 1 RUN touch /b", 1,
            "   ($failed, as it stood when it failed; the steps are as they were)\n"
        ),
        ("cd busybox:/etc\ncd /usr/share/doc", 1, "hint: cd - leaves the image; then cd /usr/share/doc\n"),
        ("session bogus", 64, "-c:1: session: wrong usage\nhint: help session\n"),
        ("steps x", 64, "-c:1: steps: Unexpected argument 'x'\n"),
        ("version\nFROM $nosuch", 1, "-c:2: FROM: invalid reference format"),
    ])
    func mistakesAreClear(line: String, status: Int32, words: String) throws {
        let outcome = try ShaleHome().run(["-c", line], expecting: nil)
        #expect(outcome.status == status, "\(outcome.errors)")
        #expect(outcome.errors.contains(words), "\(outcome.errors)")
    }
}
