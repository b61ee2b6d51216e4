import Basics
import Sessions
import ShellLanguage

/// A recorded shell and its lines as one command of a script: `enter <<'END'`, the lines, `END`.
///
/// In this form a recording can be replayed. A script with the lines after `enter`, up to `exit`, is read into it.
enum EnteredBlock {
    /// The command with its lines behind it, in a here-document whose end none of them is.
    static func text(_ command: String, lines: [String]) -> String {
        var end = "END"
        let all = lines.flatMap { $0.split(separator: "\n", omittingEmptySubsequences: false) }
        while all.contains(where: { $0 == end }) { end += "_" }
        return (["\(command) <<'\(end)'"] + lines + [end]).joined(separator: "\n")
    }

    /// Whether a command of a script takes the lines that follow it.
    static func isOpen(_ command: ScriptCommand) -> Bool {
        guard case .success(let statements) = command.statements, statements.count == 1,
            case .command(let enter)? = statements.first?.body
        else { return false }
        return enter.words.first?.plain == "enter" && enter.redirections.isEmpty && enter.pipeline == nil
    }

    /// Takes the lines that follow an open `enter`, up to `exit` or the end; what was recorded as shown is left out.
    static func whole(_ command: ScriptCommand, _ lines: ScriptLines) throws(ShaleError) -> ScriptCommand {
        let source = ScriptedLines(name: "", lines: lines)
        var taken: [String] = []
        while case .command(let text, _) = try source.next(prompt: "") {
            if EnteredLines.leaving(text.trimmingBlanks) != nil { break }
            taken.append(text)
        }
        let text = text(command.text, lines: taken)
        var statements: Result<[Statement], ShaleError>
        do throws(ShaleError) {
            statements = .success(try LineParser(origin: .script).statements(in: text, firstLine: command.line))
        } catch {
            statements = .failure(error)
        }
        return ScriptCommand(line: command.line, text: text, statements: statements)
    }
}
