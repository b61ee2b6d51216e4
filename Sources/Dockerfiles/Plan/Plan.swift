/// What a build of a Dockerfile would do and make, computed without running anything.
package struct Plan: Sendable {
    package struct Options: Sendable {
        /// A stage's name or number; the last stage for `nil`.
        package var target: String?
        package var arguments: [String: String] = [:]
        package var targetPlatform: PlannedPlatform
        package var buildPlatform: PlannedPlatform
        /// Added to the result's labels.
        package var labels: [String: String] = [:]
        /// Whether stages that the target does not need are worked out too, as a check of the whole file does.
        package var includesAllStages = false
        package var ignoreList: IgnoreList?

        package init(platform: PlannedPlatform) {
            targetPlatform = platform
            buildPlatform = platform
        }
    }

    /// What a stage starts from.
    package enum Base: Sendable, Hashable {
        case scratch
        /// An earlier stage, by its place.
        case stage(Int)
        /// An image, with registry and tag.
        case image(String)
    }

    package struct Step: Sendable, Hashable {
        /// The instruction with its variables replaced.
        package var instruction: Instruction
        package var line: Int
        package var endLine: Int
        /// The instruction as written.
        package var original: String
        /// Whether it comes from the base's `ONBUILD`.
        package var isTrigger: Bool
        /// The line it adds to the history, if any.
        package var history: PlannedHistory?
    }

    package struct StagePlan: Sendable, Hashable {
        /// The stage's name, or `stage-N`.
        package var name: String
        package var line: Int
        package var base: Base
        /// What its processes run on.
        package var platform: PlannedPlatform
        /// Whether the target needs it; a stage that is not needed has no steps.
        package var isNeeded: Bool
        package var steps: [Step]
        /// Its image after the last step.
        package var image: PlannedImage?
    }

    /// `ARG`s before the first `FROM`, with their values.
    package var metaArguments: [(key: String, value: String?)]
    package var stages: [StagePlan]
    /// The place of the target among the stages.
    package var target: Int
    /// The images that needed stages start from or copy from, sorted.
    package var baseImages: [String]
    /// Those of them that `bases` did not know; their configuration was taken to be empty.
    package var unknownBases: [String]
    package var image: PlannedImage
    package var warnings: [LintWarning]
    /// Build arguments that no `ARG` takes up.
    package var unusedArguments: [String]

    /// Computes the plan of a build.
    ///
    /// `bases` returns the configuration for an image's complete name, or `nil` if it does not know the image.
    ///
    /// Throws the error of the line that cannot be planned, or of the first warning where the options make warnings
    /// errors.
    package init(
        _ file: Dockerfile, options: Options, bases: (String, PlannedPlatform) -> PlannedImage?
    ) throws(DockerfileError) {
        var planner = try Planner(file, options: options)
        try planner.run(bases)
        metaArguments = planner.metaArguments
        stages = planner.stagePlans
        target = planner.target
        baseImages = planner.baseImages.sorted()
        unknownBases = planner.unknownBases.sorted()
        image = planner.result
        warnings = planner.report.warnings
        unusedArguments = planner.unusedArguments.sorted()
        if planner.report.options.areErrors, !warnings.isEmpty {
            var rules: [String] = []
            for warning in warnings where !rules.contains(warning.rule) { rules.append(warning.rule) }
            throw file.error(
                warnings[0].line, Complaint("lint violation found for rules: \(rules.joined(separator: ", "))"))
        }
    }
}

/// `recipe check`: docker's `build --check`.
package enum Lint {
    /// What a file does that it should not; throws if docker could not read it.
    ///
    /// All stages are looked at unless a target is named. An error that only a build would meet, such as an unknown
    /// stage, ends the check: what was found so far is returned, with the error.
    package static func check(
        _ file: Dockerfile, target: String? = nil, arguments: [String: String] = [:], platform: PlannedPlatform,
        ignoring: IgnoreList? = nil, bases: (String, PlannedPlatform) -> PlannedImage? = { _, _ in nil }
    ) throws(DockerfileError) -> (warnings: [LintWarning], error: DockerfileError?) {
        var options = Plan.Options(platform: platform)
        options.target = target
        options.arguments = arguments
        options.includesAllStages = target == nil
        options.ignoreList = ignoring
        return try check(file, options: options, bases: bases)
    }

    static func check(
        _ file: Dockerfile, options: Plan.Options, bases: (String, PlannedPlatform) -> PlannedImage?
    ) throws(DockerfileError) -> (warnings: [LintWarning], error: DockerfileError?) {
        var planner = try Planner(file, options: options)
        do {
            try planner.run(bases)
        } catch {
            return (planner.report.warnings, error)
        }
        return (planner.report.warnings, nil)
    }
}
