import Basics
import TestSupport
import Testing

@testable import Dockerfiles

@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct LexicalCorpusTests {
    @Test func lexicalCases() throws {
        var score = Score("dockerfile-parser/lexical-cases")
        for row in try Corpus.rows("dockerfile-parser/lexical-cases.json") {
            let id = row["id"]?.string
            let input = row["input"]?.string ?? ""
            switch row["kind"]?.string {
            case "split_words":
                score.check(
                    id, NodeGrammar(escape: "\\").quotedWords(Array(input.unicodeScalars)), row["expect"]?.strings ?? []
                )
            case "json_array_of_strings":
                let isRefused = row["expect_error"] != nil
                let got = Result { try NodeGrammar.stringArray(Array(input.unicodeScalars)) }
                if isRefused {
                    score.check(id, (try? got.get()) == nil, true)
                } else {
                    score.check(id, try got.get(), row["expect"]?.strings)
                }
            case "heredoc_names_in_line":
                score.check(
                    id, try HeredocWord.all(in: Array(input.unicodeScalars)).map(\.name), row["expect"]?.strings ?? [])
            case "heredoc_word":
                let got = Result { try HeredocWord.parse(input) }
                if row["expect_error"] != nil {
                    if case .failure = got { score.check(id, true, true) } else { score.check(id, false, true) }
                } else {
                    score.check(id, try got.get()?.name, row["expect"]?["name"]?.string)
                }
            case "heredoc_chomp_tabs":
                let heredoc = Heredoc(name: "x", content: input, expand: true, chomp: true, descriptor: 0)
                score.check(id, heredoc.text, row["expect"]?.string ?? "")
            case "heredocs_of_instruction":
                let got = try Dockerfile(parsing: input).nodes.first?.heredocs ?? []
                let wanted = (row["expect"]?.array ?? []).map {
                    Heredoc(
                        name: $0["name"]?.string ?? "", content: $0["content"]?.string ?? "",
                        expand: $0["expand"]?.bool ?? false, chomp: $0["chomp"]?.bool ?? false,
                        descriptor: $0["fd"]?.int ?? 0)
                }
                score.check(id, got, wanted)
            case "detect_syntax", "directive_check":
                let got =
                    row["kind"]?.string == "detect_syntax"
                    ? Directive.syntax(of: input) : Directive.named("check", in: input)
                let wanted = row["expect"]
                score.check(id, got?.reference, (wanted?["ref"] ?? wanted?["value"])?.string)
                if let value = wanted?["cmdline"]?.string { score.check(id, got?.value, value) }
                if let line = wanted?["line"]?.int { score.check(id, got?.line, line) }
            case "line_numbers":
                let nodes = try Dockerfile(parsing: input).nodes
                let wanted = (row["expect"]?["children"]?.array ?? []).map { ($0.array ?? []).compactMap(\.int) }
                score.check(id, nodes.map { [$0.line, $0.endLine] }, wanted)
            case "warnings":
                let warnings = try Dockerfile(parsing: input).warnings
                score.check(id, warnings.count, row["expect"]?["count"]?.int ?? 0)
                let contain = row["expect"]?["contain"]?.strings ?? []
                for (warning, part) in zip(warnings, contain) { score.check(id, warning.message.contains(part), true) }
                let detail = row["expect"]?["detail_contains"]?.string ?? ""
                score.check(id, warnings.allSatisfy { $0.detail.contains(detail) }, true)
            case "limit":
                let text = "FROM x\nLABEL test=" + String(repeating: "a", count: 65_536) + "\n"
                score.check(id, message { _ = try Dockerfile(parsing: text) }, row["expect_error"]?.string)
            case "name_val":
                let text = (row["instruction"]?.string ?? "") + " " + input
                if let wanted = row["expect_error"]?.string {
                    score.check(id, message { _ = try Dockerfile(parsing: text) }, wanted)
                } else {
                    score.check(id, try Dockerfile(parsing: text).nodes.first?.arguments, row["expect"]?.strings)
                }
            case let kind:
                score.check(id, kind, "a known kind")
            }
        }
        score.finish()
    }

    @Test func instructionCases() throws {
        var score = Score("dockerfile-parser/instruction-cases")
        for row in try Corpus.rows("dockerfile-parser/instruction-cases.json") {
            let id = row["id"]?.string
            let wanted = row["expect"]
            if let text = row["device_flag"]?.string {
                if let part = row["expect_error"]?.string {
                    let got = message { _ = try RunDevice(parsing: text) }
                    score.check(id, got.map { part.contains($0) }, true)
                } else {
                    let device = try RunDevice(parsing: text)
                    score.check(id, device.name, wanted?["Name"]?.string ?? "")
                    score.check(id, device.isRequired, wanted?["Required"]?.bool ?? false)
                }
                continue
            }
            if let words = row["args"]?.strings {
                let text = "RUN " + words.joined(separator: " ")
                guard case .run(let run) = try Instruction.parse(line: text).value else { continue }
                score.check(id, run.command.words, wanted?.strings ?? [])
                continue
            }
            let text = row["dockerfile"]?.string ?? ""
            if let part = row["expect_error"]?.string {
                let got = message { _ = try StagedFile(Dockerfile(parsing: "FROM scratch\n" + text)) } ?? ""
                score.check(id, got.contains(part) ? part : got, part)
                continue
            }
            switch try Instruction.parse(line: text).value {
            case .copy(let copy):
                score.check(id, copy.files.destination, wanted?["dest"]?.string ?? "")
                score.check(id, copy.files.paths, wanted?["sources"]?.strings ?? [])
                let inline = (wanted?["inline"]?.array ?? []).map {
                    FileSources.Inline(
                        name: $0["name"]?.string ?? "", content: $0["data"]?.string ?? "",
                        expand: $0["expand"]?.bool ?? false)
                }
                score.check(id, copy.files.inline, inline)
            case .run(let run):
                if let flags = wanted?["flags_used"]?.strings { score.check(id, run.flagsUsed, flags) }
                if let words = wanted?["cmdline"]?.strings { score.check(id, run.command.words, words) }
                if let shell = wanted?["shell_form"]?.bool { score.check(id, run.command.usesShell, shell) }
                if let files = wanted?["files"]?.array {
                    score.check(id, run.heredocs.map(\.name), files.compactMap { $0["name"]?.string })
                    score.check(id, run.heredocs.map(\.content), files.compactMap { $0["data"]?.string })
                }
            case .healthcheck(let health):
                score.check(id, health.test, wanted?["test"]?.strings ?? [])
            case let other:
                score.check(id, other.keyword, "a known case")
            }
        }
        score.finish()
    }

    @Test func builderFlags() throws {
        var score = Score("dockerfile-parser/builder-flags")
        for row in try Corpus.rows("dockerfile-parser/builder-flags.json") {
            let id = row["id"]?.string
            let declared = row["declared"]?.strings ?? []
            let words = row["args"]?.strings ?? []
            let isError = row["expect"]?.string == "error"
            let flags: InstructionFlags
            do {
                flags =
                    declared.contains("bool1..bool5")
                    ? try InstructionFlags(
                        words,
                        known: [
                            "bool1": .toggle, "bool2": .toggle, "bool3": .toggle, "bool4": .toggle, "bool5": .toggle,
                            "str1": .text, "str2": .text, "str3": .text, "str4": .text,
                        ])
                    : declared.contains { $0.hasPrefix("bool1") }
                        ? try InstructionFlags(words, known: ["str1": .text, "bool1": .toggle])
                        : declared.isEmpty
                            ? try InstructionFlags(words, known: [:])
                            : try InstructionFlags(words, known: ["str1": .text])
            } catch {
                score.check(id, true, isError)
                continue
            }
            score.check(id, false, isError)
            for (name, value) in row["values"]?.object ?? [:] {
                switch value {
                case .bool(let wanted): score.check(id, flags.toggle(name) ?? false, wanted)
                case .string(let wanted): score.check(id, flags.text(name) ?? "HI", wanted)
                default: score.check(id, flags.used, value.strings ?? [])
                }
            }
        }
        score.finish()
    }

    @Test func exposedPorts() throws {
        var score = Score("dockerfile-parser/expose-port-specs")
        for row in try Corpus.rows("dockerfile-parser/expose-port-specs.json") {
            let id = row["id"]?.string
            let specs = row["specs"]?.strings ?? []
            if let wanted = row["expect_error"]?.string {
                score.check(id, message { for spec in specs { _ = try PortSpecification(parsing: spec) } }, wanted)
            } else {
                let keys = try specs.flatMap { try PortSpecification(parsing: $0).keys }
                score.check(id, keys, row["expect"]?.strings ?? [])
            }
        }
        score.finish()
    }
}
