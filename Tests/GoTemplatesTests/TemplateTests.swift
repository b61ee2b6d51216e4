import Basics
import FoundationEssentials
import TestSupport
import Testing

@testable import GoTemplates

struct TemplateTests {
    static let data = JSONDocument.members([
        "Id": .string("sha256:abc"), "Size": .integer(1234), "Ratio": .number(0.5), "Big": .number(1e21),
        "On": .bool(true), "Off": .bool(false), "Nothing": .null,
        "RepoTags": .array([.string("a:1"), .string("b:2")]),
        "Config": .members([
            "Cmd": .array([.string("sh"), .string("-c"), .string("x")]), "Entrypoint": .null, "Volumes": .null,
            "Labels": .members(["k": .string("v"), "a.b": .string("dot")]), "Env": .array([.string("P=1")]),
        ]),
        "Mounts": .array([
            .members(["Source": .string("/x"), "RW": .bool(true)]),
            .members(["Source": .string("/y"), "RW": .bool(false)]),
        ]),
    ])

    static let cases: [(String, String)] = [
        ("plain", "plain"),
        ("{{.Id}} {{ .Size }}", "sha256:abc 1234"),
        ("{{.Config.Cmd}}", "[sh -c x]"),
        ("{{.Config.Entrypoint}}|{{.Config.Volumes}}|{{.Nothing}}", "[]|map[]|<no value>"),
        ("{{.Config.Labels}}", "map[a.b:dot k:v]"),
        ("{{.Absent}} {{.Absent.Deeper}}", "<no value> <no value>"),
        ("{{json .}}", data.text()),
        ("{{json .Config.Cmd}}{{.On | json}}", "[\"sh\",\"-c\",\"x\"]true"),
        ("{{json .Absent}}", "null"),
        ("{{index .RepoTags 0}} {{index .Config.Labels \"a.b\"}} {{index .Config.Cmd 2}}", "a:1 dot x"),
        ("{{(index .Mounts 1).Source}}", "/y"),
        ("{{range .RepoTags}}[{{.}}]{{end}}", "[a:1][b:2]"),
        ("{{range $i, $t := .RepoTags}}{{if $i}}, {{end}}{{$i}}={{$t}}{{end}}", "0=a:1, 1=b:2"),
        ("{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}};{{end}}", "a.b:dot;k:v;"),
        ("{{range .Config.Entrypoint}}x{{else}}none{{end}}", "none"),
        ("{{range .Mounts}}{{if not .RW}}{{continue}}{{end}}{{.Source}}{{end}}", "/x"),
        ("{{range .RepoTags}}{{.}}{{break}}{{end}}", "a:1"),
        ("{{range 3}}{{.}}{{end}}", "012"),
        ("{{if .Off}}a{{else if .On}}b{{else}}c{{end}}", "b"),
        ("{{if and .On .Size}}yes{{end}}{{if or .Off .Nothing}}no{{end}}", "yes"),
        ("{{with .Config}}{{.Cmd}} {{$.Id}}{{end}}{{with .Nothing}}x{{else}}y{{end}}", "[sh -c x] sha256:abcy"),
        ("{{with $x := .Size}}{{$x}}{{end}}", "1234"),
        ("{{$x := 1}}{{range .RepoTags}}{{$x = len .}}{{end}}{{$x}}", "3"),
        ("{{len .RepoTags}} {{len .Id}} {{len .Config}}", "2 10 5"),
        (
            "{{eq .Size 1234}} {{eq .Id \"a\" \"sha256:abc\"}} {{ne .On true}} {{lt 1 2}} {{ge 2 2}} {{gt \"b\" \"a\"}} {{le 1.5 1.0}}",
            "true true false true true true false"
        ),
        ("{{join .Config.Cmd \" \"}} {{join .Config.Entrypoint \",\"}}", "sh -c x "),
        ("{{range split .Id \":\"}}<{{.}}>{{end}}", "<sha256><abc>"),
        (
            "{{upper \"aé\"}} {{lower \"AB\"}} {{title \"go to it\"}} {{pad \"x\" 1 2}}| {{truncate .Id 5}}",
            "AÉ ab Go To It  x  | sha25"
        ),
        (
            "{{printf \"%s-%5d-%-4s|%q %v %.2f %x %t %05d %%\" .Id .Size \"a\" \"q\\\"\" .RepoTags .Ratio 255 .On 42}}",
            "sha256:abc- 1234-a   |\"q\\\"\" [a:1 b:2] 0.50 ff true 00042 %"
        ),
        ("{{printf \"%d\" \"x\"}} {{printf \"%s\"}} {{printf \"a\" 1}}", "%!d(string=x) %!s(MISSING) a%!(EXTRA int=1)"),
        ("{{print 1 2 \"a\" \"b\" 3}} {{println \"x\" 1}}", "1 2ab3 x 1\n"),
        ("{{slice .Id 0 6}} {{slice .RepoTags 1}}", "sha256 [b:2]"),
        ("a  {{- /* c */ -}}  b {{- 1 -}} c {{/* x */}}d", "ab1c d"),
        (
            "{{\"quo\\tted\"}} {{`raw\\n`}} {{'a'}} {{0x10}} {{1_000}} {{-3}} {{1e3}}",
            "quo\tted raw\\n 97 16 1000 -3 1000"
        ),
        ("{{.Ratio}} {{.Big}}", "0.5 1e+21"),
        ("{{.Size | printf \"%d %s\" 1 | upper}}", "1 %!S(INT=1234)"),
        ("{{ html \"<a>\" }} {{urlquery \"a b&c\"}}", "&lt;a&gt; a+b%26c"),
        ("{{not .Off}}{{true}}{{\"}}\"}}", "truetrue}}"),
        ("{{if .On}}{{if .Off}}1{{else}}2{{end}}{{end}}", "2"),
    ]

