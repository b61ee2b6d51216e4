import Basics
import TestSupport
import Testing

@testable import ShellLanguage

/// Random texts made of what the grammar knows: nothing may trap.
struct FuzzTests {
    @Test
    func lines() throws {
        let pieces = [
            "a", "ps ", " ", "\n", "\\", "'", "\"", "$", "${", "}", "$(", ")", "((", "`", "#", ";", "&&", "||", "|",
            "|&",
            "&", ">", ">>", "<", "<<", "<<-", "<<<", "2>", "&1", "EOF", "EOF\n", "!", "!!", "!-", "x = ", "x=", "RUN ",
            "FROM", "COPY <<E ", "$ ", "1 $ ", "docker ", "image ls", "while ", "do ", "done", "case ", "esac", "{",
            "(",
            "\t", "\r", "é", "🐳", "\u{0}", "=", "-", "~/", "\\\n", "# docker ",
        ]
        for seed in 0..<15_000 {
            let line = RandomText.of(pieces, seed: UInt64(seed))
            for origin in [LineParser.Origin.prompt, .script] {
                guard case .complete(let statements)? = try? LineParser(origin: origin).parse(line) else { continue }
                for statement in statements {
                    guard case .command(let command) = statement.body else { continue }
                    var expansion = Expansion(lookup: { $0 == "a" ? "x\n\ny" : nil })
                    _ = try expansion.arguments(command.words) { _ in .keep }
                }
            }
            var reader = ScriptReader(text: line, parser: LineParser())
            while try reader.next() != nil {}
            _ = Word.last(in: line)
            _ = Transcript.commandsOnly(line, by: LineParser(origin: .prompt))
        }
    }
}
