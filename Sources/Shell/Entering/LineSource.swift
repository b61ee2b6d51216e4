import Basics
import LineEditing
import Linux
import Rendering
import Sessions
import ShellLanguage

/// Complete commands from any source: typed, from a script, or from `<` and `<<`.
protocol LineSource: AnyObject {
    /// The next command, with where it stands in a script.
    func next(prompt: String) throws(ShaleError) -> EnteredText
}

enum EnteredText {
    case command(String, place: (file: String, line: Int)?)
    /// Ctrl-C at the prompt.
    case interrupted
    case end
}

/// Lines typed at a terminal.
final class TypedLines: LineSource {
    private let editor: LineEditor
    private let console: Console
    /// Commands of one paste, the next one last.
    private var waiting: [String] = []
    /// What was typed before there was a prompt: whole lines, and the beginning of one.
    private var ahead = ""

    /// Keeps what was typed while a line ran that did not read it.
    func take(typedAhead bytes: [UInt8]) {
        ahead += String(pathBytes: bytes).replacing("\r", with: "\n")
    }

    init(_ shell: ShellContext, completer: any Completer) throws(ShaleError) {
        console = shell.console
        let history = HistoryFile(path: HistoryLocation(shell.console.environment).path("enter_history"))
        var questions = LineEditor.Questions()
        questions.isIncomplete = { ShellScan($0).isIncomplete }
        editor = try LineEditor(console: shell.console, history: history, completer: completer, questions: questions)
    }

    func next(prompt: String) -> EnteredText {
        if let command = waiting.popLast() { return .command(command, place: nil) }
        let ahead = self.ahead
        self.ahead = ""
        // A line that was typed ahead and ended counts as typed here.
        if let end = ahead.lastIndex(of: "\n"), !ShellScan(String(ahead[..<end])).isIncomplete {
            let text = String(ahead[..<end])
            self.ahead = String(ahead[ahead.index(after: end)...])
            console.write(prompt + text + "\n")
            editor.remember(text)
            waiting = Self.commands(in: text).reversed()
            return .command(waiting.popLast() ?? "", place: nil)
        }
        switch editor.read(prompt: prompt, continuation: "> ", initial: ahead) {
        case .interrupted: return .interrupted
        case .endOfInput: return .end
        case .line(let text):
            waiting = Self.commands(in: text).reversed()
            return .command(waiting.popLast() ?? "", place: nil)
        }
    }

    /// A text of several lines as the commands in it.
    static func commands(in text: String) -> [String] {
        var commands: [String] = []
        var open = ""
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            open += open.isEmpty ? String(line) : "\n" + line
            if !ShellScan(open).isIncomplete {
                commands.append(open)
                open = ""
            }
        }
        return open.isEmpty ? commands : commands + [open]
    }
}

/// Lines that follow in a script.
final class ScriptedLines: LineSource {
    private let name: String
    private let lines: ScriptLines
    /// The most lines of one command: an unclosed quote must not read a huge script to its end.
    private static let longestCommand = 20_000

    init(name: String, lines: ScriptLines) {
        self.name = name
        self.lines = lines
    }

    func next(prompt: String) throws(ShaleError) -> EnteredText {
        guard let first = try lines.next() else { return .end }
        let start = lines.number
        var text = first
        while true {
            let scan = ShellScan(text)
            guard scan.isIncomplete, lines.number - start < Self.longestCommand else { break }
            guard var line = try lines.next() else { break }
            text += "\n" + line
            // Only the line that ends a here-document can make it whole.
            if let delimiter = scan.openHeredoc {
                while line.drop(while: { $0 == "\t" }) != delimiter, let further = try lines.next() {
                    line = further
                    text += "\n" + line
                }
            }
        }
        return .command(text, place: (name, start))
    }
}
