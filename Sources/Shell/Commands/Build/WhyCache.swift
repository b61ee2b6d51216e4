package import ArgumentParser
package import Basics
import Building
import OCI
import Recipes
import Sessions
import Stores

/// `why-cache`: the key a step had in the cache, and why it was or was not found there.
package struct WhyCache: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "why-cache", abstract: "Show a step's key in the build cache, and why it was found or not",
        usage: "why-cache [N]")
    package static let isWorthKeeping = false
    package static let examples = ["why-cache", "why-cache 3", "why-cache 3 --format json"]
    package static let differences = ["Docker has no such command."]

    @Argument(
        help: "A step of the last build in this session, or of the working image; without it, all of them.")
    var step: Int?
    @Flag(help: "Look at the working image even where a build was made after it.") var working = false
    @Option(help: "json for an object a step.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        let steps = try self.steps(shell, engine)
        guard let step else {
            return .lines(steps.map { format == "json" ? Self.row($0).text() : Self.line($0) })
        }
        guard let found = steps.first(where: { $0.number == step }) else {
            throw ShaleError(
                .notFound, "no step \(step): there are \(steps.last?.number ?? 0)", hint: "why-cache")
        }
        let account = Account(found, engine.building.cache)
        return .lines(format == "json" ? [account.document.text()] : account.lines.map(\.visible))
    }

    /// The steps of the last build, or where there was none, of the working image.
    private func steps(_ shell: ShellContext, _ engine: Engine) throws(ShaleError) -> [BuildTrace.Step] {
        let session = try shell.session()
        if !working {
            let built = engine.building.lastBuild(of: session.name)
            if !built.isEmpty { return built }
        }
        guard let image = session.working else {
            throw ShaleError(
                .notFound, "no build was made in this session, and there is no working image", hint: "build .")
        }
        let cache = engine.building.cache
        return image.steps.enumerated().map { index, step in
            BuildTrace.Step(
                number: index + 1, instruction: step.instruction, image: step.image, wasCached: step.wasCached,
                key: cache.key(thatMade: step.image))
        }
    }

    private static func line(_ step: BuildTrace.Step) -> String {
        let key = step.key.map { $0.short } ?? String(repeating: "-", count: 12)
        let number = String(step.number)
        let reason = step.miss?.reason ?? (step.key == nil ? "no step of its own" : "carried out")
        let found = step.wasCached ? "cached" : reason
        return "\(String(repeating: " ", count: max(0, 3 - number.count)))\(number)  \(key)  "
            + "\(step.instruction.visible)  (\(found.visible))"
    }

    private static func row(_ step: BuildTrace.Step) -> JSONDocument {
        .object([
            .init("step", .integer(Int64(step.number))), .init("instruction", .string(step.instruction)),
            .init("key", step.key.map { .string($0.description) } ?? .null), .init("cached", .bool(step.wasCached)),
            .init("reason", step.miss.map { .string($0.reason) } ?? .null),
            .init("image", step.image.map { .string($0.description) } ?? .null),
        ])
    }

    /// All that is known of one step.
    private struct Account {
        private let step: BuildTrace.Step
        private let record: BuildCache.Record?
        private let files: PathLines

        /// Paths shown before the rest is counted.
        private static let shown = 20

        init(_ step: BuildTrace.Step, _ cache: BuildCache) {
            self.step = step
            record = step.key.flatMap { cache.find($0) }
            files = step.key.flatMap { cache.files(of: $0) } ?? PathLines()
        }

        /// Whether it is found independently of the steps before it.
        private var isLinked: Bool { record?.parent == BuildCache.anyParent }

        var lines: [String] {
            var lines = ["step \(step.number): \(step.instruction)"]
            guard let key = step.key else { return lines + ["has no key: it makes no layer and no config of its own"] }
            lines.append("key      \(key)")
            if let record {
                let parent = isLinked ? "any: a linked copy does not depend on it" : record.parent?.description
                lines.append("  parent \(parent ?? "scratch")")
                lines.append("  text   \(record.createdBy)")
                for input in (record.inputs ?? "").split(separator: "\n") { lines.append("  input  \(input)") }
            }
            for path in files.paths.prefix(Self.shown) {
                lines.append("  file   \(path)  \(files[path] ?? "")")
            }
            if files.count > Self.shown { lines.append("         and \(files.count - Self.shown) more") }
            if step.wasCached {
                lines.append("found    it was carried out \(record.map { $0.made.description } ?? "before")")
            } else {
                lines.append("missed   \(step.miss?.reason ?? "the cache was not asked")")
            }
            for difference in step.miss?.differences ?? [] {
                lines.append("  \(difference.path)")
                lines.append("    before \(difference.before ?? "not there")")
                lines.append("    now    \(difference.now ?? "not there")")
            }
            if let image = step.image { lines.append("image    \(image.short)") }
            return lines
        }

        var document: JSONDocument {
            guard case .object(var members) = WhyCache.row(step) else { return .null }
            let parent = isLinked ? nil : record?.parent
            members.append(.init("parent", parent.map { .string($0.description) } ?? .null))
            members.append(.init("linked", .bool(isLinked)))
            members.append(.init("text", record.map { .string($0.createdBy) } ?? .null))
            members.append(.init("inputs", record?.inputs.map { .string($0) } ?? .null))
            members.append(
                .init(
                    "files",
                    .object(files.paths.map { JSONDocument.Member($0, .string(files[$0] ?? "")) })))
            let differences = (step.miss?.differences ?? []).map { difference in
                JSONDocument.object([
                    .init("path", .string(difference.path)),
                    .init("before", difference.before.map { .string($0) } ?? .null),
                    .init("now", difference.now.map { .string($0) } ?? .null),
                    .init("attributes", .array(difference.attributes.map { .string($0) })),
                ])
            }
            members.append(.init("differences", .array(differences)))
            return .object(members)
        }
    }
}
