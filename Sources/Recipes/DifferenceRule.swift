package import Basics
import Dockerfiles

/// A known cause of differences between two builds of one recipe.
package struct DifferenceRule: Sendable {
    /// What kind of thing makes a path come out otherwise.
    package enum Kind: String, Sendable, CaseIterable {
        case time, log, cache, random, network, order
    }

    /// A member of a rule, as it is named in a file of rules.
    enum Field: String, CaseIterable {
        case path, step, kind, cause, source, mend

        /// Whether it may be given several times: one that fits is enough.
        var isList: Bool { self == .path || self == .step }
    }

    package fileprivate(set) var kind = Kind.time
    /// Why it differs.
    package fileprivate(set) var cause = ""
    /// Where that can be read.
    package fileprivate(set) var source = ""
    /// What makes it come out the same; `nil` where nothing does in general.
    package fileprivate(set) var mend: Mend?
    /// Patterns for the path, as written.
    package fileprivate(set) var paths: [String] = []
    /// Patterns for the instruction that made it, as written; any instruction where there are none.
    package fileprivate(set) var steps: [String] = []
    private var pathGlobs: [Glob] = []
    private var stepGlobs: [Glob] = []

    /// What makes a path come out the same.
    package enum Mend: Sendable, Hashable {
        /// A command for the end of the `RUN`.
        case command(String)
        /// An `ENV` or `ARG` to put before the step.
        case instruction(String)

        package var text: String {
            switch self {
            case .command(let text), .instruction(let text): text
            }
        }
    }

    /// Whether the rule knows a difference.
    func explains(_ difference: RecipeDifference) -> Bool {
        guard pathGlobs.contains(where: { $0.matches(difference.subject) }) else { return false }
        guard !stepGlobs.isEmpty else { return true }
        return difference.step.map { step in stepGlobs.contains { $0.matches(step) } } ?? false
    }

    /// Takes one line of a file of rules; throws what is wrong with its value.
    fileprivate mutating func take(_ field: Field, _ value: String) throws(Complaint) {
        switch field {
        case .path:
            guard value.hasPrefix("/") else { throw Complaint("a path begins with '/', not: \(value)") }
            paths.append(value)
            pathGlobs.append(try Self.glob(value, .ignore))
        case .step:
            steps.append(value)
            stepGlobs.append(try Self.glob(value, .name))
        case .kind:
            guard let kind = Kind(rawValue: value) else {
                let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw Complaint("kind is one of \(known), not: \(value)")
            }
            self.kind = kind
        case .cause: cause = value
        case .source: source = value
        case .mend: mend = try Self.mend(value)
        }
    }

    private static func glob(_ text: String, _ flavour: Glob.Flavour) throws(Complaint) -> Glob {
        do throws(Glob.Malformed) {
            return try Glob(text, flavour)
        } catch {
            throw Complaint("no pattern: \(text)")
        }
    }

    private static func mend(_ text: String) throws(Complaint) -> Mend {
        guard ["ENV", "ARG"].contains(text.prefix { $0 != " " }) else { return .command(text) }
        do throws(DockerfileError) {
            _ = try Instruction.parse(line: text)
            return .instruction(text)
        } catch {
            throw Complaint("mend is no instruction: \(error.message)")
        }
    }
}

/// Why a line of a file of rules is none.
private struct Complaint: Error {
    let words: String

    init(_ words: String) { self.words = words }
}

/// The rules that are looked at, in order.
package struct DifferenceRules: Sendable {
    package private(set) var rules: [DifferenceRule] = []

    /// The rules of the program: `Resources/differences.rules`.
    ///
    /// Throws what reading rules throws; the tests read this file, so that it is well formed.
    package static func ofProgram() throws(ShaleError) -> DifferenceRules {
        try DifferenceRules(
            parsing: String(decoding: PackageResources.differences_rules, as: UTF8.self), file: "differences.rules")
    }

    /// Rules as they stand in a file; the file's name is for errors.
    ///
    /// Throws `invalid`, with file and line, for what is no rule.
    package init(parsing text: String, file: String) throws(ShaleError) {
        var reader = RuleReader(file: file)
        // Not by letters: `String` holds CR LF for one.
        for line in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false) {
            try reader.read(String(line).trimmingWhiteSpace)
        }
        try reader.finish()
        rules = reader.rules
    }

    /// These rules, and behind them others.
    package func before(_ others: DifferenceRules) -> DifferenceRules {
        var all = self
        all.rules += others.rules
        return all
    }

    /// The place of the first rule that knows a difference.
    package func place(for difference: RecipeDifference) -> Int? { rules.firstIndex { $0.explains(difference) } }

    /// The rules as a file has them.
    package var text: String {
        rules.map { rule in
            var lines = rule.paths.map { "path: \($0)" } + rule.steps.map { "step: \($0)" }
            lines += ["kind: \(rule.kind.rawValue)", "cause: \(rule.cause)", "source: \(rule.source)"]
            if let mend = rule.mend { lines.append("mend: \(mend.text)") }
            return lines.map { "\($0)\n" }.joined()
        }.joined(separator: "\n")
    }
}

/// Reads a file of rules line by line.
private struct RuleReader {
    let file: String
    private(set) var rules: [DifferenceRule] = []
    private var rule = DifferenceRule()
    private var given: Set<DifferenceRule.Field> = []
    private var number = 0

    init(file: String) { self.file = file }

    mutating func read(_ line: String) throws(ShaleError) {
        number += 1
        if line.isEmpty { return try finish() }
        if line.hasPrefix("#") { return }
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let field = DifferenceRule.Field(rawValue: parts[0].trimmingBlanks), parts.count == 2 else {
            let known = DifferenceRule.Field.allCases.map(\.rawValue).joined(separator: ", ")
            throw error("a line is NAME: VALUE, with one of \(known)")
        }
        let value = parts[1].trimmingWhiteSpace
        if value.isEmpty { throw error("\(field.rawValue) is empty") }
        guard given.insert(field).inserted || field.isList else { throw error("\(field.rawValue) was given already") }
        do throws(Complaint) {
            try rule.take(field, value)
        } catch {
            throw self.error(error.words)
        }
    }

    /// Ends the rule that was begun, if one was.
    mutating func finish() throws(ShaleError) {
        guard !given.isEmpty else { return }
        for field: DifferenceRule.Field in [.path, .kind, .cause, .source] where !given.contains(field) {
            throw error("the rule that ends here has no \(field.rawValue)")
        }
        rules.append(rule)
        (rule, given) = (DifferenceRule(), [])
    }

    private func error(_ words: String) -> ShaleError {
        ShaleError(.invalid, "\(file.visible):\(number): \(words.visible)")
    }
}
