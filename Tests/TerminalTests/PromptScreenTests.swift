import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// What the screen looks like while one types, and keys that must do what they do everywhere.
@Suite(.serialized)
struct PromptScreenTests {
    /// The rest of the usage stands at the right edge, its colour ends with it, and nothing of it stays behind.
    @Test(arguments: ["xterm-256color", "screen"])
    func theHintComesAndGoes(term: String) throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: ["TERM": term, "NO_COLOR": ""])
        try terminal.send("tag")
        try terminal.waitFor("the hint") { $0.currentLine.hasSuffix(" SOURCE TARGET") }
        try terminal.send(" busybox")
        try terminal.waitFor("a shorter one") {
            $0.currentLine.hasSuffix(" TARGET") && !$0.currentLine.contains("SOURCE")
        }
        let bytes = String(decoding: terminal.transcript, as: UTF8.self)
        for piece in bytes.components(of: "\u{1b}[2m").dropFirst() { #expect(piece.contains("\u{1b}[0m")) }
        try terminal.send("\u{1}")
        try terminal.waitFor("no hint inside the line") { $0.currentLine == terminal.prompt + "tag busybox" }
        try terminal.send("\u{5} x")
        try terminal.run("")
        #expect(!terminal.screen.text.contains("TARGET"))
        #expect(try terminal.run("images x").contains("latest"))
        try scene.leave(terminal)
    }

    /// The prompt starts on a line of its own, whoever wrote before it.
    @Test(arguments: [
        ("run --rm busybox printf hello", "hello"), ("!printf hello", "hello"),
        ("version | tr -d '\\n'", "shale 0.1.0"),
    ])
    func outputWithoutANewline(line: String, output: String) throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try terminal.run(line)
        try terminal.waitFor("the mark") {
            $0.lines.contains(output + "⏎") && $0.currentLine == terminal.prompt.trimmedEnd
        }
        // Whole lines get none.
        try terminal.run("clear")
        try terminal.run("!echo hello")
        try terminal.waitFor("the prompt") { $0.currentLine == terminal.prompt.trimmedEnd }
        #expect(!terminal.screen.text.contains("⏎"))
        try scene.leave(terminal)
    }

    /// A row that is full to its end is no line without one.
    @Test func aFullRow() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        let full = String(repeating: "x", count: terminal.screen.columns)
        try terminal.run("run --rm busybox printf \(full)")
        try terminal.waitFor("the prompt below") {
            $0.currentLine == terminal.prompt.trimmedEnd && $0.lines.contains(full)
        }
        try scene.leave(terminal)
    }

    @Test func viKeys() throws {
        let scene = try PromptScene()
        let rc = scene.home.folder.path + "/editrc"
        try Data("bind -v\n".utf8).write(to: URL(filePath: rc))
        let terminal = try scene.prompt(environment: ["EDITRC": rc])
        try terminal.send("!echo one two")
        try terminal.waitFor("the line") { $0.currentLine.hasSuffix("one two") }
        try terminal.send("\u{1b}")
        // What comes after the pause is a command.
        try terminal.waitFor("the cursor to step back") { $0.column == terminal.prompt.count + "!echo one tw".count }
        try terminal.send("bcwthree")
        try terminal.waitFor("the changed line") { $0.currentLine.hasSuffix("!echo one three") }
        #expect(try terminal.run("").contains("one three\n"))
        // Keys that send a sequence are still keys.
        try terminal.send("\u{1b}[A")
        try terminal.waitFor("the line before") { $0.currentLine.hasSuffix("!echo one three") }
        #expect(try terminal.run("").contains("one three\n"))
        try scene.leave(terminal)
    }

    /// What a person binds behind `bind -v` is theirs, also where shale binds the key itself.
    @Test func ownBindingsWinInViMode() throws {
        let scene = try PromptScene()
        let own = [
            "bind -v", "bind ^P ed-move-to-beg", "shale:bind -s ^N own", "other:bind -s ^N other",
            "bind -a Q ed-move-to-end",
        ]
        try scene.home.write(own.joined(separator: "\n") + "\n", to: "editrc")
        let terminal = try scene.prompt(environment: ["EDITRC": scene.home.work + "/editrc"])
        try terminal.send("!echo one\u{e}")
        try terminal.waitFor("the bound text") { $0.currentLine.hasSuffix("!echo oneown") }
        try terminal.send("\u{10}")
        try terminal.waitFor("the start") { $0.column == terminal.prompt.count }
        // In vi's command mode too; shale's other keys are still there.
        try terminal.send("\u{1b}")
        usleep(700_000)
        try terminal.send("Q")
        try terminal.waitFor("the end") { $0.column >= terminal.prompt.count + "!echo oneow".count }
        #expect(try terminal.run("").contains("oneown\n"))
        try scene.expectTab("pul", becomes: "pull", in: terminal)
        try scene.leave(terminal)
    }

    /// A pasted transcript: what would run is shown, Enter runs it, Ctrl-C and a no drop it.
    @Test func aPastedTranscriptIsShownFirst() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        let block = "$ touch one\rimages > made\r$ cat > two <<E\rfirst\rE\rStep 1/4 : FROM alpine:3.13"
        for (answer, runs) in [("\u{3}", false), ("n\r", false), ("\r", true)] {
            try terminal.send("\u{1b}[200~\(block)\u{1b}[201~")
            try terminal.waitFor("the pasted text") { $0.text.contains("Step 1/4") }
            try terminal.send("\r")
            let shown = try terminal.expect("drops it: ")
            #expect(shown.contains("not run, because lines beside it bear a prompt sign: images > made and 1 more"))
            #expect(shown.contains("to run:\n  touch one\n  cat > two <<E\n    first\n    E\n"), "\(shown)")
            #expect(!scene.home.exists("one"))
            try terminal.send(answer)
            try terminal.expect(terminal.prompt)
            #expect(scene.home.exists("one") == runs && scene.home.exists("two") == runs)
            try terminal.run("clear")
        }
        #expect(try scene.home.text("two") == "first\n")
        try scene.leave(terminal)
    }

    @Test func severalLinesAreMovedIn() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try terminal.send("\u{1b}[200~!cat <<X\rfirst\rsecond\rX\u{1b}[201~")
        try terminal.waitFor("the text") { $0.currentLine == "X" }
        try terminal.send("\u{1b}[A\u{1b}[A\u{1}A\u{5}Z\u{1b}[B\u{1}B")
        try terminal.waitFor("the changed text") { $0.lines.contains("AfirstZ") && $0.currentLine == "Bsecond" }
        #expect(try terminal.run("").contains("AfirstZ\nBsecond\n"))
        // A text just found goes on to the line before it; Down comes back.
        try terminal.run("version")
        try terminal.send("\u{1b}[A\u{1b}[A")
        try terminal.waitFor("the text again") { $0.currentLine == "X" }
        try terminal.send("\u{1b}[B")
        try terminal.waitFor("the newer line") { $0.currentLine.hasPrefix(terminal.prompt + "version") }
        try terminal.run("")
        try scene.leave(terminal)
    }

    @Test func earlierLinesAreRecalled() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try terminal.run("!echo one")
        try terminal.run("!echo two")
        #expect(try terminal.run("!!").contains("\ntwo\n"))
        #expect(try terminal.run("!-2").contains("\none\n"))
        #expect(try terminal.run("!1").contains("\none\n"))
        #expect(try terminal.run("!! | tr a-z A-Z").contains("\nONE\n"))
        try terminal.run("version")
        #expect(try terminal.run("!vers").contains("shale 0."))
        #expect(try terminal.run("!999").contains("no such line in the history"))
        #expect(try !terminal.run("history").contains("!!\n"))
        try scene.leave(terminal)
    }

    @Test func aQuestionEndsWithCtrlC() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try terminal.run("create --name gone busybox")
        for line in ["prune", "prune containers", "login -u me localhost:1"] {
            try terminal.send(line + "\r")
            try terminal.expect(line.hasPrefix("login") ? "assword: " : "[y/N] ")
            try terminal.send("\u{3}")
            let shown = try terminal.expect(terminal.prompt)
            #expect(!shown.contains("Deleted"))
        }
        #expect(try terminal.run("ps -aq | wc -l").contains("1"))
        // A word that is no yes is a no, and nothing was called deleted.
        try terminal.send("prune containers\r")
        let asked = try terminal.expect("[y/N] ")
        #expect(asked.contains("Containers to be deleted:") && !asked.contains("Deleted"))
        #expect(try terminal.run("y").contains("Deleted Containers:"))
        try scene.leave(terminal)
    }

    @Test func gotoAsksBeforeMostNamesGo() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        for name in ["a", "b", "c"] { try terminal.run("tag busybox \(name)") }
        try scene.expectTab("goto ", offers: ["0", "tag"], in: terminal)
        try terminal.send("goto 0\r")
        #expect(try terminal.expect("[y/N] ").contains("a:latest, b:latest, c:latest"))
        #expect(try terminal.run("n").contains("goto has been cancelled"))
        #expect(try terminal.run("images -q | wc -l").contains("4"))
        #expect(try terminal.run("goto -f 0").contains("now at state 0"))
        #expect(try terminal.run("images -q | wc -l").contains("1"))
        try scene.leave(terminal)
    }

    /// A terminal that does not bracket pastes sends a block as if it were typed: its output does not run either.
    @Test(arguments: ["xterm-256color", "dumb"])
    func aBlockWithoutBrackets(term: String) throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: ["TERM": term])
        let block = [
            "$ touch one", "images > made", " ---> Running in bd0b4e349cb4", "$ cat > f <<E", "first é", "$ E", "E",
            "Step 1/4 : FROM alpine:3.13", "FROM alpine", "$ docker images -q busybox | wc -l",
        ]
        try terminal.send(block.joined(separator: "\r") + "\r")
        try terminal.expect("drops it: ")
        let shown = try terminal.run("")
        #expect(!shown.contains("unknown command"))
        try terminal.waitFor("the last line's end") { $0.lines.contains("1") }
        #expect(terminal.screen.text.contains("not run, because lines beside it bear a prompt sign: images > made and"))
        #expect(scene.home.exists("one") && !scene.home.exists("made"))
        #expect(try scene.home.text("f") == "first é\n$ E\n")
        // Without an Enter the last line waits for one; a line by itself runs at once, and what follows later, too.
        try terminal.send("$ touch two\r$ touch three")
        try terminal.waitFor("the line") { $0.currentLine.hasSuffix("$ touch three") }
        #expect(!scene.home.exists("two"))
        try terminal.run("")
        #expect(scene.home.exists("two") && scene.home.exists("three"))
        try terminal.run("$ docker images -q")
        #expect(try terminal.run("!echo later").contains("later"))
        // A key behind the Enter is that key.
        try terminal.send("$ touch four\r\u{4}")
        #expect(try terminal.waitForExit() == 0)
        #expect(scene.home.exists("four"))
    }

    @Test func settingsAndFiltersAreCompleted() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try scene.expectTab("set offline ", offers: ["on", "off"], in: terminal)
        try scene.expectTab("set build.wording s", becomes: "set build.wording seed", in: terminal)
        try scene.expectTab("ps --filter sta", becomes: "ps --filter status=", in: terminal)
        try scene.expectTab("ps --filter status=r", offers: ["status=running", "status=restarting"], in: terminal)
        try scene.leave(terminal)
    }
}

extension String {
    fileprivate var trimmedEnd: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
