import Basics
import Glibc
import Linux
import OCI
import Rendering
import ShellLanguage
import Synchronization

/// One way to keep a session: lines as they were typed, and what they showed.
protocol Recording: AnyObject, Sendable {
    /// Whether it keeps what is shown.
    var wantsOutput: Bool { get }
    /// Whether notes and errors belong to what a line showed, as they stood on the screen.
    var keepsErrors: Bool { get }
    /// A line was typed and begins.
    func began(_ text: String)
    /// Something was shown, on any thread.
    func showed(_ bytes: [UInt8], on stream: Console.Stream)
    /// Whether it draws the layers behind each line.
    var wantsStacks: Bool { get }
    /// A line or a statement ended.
    func ended(_ line: RecordedLine)
    /// The recording ends.
    func finished(_ shell: ShellContext)
}

extension Recording {
    var keepsErrors: Bool { false }
    var wantsStacks: Bool { false }
}

/// The recording under way: knows lines and statements, and hands them to a file.
///
/// When the recording began or ended within a line, only the statements of the line that ran meanwhile are recorded.
final class Recorder {
    let path: String
    private let recording: any Recording
    private let shown: OutputBuffer
    private let tap: OutputTap
    private let listenerBefore: OutputTap.Listener?
    /// Statements of the line under way.
    private var statements: [RecordedLine] = []
    /// Where the layers behind a line are looked up, for a recording that draws them.
    private let stacks: LineStacks?
    /// When the statement under way began, in nanoseconds of ``SteadyTime``.
    private var start = SteadyTime.now()
    /// How much of what was shown belongs to earlier statements.
    private var taken = 0
    private(set) var lines = 0
    private let secrets = SecretOutput()

    /// Output of one line that is kept, in bytes.
    static let largestOutput = 4 << 20

    init(_ recording: any Recording, path: String, _ shell: ShellContext) {
        let tap = shell.tap
        stacks = recording.wantsStacks ? LineStacks(shell) : nil
        self.path = path
        self.recording = recording
        self.tap = tap
        let shown = OutputBuffer(limit: Self.largestOutput)
        self.shown = shown
        guard recording.wantsOutput else {
            listenerBefore = nil
            return
        }
        listenerBefore = tap.setListener { [secrets] event in
            switch event {
            case .bytes(let bytes, let stream, let showing):
                if stream == .output || recording.keepsErrors, showing != .drawing { shown.append(bytes) }
                if showing != .words { recording.showed(secrets.masked(bytes), on: stream) }
            case .failure(let error):
                // On the error stream it was received as it was shown.
                if !recording.keepsErrors { shown.append(Array(FailureText.of(error).utf8)) }
            }
        }
    }

    func lineBegan(_ line: String) {
        statements = []
        shown.clear()
        taken = 0
        start = SteadyTime.now()
        secrets.learn(line)
        if !line.isEmpty { recording.began(Secrets.masked(line).text) }
    }

    /// Takes note of a line's secrets: what it shows of them is masked.
    func learn(_ line: String) { secrets.learn(line) }

    /// How much output of the current line was received so far, in bytes.
    var heard: Int { shown.count }

    /// Drops the output since then: it belongs to something that is not recorded.
    func forget(from heard: Int) { shown.cut(to: heard) }

    /// A statement of the line under way ended; those of `record` and `quit` are not recorded.
    ///
    /// `entered` are the lines that it took for the recorded shell.
    func ran(_ statement: Statement, status: Int32, entered: [String]) {
        let all = shown.bytes
        let output = String(pathBytes: all[min(taken, all.count)...])
        taken = all.count
        let verb = statement.body.verb ?? ""
        if statement.isPrivate || statement.source.isEmpty { return }
        guard CommandTable.shared.find(verb)?.isRecorded ?? true else { return }
        let text = entered.isEmpty ? statement.source : EnteredBlock.text(statement.source, lines: entered)
        let now = SteadyTime.now()
        let seconds = Double(now &- start) / 1e9
        start = now
        statements.append(
            RecordedLine(
                text: Secrets.masked(text).text, status: status, output: secrets.masked(output), seconds: seconds))
    }

