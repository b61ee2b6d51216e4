import Basics
import TestSupport
import Testing

@testable import GoTemplates

/// Random texts made of what the grammar knows: nothing may trap.
struct FuzzTests {
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
            let source = RandomText.of(pieces, seed: UInt64(seed))
            guard let template = try? Template(parsing: source, expandingEscapes: true) else { continue }
            for missing in [Template.Missing.noValue, .noEntry, .noField(type: "T")] {
                _ = try? template.text(of: data, missing: missing)
            }
        }
    }
}
