import Basics

/// A rule of `docker build --check`.
package struct LintRule: Sendable, Hashable {
    package let name: String
    package let description: String
    /// Where it is explained; empty for a rule without a page.
    package let url: String
    /// Off unless a file asks for it.
    package let isExperimental: Bool
    /// Never reported.
    package let isDeprecated: Bool

    private init(
        _ name: String, _ description: String, page: String? = nil, experimental: Bool = false, deprecated: Bool = false
    ) {
        self.name = name
        self.description = description
        url = page.map { "https://docs.docker.com/go/dockerfile/rule/\($0)/" } ?? ""
        isExperimental = experimental
        isDeprecated = deprecated
    }

    static let stageNameCasing = LintRule(
        "StageNameCasing", "Stage names should be lowercase", page: "stage-name-casing")
    static let fromAsCasing = LintRule(
        "FromAsCasing", "The 'as' keyword should match the case of the 'from' keyword", page: "from-as-casing")
    static let noEmptyContinuation = LintRule(
        "NoEmptyContinuation", "Empty continuation lines will become errors in a future release",
        page: "no-empty-continuation")
    static let consistentInstructionCasing = LintRule(
        "ConsistentInstructionCasing",
        "All commands within the Dockerfile should use the same casing (either upper or lower)",
        page: "consistent-instruction-casing")
    static let duplicateStageName = LintRule(
        "DuplicateStageName", "Stage names should be unique", page: "duplicate-stage-name")
    static let reservedStageName = LintRule(
        "ReservedStageName", "Reserved words should not be used as stage names", page: "reserved-stage-name")
    static let jsonArgsRecommended = LintRule(
        "JSONArgsRecommended",
        "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
        page: "json-args-recommended")
    static let maintainerDeprecated = LintRule(
        "MaintainerDeprecated",
        "The MAINTAINER instruction is deprecated, use a label instead to define an image author",
        page: "maintainer-deprecated")
    static let undefinedArgInFrom = LintRule(
        "UndefinedArgInFrom", "FROM command must use declared ARGs", page: "undefined-arg-in-from")
    static let workdirRelativePath = LintRule(
        "WorkdirRelativePath",
        "Relative workdir without an absolute workdir declared within the build can have unexpected results if the "
            + "base image changes",
        page: "workdir-relative-path")
    static let undefinedVar = LintRule(
        "UndefinedVar", "Variables should be defined before their use", page: "undefined-var")
    static let multipleInstructionsDisallowed = LintRule(
        "MultipleInstructionsDisallowed",
        "Multiple instructions of the same type should not be used in the same stage",
        page: "multiple-instructions-disallowed")
    static let legacyKeyValueFormat = LintRule(
        "LegacyKeyValueFormat", "Legacy key/value format with whitespace separator should not be used",
        page: "legacy-key-value-format")
    static let invalidBaseImagePlatform = LintRule(
        "InvalidBaseImagePlatform", "Base image platform does not match expected target platform")
    static let redundantTargetPlatform = LintRule(
        "RedundantTargetPlatform",
        "Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior",
        page: "redundant-target-platform")
    static let secretsUsedInArgOrEnv = LintRule(
        "SecretsUsedInArgOrEnv", "Sensitive data should not be used in the ARG or ENV commands",
        page: "secrets-used-in-arg-or-env")
    static let invalidDefaultArgInFrom = LintRule(
        "InvalidDefaultArgInFrom", "Default value for global ARG results in an empty or invalid base image name",
        page: "invalid-default-arg-in-from")
    static let fromPlatformFlagConstDisallowed = LintRule(
        "FromPlatformFlagConstDisallowed", "FROM --platform flag should not use a constant value",
        page: "from-platform-flag-const-disallowed")
    static let copyIgnoredFile = LintRule(
        "CopyIgnoredFile", "Attempting to Copy file that is excluded by .dockerignore", page: "copy-ignored-file")
    static let invalidDefinitionDescription = LintRule(
        "InvalidDefinitionDescription",
        "Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is "
            + "not intended to be a description comment, add an empty line or comment between the instruction and the "
            + "comment.",
        page: "invalid-definition-description", experimental: true)
    static let exposeProtoCasing = LintRule(
        "ExposeProtoCasing", "Protocol in EXPOSE instruction should be lowercase", page: "expose-proto-casing")
    static let exposeInvalidFormat = LintRule(
        "ExposeInvalidFormat",
        "IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a "
            + "future release",
        page: "expose-invalid-format", deprecated: true)

    /// Every rule, as docker lists them.
    package static let all: [LintRule] = [
        stageNameCasing, fromAsCasing, noEmptyContinuation, consistentInstructionCasing, duplicateStageName,
        reservedStageName, jsonArgsRecommended, maintainerDeprecated, undefinedArgInFrom, workdirRelativePath,
        undefinedVar, multipleInstructionsDisallowed, legacyKeyValueFormat, invalidBaseImagePlatform,
        redundantTargetPlatform, secretsUsedInArgOrEnv, invalidDefaultArgInFrom, fromPlatformFlagConstDisallowed,
        copyIgnoredFile, invalidDefinitionDescription, exposeProtoCasing, exposeInvalidFormat,
    ]
}

