import Basics
import Building
import Containers
import Images
import Linux
import OCI
import Rendering
import Runtime
import Sessions
import ShellLanguage
import Stores
import Synchronization

/// The recorded shell's loop: reads lines, runs each, writes it into the journal and says what it changed.
struct EnteredLines {
    private let shell: ShellContext
    private let session: Session
    private let inside: any LineShell
    private let source: any LineSource
    /// Whether the lines are typed at a terminal.
    private let isInteractive: Bool
    /// Whether its lines go into the recording: those of a here-document stand in the command itself.
    private let isRecorded: Bool
    private let answers: SecretAnswers
    /// Whether the last line read what was typed while it ran.
    private let lastWasAnswered = Answered()

    private final class Answered { var value = false }

    init(_ shell: ShellContext, _ session: Session, _ inside: any LineShell) throws(ShaleError) {
        self.shell = shell
        self.session = session
        self.inside = inside
        answers = SecretAnswers(shell)
        if shell.input != 0 || (shell.script == nil && !Terminal.isTerminal(0)) {
            isInteractive = false
            isRecorded = false
            source = ScriptedLines(name: shell.script?.name ?? "stdin", lines: try Self.redirected(shell))
        } else if let script = shell.script {
            isInteractive = false
            // Lines of a file that `source` reads are not recorded: the file still has them.
            isRecorded = shell.statementDepth == 1
            source = ScriptedLines(name: script.name, lines: script.lines)
        } else {
            isInteractive = true
            isRecorded = true
            source = try TypedLines(shell, completer: InsideCompleter(inside))
        }
    }

    /// The lines of `<` and `<<`; those of a here-document count in the script they stand in.
    private static func redirected(_ shell: ShellContext) throws(ShaleError) -> ScriptLines {
        let input = InputLines(descriptor: shell.input)
        guard shell.inputIsHereDocument, let script = shell.script else {
            return ScriptLines { () throws(ShaleError) in try input.next() }
        }
        var lines: [String] = []
        while let line = try input.next() { lines.append(line) }
        let before = max(0, script.lines.number - lines.count - 1)
        var rest = lines[...]
        return ScriptLines(number: before) { () throws(ShaleError) in rest.popFirst() }
    }

    /// Runs until the shell is left; returns its status.
    func run() throws(ShaleError) -> Int32 {
        if isInteractive {
            shell.console.note(
                isContainer
                    ? "each line is kept for the recipe of \(inside.name); exit leaves, \\help says more"
                    : "each line is a step; exit leaves, \\undo takes back, \\help says more")
        }
        var failed = false
        while true {
            try session.refresh()
            switch try source.next(prompt: prompt) {
            case .interrupted: continue
            case .end: return leave(failed ? 1 : 0)
            case .command(let text, let place):
                let command = text.trimmingBlanks
                if command.isEmpty || command.hasPrefix("#") { continue }
                if let status = Self.leaving(command) { return leave(status ?? (failed ? 1 : 0)) }
                let heard = shell.recorder?.heard ?? 0
                let status = carryOut(text, at: place)
                if isRecorded { remember(text, status: status, heardBefore: heard) }
                if status != 0, !isInteractive {
                    shell.hasReported = true
                    if !shell.options.keepsGoing { return status }
                    failed = true
                }
                if shell.console.isOutputClosed { return 0 }
            }
        }
    }

    /// Keeps a line for the recording, in a form that can be replayed.
    ///
    /// A line that failed or that was answered cannot, and its output is dropped with it.
    private func remember(_ text: String, status: Int32, heardBefore heard: Int) {
        guard let recorder = shell.recorder else { return }
        let isPrivate = isInteractive && text.first == " "
        if isPrivate || status != 0 || lastWasAnswered.value { recorder.forget(from: heard) }
        if isPrivate { return }
        let comment = text.split(separator: "\n").map { "# \($0)" }.joined(separator: "\n")
        if status != 0 {
            shell.enteredLines.append("# exit status \(status):\n\(comment)")
        } else {
            shell.enteredLines.append(lastWasAnswered.value ? "# answered at the terminal:\n\(comment)" : text)
        }
    }

    private var isContainer: Bool { inside is ContainerShell }

    private var prompt: String {
        "\(inside.name):\(inside.directory.visible) \(inside.isRoot ? "#" : "$") "
    }

    /// `exit`, `exit 3` and `logout` by themselves; the status where one is given.
    static func leaving(_ command: String) -> Int32?? {
        let words = command.split(separator: " ")
        guard words.first == "exit" || words.first == "logout", words.count <= 2 else { return nil }
        guard words.count == 2 else { return .some(nil) }
        return Int32(words[1]).map { .some($0 & 0xff) }
    }

    private func leave(_ status: Int32) -> Int32 {
        if isInteractive, !isContainer, let working = session.working {
            let count = working.steps.count
            shell.console.note(
                " ---> \(working.image?.short ?? "an empty image")  (\(count) step\(count == 1 ? "" : "s"))")
        }
        return status
    }

    private func carryOut(_ text: String, at place: (file: String, line: Int)?) -> Int32 {
        shell.cancellation.reset()
        lastWasAnswered.value = false
        if isInteractive { Interrupt.watch() }
        let firstLine = text.trimmingBlanks.split(separator: "\n").first.map(String.init) ?? text
        let sourceLine = place.map { Console.SourceLine(file: $0.file, line: $0.line, command: firstLine) }
        do throws(ShaleError) {
            let text = try answers.filled(text)
            shell.recorder?.learn(text)
            if let command = InsideCommands.command(in: text) {
                return Interpreter(shell).run(try LineParser(origin: .prompt).statements(in: command))
            }
            return try runLine(text, at: sourceLine)
        } catch {
            shell.console.report(error, at: sourceLine)
            return error.status(of: nil)
        }
    }

