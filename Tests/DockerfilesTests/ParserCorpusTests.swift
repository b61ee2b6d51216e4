import Basics
import FoundationEssentials
import TestSupport
import Testing

@testable import Dockerfiles

/// What one recorded file expects, and how far shale agrees.
private struct Recorded {
    let id: String
    let text: String
    let expected: JSONValue

    /// Every Dockerfile whose parse BuildKit recorded: the snippets of its tests, and real files.
    static func all() throws -> [Recorded] {
        let snippets = try Corpus.rows("dockerfile-parser/snippets-recorded.json").map {
            Recorded(
                id: $0["id"]?.string ?? "?", text: $0["dockerfile"]?.string ?? "",
                expected: $0["buildkit_v0.24"] ?? .null)
        }
        return try snippets + realFiles()
    }

    static func realFiles() throws -> [Recorded] {
        try Corpus.text("dockerfiles/expected.jsonl").split(separator: "\n").compactMap { line in
            let row = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
            guard let file = row["file"]?.string, row["panic"] == nil else { return nil }
            return Recorded(id: file, text: try Corpus.text("dockerfiles/" + file), expected: row)
        }
    }
}

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

/// Typed instructions in the corpus's notation, Go's field names.
enum StageShape {
    static func stage(_ stage: Stage) -> JSONValue {
        .object([
            "base": .string(stage.baseName), "name": .string(stage.name ?? ""),
            "platform": .string(stage.platform ?? ""),
            "commands": .array(stage.instructions.map { command($0.value) }),
        ])
    }

    /// The recorded stage without what shale does not keep apart.
    static func known(_ stage: JSONValue) -> JSONValue {
        guard var members = stage.object else { return stage }
        members["comment"] = nil
        members["commands"] = .array(
            (members["commands"]?.array ?? []).map { command in
                guard var members = command.object else { return command }
                // Names of the flags that a hook registered; shale keeps the flags themselves.
                members["FlagsUsed"] = nil
                if let arguments = members["Args"]?.array { members["Args"] = .array(arguments.map(withoutComment)) }
                if let words = members["CmdLine"]?.array, words.isEmpty { members["CmdLine"] = nil }
                return .object(members)
            })
        return .object(members)
    }

    /// Go leaves members out that are empty or false.
    private static func withoutEmptyMembers(_ value: JSONValue) -> JSONValue {
        switch value {
        case .array(let elements): .array(elements.map(withoutEmptyMembers))
        case .object(let members): .object(members.filter { $0.value != .string("") && $0.value != .bool(false) })
        default: value
        }
    }

    static func withoutComment(_ argument: JSONValue) -> JSONValue {
        guard var members = argument.object else { return argument }
        members["Comment"] = nil
        return .object(members)
    }

    static func argument(_ argument: ArgInstruction.Argument) -> JSONValue {
        var members: [String: JSONValue] = ["Key": .string(argument.key)]
        if let value = argument.value { members["Value"] = .string(value) }
        return .object(members)
    }

    static func command(_ instruction: Instruction) -> JSONValue {
        var members: [String: JSONValue] = [:]
        func list(_ words: [String]) -> JSONValue? { words.isEmpty ? nil : .array(words.map(JSONValue.string)) }
        func text(_ word: String?) -> JSONValue? { (word ?? "").isEmpty ? nil : .string(word ?? "") }
        func flag(_ value: Bool?) -> JSONValue? { value.map(JSONValue.bool) }
        func pairs(_ pairs: [KeyValue]) -> JSONValue {
            .array(
                pairs.map { pair in
                    var members: [String: JSONValue] = ["Key": .string(pair.key), "Value": .string(pair.value)]
                    if pair.isLegacy { members["NoDelim"] = .bool(true) }
                    return .object(members)
                })
        }
        func commandLine(_ line: CommandLine) {
            members["CmdLine"] = list(line.words)
            if line.usesShell { members["PrependShell"] = .bool(true) }
        }
        func files(_ files: FileSources) {
            members["SourcePaths"] = list(files.paths)
            members["DestPath"] = .string(files.destination)
            members["Chown"] = text(files.owner)
            members["Chmod"] = text(files.mode)
            members["Link"] = files.link ? .bool(true) : nil
            members["ExcludePatterns"] = list(files.excluding)
            if !files.inline.isEmpty {
                members["SourceContents"] = .array(
                    files.inline.map {
                        .object(["Path": .string($0.name), "Data": .string($0.content), "Expand": .bool($0.expand)])
                    })
            }
        }
        switch instruction {
        case .from: break
        case .run(let run):
            commandLine(run.command)
            if !run.heredocs.isEmpty {
                members["Files"] = .array(
                    run.heredocs.map { heredoc in
                        var file: [String: JSONValue] = [
                            "Name": .string(heredoc.name), "Data": .string(heredoc.content),
                        ]
                        if heredoc.chomp { file["Chomp"] = .bool(true) }
                        return .object(file)
                    })
            }
        case .copy(let copy):
            files(copy.files)
            members["From"] = text(copy.from)
            members["Parents"] = copy.parents ? .bool(true) : nil
        case .add(let add):
            files(add.files)
            members["KeepGitDir"] = flag(add.keepGitDir)
            members["Checksum"] = text(add.checksum)
            members["Unpack"] = flag(add.unpack)
        case .env(let list): members["Env"] = pairs(list)
        case .label(let list): members["Labels"] = pairs(list)
        case .arg(let arg): members["Args"] = .array(arg.arguments.map(argument))
        case .workdir(let path): members["Path"] = .string(path)
        case .user(let user): members["User"] = .string(user)
        case .cmd(let line), .entrypoint(let line): commandLine(line)
        case .expose(let ports): members["Ports"] = list(ports)
        case .volume(let volumes): members["Volumes"] = list(volumes)
        case .shell(let shell): members["Shell"] = list(shell)
        case .stopsignal(let signal): members["Signal"] = .string(signal)
        case .maintainer(let name): members["Maintainer"] = .string(name)
        case .healthcheck(let health):
            var object: [String: JSONValue] = ["Test": .array(health.test.map(JSONValue.string))]
            for (name, value) in [
                ("Interval", health.interval), ("Timeout", health.timeout), ("StartPeriod", health.startPeriod),
                ("StartInterval", health.startInterval), ("Retries", Int64(health.retries)),
            ] where value != 0 { object[name] = .number(Double(value)) }
            members["Health"] = .object(object)
        case .onbuild(let text): members["Expression"] = .string(text)
        }
        members["instruction"] = .string(instruction.keyword)
        // Of an ARG an empty default is told from none.
        if case .arg = instruction { return .object(members) }
        return .object(members.mapValues(withoutEmptyMembers))
    }
}
