import Basics
import Glibc
import LineEditing
import Linux
import Rendering
import ShellLanguage

/// Where the commands of a stepped program come from: the terminal, with keys and history, or a pipe.
final class StepInput {
    enum Line {
        case text(String)
        /// Ctrl-C at the prompt.
        case interrupted
        case end
    }

    private let shell: ShellContext
    private let editor: LineEditor?
    private let prompt: String

    init(_ shell: ShellContext, prompt: String, completer: any Completer) {
        self.shell = shell
        self.prompt = prompt
        let isTerminal = shell.input == 0 && Terminal.isTerminal(0) && shell.console.isTerminal(.output)
        editor =
            isTerminal
            ? try? LineEditor(
                console: shell.console,
                history: HistoryFile(path: HistoryLocation(shell.console.environment).path("step_history")),
                completer: completer, questions: LineEditor.Questions()) : nil
    }

    var isTerminal: Bool { editor != nil }

    func next() -> Line {
        if let editor {
            switch editor.read(prompt: prompt) {
            case .line(let text): return .text(text)
            case .interrupted: return .interrupted
            case .endOfInput: return .end
            }
        }
        guard var text = plainLine() else { return .end }
        // An open quote, a heredoc or a backslash goes on in the next line.
        while case .incomplete? = try? LineParser(origin: .prompt).parse(text), let more = plainLine() {
            text += "\n" + more
        }
        return .text(text)
    }

    /// One line of the script or the pipe, read byte by byte: what follows may be for another reader.
    func plainLine() -> String? {
        if let script = shell.script, shell.input == 0, !shell.inputIsHereDocument {
            return try? script.lines.next()
        }
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while true {
            let count = read(shell.input, &byte, 1)
            if count < 0, errno == EINTR {
                if shell.cancellation.isCancelled { return nil }
                continue
            }
            guard count == 1 else { return bytes.isEmpty ? nil : String(pathBytes: bytes) }
            if byte == UInt8(ascii: "\n") { return String(pathBytes: bytes) }
            bytes.append(byte)
        }
    }
}
