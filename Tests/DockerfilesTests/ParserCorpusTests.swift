import Basics
import FoundationEssentials
import TestSupport
import Testing

@testable import Dockerfiles

@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct ParserCorpusTests {
    @Test func goldenDumps() throws {
        let root = try #require(Corpus.root) + "/dockerfile-parser/testfiles"
        var score = Score("dockerfile-parser/testfiles")
        for name in try FileManager.default.contentsOfDirectory(atPath: root).sorted() {
            let text = try Corpus.text("dockerfile-parser/testfiles/\(name)/Dockerfile")
            let result = try Corpus.text("dockerfile-parser/testfiles/\(name)/result")
            score.check(name, try Dockerfile(parsing: text).dump.trimmed, result.trimmed)
        }
        score.finish()
    }

    @Test func negative() throws {
        var score = Score("dockerfile-parser/negative")
        for row in try Corpus.rows("dockerfile-parser/negative.json") {
            let text = row["dockerfile"]?.string ?? ""
            score.check(
                row["id"]?.string, message { _ = try Dockerfile(parsing: text) }, row["buildkit_v0.24_error"]?.string)
        }
        score.finish()
    }

    @Test func recordedDumps() throws {
        var score = Score("dockerfiles+snippets ast_dump")
        for recorded in try Recorded.all() {
            score.check(
                recorded.id, try Dockerfile(parsing: recorded.text).dump.trimmed, recorded.expected["ast_dump"]?.string)
        }
        score.finish()
    }

    @Test func recordedNodes() throws {
        var score = Score("dockerfiles+snippets nodes")
        for recorded in try Recorded.all() {
            let file = try Dockerfile(parsing: recorded.text)
            let wanted = recorded.expected["nodes"]?.array ?? []
            // Of real files only keywords, flags and lines were recorded; the form only below ONBUILD.
            let isSnippet = !recorded.id.hasPrefix("files/")
            let got = file.nodes.map { node in
                guard case .object(var members) = Self.shape(node) else { return JSONValue.null }
                members["attributes"] = nil
                return isSnippet
                    ? .object(members) : .object(members.filter { ["instruction", "lines", "flags"].contains($0.key) })
            }
            score.check(recorded.id, got, wanted.map(Self.withoutCommentSigns))
        }
        score.finish()
    }

    /// BuildKit leaves the sign in front of a comment that is indented; shale does not.
    private static func withoutCommentSigns(_ node: JSONValue) -> JSONValue {
        guard var members = node.object, let comments = members["comment_before"]?.strings else { return node }
        members["comment_before"] = .array(comments.map { .string(String($0.drop { $0 == "#" }).trimmed) })
        return .object(members)
    }

    /// A node in the corpus's notation.
    private static func shape(_ node: Node) -> JSONValue {
        var object: [String: JSONValue] = [
            "instruction": .string(node.spelling),
            "lines": .array([.number(Double(node.line)), .number(Double(node.endLine))]),
            "args": node.arguments.isEmpty ? .null : .array(node.arguments.map(JSONValue.string)),
        ]
        if !node.trigger.isEmpty {
            object["args"] = .array([
                .object([
                    "children": .array(
                        node.trigger.map { trigger in
                            guard case .object(var members) = shape(trigger) else { return .null }
                            members["original"] = .string(trigger.original)
                            return .object(members)
                        })
                ])
            ])
        }
        if !node.flags.isEmpty { object["flags"] = .array(node.flags.map(JSONValue.string)) }
        if node.form == .exec { object["attributes"] = .object(["json": .bool(true)]) }
        if !node.comments.isEmpty { object["comment_before"] = .array(node.comments.map(JSONValue.string)) }
        if !node.heredocs.isEmpty {
            object["heredocs"] = .array(
                node.heredocs.map {
                    .object([
                        "name": .string($0.name), "content": .string($0.content), "expand": .bool($0.expand),
                        "chomp": .bool($0.chomp), "fd": .number(Double($0.descriptor)),
                    ])
                })
        }
        return .object(object)
    }

    @Test func recordedStages() throws {
        var score = Score("dockerfiles+snippets stages")
        for recorded in try Recorded.all() {
            let file = try Dockerfile(parsing: recorded.text)
            if let wanted = recorded.expected["instructions_error"]?.string {
                score.check(recorded.id, message(\.description) { _ = try StagedFile(file) }, wanted)
                continue
            }
            let staged = try StagedFile(file)
            score.check(
                recorded.id, staged.stages.map(StageShape.stage),
                (recorded.expected["stages"]?.array ?? []).map(StageShape.known))
        }
        score.finish()
    }

    @Test func recordedMetaArguments() throws {
        var score = Score("dockerfiles+snippets meta_args")
        for recorded in try Recorded.all() {
            guard let wanted = recorded.expected["meta_args"]?.array else { continue }
            let staged = try StagedFile(Dockerfile(parsing: recorded.text))
            let got = staged.metaArguments.map { JSONValue.array($0.arguments.map(StageShape.argument)) }
            score.check(recorded.id, got, wanted.map { .array(($0.array ?? []).map(StageShape.withoutComment)) })
        }
        score.finish()
    }

    @Test func recordedWarningsAndDirectives() throws {
        var score = Score("dockerfiles+snippets directives and warnings")
        for recorded in try Recorded.all() {
            let file = try Dockerfile(parsing: recorded.text)
            score.check(recorded.id + " escape", String(file.escape), recorded.expected["escape"]?.string ?? "\\")
            score.check(
                recorded.id + " syntax", Directive.syntax(of: recorded.text).map(\.reference),
                recorded.expected["syntax"]?["ref"]?.string)
            score.check(
                recorded.id + " check", Directive.named("check", in: recorded.text).map(\.reference),
                recorded.expected["check_directive"]?.string)
            let wanted = (recorded.expected["parse_warnings"]?.array ?? []).map { $0["short"]?.string ?? "" }
            score.check(recorded.id + " warnings", file.warnings.map(\.message), wanted)
        }
        score.finish()
    }
}
