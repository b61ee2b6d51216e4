import Basics
import Glibc
import LineEditing
import Rendering
import ShellLanguage

// Reads lines with shale's editor and says what it read; what the tests of the editor run in a terminal of their own.
// PROBE_PROMPT: the prompt. PROBE_HISTORY: the history file.

/// Completes from a fixed list.
struct FixedCompleter: Completer {
    let words = ["images", "import", "inspect", "info", "pull"]

    func completions(for text: String) -> Completions {
        let scalars = Array(text.unicodeScalars)
        let start = scalars.lastIndex { $0 == " " || $0 == "\n" }.map { $0 + 1 } ?? 0
        let word = String(String.UnicodeScalarView(scalars[start...]))
        if word.hasPrefix("many") {
            return Completions((0..<120).map { Candidate("many\($0)") }, span: start..<scalars.count)
        }
        let found = words.filter { $0.hasPrefix(word) }
        return Completions(found.map { Candidate($0, summary: "about \($0)") }, span: start..<scalars.count)
    }

    func hint(for text: String) -> String? { text == "pull" ? "NAME[:TAG]" : nil }
    func help(for text: String) -> String? { "help on \(text)" }
}

let console = Console()
let prompt = console.environment["PROBE_PROMPT"] ?? "> "
let history = HistoryFile(path: console.environment["PROBE_HISTORY"])
do throws(ShaleError) {
    let questions = LineEditor.Questions(
        isIncomplete: { text in
            if case .incomplete? = try? LineParser(origin: .prompt, commands: []).parse(text) { true } else { false }
        },
        lastWord: { Word.last(in: $0)?.source })
    let editor = try LineEditor(
        console: console, history: history, completer: FixedCompleter(), questions: questions)
    reading: while true {
        switch editor.read(prompt: prompt, continuation: "more> ") {
        case .line("sleep"):
            console.line("sleeping")
            sleep(30)
        case .line(let text):
            let escaped = text.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\\n")
            console.line("read<\(escaped)>")
        case .interrupted: console.line("interrupted")
        case .endOfInput: break reading
        }
    }
    console.line("bye")
} catch {
    console.report(error)
    exit(1)
}
