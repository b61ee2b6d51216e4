import Dockerfiles

/// A path that a Dockerfile takes from somewhere, and where it puts it.
struct NamedPath: Hashable {
    var path: String
    var destination: String
}

/// What someone else's Dockerfile names and does not bring along: images, files of its context, files of its stages.
struct MissingPieces {
    private(set) var images: Set<String> = []
    /// Paths of the context.
    private(set) var context: [NamedPath] = []
    /// Paths of images and of earlier stages, where the commands that would have made them are stand-ins.
    private(set) var inside: [NamedPath] = []

    private typealias Variables = [String: String]
    private static let platform: Variables = [
        "TARGETPLATFORM": "linux/amd64", "TARGETOS": "linux", "TARGETARCH": "amd64", "TARGETVARIANT": "",
        "BUILDPLATFORM": "linux/amd64", "BUILDOS": "linux", "BUILDARCH": "amd64", "BUILDVARIANT": "",
    ]

    /// A file that cannot be read names nothing.
    init(of text: String) {
        guard let parsed = try? Dockerfile(parsing: text), let file = try? StagedFile(parsed) else { return }
        var global = Self.platform
        for argument in file.metaArguments { Self.declare(argument.arguments, in: &global, from: [:]) }
        var stages: [String: Variables] = [:]
        for stage in file.stages {
            let base = Self.expanded(stage.baseName, global)
            if stages[base.lowercased()] == nil, base != "scratch" { images.insert(base) }
            var variables = stages[base.lowercased()] ?? Self.platform
            for instruction in stage.instructions {
                add(instruction.value, global: global, stages: stages, &variables)
            }
            stages[String(stage.index)] = variables
            if let name = stage.name { stages[name.lowercased()] = variables }
        }
    }

    private mutating func add(
        _ instruction: Instruction, global: Variables, stages: [String: Variables], _ variables: inout Variables
    ) {
        switch instruction {
        case .arg(let argument): Self.declare(argument.arguments, in: &variables, from: global)
        case .env(let pairs):
            for pair in pairs { variables[pair.key] = Self.expanded(pair.value, variables) }
        case .copy(let copy): add(copy.files, from: copy.from, stages, variables)
        case .add(let add): self.add(add.files, from: nil, stages, variables)
        case .run(let run):
            for text in run.mounts {
                guard let mount = try? RunMount(parsing: Self.expanded(text, variables)), mount.kind == .bind
                else { continue }
                let path = NamedPath(path: mount.source ?? "/", destination: mount.target ?? "")
                add([path], from: mount.from, stages)
            }
        default: break
        }
    }

    private mutating func add(
        _ files: FileSources, from: String?, _ stages: [String: Variables], _ variables: Variables
    ) {
        let destination = Self.expanded(files.destination, variables)
        let paths = files.paths.map { Self.expanded($0, variables) }
            .filter { !$0.contains("://") && !$0.hasPrefix("git@") }
        add(paths.map { NamedPath(path: $0, destination: destination) }, from: from, stages)
    }

    private mutating func add(_ paths: [NamedPath], from: String?, _ stages: [String: Variables]) {
        guard let from else {
            context += paths
            return
        }
        if stages[from.lowercased()] == nil { images.insert(from) }
        inside += paths
    }

    private static func declare(
        _ arguments: [ArgInstruction.Argument], in variables: inout Variables, from global: Variables
    ) {
        for argument in arguments {
            let value = argument.value.map { expanded($0, variables) } ?? global[argument.key]
            if let value { variables[argument.key] = value }
        }
    }

    private static func expanded(_ word: String, _ variables: Variables) -> String {
        (try? WordExpander(environment: variables).expand(word).text) ?? word
    }
}
