import Basics

/// Rules that need only the text of the instructions.
enum StaticLint {
    static func check(_ file: Dockerfile, _ staged: StagedFile, into report: inout LintReport) {
        for warning in file.warnings {
            report.add(.noEmptyContinuation, "Empty continuation line", line: warning.line, endLine: warning.line)
        }
        for argument in staged.metaArguments {
            checkDescription("ARG", names: argument.arguments.map(\.key), at: argument, into: &report)
        }
        for stage in staged.stages {
            checkFrom(stage.from, file: file, into: &report)
            for instruction in stage.instructions {
                switch instruction.value {
                case .maintainer:
                    report.add(
                        .maintainerDeprecated, "Maintainer instruction is deprecated in favor of using label",
                        at: instruction)
                case .arg(let arg):
                    checkDescription("ARG", names: arg.arguments.map(\.key), at: instruction, into: &report)
                default: break
                }
            }
        }
        checkNames(staged, into: &report)
        checkCasing(staged, into: &report)
    }

    private static func checkFrom(
        _ from: Located<FromInstruction>, file: Dockerfile, into report: inout LintReport
    ) {
        let words = file.nodes.first { $0.line == from.line }?.arguments ?? []
        if words.count == 3, words[2] != words[2].lowercased() {
            report.add(.stageNameCasing, "Stage name '\(words[2])' should be lowercase", at: from)
        }
        // Another rule reports a keyword in mixed case.
        if words.count == 3, isConsistent(from.spelling) {
            let isLower = from.spelling == from.spelling.lowercased()
            if words[1] != (isLower ? words[1].lowercased() : words[1].uppercased()) {
                report.add(
                    .fromAsCasing, "'\(words[1])' and '\(from.spelling)' keywords' casing do not match", at: from)
            }
        }
        if let name = from.stageName { checkDescription("FROM", names: [name], at: from, into: &report) }
    }

    private static func checkDescription<Value: Sendable & Hashable>(
        _ keyword: String, names: [String], at place: Located<Value>, into report: inout LintReport
    ) {
        guard let comment = place.comments.last, let first = names.first else { return }
        guard !names.contains(comment.cut(at: " ").before) else { return }
        let example = names.count > 1 ? "<arg_key>" : first
        report.add(
            .invalidDefinitionDescription,
            "Comment for \(keyword) should follow the format: `# \(example) <description>`", at: place)
    }

    private static func checkNames(_ staged: StagedFile, into report: inout LintReport) {
        var seen: Set<String> = []
        for stage in staged.stages {
            guard let name = stage.name else { continue }
            if name == "context" || name == "scratch" {
                report.add(
                    .reservedStageName, "Stage name should not use the same name as reserved stage \(goQuoted(name))",
                    at: stage.from, localOptions: false)
            }
            if !seen.insert(name).inserted {
                report.add(
                    .duplicateStageName, "Duplicate stage name \(goQuoted(name)), stage names should be unique",
                    at: stage.from, localOptions: false)
            }
        }
    }

    private static func isConsistent(_ word: String) -> Bool {
        word == word.lowercased() || word == word.uppercased()
    }

    private static func checkCasing(_ staged: StagedFile, into report: inout LintReport) {
        var lower = 0
        var upper = 0
        func count(_ word: String) {
            guard isConsistent(word) else { return }
            if word == word.lowercased() { lower += 1 } else { upper += 1 }
        }
        for stage in staged.stages {
            count(stage.from.spelling)
            for instruction in stage.instructions { count(instruction.spelling) }
        }
        let wantsLower = lower > upper
        func check<Value: Sendable & Hashable>(_ place: Located<Value>) {
            let wanted = wantsLower ? place.spelling.lowercased() : place.spelling.uppercased()
            guard place.spelling != wanted else { return }
            report.add(
                .consistentInstructionCasing,
                "Command '\(place.spelling)' should match the case of the command majority "
                    + "(\(wantsLower ? "lowercase" : "uppercase"))",
                at: place, localOptions: false)
        }
        for stage in staged.stages {
            check(stage.from)
            for instruction in stage.instructions { check(instruction) }
        }
    }

    /// Whether a variable's name suggests that its value is a secret.
    static func isSecretName(_ name: String) -> Bool {
        let words = name.lowercased().split(separator: "_").map(String.init)
        let secrets: Set = [
            "apikey", "auth", "credential", "credentials", "key", "password", "pword", "passwd", "secret", "token",
        ]
        return words.contains(where: secrets.contains)
            && !words.contains { ["public", "file", "version"].contains($0) }
    }
}
