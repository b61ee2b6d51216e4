import Basics

/// What a build of a Dockerfile takes, and which stages can be its target.
///
/// As BuildKit tells it (frontend/dockerfile/dockerfile2llb/outline.go): the arguments of the stages that the target
/// needs, those before the first `FROM` where a base's name has them, and the secrets and agents of their `RUN`s. What
/// stands in a comment above, behind the name, describes it.
package struct BuildOutline: Sendable {
    package struct Argument: Sendable, Hashable {
        package var name: String
        package var value: String?
        package var description: String?
        package var line: Int
        package var endLine: Int
    }

    /// A `--mount=type=secret` or `type=ssh`.
    package struct Mount: Sendable, Hashable {
        package var name: String
        package var isRequired: Bool
        package var line: Int
        package var endLine: Int
    }

    package struct Target: Sendable, Hashable {
        package var name: String?
        package var description: String?
        package var isDefault: Bool
        /// As written.
        package var base: String
        package var platform: String?
        package var line: Int
        package var endLine: Int
    }

    /// The target's name and description, where it has them.
    package private(set) var name: String?
    package private(set) var description: String?
    package private(set) var arguments: [Argument] = []
    package private(set) var secrets: [Mount] = []
    package private(set) var agents: [Mount] = []
    /// Every stage.
    package private(set) var targets: [Target] = []

    /// Works out a build and lists what it takes.
    ///
    /// Throws the error of the line that cannot be planned.
    package init(
        of file: Dockerfile, options: Plan.Options, bases: (String, PlannedPlatform) -> PlannedImage?
    ) throws(DockerfileError) {
        let staged = try StagedFile(file)
        let plan = try Plan(file, options: options, bases: bases)
        let comments = Dictionary(file.nodes.map { ($0.line, $0.comments) }) { first, _ in first }
        func described(_ name: String?, at line: Int) -> String? {
            guard let name else { return nil }
            let lines = comments[line] ?? []
            return lines.first { $0.hasPrefix("\(name) ") }.map { String($0.dropFirst(name.count + 1)) }
        }
        targets = staged.stages.map { stage in
            Target(
                name: stage.name, description: described(stage.name, at: stage.line),
                isDefault: stage.index == staged.stages.count - 1, base: stage.baseName, platform: stage.platform,
                line: stage.line, endLine: stage.from.endLine)
        }
        name = targets[plan.target].name
        description = targets[plan.target].description
        let needed = plan.stages.indices.filter { plan.stages[$0].isNeeded }
        let used = Self.globalsUsed(by: needed.map { staged.stages[$0] }, of: staged)
        let values = Dictionary(plan.metaArguments.map { ($0.key, $0.value) }) { _, last in last }
        for located in staged.metaArguments {
            for argument in located.value.arguments where used.contains(argument.key) {
                add(
                    Argument(
                        name: argument.key, value: values[argument.key] ?? nil,
                        description: described(argument.key, at: located.line), line: located.line,
                        endLine: located.endLine))
            }
        }
        // The target's own come first where a name is declared twice.
        for place in [plan.target] + needed.filter({ $0 != plan.target }) {
            for step in plan.stages[place].steps where !step.isTrigger {
                switch step.instruction {
                case .arg(let arg):
                    for argument in arg.arguments {
                        add(
                            Argument(
                                name: argument.key, value: argument.value,
                                description: described(argument.key, at: step.line), line: step.line,
                                endLine: step.endLine))
                    }
                case .run(let run): for text in run.mounts { add(mount: text, of: step) }
                default: break
                }
            }
        }
        arguments.sort { $0.line < $1.line }
        secrets.sort { $0.line < $1.line }
        agents.sort { $0.line < $1.line }
    }

    private mutating func add(_ argument: Argument) {
        guard let place = arguments.firstIndex(where: { $0.name == argument.name }) else {
            arguments.append(argument)
            return
        }
        // A stage's own declaration stands for the one before the first FROM.
        if arguments[place].line < argument.line, arguments[place].description == nil {
            arguments[place].description = argument.description
        }
    }

    private mutating func add(mount text: String, of step: Plan.Step) {
        guard let mount = try? RunMount(parsing: text) else { return }
        let name = mount.id ?? mount.target?.split(separator: "/").last.map(String.init) ?? ""
        let entry = Mount(
            name: name.isEmpty ? "default" : name, isRequired: mount.isRequired, line: step.line, endLine: step.endLine)
        switch mount.kind {
        case .secret where !secrets.contains { $0.name == entry.name }: secrets.append(entry)
        case .ssh where !agents.contains { $0.name == entry.name }: agents.append(entry)
        default: break
        }
    }

    /// The names of arguments before the first `FROM` that the stages' bases and platforms are written with.
    private static func globalsUsed(by stages: [Stage], of staged: StagedFile) -> Set<String> {
        func names(_ text: String) -> Set<String> {
            let found = try? WordExpander(escape: staged.escape, environment: [:]).expand(text)
            return found.map { $0.matched.union($0.unmatched) } ?? []
        }
        var used: Set<String> = []
        for stage in stages { used.formUnion(names(stage.baseName).union(names(stage.platform ?? ""))) }
        // Later ones may be written with earlier ones.
        for located in staged.metaArguments.reversed() {
            for argument in located.value.arguments.reversed() where used.contains(argument.key) {
                used.formUnion(names(argument.value ?? ""))
            }
        }
        return used
    }
}
