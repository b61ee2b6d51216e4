import Basics

/// Computes the plan of a Dockerfile: which stages count, in which order, and what each step does to the configuration.
///
/// The rules are those of BuildKit's Dockerfile front end; the classic builder's history differs and is made where
/// images are built.
struct Planner {
    let file: Dockerfile
    let staged: StagedFile
    let options: Plan.Options
    var report: LintReport
    /// Platform arguments and those before the first `FROM`.
    var globals = Variables()
    private(set) var metaArguments: [(key: String, value: String?)] = []
    var stages: [PlannedStage] = []
    /// Places by name in lower case.
    private var places: [String: Int] = [:]
    private(set) var target = 0
    private(set) var baseImages: Set<String> = []
    private(set) var unknownBases: Set<String> = []
    private var needed: Set<Int> = []

    init(_ file: Dockerfile, options: Plan.Options) throws(DockerfileError) {
        self.file = file
        self.options = options
        staged = try StagedFile(file)
        let check =
            options.arguments["BUILDKIT_DOCKERFILE_CHECK"] ?? file.directives["check"]?.cut(at: " ").before ?? ""
        do throws(Complaint) {
            report = LintReport(options: try LintOptions(parsing: check))
        } catch {
            throw file.error(1, Complaint("failed to parse check options: \(error.message)"))
        }
    }

    mutating func run(_ bases: (String, PlannedPlatform) -> PlannedImage?) throws(DockerfileError) {
        StaticLint.check(file, staged, into: &report)
        setPlatformArguments()
        checkDefaultBases()
        metaArguments = try evaluateMetaArguments(&globals, overrides: options.arguments)
        for stage in staged.stages { try add(stage) }
        do throws(ShaleError) {
            target = try findTarget()
        } catch {
            throw file.error(staged.stages.last?.line ?? 1, Complaint(error.message))
        }
        for place in stages.indices { try connect(place) }
        try refuseCircles()
        try resolve(bases)
        let order = stages.indices.filter { options.includesAllStages || needed.contains($0) }
        for place in order where !stages[place].isDone { try evaluate(place) }
        stages[target].image.config.labels.merge(options.labels) { $1 }
    }

    // MARK: Result

    var result: PlannedImage { stages[target].image }

    var stagePlans: [Plan.StagePlan] {
        staged.stages.indices.map { place in
            let stage = stages[place]
            let isNeeded = needed.contains(place)
            return Plan.StagePlan(
                name: stage.name, line: stage.line, base: base(of: stage),
                platform: platform(of: place), isNeeded: isNeeded,
                steps: isNeeded ? stage.steps : [], image: isNeeded ? stage.image : nil)
        }
    }

    /// The platform of a stage: its own, else that of the stage that it stands on, else the target's.
    private func platform(of place: Int) -> PlannedPlatform {
        let stage = stages[place]
        // A stage stands on an earlier one: it ends at the first.
        if stage.platform == nil, let base = stage.base, base < place { return platform(of: base) }
        return stage.platform ?? options.targetPlatform
    }

    private func base(of stage: PlannedStage) -> Plan.Base {
        if let base = stage.base { return .stage(base) }
        return stage.baseName == "scratch" ? .scratch : .image(ImageName(stage.baseName)?.complete ?? stage.baseName)
    }

    var unusedArguments: Set<String> {
        var declared = Set(metaArguments.map(\.key))
        for stage in stages { declared.formUnion(stage.arguments.map(\.key)) }
        let builtIn: Set = ["http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy"]
        return Set(options.arguments.keys).filter {
            !declared.contains($0) && !builtIn.contains($0.lowercased()) && !$0.hasPrefix("BUILDKIT_")
        }
    }

    func error(_ stage: PlannedStage, _ message: String) -> DockerfileError {
        file.error(stage.line, Complaint(message))
    }

    // MARK: Arguments before the first FROM

    private mutating func setPlatformArguments() {
        let (build, wanted) = (options.buildPlatform, options.targetPlatform)
        let targetName = options.target.flatMap { $0.isEmpty ? nil : $0 } ?? staged.stages.last?.name ?? "default"
        for (name, value) in [
            ("BUILDPLATFORM", build.description), ("BUILDOS", build.os), ("BUILDOSVERSION", ""),
            ("BUILDARCH", build.architecture), ("BUILDVARIANT", build.variant),
            ("TARGETPLATFORM", wanted.description), ("TARGETOS", wanted.os), ("TARGETOSVERSION", ""),
            ("TARGETARCH", wanted.architecture), ("TARGETVARIANT", wanted.variant), ("TARGETSTAGE", targetName),
        ] { globals.set(name, options.arguments[name] ?? value) }
    }

    private func evaluateMetaArguments(
        _ variables: inout Variables, overrides: [String: String]
    ) throws(DockerfileError) -> [(key: String, value: String?)] {
        var found: [(key: String, value: String?)] = []
        for instruction in staged.metaArguments {
            for argument in instruction.arguments {
                var value = overrides[argument.key]
                if value == nil, let text = argument.value {
                    do throws(ShaleError) {
                        value = try variables.expander(escape: staged.escape).expand(text).text
                    } catch {
                        throw file.error(instruction.line, Complaint(error.message))
                    }
                }
                if let value { variables.set(argument.key, value) }
                found.append((argument.key, value))
            }
        }
        return found
    }

