package import Basics
import Building
package import Containers
import Diagnostics
package import Images
package import Layers
import Linux
import Logging
import OCI
import Recipes
import Stores

/// The result of one line of a recorded shell.
package struct LineTaken: Sendable {
    package var exitStatus: Int32 = 0
    /// The steps that the line became: its `RUN`, then `WORKDIR`, then `ENV`.
    package var steps: [StepResult] = []
    /// The changes that were dropped because the line failed.
    package var dropped: StepSummary = .none
    /// The changes in a container, where a line is no step.
    package var changed: StepSummary = .none
    /// Messages for the user.
    package var notes: [String] = []
    package var wasTyped = false
    /// What the user typed while the line ran and the line did not read.
    package var typedAhead: [UInt8] = []
    package var wasKeptFailed = false

    package init() {}

    package var changes: [StateChange] { steps.map(\.change) }
}

/// A shell in the working image whose lines are recorded: the changes of each line become a step.
///
/// The working directory, exported variables and files belong to the image. Other shell state is carried from line to
/// line and written before every line that needs it, so the steps alone are complete.
package final class RecordedShell: LineShell {
    private let session: Session
    /// Whether the changes of failed lines are kept.
    private let keepsFailed: Bool
    private var carried = CarriedState()
    private var hasNoted: Set<String> = []
    /// The last state that could be read.
    private var known: StageState?

    /// Throws `unsupported` for a shell other than sh, ash, dash and bash, `notFound` without a working image or when
    /// the
    /// shell is missing, and what reading the working image throws.
    package init(session: Session, keepsFailed: Bool) throws(ShaleError) {
        self.session = session
        self.keepsFailed = keepsFailed
        try Self.requireShell(in: session)
        if let working = session.working { known = try session.state(of: working) }
    }

    package var name: String { session.name }

    /// The working directory.
    package var directory: String { carried.directory ?? state?.workingDirectory ?? "/" }

    /// Whether the shell's user is root.
    package var isRoot: Bool { ShellProgram.isRoot(state?.settings.user) }

    private var state: StageState? {
        guard let working = session.working else { return nil }
        // Where the image cannot be read any more, the prompt tells the state before: it must not claim to be root's.
        let now = Logger.session.attempt("read the working image") { () throws(ShaleError) in
            try session.state(of: working)
        }
        if let now { known = now }
        return known
    }

    /// Names of environment and shell variables, for Tab.
    package var variableNames: [String] { carried.variableNames(beside: state?.settings.env ?? []) }

    /// The value of an exported variable of an earlier line, or of an environment variable of the image.
    package func value(of name: String) -> String? { carried.exports[name] ?? state?.variables[name] }

    /// Names of functions and aliases of earlier lines, for Tab.
    package var commandNames: [String] { Array(carried.functions.keys) + Array(carried.aliases.keys) }

    /// The files of the working image, without mounts.
    ///
    /// Throws `notFound` without a working image, and what reading its image throws.
    package func tree() throws(ShaleError) -> MergedTree {
        let engine = session.engine
        guard let id = try session.requireWorking().image else { return MergedTree(layers: [], form: engine.form) }
        return try engine.images.tree(of: engine.images.image(id: id))
    }

    private static func requireShell(in session: Session) throws(ShaleError) {
        let working = try session.requireWorking()
        let engine = session.engine
        let image = try working.image.map { id throws(ShaleError) in try engine.images.image(id: id) }
        try ShellProgram.require(
            session.state(of: working).shell,
            in: image.map { image throws(ShaleError) in try engine.images.tree(of: image) }
                ?? MergedTree(layers: [], form: engine.form),
            named: "image \(image?.id.short ?? "scratch")")
    }

    // MARK: Lines

    /// Runs one complete line.
    ///
    /// The journal is not written here.
    ///
    /// Throws when the line could not be run. A line that fails is not an error.
    package func run(
        _ line: String, person: PersonAtStep, wasAnswered: @escaping @Sendable (_ unread: Int) -> Bool,
        directory host: String,
        _ operation: OperationContext
    ) throws(ShaleError) -> LineTaken {
        var working = try session.requireWorking()
        let scan = ShellScan(line)
        let written = (scan.joined ?? line).trimmingBlanks
        let (text, uses) = carried.complete(written)
        var state = try session.state(of: working)
        let executor = StepExecutor(engine: session.engine.building, context: nil, operation)
        let request = LineRequest(
            instruction: LineInstruction.run(text, shell: state.shell),
            failedInstruction: keepsFailed ? LineInstruction.runTolerating(text, shell: state.shell) : nil,
            script: RecorderScript.text(running: text), folder: RecorderScript.folder, line: line, person: person,
            wasAnswered: wasAnswered)
        let start = Timestamp.now()
        let outcome = try executor.enter(request, on: &state)
        var taken = LineTaken()
        taken.exitStatus = outcome.exitStatus
        carried.lastStatus = outcome.exitStatus
        taken.typedAhead = outcome.typedAhead
        taken.dropped = outcome.dropped
        taken.wasKeptFailed = keepsFailed && outcome.exitStatus != 0
        taken.wasTyped = outcome.isTyped && outcome.result != nil
        if scan.startsBackground { note("what runs in the background ends with its line", in: &taken) }
        if let result = outcome.result, let instruction = outcome.instruction {
            var step = Step(
                instruction: instruction, image: result.image.id, summary: result.summary,
                wasCached: result.wasCached, seconds: Timestamp.now().seconds(since: start), time: start,
                directory: nil, copied: [])
            step.isTyped = outcome.isTyped ? true : nil
            taken.steps.append(StepResult(image: result.image, result: result, change: .step(step)))
            working.steps.append(step)
        }
        guard outcome.exitStatus == 0 || keepsFailed,
            let before = ShellReport("before", of: outcome.report),
            let after = ShellReport("after", of: outcome.report)
        else { return taken }
        var next = carried
        let assignments = next.absorb(before: before, after: after, uses: uses, line: written, scan: scan)
        for name in next.unset.subtracting(carried.unset).sorted() {
            note("an image cannot unset \(name): the lines that follow here run without it", in: &taken)
        }
        for name in next.exports.keys.sorted() where carried.exports[name] == nil {
            note("ENV cannot hold a newline: \(name) is written before each line that follows here", in: &taken)
        }
        try move(from: before.directory, to: after.directory, &next, &working, host, &taken, operation)
        if !assignments.isEmpty {
            try add(LineInstruction.environment(assignments), to: &working, host, &taken, operation)
        }
        carried = next
        return taken
    }

    private func note(_ text: String, in taken: inout LineTaken) {
        if hasNoted.insert(text).inserted { taken.notes.append(text) }
    }

    /// Records a changed directory: as a `WORKDIR` when the image has the directory.
    private func move(
        from before: String, to after: String, _ next: inout CarriedState, _ working: inout WorkingImage,
        _ host: String, _ taken: inout LineTaken, _ operation: OperationContext
    ) throws(ShaleError) {
        let current = try session.state(of: working).workingDirectory
        guard after.hasPrefix("/") else { return }
        if try isDirectory(after, in: working), !after.contains(where: \.isNewline) {
            next.directory = nil
            if after != current { try add(LineInstruction.directory(after), to: &working, host, &taken, operation) }
            return
        }
        if after.isKernelPath || after.contains(where: \.isNewline) {
            next.directory = after
            return
        }
        // The line removed its own working directory.
        next.directory = nil
        let above = try after.nearestPath { path throws(ShaleError) in try isDirectory(path, in: working) }
        taken.notes.append("\(after.visible) is gone: now in \(above.visible)")
        if above != current { try add(LineInstruction.directory(above), to: &working, host, &taken, operation) }
    }

    private func isDirectory(_ path: String, in working: WorkingImage) throws(ShaleError) -> Bool {
        guard let id = working.image else { return false }
        let images = session.engine.images
        let tree = try images.tree(of: images.image(id: id))
        return try tree.entry(path, followingLinks: true)?.status.kind == .directory
    }

    private func add(
        _ instruction: String, to working: inout WorkingImage, _ host: String, _ taken: inout LineTaken,
        _ operation: OperationContext
    ) throws(ShaleError) {
        var failed: String?
        let step = try session.take(
            instruction, on: working, directory: host, options: StepOptions(), failedContainer: &failed, operation)
        taken.steps.append(step)
        if case .step(let made) = step.change { working.steps.append(made) }
    }
}
