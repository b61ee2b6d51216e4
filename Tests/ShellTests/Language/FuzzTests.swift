import Basics
import OCI
import Testing

@testable import GoTemplates
@testable import Shell

/// Random texts made of what the grammars know: nothing may trap, and what is read must stay inside the text.
struct FuzzTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ (state >> 29)
        }
    }

    private func text(_ pieces: [String], seed: UInt64) -> String {
        var generator = Generator(state: seed)
        return (0..<Int.random(in: 1...14, using: &generator))
            .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
    }

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
            let line = text(pieces, seed: UInt64(seed))
            for origin in [LineParser.Origin.prompt, .script] {
                guard case .complete(let statements)? = try? LineParser(origin: origin).parse(line) else { continue }
                for statement in statements {
                    guard case .command(let command) = statement.body else { continue }
                    var expansion = Expansion(lookup: { $0 == "a" ? "x\n\ny" : nil })
                    _ = try expansion.arguments(command.words) { _ in .keep }
                }
            }
            var reader = ScriptReader(text: line)
            while try reader.next() != nil {}
            _ = LastArgument.lastWord(of: line)
            _ = Transcript.commandsOnly(line, by: LineParser(origin: .prompt))
        }
    }

    @Test
    func templates() {
        let pieces = [
            "{{", "}}", "{{- ", " -}}", "/*", "*/", "{{/*", "if ", "else", "end", "range ", "with ", "break", "$x",
            " := ",
            "=", ",", "|", "(", ")", ".", ".A", ".B.C", "\"", "\"s\"", "`", "'c'", "1", "0x", "-2", "1e9", "+", "nil",
            "true", "index ", "len ", "slice ", "printf ", "\"%5.2f%d%s%q%*d%!\"", "json ", "split ", "join ", "pad ",
            "eq ",
            "truncate ", " ", "\n", "é", "\\", "{{end}}", "{{if .A}}", "{{range .B}}", "{{.}}", "%",
        ]
        let data = JSONDocument.members([
            "A": .integer(3), "B": .array([.string("x"), .members(["C": .null])]), "C": .string("é%"),
        ])
        for seed in 0..<15_000 {
            let source = text(pieces, seed: UInt64(seed))
            guard let template = try? Template(parsing: source, expandingEscapes: true) else { continue }
            for missing in [Template.Missing.noValue, .noEntry, .noField(type: "T")] {
                _ = try? template.text(of: data, missing: missing)
            }
        }
    }

    @Test
    func historyFiles() {
        let pieces = ["_HiStOrY_V2_", "\n", "\\", "\\04", "\\040", "\\777", "a", "\u{0}", "é", "\\\\"]
        for seed in 0..<5_000 { _ = HistoryFile.decode(Array(text(pieces, seed: UInt64(seed)).utf8)) }
    }
}
