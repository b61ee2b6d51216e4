import Basics
import Building
import Dockerfiles
import Glibc
import Linux
import Recipes
import ShellLanguage

/// The lines of a file that is replayed: the commands of a script or a handout with what they showed when they were
/// recorded, or the instructions of a Dockerfile.
struct ReplaySource {
    struct Line {
        var number: Int
        /// The last line of its text.
        var lastNumber: Int
        var text: String
        var statements: Result<[Statement], ShaleError>
        /// What it showed when it was recorded, behind `#> `.
        var expected: [String] = []
        /// Its status then, behind `#? `.
        var expectedStatus: Int32 = 0
    }

    let path: String
    /// The file's own text.
    let text: String
    let isDockerfile: Bool
    let lines: [Line]
    /// Whether any output was recorded.
    let hasExpectations: Bool

    /// Reads a file, or the `Dockerfile` of a directory; `variables` take the place of a Dockerfile's `ARG` values.
    ///
    /// `answers` gives back the secrets that were masked, before the first line runs.
    init(_ name: String, variables: [String: String], _ answers: SecretAnswers) throws(ShaleError) {
        var path = name
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        if (try? FileStatus.of(hostPath: path, followingLink: true))?.kind == .directory { path += "/Dockerfile" }
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path)
        } catch {
            throw error.cancelled ?? ShaleError(.notFound, path.visible, cause: error.reason, exitStatus: 66)
        }
        try self.init(text: String(pathBytes: bytes), path: path, variables: variables, answers)
    }

    /// The same of a text that is, or might be, in a file.
    init(text: String, path: String, variables: [String: String], _ answers: SecretAnswers) throws(ShaleError) {
        self.path = path
        self.text = text
        if text.unicodeScalars.contains("\0") { throw ShaleError(.invalid, "\(path.visible): not a text") }
        if text.hasPrefix("{\"version\":") {
            throw ShaleError(
                .invalid, "\(path.visible): a cast shows what was typed, it is no script",
                hint: "record FILE   (writes a script); asciinema play \(path.visible)")
        }
        let isHandout = path.hasSuffix(".md")
        isDockerfile = !isHandout && Self.isDockerfile(path, text)
        if isHandout {
            lines = try HandoutSource(text, answers).blocks.flatMap { $0.commands.map(\.line) }
        } else {
            lines =
                isDockerfile
                ? try Self.instructions(path, text, variables, answers) : try Self.commands(of: text, answers)
        }
        hasExpectations = lines.contains { !$0.expected.isEmpty || $0.expectedStatus != 0 }
    }

    /// A file named so, or whose first line that says anything is an instruction that only a Dockerfile begins with;
    /// what `record` wrote is a script.
    static func isDockerfile(_ path: String, _ text: String) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if name.hasSuffix(".shale") || text.hasPrefix(ScriptRecording.shebang) || text.hasPrefix("# recorded by shale ")
        {
            return false
        }
        if name.lowercased().contains("dockerfile") { return true }
        let first = text.split(separator: "\n").first { !$0.hasPrefix("#") && !$0.allSatisfy(\.isWhitespace) }
        guard let word = first?.split(separator: " ").first?.uppercased(), word == "FROM" || word == "ARG" else {
            return false
        }
        // A session's own script may begin so, too; a Dockerfile has nothing but instructions.
        return (try? StagedFile(Dockerfile(parsing: text))) != nil
    }

    // MARK: Scripts

    private static func commands(of text: String, _ answers: SecretAnswers) throws(ShaleError) -> [Line] {
        let source = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var reader = ScriptReader(text: text, parser: LineParser())
        var lines: [Line] = []
        while let read = try reader.next() {
            let command = EnteredBlock.isOpen(read) ? try EnteredBlock.whole(read, reader.lines) : read
            var next = reader.lines.number
            let filled = command.filled(by: answers, tellingLine: true)
            if filled.text == command.text, case .failure(let error) = filled.statements,
                case .success = command.statements
            {
                throw error
            }
            var line = Line(
                number: command.line, lastNumber: next, text: command.text, statements: filled.statements)
            while next < source.count {
                if source[next].hasPrefix(ScriptRecording.outputMark) {
                    let shown = source[next].dropFirst(ScriptRecording.outputMark.count)
                    line.expected.append(String(shown.first == " " ? shown.dropFirst() : shown))
                } else if source[next].hasPrefix(ScriptRecording.statusMark) {
                    let digits = source[next].dropFirst(ScriptRecording.statusMark.count).filter { $0 != " " }
                    line.expectedStatus = Int32(digits) ?? 0
                } else {
                    break
                }
                next += 1
            }
            lines.append(line)
        }
        return lines
    }

    // MARK: Dockerfiles

    /// The instructions as steps on the working image, each read from the file's own folder.
    private static func instructions(
        _ path: String, _ text: String, _ variables: [String: String], _ answers: SecretAnswers
    ) throws(ShaleError) -> [Line] {
        let staged: StagedFile
        do throws(DockerfileError) {
            staged = try StagedFile(Dockerfile(parsing: text))
        } catch {
            throw error.shaleError(inFile: path)
        }
        var global: [String: String] = [:]
        for meta in staged.metaArguments {
            guard case .arg(let argument)? = (try? Instruction.parse(line: meta.text))?.value else {
                continue
            }
            for entry in argument.arguments {
                let value = try entry.value.map { text throws(ShaleError) in
                    try WordExpander(environment: global).expand(text).text
                }
                global[entry.key] = variables[entry.key] ?? value
            }
        }
        var lines: [Line] = []
        for stage in staged.stages {
            let from =
                global.isEmpty ? stage.from.text : try WordExpander(environment: global).expand(stage.from.text).text
            lines.append(line(stage.line, stage.from.endLine, from))
            for instruction in stage.instructions {
                let text = argument(instruction.text, variables, global) ?? instruction.text
                let filled = try answers.filled(text, line: instruction.line)
                lines.append(line(instruction.line, instruction.endLine, text, filled))
            }
        }
        return lines
    }

    /// An `ARG` with the values that were given for it, or that stand before the first `FROM`.
    private static func argument(
        _ text: String, _ variables: [String: String], _ global: [String: String]
    ) -> String? {
        guard case .arg(let argument)? = (try? Instruction.parse(line: text))?.value else { return nil }
        let isConcerned = argument.arguments.contains { entry in
            variables[entry.key] != nil || (entry.value == nil && global[entry.key] != nil)
        }
        guard isConcerned else { return nil }
        let entries = argument.arguments.map { entry in
            let given = variables[entry.key] ?? (entry.value == nil ? global[entry.key] : nil)
            let value = given.map { DockerfileWord.quoted($0) } ?? entry.value
            return value.map { "\(entry.key)=\($0)" } ?? entry.key
        }
        return "ARG " + entries.joined(separator: " ")
    }

    private static func line(_ number: Int, _ last: Int, _ text: String, _ filled: String? = nil) -> Line {
        let step = filled ?? text
        return Line(
            number: number, lastNumber: last, text: text,
            statements: .success([Statement(.step(step), source: step, line: number)]))
    }
}
