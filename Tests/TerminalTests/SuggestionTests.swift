import Glibc
import TestSupport
import Testing

/// A line of the history that is suggested while one types, and a history file that cannot be written.
@Suite(.serialized)
struct SuggestionTests {
    private static let colours = ["NO_COLOR": ""]

    /// Each key takes what is suggested, in emacs and in vi mode.
    @Test(
        arguments: ["xterm-256color", "screen"],
        ["\u{1b}[C", "\u{1b}OC", "\u{5}", "\u{6}", "\u{1b}[F", "vi:\u{1b}[C", "vi:\u{5}", "vi:\u{6}"])
    func keysThatTakeIt(term: String, key: String) throws {
        let scene = try PromptScene()
        var environment = Self.colours.merging(["TERM": term]) { $1 }
        if key.hasPrefix("vi:") {
            try scene.home.write("bind -v\n", to: "editrc")
            environment["EDITRC"] = scene.home.work + "/editrc"
        }
        let terminal = try scene.prompt(environment: environment)
        try terminal.run("!echo one two")
        try terminal.send("!ec")
        try terminal.waitFor("the suggestion") { $0.currentLine.hasPrefix(terminal.prompt + "!echo one two") }
        try terminal.send(key.replacing("vi:", with: ""))
        try terminal.waitFor("the taken line") { $0.column == (terminal.prompt + "!echo one two").count }
        #expect(try terminal.run("").contains("one two\n"))
        try scene.leave(terminal)
    }

    @Test func oneWordOfIt() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: Self.colours)
        try terminal.run("!echo one two")
        try terminal.send("!ec")
        try terminal.waitFor("the suggestion") { $0.currentLine.hasPrefix(terminal.prompt + "!echo one two") }
        try terminal.send("\u{1b}f")
        try terminal.waitFor("the word") { $0.column == (terminal.prompt + "!echo").count }
        try terminal.send(" x\r")
        #expect(try terminal.expect(terminal.prompt).contains("x\n"))
        // Enter runs what was typed, not what was suggested.
        try terminal.send("!echo on")
        try terminal.waitFor("the suggestion") { $0.currentLine.hasPrefix(terminal.prompt + "!echo one two") }
        #expect(try terminal.run("").contains("on\n"))
        try scene.leave(terminal)
    }

    /// Where it could not be told from what was typed, there is none.
    @Test(arguments: [["TERM": "dumb", "NO_COLOR": ""], ["NO_COLOR": "1"]])
    func noneWithoutColours(environment: [String: String]) throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: environment)
        try terminal.run("!echo one two")
        try terminal.send("!ec")
        usleep(300_000)
        try terminal.waitFor("the line") { $0.currentLine.hasPrefix(terminal.prompt + "!ec") }
        #expect(!terminal.screen.currentLine.contains("one two"))
        try terminal.send("\u{3}")
        try terminal.expect(terminal.prompt)
        try scene.leave(terminal)
    }

    /// A history that cannot be written is said once, and the prompt works on.
    @Test func aHistoryThatCannotBeWritten() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt(environment: ["SHALE_HISTORY": scene.home.work])
        #expect(try terminal.run("version").contains("warning: history file"))
        #expect(try !terminal.run("!echo two").contains("warning"))
        #expect(try terminal.run("!-2").contains("shale 0."))
        try scene.leave(terminal)
    }
}