/// A rule that a file breaks, and where.
package struct LintWarning: Sendable, Hashable {
    package var rule: String
    package var detail: String
    package var description: String
    /// First and last line of the instruction, counted from 1.
    package var line: Int
    package var endLine: Int
    /// Empty for a rule without a page.
    package var url: String
    /// 1, docker's level of a warning.
    package var level: Int
}

/// Which rules count: `skip=RULE,…|all;experimental=RULE,…|all;error=true`.
package struct LintOptions: Sendable, Hashable {
    package var skipsAll = false
    package var skipped: Set<String> = []
    package var enablesAllExperimental = false
    package var experimental: Set<String> = []
    /// Whether a warning makes the build fail.
    package var areErrors = false

    package init() {}

    /// Reads the value of `# check=`.
    init(parsing text: String) throws(Complaint) {
        guard !text.trimmed.isEmpty else { return }
        for part in text.split(separator: ";", maxSplits: 2, omittingEmptySubsequences: false).map(String.init) {
            let (name, value) = part.cut(at: "=")
            guard let value = value?.trimmed else { throw Complaint("invalid check option \(goQuoted(part))") }
            let rules = Set(value.split(separator: ",").map { String($0).trimmed })
            switch name.trimmed {
            case "skip":
                if value == "all" { skipsAll = true } else { skipped = rules }
            case "experimental":
                if value == "all" { enablesAllExperimental = true } else { experimental = rules }
            case "error":
                guard let flag = Self.boolean(value) else {
                    throw Complaint("failed to parse check option \(goQuoted(part)): invalid syntax")
                }
                areErrors = flag
            default: throw Complaint("invalid check option \(goQuoted(name.trimmed))")
            }
        }
    }

    private static func boolean(_ text: String) -> Bool? {
        switch text {
        case "1", "t", "T", "true", "TRUE", "True": true
        case "0", "f", "F", "false", "FALSE", "False": false
        default: nil
        }
    }

    /// These options with those of a `# check=` comment above an instruction.
    func merged(with comments: [String]) -> LintOptions {
        for comment in comments {
            var scanner = DirectiveScanner()
            scanner.comment = []
            guard let found = try? scanner.read(comment.unicodeScalars), found.name == "check" else { continue }
            guard let other = try? LintOptions(parsing: found.value.cut(at: " ").before) else { return self }
            var merged = self
            merged.skipsAll = skipsAll || other.skipsAll
            merged.skipped.formUnion(other.skipped)
            merged.enablesAllExperimental = enablesAllExperimental || other.enablesAllExperimental
            merged.experimental.formUnion(other.experimental)
            return merged
        }
        return self
    }

    func allows(_ rule: LintRule) -> Bool {
        if rule.isDeprecated { return false }
        if rule.isExperimental { return enablesAllExperimental || experimental.contains(rule.name) }
        return !skipsAll && !skipped.contains(rule.name)
    }
}

/// Collects what rules find.
struct LintReport {
    /// The file's own options.
    let options: LintOptions
    private(set) var warnings: [LintWarning] = []

    init(options: LintOptions) {
        self.options = options
    }

    mutating func add(
        _ rule: LintRule, _ detail: String, line: Int, endLine: Int, comments: [String] = []
    ) {
        guard options.merged(with: comments).allows(rule) else { return }
        warnings.append(
            LintWarning(
                rule: rule.name, detail: detail, description: rule.description, line: line, endLine: endLine,
                url: rule.url, level: 1))
    }

    mutating func add<Value: Sendable & Hashable>(
        _ rule: LintRule, _ detail: String, at place: Located<Value>, localOptions: Bool = true
    ) {
        add(rule, detail, line: place.line, endLine: place.endLine, comments: localOptions ? place.comments : [])
    }
}
