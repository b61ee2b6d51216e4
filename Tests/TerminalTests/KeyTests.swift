import Glibc
import TestSupport
import Testing

/// Every key of the prompt, in emacs and in vi mode, on wide and narrow terminals and on a dumb one.
///
/// What a key did is read from what the line then prints: that is the same at every width.
@Suite(.serialized)
struct KeyTests {
    enum Mode: String, CaseIterable, CustomTestStringConvertible {
        case emacs
        case vi

        var testDescription: String { rawValue }
    }

    struct Screen: CustomTestStringConvertible {
        var term: String
        var columns: Int

        var testDescription: String { "\(term), \(columns) columns" }
        static let all = ["xterm-256color", "screen", "dumb"].flatMap { term in
            [20, 80, 200].map { Screen(term: term, columns: $0) }
        }
    }

    /// Keys, and the line that is printed once Enter is pressed behind them.
    private struct Row {
        var name: String
        var keys: String
        var prints: String
        /// Whether vi's mode has it too, where it takes text.
        var isInVi = true
        var startsEditor = false
    }

    private static let escape = "\u{1b}"
    private static let rows: [Row] = [
        Row(name: "Ctrl-A", keys: "echo a1\u{1}!", prints: "a1"),
        Row(name: "Ctrl-E", keys: "!echo a\u{1}\u{5}2", prints: "a2"),
        Row(name: "Home", keys: "echo a3\(escape)[H!", prints: "a3"),
        Row(name: "Home of an application", keys: "echo a4\(escape)OH!", prints: "a4"),
        Row(name: "End", keys: "!echo a\u{1}\(escape)[F5", prints: "a5"),
        Row(name: "End of an application", keys: "!echo a\u{1}\(escape)OF6", prints: "a6"),
        Row(name: "Ctrl-B", keys: "!echo b1\u{2}\u{2}c", prints: "cb1", isInVi: false),
        Row(name: "Left", keys: "!echo b2\(escape)[D\(escape)[Dc", prints: "cb2"),
        Row(name: "Ctrl-F", keys: "!echo b\u{1}\u{6}\u{6}\u{6}\u{6}\u{6}\u{6}c3", prints: "c3b"),
        Row(name: "Right", keys: "!echo b4\(escape)[D\(escape)[D\(escape)[Cc", prints: "bc4"),
        Row(name: "Ctrl-Left", keys: "!echo one b5\(escape)[1;5Dc", prints: "one cb5"),
        Row(name: "Ctrl-Right", keys: "!echo x b6\u{1}\(escape)[1;5C c", prints: "c x b6"),
        Row(name: "Alt-Left", keys: "!echo one b7\(escape)[1;3Dc", prints: "one cb7"),
        Row(name: "Alt-B", keys: "!echo one b8\(escape)bc", prints: "one cb8", isInVi: false),
        Row(name: "Alt-F", keys: "!echo b9\u{1}\(escape)f c", prints: "c b9", isInVi: false),
        Row(name: "Backspace", keys: "!echo d1x\u{7f}", prints: "d1"),
        Row(name: "Ctrl-H", keys: "!echo d2x\u{8}", prints: "d2"),
        Row(name: "Delete", keys: "!echo xd3\(escape)[D\(escape)[D\(escape)[D\(escape)[3~", prints: "d3"),
        Row(name: "Ctrl-D in a line", keys: "!echo xd4\(escape)[D\(escape)[D\(escape)[D\u{4}", prints: "d4"),
        Row(name: "Ctrl-K", keys: "!echo d5xx\u{2}\u{2}\u{b}", prints: "d5", isInVi: false),
        Row(name: "Ctrl-U", keys: "gone\u{15}!echo d6", prints: "d6"),
        Row(name: "Ctrl-W", keys: "!echo d7 gone\u{17}", prints: "d7"),
        Row(name: "Ctrl-Y", keys: "!echo d8\u{2}\u{2}\u{b}\u{19}\u{19}", prints: "d8d8", isInVi: false),
        Row(name: "Ctrl-T", keys: "!echo d90\u{14}", prints: "d09", isInVi: false),
        Row(name: "Alt-D", keys: "!echo gone e1\u{1}\(escape)f\(escape)d", prints: "e1", isInVi: false),
        Row(name: "Ctrl-L", keys: "!echo e2\u{c}", prints: "e2", isInVi: false),
        Row(name: "Up", keys: "!echo u\(escape)[A", prints: "up3"),
        Row(name: "Up of an application, twice", keys: "!echo u\(escape)OA\(escape)OA", prints: "up2"),
        Row(name: "Page up", keys: "!echo u\(escape)[5~", prints: "up2"),
        Row(name: "Up twice and Down", keys: "!echo u\(escape)[A\(escape)[A\(escape)[B", prints: "up2"),
        Row(name: "Ctrl-P twice and Ctrl-N", keys: "!echo u\u{10}\u{10}\u{e}", prints: "up2"),
        Row(name: "Ctrl-R", keys: "\u{12}echo up1", prints: "up1"),
        Row(name: "Ctrl-R again and Ctrl-S", keys: "\u{12}echo up\u{12}\u{13}\u{13}", prints: "up1"),
        Row(name: "Alt-.", keys: "!echo \(escape).", prints: "up1"),
        Row(name: "Ctrl-X Ctrl-E", keys: "!echo g1-false\u{18}\u{5}", prints: "g1-true", startsEditor: true),
        Row(name: "Tab", keys: "versi\t", prints: "shale 0.1.0"),
        Row(name: "Shift-Tab", keys: "versi\(escape)[Z", prints: "shale 0.1.0"),
        Row(name: "a paste", keys: "\(escape)[200~!echo g2\u{1b}[201~", prints: "g2"),
        Row(name: "a paste of two lines", keys: "\(escape)[200~!echo g\r!echo g3\u{1b}[201~", prints: "g3"),
        Row(name: "a line that goes on", keys: "!echo 'g\r4'", prints: "4"),
        Row(name: "wide characters", keys: "!echo 日本é\u{7f}", prints: "日本"),
        Row(name: "Insert does nothing", keys: "!echo g6\(escape)[2~", prints: "g6"),
    ]

