import Basics
import Explorer
import Glibc
import Rendering
import ShellLanguage

/// Compares what a replay showed with what was recorded, line by line.
struct ReplayComparison {
    private let path: String
    private var recorded: [String] = []
    private var replayed: [String] = []
    private var count = 0

    init(_ path: String) { self.path = path }

    /// Runs a line without showing its output, keeps the output, and answers the status.
    mutating func run(_ line: ReplaySource.Line, _ interpreter: Interpreter, _ shell: ShellContext) -> Int32 {
        let (shown, status, secrets) = Self.heard(line, interpreter, shell)
        var line = line
        line.text = Secrets.masked(line.text).text
        line.expected = line.expected.map { secrets.masked($0) }
        add(line, shown, status: status)
        return status
    }

    /// Runs a line without showing its output; answers that, its secrets masked, and the status.
    ///
    /// Of failures the words are output, too; `withErrors` has all that is shown on the error stream in its place.
    static func heard(
        _ line: ReplaySource.Line, _ interpreter: Interpreter, _ shell: ShellContext, withErrors: Bool = false
    ) -> (lines: [String], status: Int32, secrets: SecretOutput) {
        let output = OutputBuffer(limit: Recorder.largestOutput)
        let errors = withErrors ? output : OutputBuffer(limit: Recorder.largestOutput)
        let console = shell.console
        let listener = shell.tap.setListener { event in
            if !withErrors, case .failure(let error) = event { output.append(Array(FailureText.of(error).utf8)) }
        }
        shell.console = console.redirected(output: .buffer(output), errors: .buffer(errors))
        defer {
            shell.console = console
            shell.tap.setListener(listener)
        }
        let status: Int32
        switch line.statements {
        case .success(let statements): status = interpreter.run(statements)
        case .failure(let error):
            output.append(Array(FailureText.of(error).utf8))
            status = 64
        }
        let secrets = SecretOutput()
        if case .success(let statements) = line.statements { for each in statements { secrets.learn(each.source) } }
        return (ShownText.lines(secrets.masked(output.text)), status, secrets)
    }

    private mutating func add(_ line: ReplaySource.Line, _ shown: [String], status: Int32) {
        count += 1
        let command = line.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        recorded += command + Self.marked(line.expected, line.expectedStatus)
        // At the prompt a host command writes to the terminal directly, so its output was not recorded.
        let isUnheard = line.expected.isEmpty && Self.isOfHost(line)
        var shown = shown
        if isUnheard || (Self.isEntered(line) && Self.saySame(line.expected, shown)) { shown = line.expected }
        replayed += command + Self.marked(Self.aligned(line.expected, shown), status)
    }

    private static func isEntered(_ line: ReplaySource.Line) -> Bool {
        guard case .success(let statements) = line.statements else { return false }
        return statements.contains { statement in
            statement.body.verb.flatMap { CommandTable.shared.find($0) }?.takesFurtherLines ?? false
        }
    }

    /// Whether two outputs have the same words: what was typed at a terminal was shown in its columns.
    private static func saySame(_ expected: [String], _ shown: [String]) -> Bool {
        func words(_ lines: [String]) -> [Substring] {
            NormalizedOutput(lines).lines.flatMap { $0.equal.split(separator: " ") }.sorted()
        }
        return words(expected) == words(shown)
    }

    private static func isOfHost(_ line: ReplaySource.Line) -> Bool {
        guard case .success(let statements) = line.statements else { return false }
        return statements.contains { if case .host = $0.body { true } else { false } }
    }

    private static func marked(_ lines: [String], _ status: Int32) -> [String] {
        lines.map { "\(ScriptRecording.outputMark)\($0.isEmpty ? "" : " ")\($0)" }
            + (status == 0 ? [] : ["\(ScriptRecording.statusMark) \(status)"])
    }

    /// What was shown, with the recorded line in place of one that is equal except for ids, ages and sizes.
    static func aligned(_ expected: [String], _ shown: [String]) -> [String] {
        let left = NormalizedOutput(expected)
        let right = NormalizedOutput(shown, comparedWith: left)
        let base = NormalizedOutput(expected, comparedWith: right)
        if base.lines.map(\.equal) == right.lines.map(\.equal) { return expected }
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in right.lines.map(\.equal).difference(from: base.lines.map(\.equal)) {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var kept = base.lines.indices.filter { !removed.contains($0) }.map { base.lines[$0].text }[...]
        return right.lines.indices.map { index in
            inserted.contains(index) ? right.lines[index].text : kept.popFirst() ?? right.lines[index].text
        }
    }

    /// The differences and status 1, or that there are none.
    var outcome: Outcome {
        if recorded == replayed {
            return .line("\(path.visible): \(count) line\(count == 1 ? "" : "s"), all as recorded")
        }
        let lines = UnifiedDiff.lines(
            Self.bytes(recorded), Self.bytes(replayed), names: (old: path, new: "\(path) (replayed)"))
        return Outcome(.lines(lines.map(\.visible)), status: 1)
    }

    private static func bytes(_ lines: [String]) -> [UInt8] { Array(lines.map { $0 + "\n" }.joined().utf8) }
}