    /// Whether every base is an image's name when no build argument is given.
    private mutating func checkDefaultBases() {
        var defaults = globals
        guard (try? evaluateMetaArguments(&defaults, overrides: [:])) != nil else { return }
        for stage in staged.stages {
            guard let name = try? defaults.expander(escape: staged.escape).expand(stage.baseName).text else { return }
            if ImageName(name) == nil {
                report.add(
                    .invalidDefaultArgInFrom,
                    "Default value for ARG \(stage.baseName) results in empty or invalid base image name",
                    at: stage.from, localOptions: false)
            }
        }
    }

    // MARK: Stages

    private mutating func add(_ stage: Stage) throws(DockerfileError) {
        let expansion = try expand(stage.baseName, of: stage)
        guard !expansion.text.isEmpty else {
            throw file.error(stage.line, Complaint("base name (\(stage.baseName)) should not be blank"))
        }
        var planned = PlannedStage(
            name: stage.name ?? "stage-\(stage.index)", stage: stage, line: stage.line, endLine: stage.from.endLine,
            baseName: expansion.text, image: .scratch(options.targetPlatform))
        planned.commands = stage.instructions.map { PlannedStage.Command(located: $0) }
        if let text = stage.platform { planned.platform = try platform(text, of: stage) }
        planned.base = places[planned.baseName]
        stages.append(planned)
        if let name = stage.name { places[name] = stages.count - 1 }
    }

    /// A word of a `FROM`, with a warning for each name that nothing declares.
    private mutating func expand(_ word: String, of stage: Stage) throws(DockerfileError) -> WordExpander.Expansion {
        let expansion: WordExpander.Expansion
        do throws(ShaleError) {
            expansion = try globals.expander(escape: staged.escape).expand(word)
        } catch {
            throw file.error(stage.line, Complaint(error.message))
        }
        let declared = Set(globals.names).union(metaArguments.map(\.key)).sorted()
        for name in expansion.unmatched.sorted() where !declared.contains(name) {
            let nearest = Nearest.name(to: name, among: declared).map { " (did you mean \($0)?)" } ?? ""
            report.add(.undefinedArgInFrom, "FROM argument '\(name)' is not declared\(nearest)", at: stage.from)
        }
        return expansion
    }

    private mutating func platform(_ text: String, of stage: Stage) throws(DockerfileError) -> PlannedPlatform {
        let expansion = try expand(text, of: stage)
        let isConstant = expansion.matched.isEmpty && expansion.unmatched.isEmpty
        let parsed = PlannedPlatform(expansion.text, host: options.buildPlatform)
        if expansion.matched == ["TARGETPLATFORM"], expansion.unmatched.isEmpty,
            expansion.text == globals["TARGETPLATFORM"]
        {
            report.add(
                .redundantTargetPlatform,
                "Setting platform to predefined \(text) in FROM is redundant as this is the default behavior",
                at: stage.from)
        } else if isConstant, let parsed {
            let name = stage.name ?? ""
            if !name.contains(parsed.os), !name.contains(parsed.architecture) {
                report.add(
                    .fromPlatformFlagConstDisallowed,
                    "FROM --platform flag should not use constant value \(goQuoted(expansion.text))", at: stage.from)
            }
        }
        if expansion.text.isEmpty {
            throw file.error(stage.line, Complaint("empty platform value from expression \(text)"))
        }
        guard let parsed else {
            throw file.error(stage.line, Complaint("failed to parse platform \(text): \(goQuoted(expansion.text))"))
        }
        return parsed
    }

    private func findTarget() throws(ShaleError) -> Int {
        guard let target = options.target, !target.isEmpty else { return stages.count - 1 }
        if let place = places[target.lowercased()] { return place }
        return try staged.stageIndex(target: target)
    }

    // MARK: What stages need

    private mutating func connect(_ place: Int) throws(DockerfileError) {
        for index in stages[place].commands.indices { try connect(place, command: index) }
    }

    private mutating func connect(_ place: Int, command index: Int) throws(DockerfileError) {
        let located = stages[place].commands[index].located
        var sources: [Int?] = []
        switch located.value {
        case .copy(let copy):
            guard let from = copy.from, !from.isEmpty else { return }
            let expansion = try? WordExpander(escape: staged.escape, environment: [:]).expand(from)
            guard expansion?.text == from else {
                throw file.error(
                    located.line,
                    Complaint(
                        "variable expansion is not supported for --from, define a new stage with FROM using ARG from "
                            + "global scope as a workaround"))
            }
            sources = [try source(named: from, line: located.line, allowsIndex: true)]
        case .run(let run):
            for mount in run.mounts {
                let from = RunMount.from(in: mount)
                sources.append(
                    try from.map { name throws(DockerfileError) in
                        try source(named: name, line: located.line, allowsIndex: false)
                    })
            }
        default: return
        }
        stages[place].commands[index].sources = sources
        stages[place].dependencies += sources.compactMap { $0 }
    }

