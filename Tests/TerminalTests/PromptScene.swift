import FoundationEssentials
import TestSupport
import Testing

/// What the tests of the prompt share: a home whose shale answers at a random prompt.
struct PromptScene {
    let home: ShaleHome

    init(environment: [String: String] = [:]) throws {
        home = ShaleHome(environment)
    }

    /// Starts the prompt and waits for it.
    func prompt(_ arguments: [String] = [], environment: [String: String] = [:]) throws -> Terminal {
        let terminal = try home.terminal(arguments, environment: environment)
        try terminal.expect(terminal.prompt, timeout: 60)
        return terminal
    }

    /// Ends it as a person does, and checks that nothing came in the way.
    func leave(_ terminal: Terminal, status: Int32 = 0) throws {
        try terminal.send("\u{4}")
        #expect(try terminal.waitForExit() == status, "\(terminal.screen.text)")
    }

    /// Types the start of a line, presses Tab, and waits until the line reads as it should.
    func expectTab(_ typed: String, becomes line: String, in terminal: Terminal) throws {
        try terminal.send(typed + "\t")
        try terminal.waitFor("\(typed)⇥ to become \(line)") { screen in
            screen.currentLine.hasPrefix(terminal.prompt + line)
        }
        try clear(terminal)
    }

    /// Types the start of a line, presses Tab twice, and waits until each of the words is offered.
    func expectTab(_ typed: String, offers words: [String], in terminal: Terminal) throws {
        try terminal.send(typed + "\t\t")
        try terminal.waitFor("\(typed)⇥⇥ to offer \(words)") { screen in
            words.allSatisfy { word in
                screen.lines.contains {
                    !$0.hasPrefix(terminal.prompt) && $0.split(separator: " ").contains(Substring(word))
                }
            }
        }
        try clear(terminal)
    }

    /// Ctrl-C drops the line, and shows a new prompt.
    private func clear(_ terminal: Terminal) throws {
        try terminal.send("\u{3}")
        try terminal.expect("^C")
        try terminal.expect(terminal.prompt)
        try terminal.run("!clear")
    }
}