    /// The line ended; `nil` for one that is not kept, `isWhole` when the recording was there from its beginning.
    func lineEnded(_ line: String?, status: Int32, isWhole: Bool, _ shell: ShellContext) {
        guard let line, isWhole, !statements.isEmpty else { return flush(shell) }
        let whole = RecordedLine(
            text: Secrets.masked(line).text, status: status, output: statements.map(\.output).joined(),
            seconds: statements.map(\.seconds).reduce(0, +))
        statements = [whole]
        flush(shell)
    }

    /// Hands the statements over; the layers are as they are behind the last of them.
    private func flush(_ shell: ShellContext) {
        guard !statements.isEmpty else { return }
        statements[statements.count - 1].stack = stacks?.stack(shell)
        for statement in statements {
            lines += 1
            recording.ended(statement)
        }
        statements = []
    }

    func finish(_ shell: ShellContext) {
        flush(shell)
        if recording.wantsOutput { tap.setListener(listenerBefore) }
        recording.finished(shell)
    }
}

/// A failure as recordings keep it: without its place, which is different in another run.
enum FailureText {
    static func of(_ error: ShaleError) -> String {
        "shale: \(error.description.visibleLines)\n" + (error.hint.map { "hint: \($0.visibleLines)\n" } ?? "")
    }
}

/// Masks what a program shows of the secrets that were typed, and what looks like one.
final class SecretOutput: Sendable {
    private let known = Mutex<Set<String>>([])

    func learn(_ line: String) {
        let values = Secrets.values(in: line)
        if !values.isEmpty { known.withLock { $0.formUnion(values) } }
    }

    func masked(_ text: String) -> String {
        let typed = known.withLock { $0 }.sorted { $0.utf8.count > $1.utf8.count }
        return typed.reduce(Secrets.masked(text, isProse: true).text) { $0.replacing($1, with: Secrets.mask) }
    }

    /// The same of bytes, which may end within a character: they stay as they are where there is no secret.
    func masked(_ bytes: [UInt8]) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        let masked = masked(text)
        return masked == text ? bytes : Array(masked.utf8)
    }
}

/// The file of a recording: each piece is written whole behind what is there, so that a crash leaves what was before.
///
/// Only the owner may read it, because the output of programs may contain secrets.
final class RecordingFile: Sendable {
    enum Existing { case refuse, append, replace }

    let path: String
    private let file: OwnedFD
    let wasThere: Bool
    /// Whether a write failed; reported only once.
    private let hasFailed = Mutex(false)

    /// Throws `conflict` when the file is there and may not be touched.
    init(_ path: String, existing: Existing) throws(ShaleError) {
        self.path = path
        let flags = O_WRONLY | O_CREAT | O_APPEND
        do throws(SystemCallError) {
            switch existing {
            case .refuse: file = try OwnedFD.open(path, flags | O_EXCL, mode: 0o600)
            case .append: file = try OwnedFD.open(path, flags, mode: 0o600)
            case .replace: file = try OwnedFD.open(path, flags | O_TRUNC, mode: 0o600)
            }
            wasThere = try FileStatus.of(file).size > 0
            if existing == .replace, try FileStatus.of(file).kind == .regular { fchmod(file.raw, 0o600) }
        } catch {
            if error.errno == EEXIST {
                throw ShaleError(
                    .conflict, "\(path.visible) exists already",
                    hint: "record --append \(path.visible)   (or -f to overwrite it)")
            }
            throw ShaleError(.io, path.visible, cause: error.reason)
        }
    }

    func write(_ text: String) {
        do throws(SystemCallError) {
            try file.write(text.pathBytes)
        } catch {
            let isFirst = hasFailed.withLock { failed in
                defer { failed = true }
                return !failed
            }
            guard isFirst else { return }
            Console().warning("recording: \(path.visible): \(error.reason)")
        }
    }
}
