import Basics
import TestSupport
import Testing

@testable import Dockerfiles

/// The one configuration with which every base image was answered when the corpus was recorded.
private func recordedBase(_: String, _ platform: PlannedPlatform) -> PlannedImage? {
    var config = PlannedConfig()
    config.environment = ["PATH=" + DefaultPath.value]
    config.command = ["/bin/sh"]
    let history = [PlannedHistory(createdBy: "BASE", isEmptyLayer: false)]
    return PlannedImage(
        config: config, history: history, platform: PlannedPlatform(os: "linux", architecture: "amd64"))
}

private let amd64 = PlannedPlatform(os: "linux", architecture: "amd64")

@Suite(.enabled(if: Corpus.isPresent, Comment(rawValue: Corpus.absent)))
struct PlanCorpusTests {
    @Test func configurationAndHistory() throws {
        var score = Score(
            "dockerfiles+snippets plan",
            exceptions: [
                "TestCopyFromKeepsStageLabels:119":
                    "BuildKit 0.24 let a sibling stage write into a shared map of labels; later versions do not"
            ])
        for recorded in try Recorded.all() where recorded.expected["instructions_error"] == nil {
            let file = try Dockerfile(parsing: recorded.text)
            let plan: Plan
            do {
                plan = try Plan(file, options: Plan.Options(platform: amd64), bases: recordedBase)
            } catch {
                score.check(recorded.id, error.message, recorded.expected["convert_error"]?.string)
                continue
            }
            if let wanted = recorded.expected["convert_error"]?.string {
                score.check(recorded.id, nil, wanted)
                continue
            }
            score.check(
                recorded.id, [Self.config(plan.image.config)], [recorded.expected["image_config"] ?? .null])
            score.check(
                recorded.id + " history", plan.image.history.map(Self.history),
                (recorded.expected["history"]?.array ?? []).map(Self.comparable))
            score.check(recorded.id + " author", plan.image.author, recorded.expected["author"]?.string ?? "")
            score.check(recorded.id + " bases", plan.baseImages, recorded.expected["base_refs_resolved"]?.strings)
        }
        score.finish()
    }

    private static func config(_ config: PlannedConfig) -> JSONValue {
        func list(_ words: [String]?) -> JSONValue? {
            words.flatMap { $0.isEmpty ? nil : .array($0.map(JSONValue.string)) }
        }
        func text(_ word: String) -> JSONValue? { word.isEmpty ? nil : .string(word) }
        func set(_ words: Set<String>) -> JSONValue? {
            words.isEmpty ? nil : .object(Dictionary(uniqueKeysWithValues: words.map { ($0, .object([:])) }))
        }
        var members: [String: JSONValue] = [:]
        members["Env"] = list(config.environment)
        members["Cmd"] = list(config.command)
        members["Entrypoint"] = list(config.entrypoint)
        members["User"] = text(config.user)
        members["WorkingDir"] = text(config.workingDirectory)
        members["ArgsEscaped"] = config.argumentsEscaped ? .bool(true) : nil
        members["Labels"] = config.labels.isEmpty ? nil : .object(config.labels.mapValues(JSONValue.string))
        members["ExposedPorts"] = set(config.exposedPorts)
        members["Volumes"] = set(config.volumes)
        members["Shell"] = list(config.shell)
        members["StopSignal"] = text(config.stopSignal)
        members["OnBuild"] = list(config.onbuild)
        if let check = config.healthCheck {
            members["Healthcheck"] = StageShape.command(.healthcheck(check))["Health"]
        }
        return .object(members)
    }

    private static func history(_ history: PlannedHistory) -> JSONValue {
        comparable(
            .object([
                "created_by": .string(history.createdBy), "comment": .string(history.comment), "author": .string(""),
                "empty_layer": .bool(history.isEmptyLayer),
            ]))
    }

    /// The recorded `EXPOSE` printed an address in memory.
    private static func comparable(_ history: JSONValue) -> JSONValue {
        guard var members = history.object, let text = members["created_by"]?.string else { return history }
        members["created_by"] = .string(text.hasPrefix("EXPOSE") ? "EXPOSE" : text)
        return .object(members)
    }

