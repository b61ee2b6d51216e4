package import Basics
import Building
import Containers
import Diagnostics
import Glibc
import Images
import LineEditing
import Linux
import OCI
package import Recipes
import Registries
package import Rendering
import Runtime
package import Sessions
import ShellLanguage
package import Stores

/// What a command may reach: the engine, the session, the console, and what the user set.
///
/// One for each shale; used by its main thread alone. The engine is opened on first use, so that `help` and
/// `version` need no store.
package final class ShellContext {
    /// How lines come in.
    package enum Mode: Sendable, Equatable {
        /// Typed at the prompt.
        case prompt
        /// One command of the host's command line.
        case single
        /// A script, standard input, or `-c`.
        case script
    }

    /// A script under way: what it is called in messages, and its lines.
    struct Script {
        var name: String
        var lines: ScriptLines
    }

    package var options: ShellOptions
    package var mode: Mode
    package var console: Console
    /// Receives everything that is shown, for recordings.
    let tap: OutputTap
    /// The recording under way.
    var recorder: Recorder?
    /// What the statement under way took for the recorded shell, for the recording.
    var enteredLines: [String] = []
    /// Whether a statement of the line under way took any.
    var hasEntered = false
    /// How many statements are under way inside one another.
    var statementDepth = 0
    /// Standard input of the command that runs now: the process's own, or what `<` or `<<` gave it.
    package var input: Int32 = 0
    /// Whether that is text of the script itself.
    var inputIsHereDocument = false
    package var variables: [String: String] = [:]
    /// Those of the variables that the session's folder has.
    var keptVariables: [String: String] = [:]
    package var aliases: [String: String] = [:]
    package var settings: SavedSettings
    /// A directory of the host's, or a place inside an image after `cd IMAGE:/path`.
    package var place: String?
    /// Where `cd -` goes.
    package var previousPlace: String?
    /// What was typed at the prompt, in this shale and before.
    var history: HistoryFile?
    /// The script that runs, whose further lines a command may take for itself.
    var script: Script?
    /// How many script files are inside one another.
    var scriptDepth = 0
    package var lastStatus: Int32 = 0
    /// Whether tables have a field a line (`tall`).
    var showsTall = false
    /// The last line that failed, as the journal has it, and why: for `explain`.
    var lastFailure: (line: String, error: ShaleError)?
    /// The lesson that was under way when the last line ended.
    var seenLesson: LessonWatch.Seen?
    /// Whether the command under way has said why it failed.
    var hasReported = false
    /// The host commands that left a program behind which holds their output, for those who report them at the end;
    /// `nil` where it is said at once.
    var heldOutputs: [String]?
    /// The trace that the statement under way prints at its end.
    var trace: TraceUnderWay?
    /// Set by Ctrl-C, cleared before every command.
    package let cancellation: Cancellation
    /// Ids that the command under way made, for the journal.
    package private(set) var made: [String] = []
    /// What the command under way changed of the session beside names.
    package var changes: [StateChange] = []
    /// The working image that the command under way makes its steps on.
    var stepBase: Digest?

    private var lineUnderWay: LineUnderWay?
    private var opened: EngineOpening.Opened?
    private var openedSession: Session?
    /// What the statement under way makes and uses, leased to its end.
    private var use: LeaseUse?
    /// Not between statements: what the prompt itself looks at would stay leased as long as it waits.
    private var leasesWhatItUses = false

    package init(
        options: ShellOptions, mode: Mode, console: Console, tap: OutputTap = OutputTap(),
        cancellation: Cancellation = Cancellation()
    ) {
        self.tap = tap
        self.options = options
        self.mode = mode
        self.console = console
        self.cancellation = cancellation
        settings = SavedSettings.load(home: options.home)
        applyLogLevel()
    }

    /// Sets the log level: from the option or the environment, else from the setting.
    func applyLogLevel() {
        let kept = settings["log.level"].flatMap { LogLevel(spelled: $0) }
        Log.set(options.logLevel ?? kept ?? .warning)
    }

    package var isInteractive: Bool { mode == .prompt }

    /// The engine on the user's home.
    ///
    /// Throws what opening the home throws.
    package func engine() throws(ShaleError) -> Engine { try open().engine }

    /// What the home keeps for sessions.
    ///
    /// Throws what opening the home throws.
    package func sessions() throws(ShaleError) -> SessionStore { try open().sessions }

    /// Opens the home on first use.
    private func open() throws(ShaleError) -> EngineOpening.Opened {
        if let opened {
            lease(opened.sessions)
            return opened
        }
        for problem in settings.ignoreInvalid() { tell(problem) }
        let opened = try Observer.measure(.store, "open \(options.home)") { () throws(ShaleError) in
            try EngineOpening(
                options: options, settings: settings, environment: console.environment,
                warn: { [console] in console.warning($0) }
            ).open()
        }
        self.opened = opened
        lease(opened.sessions)
        if opened.engine.home.wasClosed {
            console.note(
                "other users could read \(options.home): its folders and files are now for their owner alone")
        }
        if let folder = opened.engine.home.openToOthers {
            console.warning(
                "other users can read \(folder), and it cannot be closed (hint: chmod go-rwx \(folder.shellQuoted))")
        }
        makeFirstImage(opened)
        // No line of the session made the first image.
        discardTableChanges()
        opened.sessions.begin(lineUnderWay)
        return opened
    }

    /// The engine modules one by one, for commands that need no more than one.
    func images() throws(ShaleError) -> ImageEngine { try engine().images }
    func containers() throws(ShaleError) -> ContainerEngine { try engine().containers }
    func building() throws(ShaleError) -> BuildEngine { try engine().building }
    func recipes() throws(ShaleError) -> RecipeEngine { try engine().recipes }

    /// Warns that a stored setting is ignored.
    func tell(_ problem: SavedSettings.Problem) {
        console.warning("the stored setting \"\(problem.line)\" is passed over: \(problem.reason)")
        console.note("hint: \(problem.hint)")
    }

    private func lease(_ sessions: SessionStore) {
        if leasesWhatItUses, use == nil { use = sessions.beginUse() }
    }

    /// Says whether the command that now begins leases what it makes and uses, to the end of its statement.
    func beginUse(_ leases: Bool) {
        leasesWhatItUses = leases
        if !leases { use = nil }
    }

    /// Carries out a statement with leases of its own, which end when its line is in the journal.
    func leasing<Result>(_ body: () -> Result) -> Result {
        let outer = (use, leasesWhatItUses)
        (use, leasesWhatItUses) = (nil, true)
        if let opened { lease(opened.sessions) }
        defer { (use, leasesWhatItUses) = outer }
        return body()
    }

    /// Forgets what this process did to names and images so far.
    func discardTableChanges() { _ = opened?.sessions.takeChanges() }

    /// Adds to a line's entry what the command under way changed, and of names and images; asked once.
    func takeChanges(into draft: inout JournalDraft) {
        draft.changes += changes
        draft.base = stepBase
        changes = []
        guard let sessions = opened?.sessions else { return }
        draft.token = sessions.takeToken()
        let table = sessions.takeChanges()
        rememberPulled(table)
        draft.changes += table.moves.map { .name($0.reference, before: $0.before, after: $0.after) }
        if !table.arrived.isEmpty || !table.departed.isEmpty {
            draft.changes.append(.images(arrived: table.arrived, departed: table.departed))
        }
    }

    /// Writes a line into a session's journal, and says where its steps had to be made again.
    func record(_ draft: JournalDraft, in session: Session) throws(ShaleError) {
        let console = self.console
        var wasAgain = false
        let written = try session.record(draft) {
            wasAgain = true
            console.note("another shale changed the working image meanwhile: made again on what it is now")
        }
        guard wasAgain else { return }
        for case .step(let step) in written.changes.reversed().prefix(while: \.isOfWorkingImage) {
            remember(image: step.image.hex)
        }
    }

    /// Sets the line that changes belong to from here on; returns the previous one, to be set again when the line ends.
    func beginLine(_ line: LineUnderWay?) -> LineUnderWay? {
        let outer = lineUnderWay
        lineUnderWay = line
        opened?.sessions.begin(line)
        return outer
    }

    /// Makes busybox in a new home, before the first command; a failure is only a warning.
    private func makeFirstImage(_ opened: EngineOpening.Opened) {
        // `doctor` runs without the right to mount, too.
        guard Capabilities.effective().contains(.sysAdmin), !opened.engine.home.isReadOnly else { return }
        let console = self.console
        let making = opened.sessions.beginUse()
        defer { withExtendedLifetime(making) {} }
        do throws(ShaleError) {
            try Observer.measure(.image, "the first image") { () throws(ShaleError) in
                try opened.engine.building.makeFirstImage(
                    OperationContext(cancellation: cancellation) {
                        if case .note(let text, _) = $0 { console.note(text) }
                    })
            }
        } catch {
            console.warning("the image busybox is not there: \(error)")
            if let hint = error.hint { console.note("hint: \(hint)") }
        }
    }

    /// The session this shale is in.
    ///
    /// Throws what opening the home, entering the session and reading its journal throw.
    package func session() throws(ShaleError) -> Session {
        let session = try joinedSession()
        if !session.isRead { try session.refresh() }
        return session
    }

    /// Enters the session this shale is in without reading its journal, which may be long; a line that was cut off in
    /// it is written down.
    func joinSession() throws(ShaleError) {
        let session = try joinedSession()
        if session.mayHaveCutOffLines { try session.refresh() }
    }

    private func joinedSession() throws(ShaleError) -> Session {
        if let openedSession { return openedSession }
        let session = try Session(joining: options.session, in: sessions(), engine: engine())
        openedSession = session
        return session
    }

    /// Whether the session was entered by the command under way or before.
    var hasOpenSession: Bool { openedSession != nil }
    /// Whether its journal was read, too.
    var hasReadSession: Bool { openedSession?.isRead ?? false }

    /// The folder of the session this shale is in.
    ///
    /// Throws what opening the home throws, and `invalid` for a session's name that is no plain file name.
    package func sessionFolder() throws(ShaleError) -> SessionFolder {
        try sessions().folder(of: options.session)
    }

    /// Closes the session, so that it can be renamed.
    func leaveSession() { openedSession = nil }

    /// Leaves this session for another; the next command opens it.
    package func enter(session name: String) {
        openedSession = nil
        changeVariables(to: name)
    }

    /// A command of the host's command line ends in the session it entered: says how the next gets there.
    func noteOneCommand(in name: String) {
        guard mode == .single else { return }
        console.note("for this command alone: shale -S \(name) goes on there")
    }

    /// Ends a recording, and ends the leases of this process.
    package func close() {
        endRecording()
        opened?.engine.home.close()
    }

    /// Ends the recording under way, if there is one.
    @discardableResult
    func endRecording() -> Recorder? {
        let ended = recorder
        recorder = nil
        ended?.finish(self)
        return ended
    }

    /// Carries out a line as it was typed, and has it recorded.
    func typed(_ text: String, isPrivate: Bool, _ body: () -> Int32) -> Int32 {
        guard statementDepth == 0 else { return body() }
        let began = recorder
        began?.lineBegan(isPrivate ? "" : text)
        enteredLines = []
        hasEntered = false
        let status = body()
        if let recorder {
            // Lines for the recorded shell are written after the statement that took them, so the line differs from
            // what was typed.
            let isWhole = recorder === began && !hasEntered
            recorder.lineEnded(isPrivate ? nil : text, status: status, isWhole: isWhole, self)
        }
        return status
    }

    /// Closes the engine, so that changed settings are read.
    package func reopen() {
        opened = nil
        openedSession = nil
        applyLogLevel()
    }

    /// The operation context and the progress view of a long operation.
    ///
    /// Its own lines go to `stream`, the state of its items to the view, both as docker prints them.
    ///
    /// Call `finish()` on the view when the operation is over, also when it failed.
    package func operation(
        lines stream: Console.Stream = .output, isQuiet: Bool = false
    ) -> (operation: OperationContext, view: ProgressView) {
        let view = ProgressView(console: console, lines: stream, items: stream, isQuiet: isQuiet)
        return (OperationContext(cancellation: cancellation, tell: view.sink), view)
    }

    /// Runs a long operation with an operation context, and cleans up the terminal however it ends.
    ///
    /// `keeping` says what is kept when a Ctrl-C stops it. Throws what `body` throws.
    package func withOperation<Result>(
        lines stream: Console.Stream = .output, isQuiet: Bool = false, keeping: String? = nil,
        _ body: (OperationContext) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        let (operation, view) = operation(lines: stream, isQuiet: isQuiet)
        defer { view.finish() }
        do throws(ShaleError) {
            return try body(operation)
        } catch {
            throw keeping.map(error.keeping) ?? error
        }
    }

    /// The words of the command under way, for a hint that is a whole line.
    var wordsUnderWay: [String] = []

    /// Whether the command under way made an image itself.
    private var hasMadeImage = false
    private var hasMadeContainer = false

    /// Sets `$img` to the image that came for a container, when the command under way pulled one.
    private func rememberPulled(_ table: TableChanges) {
        guard hasMadeContainer, !hasMadeImage else { return }
        guard let image = table.arrived.last ?? table.moves.last?.after?.image else { return }
        variables["img"] = image.hex
    }

    /// Sets `$_` and `$img`.
    package func remember(image: String) {
        hasMadeImage = true
        variables["_"] = image
        variables["img"] = image
        made.append(image)
    }

    /// Sets `$_` and `$ctr`.
    package func remember(container: String) {
        hasMadeContainer = true
        variables["_"] = container
        variables["ctr"] = container
        made.append(container)
    }

    /// Sets `$failed`, which a single command of the host's keeps too: what it prints tells to look into it.
    package func remember(failed container: String) {
        variables["failed"] = container
        if mode == .single { keepFailure(container) }
    }

    func beginCommand() {
        made = []
        hasMadeImage = false
        hasMadeContainer = false
        changes = []
        hasReported = false
        cancellation.reset()
    }

    /// The host's environment with shale's variables, so that `images | grep "$id"` means the same everywhere.
    var hostEnvironment: [String: String] {
        variables.reduce(into: console.environment) { all, variable in
            // `$?`, `$1` and `$_` are the host shell's own.
            guard let first = variable.key.first, first.isLetter || (first == "_" && variable.key != "_"),
                !HostVariables.keeps(variable.key)
            else { return }
            all[variable.key] = variable.value
        }
    }

    /// The value of `$name`: a variable of shale's, else one of the host's environment.
    func value(of name: String) -> String? {
        if let value = variables[name] { return value }
        // The environment's own is where shale was started.
        if name == "PWD" { return hostDirectory }
        guard let first = name.unicodeScalars.first, first.isVariableStart, name != "_" else { return nil }
        return console.environment[name]
    }

    /// The host directory that relative paths of the user's start at.
    package var hostDirectory: String { ProcessCalls.workingDirectory() ?? "/" }
}
