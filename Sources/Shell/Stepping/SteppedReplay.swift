import Basics
import Containers
import Images
import OCI
import Recipes
import Rendering
import Sessions
import ShellLanguage
import Stores

/// `replay --step`: a script, or a Dockerfile as steps on the working image, between two lines.
///
/// Going back makes the session's state before that line current again, as `goto` does. What a line did outside the
/// session, for example on the host, is not undone.
final class SteppedReplay: SteppedProgram {
    private let shell: ShellContext
    private let interpreter: Interpreter
    private let variables: [String: String]
    private let until: Int?
    private var source: ReplaySource
    /// The session's state before each line that was carried out, and now.
    private var states: [Int]
    private(set) var failedContainer: String?

    let kind = SteppedKind.replay
    private(set) var next = 0

    /// `variables` are what `--var` gave, and `until` is how many lines are carried out at most.
    init(
        _ source: ReplaySource, variables: [String: String], until: Int?, _ shell: ShellContext
    ) throws(ShaleError) {
        self.shell = shell
        self.source = source
        self.variables = variables
        self.until = until
        interpreter = Interpreter(shell)
        let session = try shell.session()
        try session.refresh()
        states = [session.tree.head]
    }

    var fileName: String { source.path }
    var text: String { source.text }
    private var lines: ArraySlice<ReplaySource.Line> { source.lines.prefix(until ?? .max) }

    var units: [SteppedUnit] {
        lines.map { line in
            let shown = line.text.split(separator: "\n").first.map(String.init) ?? line.text
            return SteppedUnit(line: line.number, endLine: max(line.number, line.lastNumber), text: shown)
        }
    }

    func carryOut() throws(ShaleError) {
        let line = lines[next]
        failedContainer = nil
        shell.variables["failed"] = nil
        let statements: [Statement]
        switch line.statements {
        case .success(let read): statements = read
        case .failure(let error): throw error
        }
        let status = interpreter.run(statements, origin: Interpreter.Origin(file: fileName))
        guard status == line.expectedStatus else {
            failedContainer = shell.variables["failed"]
            let words = "\(fileName):\(line.number): exit status \(status)"
            throw ShaleError(.io, words, exitStatus: status == 0 ? 1 : status)
        }
        next += 1
        states.append(try shell.session().tree.head)
    }

    func goBack(to place: Int) throws(ShaleError) {
        let place = max(0, min(place, next))
        if states[place] != states[next] {
            let result = try shell.session().goto(states[place])
            for note in result.notes { shell.console.note(note) }
        }
        states = Array(states[...place])
        next = place
        failedContainer = nil
    }

    func replaceText(_ text: String) throws(ShaleError) {
        let changed = try ReplaySource(
            text: text, path: source.path, variables: variables, SecretAnswers(shell, replayed: source.path))
        let same = zip(changed.lines, source.lines).prefix { $0.text == $1.text }.count
        let kept = min(same, next)
        if kept < next { try goBack(to: kept) }
        source = changed
    }

    func entry(failed: Bool) throws(ShaleError) -> SteppedState? {
        if failed, let failedContainer {
            let engine = try shell.containers()
            let image = try engine.imageToEnter(of: engine.find(failedContainer))
            return SteppedState(image: image.id, isOwn: true)
        }
        return try shell.session().working?.image.map { SteppedState(image: $0) }
    }

    func entryImage() throws(ShaleError) -> Digest? { try shell.session().working?.image }

    func inspected() throws(ShaleError) -> InspectedState {
        let image = try shell.session().working?.image
        let config = try image.map { id throws(ShaleError) in try shell.images().image(id: id).config }
        return InspectedState(image: image, config: config, arguments: shell.variables)
    }

    func finish() {}
    func leave() {}
}
