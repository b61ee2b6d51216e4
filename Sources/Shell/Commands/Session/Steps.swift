package import ArgumentParser
package import Basics
import Building
import Images
import OCI
import Rendering
import Sessions

/// `steps`: the instructions of the working image.
package struct Steps: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "steps", abstract: "List the steps of the working image")
    package static let isWorthKeeping = false
    package static let formatFields = [
        "Step", "Instruction", "Image", "Size", "Files", "Time", "Seconds", "Cached", "CreatedAt",
    ]
    package static let examples = ["steps", "steps --no-trunc", "steps --format json"]
    package static let differences = ["Docker has no such command."]

    @Option(help: "json, or a template.") var format: String?
    @Flag(name: .customLong("no-trunc"), help: "Whole instructions.") var isWhole = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let session = try shell.session()
        try session.refresh()
        let working = try session.requireWorking()
        var listing = Listing(
            columns: [
                .init("Step", "STEP"), .init("Instruction", "INSTRUCTION", shrinks: true), .init("Image", "IMAGE ID"),
                .init("Size", "SIZE"), .init("Files", "FILES"), .init("Time", "TIME"), .init("Cached", "CACHED"),
            ],
            quietKey: "Image")
        listing.rows.append(
            row(
                0, since: nil, seconds: nil, working.base.instruction, image: working.base.image?.short ?? "", size: "",
                files: "", time: "",
                cached: ""))
        for (index, step) in working.steps.enumerated() {
            listing.rows.append(
                row(
                    index + 1, since: step.time, seconds: step.seconds, step.instruction, image: step.image.short,
                    size: HumanUnits.size(step.summary.bytes),
                    files: step.summary.isEmpty
                        ? "" : "+\(step.summary.added) ~\(step.summary.changed) -\(step.summary.deleted)",
                    time: Self.duration(step.seconds), cached: step.wasCached ? "yes" : ""))
        }
        return .listing(listing, format: format)
    }

    private func row(
        _ number: Int, since made: Timestamp?, seconds: Double?, _ instruction: String, image: String, size: String,
        files: String, time: String, cached: String
    ) -> JSONDocument {
        let lines = instruction.split(separator: "\n", omittingEmptySubsequences: false)
        var text = String(lines.first ?? "")
        // Output for a program has the whole instruction and the time it was made.
        let isWhole = self.isWhole || isForPrograms
        if lines.count > 1, !isWhole { text += " …" } else if isWhole { text = instruction }
        if !isWhole, text.count > 60 { text = text.prefix(59) + "…" }
        return .members([
            "CreatedAt": .string(made?.description ?? ""), "Seconds": .string(seconds.map { String($0) } ?? ""),
            "Step": .string(String(number)), "Instruction": .string(text), "Image": .string(image),
            "Size": .string(size), "Files": .string(files), "Time": .string(time), "Cached": .string(cached),
        ])
    }

    private var isForPrograms: Bool {
        switch Listing.Format(format) {
        case .json, .template: true
        case .table, .raw: false
        }
    }

    /// Seconds with one digit behind the point, milliseconds below a tenth.
    static func duration(_ seconds: Double) -> String {
        seconds < 0.1 ? "\(Int(seconds * 1000))ms" : "\((seconds * 10).rounded() / 10)s"
    }
}