    /// vi's own keys, behind an Escape.
    private static let viRows: [Row] = [
        Row(name: "0 and i", keys: "cho h1|0i!e", prints: "h1"), Row(name: "x", keys: "!echo h2x|x", prints: "h2"),
        Row(name: "b, c and w", keys: "!echo gone|bcwh3", prints: "h3"),
        Row(name: "A", keys: "!echo h|0A4", prints: "h4"),
        Row(name: "d and d", keys: "gone|ddi!echo h5", prints: "h5"), Row(name: "k", keys: "|k", prints: "h5"),
        Row(name: "r", keys: "!echo h7|r6", prints: "h6"), Row(name: "D", keys: "!echo h7xx|hD", prints: "h7"),
    ]

    @Test(arguments: Mode.allCases, Screen.all) func everyKey(mode: Mode, screen: Screen) throws {
        let scene = try PromptScene(environment: ["EDITOR": "sed -i s/false/true/", "TERM": screen.term])
        try scene.home.write("bind -v\n", to: "editrc")
        let environment = mode == .vi ? ["EDITRC": scene.home.work + "/editrc"] : [:]
        let terminal = try scene.home.terminal([], environment: environment, columns: screen.columns)
        try terminal.expect(terminal.prompt, timeout: 60)
        for number in 1...3 { try terminal.run("!echo up\(number)") }
        for row in Self.rows where mode == .emacs || row.isInVi { try check(row, terminal) }
        if mode == .vi { for row in Self.viRows { try check(row, terminal) } }
        // Ctrl-C drops the line, and Ctrl-D behind one lists what it could become.
        try terminal.send("!touch never\u{3}")
        try terminal.expect("^C")
        try terminal.expect(terminal.prompt)
        try terminal.send("pul\u{4}")
        try terminal.expect("Download an")
        try terminal.send("\u{3}")
        try terminal.expect("^C")
        try terminal.expect(terminal.prompt)
        // F1 shows help on the command.
        for key in ["\u{1b}OP", "\u{1b}[11~"] {
            try terminal.send("tag\(key)")
            try terminal.expect("SOURCE")
            try terminal.send("\u{3}")
            try terminal.expect("^C")
            try terminal.expect(terminal.prompt)
        }
        #expect(!scene.home.exists("never"))
        try terminal.run("version")
        try scene.leave(terminal)
    }

    private func check(_ row: Row, _ terminal: Terminal) throws {
        for (index, part) in row.keys.split(separator: "|", omittingEmptySubsequences: false).enumerated() {
            if index > 0 {
                // An Escape is one by itself when nothing follows at once.
                try terminal.send("\u{1b}")
                usleep(200_000)
            }
            try terminal.send(String(part))
        }
        // The editor that it starts would take what comes too soon.
        if row.startsEditor { usleep(1_000_000) }
        try terminal.send("\r")
        var shown = ""
        // A line that is drawn anew has the prompt in front of it, too.
        while !shown.split(separator: "\n").contains(Substring(row.prints)) {
            do {
                shown += try terminal.expect(terminal.prompt, timeout: 10)
            } catch {
                Issue.record("\(row.name): \(shown.debugDescription)\n\(error)")
                throw error
            }
        }
    }
}
