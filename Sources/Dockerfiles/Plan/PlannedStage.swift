/// A stage while its plan is being computed.
struct PlannedStage {
    struct Command {
        var located: Located<Instruction>
        /// The stages it copies or mounts from, a place each; `nil` for the build context.
        var sources: [Int?] = []
        var isTrigger = false
    }

    var name: String
    /// The `FROM`; absent for an image that only `COPY --from` or a mount names.
    var stage: Stage?
    var line: Int
    var endLine: Int
    /// With variables replaced.
    var baseName: String
    /// An earlier stage.
    var base: Int?
    var platform: PlannedPlatform?
    var commands: [Command] = []
    var dependencies: [Int] = []
    var hasTriggers = false
    var isResolved = false
    var isDone = false

    var image: PlannedImage
    /// Variables that words see: the image's environment and the arguments.
    var variables = Variables()
    /// Arguments declared so far, in order.
    var arguments: [ArgInstruction.Argument] = []
    var steps: [Plan.Step] = []

    var hasWorkdir = false
    var lastCommand: (line: Int, endLine: Int)?
    var lastEntrypoint: (line: Int, endLine: Int)?
    var lastHealthCheck: (line: Int, endLine: Int)?
}

/// Names and values, in the order they were last set.
struct Variables {
    private(set) var names: [String] = []
    private var values: [String: String] = [:]

    subscript(name: String) -> String? { values[name] }

    mutating func set(_ name: String, _ value: String) {
        if values.updateValue(value, forKey: name) != nil { names.removeAll { $0 == name } }
        names.append(name)
    }

    func expander(escape: Unicode.Scalar) -> WordExpander {
        WordExpander(escape: escape, environment: values)
    }
}
