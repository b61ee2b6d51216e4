import Basics
import FoundationEssentials
import TestSupport
import Testing

/// The editor in a real terminal: the probe program prints what each read returned.
@Suite(.serialized)
struct LineEditorTests {
    private func start(
        history: String? = nil, _ environment: [String: String] = [:], columns: Int = 80
    ) throws -> Terminal {
        var all = ["PROBE_PROMPT": "{PROMPT}"].merging(environment) { $1 }
        all["PROBE_HISTORY"] = history
        let terminal = try Terminal([Terminal.product("EditorProbe")], environment: all, columns: columns)
        try terminal.expect(terminal.prompt)
        return terminal
    }

    @Test
    func linesAndTheEnd() throws {
        let terminal = try start()
        #expect(try terminal.run("images -q").contains("read<images -q>"))
        #expect(try terminal.run("grüße 漢字 🐳").contains("read<grüße 漢字 🐳>"))
        #expect(terminal.screen.bracketsPaste)
        try terminal.send("\u{4}")
        try terminal.expect("bye")
        #expect(try terminal.waitForExit() == 0)
        #expect(!terminal.screen.bracketsPaste)
    }

    @Test
    func editingKeys() throws {
        let terminal = try start()
        // Ctrl-Left, Ctrl-W, Home, Delete, End, Alt-B, Ctrl-K.
        #expect(
            try terminal.run("one two three\u{1b}[1;5D\u{17}x \u{1b}[H\u{1b}[3~\u{1b}[F!").contains("read<ne x three!>")
        )
        #expect(try terminal.run("a b c\u{1b}b\u{b}z").contains("read<a b z>"))
        #expect(try terminal.run("abc\u{1b}[D\u{1b}[D\u{4}").contains("read<ac>"))
    }

    @Test
    func interruptDropsTheLine() throws {
        let terminal = try start()
        try terminal.send("half a li")
        try terminal.waitFor("the typed text") { $0.currentLine.hasSuffix("half a li") }
        try terminal.send("\u{3}")
        try terminal.expect("interrupted")
        try terminal.expect(terminal.prompt)
        #expect(terminal.screen.text.contains("half a li^C"))
        #expect(try terminal.run("ok").contains("read<ok>"))
    }

    @Test
    func interruptAwayFromThePromptIsNotTheEditors() throws {
        let terminal = try start()
        try terminal.send("sleep\r")
        try terminal.expect("sleeping")
        #expect(!terminal.screen.bracketsPaste)
        try terminal.send("\u{3}")
        #expect(try terminal.waitForExit() == 130)
    }

    @Test
    func continuationLines() throws {
        let folder = TemporaryDirectory()
        let terminal = try start(history: folder.path + "/history")
        try terminal.send("run 'a\r")
        try terminal.expect("more> ")
        try terminal.send("b' \\\r")
        try terminal.expect("more> ")
        #expect(try terminal.run("c").contains("read<run 'a\\nb' \\\\nc>"))
        // One entry of the history, recalled whole.
        #expect(try terminal.run("\u{1b}[A").contains("read<run 'a\\nb' \\\\nc>"))
        try terminal.send("RUN <<EOF\r")
        try terminal.expect("more> ")
        try terminal.send("\u{3}")
        try terminal.expect("interrupted")
        let text = try String(contentsOfFile: folder.path + "/history", encoding: .utf8)
        #expect(text.split(separator: "\n").count == 2)
        #expect(text.contains("run\\040'a\\012b'\\040\\\\\\012c"))
    }

    @Test
    func bracketedPasteIsOneBuffer() throws {
        let terminal = try start()
        try terminal.send("\u{1b}[200~FROM alpine\rRUN a \\\r  b\u{1b}[31m\u{7}\rCMD \"x\"\r\u{1b}[201~")
        try terminal.waitFor("the pasted text") { $0.text.contains("CMD \"x\"") }
        #expect(try terminal.run("").contains("read<FROM alpine\\nRUN a \\\\n  b[31m\\nCMD \"x\">"))
    }

    @Test
    func longPaste() throws {
        let terminal = try start()
        let text = (0..<2000).map { "line\($0)" }.joined(separator: " ")
        try terminal.send("\u{1b}[200~\(text)\u{1b}[201~")
        #expect(try terminal.run("", timeout: 60).replacing("\n", with: "").contains("line1999>"))
    }

    @Test
    func historySearch() throws {
        let folder = TemporaryDirectory()
        let path = folder.path + "/history"
        try "_HiStOrY_V2_\npull\\040a\nimages\npull\\040b\nps\n".write(toFile: path, atomically: false, encoding: .utf8)
        let terminal = try start(history: path)
        let up = "\u{1b}[A"
        let down = "\u{1b}[B"
        #expect(try terminal.run(up).contains("read<ps>"))
        #expect(try terminal.run("pu\(up)\(up)").contains("read<pull a>"))
        #expect(try terminal.run("pu\(up)\(up)\(down)").contains("read<pull a>"))
        #expect(try terminal.run("im\(up)\(down)x").contains("read<imx>"))
        // Alt-. once and twice.
        #expect(try terminal.run("tag \u{1b}.").contains("read<tag imx>"))
        #expect(try terminal.run("tag \u{1b}.\u{1b}.\u{1b}.").contains("read<tag a>"))
        // Ctrl-R and Enter.
        try terminal.send("\u{12}images")
        try terminal.waitFor("the found line") { $0.text.contains("bck:images") }
        try terminal.send("\r")
        try terminal.expect("read<images>")
        try terminal.expect(terminal.prompt)
        // A line behind a space is not kept.
        #expect(try terminal.run(" login -p x").contains("read< login -p x>"))
        #expect(try terminal.run(up).contains("read<images>"))
    }

    @Test
    func completion() throws {
        let terminal = try start()
        #expect(try terminal.run("pu\t").contains("read<pull >"))
        // The common start, then a beep, then the list.
        try terminal.send("x im\t")
        try terminal.waitFor("a beep") { $0.beeps > 0 || $0.currentLine.hasSuffix("x im") }
        try terminal.send("\t")
        try terminal.waitFor("the list") {
            $0.text.contains("import  about import") && $0.currentLine.hasSuffix("x im")
        }
        #expect(terminal.screen.text.contains("images  about images"))
        #expect(try terminal.run("p\t").contains("read<x import >"))
        // Ctrl-D at the end lists as well; a list of many asks first.
        try terminal.send("i\u{4}")
        try terminal.waitFor("the list") { $0.text.contains("inspect  about") && $0.currentLine.hasSuffix("> i") }
        try terminal.send("\u{3}")
        try terminal.expect("interrupted")
        // Before the prompt a Ctrl-D is the end of the input, which the terminal keeps to itself.
        try terminal.expect(terminal.prompt)
        try terminal.send("many\u{4}")
        try terminal.expect("Display all 120 possibilities? (y or n)")
        try terminal.send("n")
        try terminal.waitFor("the line again") { $0.currentLine.hasSuffix("> many") }
        try terminal.send("\u{4}y")
        try terminal.waitFor("the list") { $0.text.contains("many119") && $0.currentLine.hasSuffix("> many") }
    }

    @Test
    func rightPromptHintsAndGoes() throws {
        let terminal = try start()
        try terminal.send("pull")
        try terminal.waitFor("the hint") { $0.currentLine.hasSuffix("NAME[:TAG]") }
        try terminal.send("\r")
        try terminal.expect("read<pull>")
        #expect(!terminal.screen.text.contains("NAME[:TAG]"))
    }

    @Test
    func helpKey() throws {
        let terminal = try start()
        try terminal.send("run\u{1b}OP")
        try terminal.waitFor("help") { $0.text.contains("help on run") && $0.currentLine.hasSuffix("> run") }
    }

    @Test
    func editingInAnEditor() throws {
        let folder = TemporaryDirectory()
        let script = folder.path + "/editor"
        try "#!/bin/sh\necho edited >> \"$1\"\n".write(toFile: script, atomically: false, encoding: .utf8)
        let terminal = try start(["EDITOR": "sh \(script)"])
        try terminal.send("first\u{18}\u{5}")
        try terminal.waitFor("the edited text") { $0.currentLine == "edited" }
        #expect(try terminal.run("!").contains("read<first\\nedited!>"))
    }

    @Test
    func ownBindings() throws {
        let folder = TemporaryDirectory()
        let path = folder.path + "/editrc"
        try "shale:bind -s ^T tag\nother:bind -s ^Y nope\n".write(toFile: path, atomically: false, encoding: .utf8)
        let terminal = try start(["EDITRC": path])
        #expect(try terminal.run("\u{14} x").contains("read<tag x>"))
    }

    @Test
    func viKeysKeepTabAndPaste() throws {
        let folder = TemporaryDirectory()
        let path = folder.path + "/editrc"
        try "bind -v\n".write(toFile: path, atomically: false, encoding: .utf8)
        let terminal = try start(["EDITRC": path])
        #expect(try terminal.run("pu\t").contains("read<pull >"))
        try terminal.send("\u{1b}[200~a\rb\u{1b}[201~")
        #expect(try terminal.run("").contains("read<a\\nb>"))
    }

    @Test
    func dumbTerminal() throws {
        let terminal = try start(["TERM": "dumb"])
        #expect(try terminal.run("images").contains("read<images>"))
        #expect(!terminal.screen.bracketsPaste)
        #expect(!terminal.transcript.contains(0x1b))
        try terminal.send("pull")
        try terminal.send("\u{3}")
        try terminal.expect("interrupted")
    }

    @Test
    func resizing() throws {
        let terminal = try start()
        try terminal.send("abc")
        try terminal.waitFor("the text") { $0.currentLine.hasSuffix("> abc") }
        try terminal.resize(columns: 40, rows: 10)
        try terminal.send("def\r")
        try terminal.expect("read<abcdef>")
    }

    @Test
    func terminationGivesTheTerminalBack() throws {
        let terminal = try start()
        terminal.signal(15)
        #expect(try terminal.waitForExit() == 128 + 15)
        #expect(!terminal.screen.bracketsPaste)
    }

    @Test
    func localeWithoutUTF8() throws {
        let terminal = try start(["LANG": "C", "LC_ALL": "C"])
        #expect(try terminal.run("é漢").contains("read<é漢>"))
    }
}
