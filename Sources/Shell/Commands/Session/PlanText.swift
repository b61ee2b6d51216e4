import Basics
import Dockerfiles
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
}

extension PlannedImage {
    /// What a plan needs to know of an image that is here.
    init(_ image: Image, platform: PlannedPlatform) {
        let settings = image.containerConfig
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
        self.init(config: config, platform: platform)
    }
}
