package import Basics

/// A Dockerfile as stages: what stands before the first `FROM`, and what each stage does.
package struct StagedFile: Sendable {
    /// The `ARG` instructions before the first `FROM`.
    package var metaArguments: [Located<ArgInstruction>]
    package var stages: [Stage]
    package var escape: Unicode.Scalar
    /// Warnings about forms that still work and should not be written.
    package var warnings: [SourceWarning]

    /// Parses every instruction; throws the error of the first that docker would refuse.
    package init(_ file: Dockerfile) throws(DockerfileError) {
        metaArguments = []
        stages = []
        escape = file.escape
        warnings = file.warnings
        for node in file.nodes {
            let located = try file.instruction(node)
            switch located.value {
            case .from(let from):
                stages.append(Stage(from, located: Located(from, at: node), index: stages.count))
            case .arg(let arguments) where stages.isEmpty:
                metaArguments.append(Located(arguments, at: node))
            default:
                guard !stages.isEmpty else {
                    throw file.error(node.line, Complaint("no build stage in current context"))
                }
                stages[stages.count - 1].instructions.append(located)
            }
        }
        if stages.isEmpty {
            let line = file.nodes.last?.line ?? 1
            throw file.error(line, Complaint("dockerfile contains no stages to build"))
        }
    }

    /// How many steps docker counts: every instruction of every stage, and the `ARG`s before them.
    package var stepCount: Int { stages.reduce(metaArguments.count) { $0 + 1 + $1.instructions.count } }

    /// The stage that a target names, by name (in any case) or by number; the last one for `nil`.
    ///
    /// Throws `.notFound` in docker's words.
    package func stageIndex(target: String?) throws(ShaleError) -> Int {
        guard let target, !target.isEmpty else { return stages.count - 1 }
        if let index = stages.lastIndex(where: { $0.name == target.lowercased() }) { return index }
        if let index = Int(target), stages.indices.contains(index) { return index }
        let complaint = Complaint(
            "target stage \(goQuoted(target)) could not be found", about: target, among: stages.compactMap(\.name),
            caseSensitive: false)
        throw ShaleError(.notFound, complaint.message)
    }
}

/// One `FROM` and the instructions below it.
package struct Stage: Sendable, Hashable {
    package var index: Int
    /// In lower case.
    package var name: String?
    /// An image, an earlier stage's name, or `scratch`; variables as written.
    package var baseName: String
    package var platform: String?
    /// The `FROM` itself.
    package var from: Located<FromInstruction>
    /// What follows, without the `FROM`.
    package var instructions: [Located<Instruction>]

    package var line: Int { from.line }
    package var original: String { from.original }

    init(_ instruction: FromInstruction, located: Located<FromInstruction>, index: Int) {
        self.index = index
        name = instruction.stageName
        baseName = instruction.baseName
        platform = instruction.platform
        from = located
        instructions = []
    }
}