    @Test(arguments: cases)
    func evaluates(template: String, expected: String) throws {
        #expect(try Template(parsing: template).text(of: Self.data) == expected)
    }

    @Test(arguments: [
        ("a\\tb\\n{{\"\\n|}}\\t\"}}\\t", "a\tb\n\n|}}\t\t"), ("{{1}}\\n{{`\\n`}}\\\\x", "1\n\\n\\\\x"),
        ("{{'\\n'}}\\t{{\"\\\"\"}}\\n", "10\t\"\n"),
    ])
    func escapesOutsideAndInside(template: String, expected: String) throws {
        #expect(try Template(parsing: template, expandingEscapes: true).text(of: Self.data) == expected)
    }

    @Test(arguments: [
        ("{{", "template: :1: unclosed action"), ("{{.A", "template: :1: unclosed action"),
        ("{{if .A}}x", "template: :1: unexpected EOF"), ("{{end}}", "template: :1: unexpected {{end}}"),
        ("{{.A | }}", "template: :1: missing value for command"), ("{{}}", "template: :1: missing value for command"),
        ("{{\n\nfoo}}", "template: :3: function \"foo\" not defined"),
        ("{{$x}}", "template: :1: undefined variable \"$x\""),
        ("{{\"abc}}", "template: :1: unterminated quoted string"),
        ("{{range .A}}{{else}}{{else}}{{end}}", "template: :1: expected end; found {{else}}"),
        ("{{(.A}}", "template: :1: unclosed left paren"), ("{{/* x}}", "template: :1: unclosed comment"),
        ("{{break}}", "template: :1: {{break}} outside {{range}}"),
        ("{{if}}x{{end}}", "template: :1: missing value for if"),
        ("{{1 | 2}}", "template: :1: non executable command in pipeline stage 2"),
        ("{{%}}", "template: :1: unexpected bad character U+0025 '%' in command"),
    ])
    func syntaxErrors(template: String, expected: String) {
        let error = #expect(throws: ShaleError.self) { try Template(parsing: template) }
        #expect(error?.cause == expected)
        #expect(error?.message == "template parsing error")
    }

    @Test(arguments: [
        ("{{.Foo}}", "template: :1:2: executing \"\" at <.Foo>: map has no entry for key \"Foo\""),
        ("x{{.Config.Foo}}", "template: :1:3: executing \"\" at <.Config.Foo>: map has no entry for key \"Foo\""),
        (
            "{{index .RepoTags 7}}",
            "template: :1:2: executing \"\" at <index .RepoTags 7>: error calling index: index out of range: 7"
        ),
        ("{{.Id.X}}", "template: :1:2: executing \"\" at <.Id.X>: can't evaluate field X in type string"),
        ("{{len .Size}}", "template: :1:2: executing \"\" at <len .Size>: error calling len: len of type int"),
        (
            "{{range .Size}}{{end}}{{.Id \"x\"}}",
            "template: :1:24: executing \"\" at <.Id>: Id has arguments but cannot be invoked as function"
        ),
    ])
    func executionErrors(template: String, expected: String) {
        let error = #expect(throws: ShaleError.self) {
            try Template(parsing: template).text(of: Self.data, missing: .noEntry)
        }
        #expect(error?.cause == expected)
    }

    @Test
    func absentLabelsAreNoError() throws {
        let template = try Template(parsing: "{{.Config.Labels.zzz}} {{index .Config.Labels \"zzz\"}}|")
        #expect(try template.text(of: Self.data, missing: .noEntry) == "<no value> |")
    }

    @Test
    func hostileTemplates() throws {
        let deep = String(repeating: "{{if .A}}", count: 20_000) + String(repeating: "{{end}}", count: 20_000)
        #expect(throws: ShaleError.self) { try Template(parsing: deep) }
        #expect(throws: ShaleError.self) { try Template(parsing: "{{" + String(repeating: "(", count: 50_000)) }
        let wide = try Template(parsing: "{{printf \"%999999999d\" 1}}")
        #expect(try wide.text(of: .null).count == 10_000)
        #expect(throws: ShaleError.self) { try Template(parsing: "{{range 99999999999}}{{end}}").text(of: .null) }
    }

    /// Every template that a recorded docker session used can at least be read.
    @Test(.enabled(if: Corpus.isPresent, "\(Corpus.absent)"))
    func recordedTemplatesParse() throws {
        var count = 0
        var failures: [String] = []
        for row in try Corpus.rows("behaviour/cli-scenarios.json") {
            for step in row["recorded"]?.array ?? [] {
                let pieces = (step["cmd"]?.string ?? "").split(separator: "'", omittingEmptySubsequences: false)
                for piece in pieces where piece.contains("{{") && step["exit"]?.int == 0 {
                    count += 1
                    if (try? Template(parsing: String(piece))) == nil { failures.append(String(piece)) }
                }
            }
        }
        Corpus.score("recorded-templates", count - failures.count, of: count)
        #expect(failures.isEmpty)
    }
}
