package import Basics
import Building
package import Containers
package import Images
package import Layers
import Linux
import OCI
import Recipes
import Stores

/// What one line of a recorded shell came to.
package struct LineTaken: Sendable {
    package var exitStatus: Int32 = 0
    /// The steps it became: its `RUN`, then `WORKDIR`, then `ENV`.
    package var steps: [StepResult] = []
    /// What it had changed, where that was dropped because it failed.
    package var dropped: StepSummary = .none
    /// What it changed, where that is no step: in a container.
    package var changed: StepSummary = .none
    /// Words for the person.
    package var notes: [String] = []
    package var wasTyped = false
    /// What was typed while it ran, and nobody read.
    package var typedAhead: [UInt8] = []
    package var wasKeptFailed = false

    package init() {}

    package var changes: [StateChange] { steps.map(\.change) }
}

/// A shell in the working image, line by line: what each line changes is a step of its own.
///
/// Directory, exported variables and files are the image's; the rest of the shell's state is carried from line to line
/// here, and written before every line that needs it, so that the steps alone tell the whole.
package final class RecordedShell: LineShell {
    private let session: Session
    /// Keeps the files of lines that fail.
    private let keepsFailed: Bool
    private var carried = CarriedState()
    private var hasNoted: Set<String> = []

    /// Throws `unsupported` for an image whose shell is none of sh, ash, dash and bash, `notFound` for one without a
    /// shell.
    package init(session: Session, keepsFailed: Bool) throws(ShaleError) {
        self.session = session
        self.keepsFailed = keepsFailed
        try Self.requireShell(in: session)
    }

    package var name: String { session.name }

    /// Where the shell stands.
    package var directory: String { carried.directory ?? state?.workingDirectory ?? "/" }

    /// Whether it is root who types.
    package var isRoot: Bool { ShellProgram.isRoot(state?.settings.user) }

    private var state: StageState? {
        guard let working = session.working else { return nil }
        return try? session.state(of: working)
    }

    /// Environment variables and the shell's own, for Tab.
    package var variableNames: [String] { carried.variableNames(beside: state?.settings.env ?? []) }

    /// The value of an environment variable of the image's.
    package func value(of name: String) -> String? { carried.exports[name] ?? state?.variables[name] }

    /// Functions and aliases of earlier lines, for Tab.
    package var commandNames: [String] { Array(carried.functions.keys) + Array(carried.aliases.keys) }

    /// The files of the working image, for Tab: nothing is mounted or started.
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

    /// Runs one whole line; nothing is written into the journal here.
    ///
    /// Throws what keeps it from being run; a line that fails is no error.
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

    /// What `cd` came to: a `WORKDIR`, where the image has the directory.
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
        if ["/proc", "/sys", "/dev"].contains(where: { after == $0 || after.hasPrefix($0 + "/") })
            || after.contains(where: \.isNewline)
        {
            next.directory = after
            return
        }
        // The line removed its own working directory.
        next.directory = nil
        var above = after
        while above != "/", try !isDirectory(above, in: working) { above = above.directoryAbove }
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