    private mutating func source(named name: String, line: Int, allowsIndex: Bool) throws(DockerfileError) -> Int {
        if allowsIndex, let index = Int(name) {
            guard stages.indices.contains(index) else {
                throw file.error(line, Complaint("invalid stage index \(index)"))
            }
            return index
        }
        if let place = places[name.lowercased()] { return place }
        stages.append(
            PlannedStage(
                name: name, line: line, endLine: line, baseName: name, image: .scratch(options.targetPlatform)))
        return stages.count - 1
    }

    private func refuseCircles() throws(DockerfileError) {
        var finished: Set<Int> = []
        for start in stages.indices {
            // A path of places, each with those it still has to look at.
            var path: [(place: Int, rest: [Int])] = [(start, stages[start].dependencies)]
            while let last = path.last {
                guard !finished.contains(last.place), let next = last.rest.last else {
                    finished.insert(last.place)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].rest.removeLast()
                if path.contains(where: { $0.place == next }) {
                    throw error(
                        stages[start], "circular dependency detected on stage: \(stages[start].name)")
                }
                if !finished.contains(next) { path.append((next, stages[next].dependencies)) }
            }
        }
    }

    private func reachable(from start: Int) -> Set<Int> {
        var found: Set<Int> = []
        var rest = [start]
        while let place = rest.popLast() {
            guard found.insert(place).inserted else { continue }
            if let base = stages[place].base { rest.append(base) }
            rest += stages[place].dependencies
        }
        return found
    }

    /// Finds the images that count.
    ///
    /// Their triggers may need more images, so this is repeated until no new one is found.
    private mutating func resolve(_ bases: (String, PlannedPlatform) -> PlannedImage?) throws(DockerfileError) {
        var hasNew = true
        while hasNew {
            hasNew = false
            needed = reachable(from: target)
            for place in stages.indices where stages[place].base == nil && !stages[place].isResolved {
                try resolveBase(place, isNeeded: needed.contains(place) || options.includesAllStages, bases)
            }
            for place in stages.indices where needed.contains(place) || options.includesAllStages {
                if try addTriggers(place) { hasNew = true }
            }
        }
    }

    private mutating func resolveBase(
        _ place: Int, isNeeded: Bool, _ bases: (String, PlannedPlatform) -> PlannedImage?
    ) throws(DockerfileError) {
        let stage = stages[place]
        let isForeign = stage.stage == nil
        stages[place].isResolved = isNeeded
        let platform = stage.platform ?? options.targetPlatform
        defer { if isForeign { stages[place].isDone = true } }
        if stage.baseName == "scratch" {
            stages[place].image = .scratch(options.targetPlatform)
            stages[place].platform = options.targetPlatform
            return
        }
        guard let name = ImageName(stage.baseName) else {
            throw error(stage, "failed to parse stage name \(goQuoted(stage.baseName)): invalid reference format")
        }
        guard isNeeded else { return }
        baseImages.insert(name.complete)
        stages[place].platform = platform
        guard let image = bases(name.complete, platform) else {
            unknownBases.insert(name.complete)
            stages[place].image = PlannedImage(config: PlannedConfig(), platform: platform)
            return
        }
        stages[place].image = image
        let actual = image.platform
        if actual.os != platform.os || actual.architecture != platform.architecture {
            report.add(
                .invalidBaseImagePlatform,
                "Base image \(stage.baseName) was pulled with platform \(goQuoted(actual.description)), expected "
                    + "\(goQuoted(platform.description)) for current build",
                line: stage.line, endLine: stage.endLine)
        }
    }

    /// Puts the instructions that a base's `ONBUILD` kept before the stage's own; whether they need further stages.
    private mutating func addTriggers(_ place: Int) throws(DockerfileError) -> Bool {
        var triggers: [String] = []
        if let base = stages[place].base {
            guard !stages[place].hasTriggers else { return false }
            stages[place].hasTriggers = true
            for command in stages[base].commands {
                if case .onbuild(let text) = command.located.value { triggers.append(text) }
            }
        } else {
            triggers = stages[place].image.config.onbuild
            stages[place].image.config.onbuild = []
        }
        guard !triggers.isEmpty else { return false }
        var commands: [PlannedStage.Command] = []
        for trigger in triggers {
            do throws(DockerfileError) {
                var located = try Instruction.parse(line: trigger)
                located.line = stages[place].line
                located.endLine = stages[place].endLine
                commands.append(PlannedStage.Command(located: located, isTrigger: true))
            } catch {
                throw self.error(stages[place], error.message)
            }
        }
        stages[place].commands.insert(contentsOf: commands, at: 0)
        let before = stages[place].dependencies.count
        for index in commands.indices { try connect(place, command: index) }
        return stages[place].dependencies.count > before
    }
}