    private func runLine(_ text: String, at place: Console.SourceLine?) throws(ShaleError) -> Int32 {
        let start = Timestamp.now()
        let outer = shell.beginLine(
            LineUnderWay(
                session: session.name, line: Secrets.masked(text).text, directory: shell.hostDirectory, time: start))
        defer { _ = shell.beginLine(outer) }
        let watch = LineWatch()
        let hasTerminal = isInteractive && shell.console.isTerminal(.output)
        var streams = try ContainerStreams.make(shell, stdin: isInteractive)
        streams.output = watch.watching(streams.output)
        streams.errors = watch.watching(streams.errors)
        streams.detachKeys = nil
        streams.proxiesSignals = false
        streams.inputPassed = { watch.take(input: $0) }
        let person = PersonAtStep(
            streams: streams, hasTerminal: hasTerminal, size: ContainerStreams.size(shell, terminal: hasTerminal))
        // Another shale may have changed the session while this one waited for the line.
        try session.refresh()
        shell.stepBase = session.working?.image
        let taken = try shell.withOperation { operation throws(ShaleError) in
            let quiet = OperationContext(cancellation: operation.cancellation) {
                if case .note = $0 { operation.tell($0) }
            }
            return try inside.run(
                text, person: person, wasAnswered: { watch.wasAnswered(beside: $0) }, directory: shell.hostDirectory,
                quiet)
        }
        lastWasAnswered.value = watch.wasAnswered(beside: taken.typedAhead.count)
        (source as? TypedLines)?.take(typedAhead: taken.typedAhead)
        if watch.endsInLine { shell.console.write("\n") }
        try record(taken, line: text, start: start)
        report(taken, at: place)
        return taken.wasKeptFailed ? 0 : taken.exitStatus
    }

    private func record(_ taken: LineTaken, line: String, start: Timestamp) throws(ShaleError) {
        guard !taken.changes.isEmpty else { return }
        let instructions = taken.changes.compactMap { change -> String? in
            if case .step(let step) = change { step.instruction } else { nil }
        }
        var draft = JournalDraft(
            line: instructions.map { Secrets.masked($0).text }.joined(separator: "; "), directory: shell.hostDirectory,
            time: start)
        draft.status = taken.exitStatus
        draft.seconds = Timestamp.now().seconds(since: start)
        draft.made = taken.steps.compactMap { $0.image?.id.hex }
        draft.changes = taken.changes
        shell.takeChanges(into: &draft)
        try shell.record(draft, in: session)
        if let made = draft.made.last { shell.remember(image: made) }
    }

    private func report(_ taken: LineTaken, at place: Console.SourceLine?) {
        for step in taken.steps { for line in StepReport.lines(inside: step) { shell.console.line(line) } }
        if !taken.changed.isEmpty {
            shell.console.line(" ---> \(StepReport.counts(taken.changed))")
            for line in StepReport.paths(taken.changed) { shell.console.line(line) }
        }
        for note in taken.notes { shell.console.note("      \(note)") }
        if taken.wasTyped { shell.console.note("      made by what you typed: recipes keep its files, not the line") }
        guard taken.exitStatus != 0 else { return }
        var words = "exit status \(taken.exitStatus)"
        if taken.wasKeptFailed {
            if !taken.steps.isEmpty { words += ", kept" }
        } else if !taken.dropped.isEmpty {
            words += "; what it changed was dropped: \(StepReport.counts(taken.dropped))"
        }
        if let place {
            shell.console.report(ShaleError(.io, words), at: place)
        } else {
            shell.console.note("      \(words)")
        }
    }
}

/// What a person typed while a line ran, counted in bytes, and where its output left the cursor.
private final class LineWatch: Sendable {
    private struct State {
        var typed = 0
        var last: UInt8?
    }
    private let state = Mutex(State())

    var endsInLine: Bool { state.withLock { $0.last.map { $0 != UInt8(ascii: "\n") } ?? false } }

    /// Whether something was typed that the line took, when so many bytes were left.
    func wasAnswered(beside unread: Int) -> Bool { state.withLock { $0.typed > unread } }

    /// Ctrl-C, Ctrl-Z and Ctrl-\ stop a line; everything else answers it.
    func take(input: [UInt8]) {
        let count = input.count { ![3, 26, 28].contains($0) }
        state.withLock { $0.typed += count }
    }

    func watching(_ sink: @escaping AttachStreams.Sink) -> AttachStreams.Sink {
        { [self] (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
            if let last = bytes.last { state.withLock { $0.last = last } }
            try sink(bytes)
        }
    }
}

extension StepReport {
    /// A step as the recorded shell shows it: settings by their instruction, files by their changes.
    static func lines(inside taken: StepResult) -> [String] {
        guard let result = taken.result, result.summary.isEmpty, case .step(let step) = taken.change,
            !step.instruction.hasPrefix("RUN")
        else { return lines(taken) }
        return [" ---> \(result.image.id.short)  \(Secrets.masked(step.instruction).text.visible)"]
    }
}
