import Basics
import Dockerfiles
import FoundationEssentials
import Images
import Linux
import OCI
import Stores

/// A plan as `recipe plan` prints it: stages with their steps, base images, the config and history that would come.
enum PlanText {
    static func lines(_ plan: Plan) -> [String] {
        var lines: [String] = []
        for stage in plan.stages {
            let base =
                switch stage.base {
                case .scratch: "scratch"
                case .stage(let place): "stage \(place)"
                case .image(let name): name
                }
            lines.append("stage \(stage.name) from \(base)\(stage.isNeeded ? "" : " (not needed)")")
            for step in stage.steps { lines.append("  line \(step.line): \(step.original)") }
        }
        for name in plan.baseImages {
            lines.append("base \(name)\(plan.unknownBases.contains(name) ? " (not here: taken as empty)" : "")")
        }
        for name in plan.unusedArguments { lines.append("build argument \(name) is not used") }
        lines.append("config \(plan.image.config.json)")
        for entry in plan.image.history {
            lines.append("history \(entry.createdBy)\(entry.isEmptyLayer ? " (no layer)" : "")")
        }
        return lines.map(\.visible)
    }

    /// The plan as one JSON object.
    static func document(_ plan: Plan) -> JSONDocument {
        let stages = plan.stages.map { stage in
            let base: JSONDocument =
                switch stage.base {
                case .scratch: "scratch"
                case .stage(let place): .string(plan.stages[place].name)
                case .image(let name): .string(name)
                }
            let steps = stage.steps.map { step in
                JSONDocument.members([
                    "line": .integer(Int64(step.line)), "endLine": .integer(Int64(step.endLine)),
                    "instruction": .string(step.instruction.keyword), "original": .string(step.original),
                    "onbuild": .bool(step.isTrigger),
                    "history": step.history.map { .string($0.createdBy) } ?? .null,
                ])
            }
            return JSONDocument.members([
                "name": .string(stage.name), "line": .integer(Int64(stage.line)), "base": base,
                "needed": .bool(stage.isNeeded), "steps": .array(steps),
            ])
        }
        let config = (try? JSONDocument(parsing: plan.image.config.json.utf8, naming: "config")) ?? .null
        let history = plan.image.history.map { entry in
            JSONDocument.members([
                "created_by": .string(entry.createdBy), "comment": .string(entry.comment),
                "empty_layer": .bool(entry.isEmptyLayer),
            ])
        }
        return .members([
            "stages": .array(stages), "target": .string(plan.stages[plan.target].name),
            "baseImages": .array(plan.baseImages.map { .string($0) }),
            "unknownBases": .array(plan.unknownBases.map { .string($0) }),
            "unusedArguments": .array(plan.unusedArguments.map { .string($0) }), "config": config,
            "history": .array(history), "author": .string(plan.image.author),
        ])
    }
}

extension ImageConfig {
    /// Reads an image's config from a JSON file: whole, or as much of it as a plan needs.
    ///
    /// Throws `notFound` and `corrupt`.
    init(readingFile path: String) throws(ShaleError) {
        let bytes = try translating(path) { try WholeFile.read(path, limit: 16 << 20) }
        self = try OCIDocument.read(BaseConfig.self, from: bytes, naming: path).image
    }
}

/// An image's config without platform and layers, or what stands in its `config` alone.
private struct BaseConfig: DocumentValue {
    var image = ImageConfig()

    init(_ reader: DocumentReader) throws(ShaleError) {
        image.author = try reader.string("author")
        image.history = try reader.objects("history", History.self)
        if let config = try reader.object("config", ContainerConfig.self) {
            image.config = config
        } else {
            image.config = try ContainerConfig(reader)
        }
    }
}

extension ImageEngine {
    /// The image that a `FROM` names, as a plan takes it; `nil` where it is not here.
    func planned(_ base: String, platform: PlannedPlatform) -> PlannedImage? {
        (try? find(base)).map { PlannedImage($0, platform: platform) }
    }
}

extension PlannedImage {
    /// What a plan needs to know of an image that is here.
    init(_ image: Image, platform: PlannedPlatform) {
        self.init(image.config, platform: platform)
    }

    init(_ image: ImageConfig, platform: PlannedPlatform) {
        let settings = image.config ?? ContainerConfig()
        var config = PlannedConfig()
        config.environment = settings.env ?? []
        config.entrypoint = settings.entrypoint
        config.command = settings.cmd
        config.user = settings.user ?? ""
        config.workingDirectory = settings.workingDir ?? ""
        config.exposedPorts = Set((settings.exposedPorts ?? [:]).keys)
        config.volumes = Set((settings.volumes ?? [:]).keys)
        config.labels = settings.labels ?? [:]
        config.onbuild = settings.onBuild ?? []
        config.stopSignal = settings.stopSignal ?? ""
        config.shell = settings.shell ?? []
        if let health = settings.healthcheck {
            config.healthCheck = HealthCheck(
                test: health.test ?? [], interval: health.interval ?? 0, timeout: health.timeout ?? 0,
                startPeriod: health.startPeriod ?? 0, startInterval: health.startInterval ?? 0,
                retries: health.retries ?? 0)
        }
        let history = (image.history ?? []).map {
            PlannedHistory(
                createdBy: $0.createdBy ?? "", comment: $0.comment ?? "", isEmptyLayer: $0.emptyLayer ?? false)
        }
        self.init(config: config, history: history, author: image.author ?? "", platform: platform)
    }
}