    @Test func recordedWarnings() throws {
        var score = Score(
            "dockerfiles+snippets lint",
            exceptions: [
                "testSecretsUsedInArgOrEnv:282":
                    "BuildKit 0.24 knew neither comments that skip rules nor names that are no secrets; lint-cases do",
                "testMaintainerDeprecated:908": "BuildKit 0.24 did not read a check comment above an instruction",
                "testLegacyKeyValueFormat:1343": "BuildKit 0.24 did not read a check comment above an instruction",
            ])
        for recorded in try Recorded.all() where recorded.expected["instructions_error"] == nil {
            let file = try Dockerfile(parsing: recorded.text)
            let found = try Lint.check(file, options: Plan.Options(platform: amd64), bases: recordedBase)
            let got = found.warnings.map { "\($0.line) \($0.rule) \($0.detail)" }.sorted()
            let wanted = (recorded.expected["lint"]?.array ?? []).map { warning in
                let line = warning["lines"]?.array?.first?.array?.first?.int ?? 0
                return "\(line) \(warning["rule"]?.string ?? "") \(warning["message"]?.string ?? "")"
            }
            score.check(recorded.id, got, wanted.sorted())
        }
        score.finish()
    }

    @Test func lintCases() throws {
        var score = Score(
            "dockerfile-parser/lint-cases",
            exceptions: [
                "testUnmatchedVars:1148": "the row holds the Dockerfile of an earlier case",
                "testUnmatchedVars:1171": "the row holds the Dockerfile of an earlier case",
                "testUnmatchedVars:1193": "the row holds the Dockerfile of an earlier case",
                "testInvalidDefaultArgInFrom:1480": "the row holds the Dockerfile of an earlier case",
            ])
        for row in try Corpus.rows("dockerfile-parser/lint-cases.json") {
            let file = try Dockerfile(parsing: row["dockerfile"]?.string ?? "")
            var options = Plan.Options(platform: amd64)
            for (name, value) in row["frontend_attrs"]?.object ?? [:] where name.hasPrefix("build-arg:") {
                options.arguments[String(name.dropFirst("build-arg:".count))] = value.string ?? ""
            }
            options.ignoreList = try row["dockerignore"]?.string.map { text throws(ShaleError) in
                try IgnoreList(parsing: text)
            }
            let found = try Lint.check(file, options: options, bases: recordedBase)
            let wanted = row["warnings"]?.array ?? []
            if wanted.first?["rule"]?.isNull == true {
                // The rule's words were not recorded, only how many warnings there are.
                score.check(row["id"]?.string, found.warnings.count, wanted.count)
                continue
            }
            let got = found.warnings.map {
                "\($0.line) \($0.rule) \($0.detail) \($0.url) \($0.level) \($0.description)"
            }
            let texts = wanted.map { warning in
                "\(warning["line"]?.int ?? 0) \(warning["rule"]?.string ?? "") \(warning["detail"]?.string ?? "") "
                    + "\(warning["url"]?.string ?? "") \(warning["level"]?.int ?? 0) "
                    + (warning["description"]?.string ?? "")
            }
            score.check(row["id"]?.string, got.sorted(), texts.sorted())
        }
        score.finish()
    }

    @Test func lintRules() throws {
        var score = Score("dockerfile-parser/lint-rules")
        let rules = Dictionary(uniqueKeysWithValues: LintRule.all.map { ($0.name, $0) })
        for row in try Corpus.rows("dockerfile-parser/lint-rules.json") {
            let rule = rules[row["id"]?.string ?? ""]
            score.check(row["id"]?.string, rule?.description, row["description"]?.string)
            score.check(row["id"]?.string, rule?.url, row["url"]?.string ?? "")
            score.check(row["id"]?.string, rule?.isExperimental, row["experimental"]?.bool)
            score.check(row["id"]?.string, rule?.isDeprecated, row["deprecated"]?.bool)
        }
        score.finish()
    }
}
