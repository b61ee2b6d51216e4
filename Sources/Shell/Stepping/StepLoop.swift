import Basics
import Containers
import Glibc
import Images
import LineEditing
import Linux
import OCI
import Recipes
import Rendering
import ShellLanguage
import Stores

/// The stepper: stops before each piece of a program, shows the source and does what is typed.
///
/// One for `build --step` and `replay --step`. From a terminal it has keys and history; from a pipe it reads lines, and
/// the end of them is `exit`.
final class StepLoop {
    private let program: any SteppedProgram
    private let shell: ShellContext
    private let input: StepInput
    private let entry: StepShell
    private let interpreter: Interpreter
    private var breakpoints = Breakpoints()
    /// What the last piece failed with, as long as nothing else was done.
    private var failure: ShaleError?
    private var savedText: String
    /// Whether the end was reached and reported.
    private var isFinished = false

    init(_ program: any SteppedProgram, _ shell: ShellContext) {
        self.program = program
        self.shell = shell
        let completer = StepCompleter(base: PromptCompletion.completer(shell)) {
            if let container = program.failedContainer, !container.isEmpty { return Identifier.short(container) }
            return (try? program.entryImage())?.short
        }
        input = StepInput(shell, prompt: "(\(program.kind.rawValue)) ", completer: completer)
        entry = StepShell(shell)
        interpreter = Interpreter(shell)
        savedText = program.text
    }

    /// Steps until the program is finished or left; returns the exit status.
    func run() throws(ShaleError) -> Int32 {
        defer { entry.discard() }
        showSource()
        while !isFinished || hasUnsavedEdits {
            shell.cancellation.reset()
            switch input.next() {
            case .interrupted: continue
            case .end: return leave()
            case .text(let line):
                guard !line.trimmingBlanks.isEmpty, !line.trimmingBlanks.hasPrefix("#") else { continue }
                do throws(ShaleError) {
                    if let status = try carryOut(StepCommand(parsing: line)) { return status }
                } catch {
                    if failure != nil, !breakpoints.stopsOnFailure {
                        program.leave()
                        throw error
                    }
                    shell.console.report(error)
                }
                if let status = interpreter.leaving { return status }
            }
        }
        return 0
    }

    private var hasUnsavedEdits: Bool { program.text != savedText }

    private func leave() -> Int32 {
        program.leave()
        if hasUnsavedEdits { shell.console.note("the changed \(program.fileName) was not saved") }
        if isFinished { return 0 }
        if let failure { return failure.exitStatus ?? 1 }
        let units = program.units
        shell.console.note("left before step \(program.next + 1) of \(units.count); finished steps are in the cache")
        return 0
    }

    // MARK: Commands

    /// Returns the exit status when the stepping is over.
    private func carryOut(_ command: StepCommand) throws(ShaleError) -> Int32? {
        switch command {
        case .next: try step()
        case .proceed(let until): try proceed(until: until)
        case .back(let count):
            guard program.next > 0 else { throw ShaleError(.notFound, "this is the first instruction") }
            try move(to: max(0, program.next - count))
        case .breakAt(let word): try addBreakpoint(word)
        case .breakpoints:
            shell.console.line("KEY        DESCRIPTION")
            for entry in breakpoints.entries {
                let key = entry.key + String(repeating: " ", count: max(1, 11 - entry.key.count))
                shell.console.line(key + Breakpoints.description(entry.kind, in: program.fileName))
            }
        case .clear(let word): try breakpoints.remove(word)
        case .clearAll: breakpoints.removeAll()
        case .list(let before, let after, let all): showSource(before: before, after: after, all: all)
        case .enter(let text): try enter(text)
        case .retry(let text): try retry(text)
        case .edit(let line, let text): try edit(line, text)
        case .rollback:
            entry.discard()
            failure = nil
            shell.console.note("back at the state before line \(current?.line ?? 0)")
        case .save(let path):
            let text = program.text
            try translating(path) {
                try UnnamedFile.write(
                    text.pathBytes, to: path, mode: CallersUmask.applied(to: 0o644), followingLink: true)
            }
            savedText = text
            shell.console.note("saved to \(path)")
        case .reload:
            let path = program.fileName
            let bytes = try translating(path) { try WholeFile.read(path, limit: 1 << 22) }
            let place = program.next
            try replace(String(pathBytes: bytes))
            savedText = program.text
            showChange(since: place)
        case .exit: return leave()
        case .help: shell.console.write(Self.helpText)
        case .instruction(let text): try insert(text)
        case .changes: try showChanges()
        case .other(let line): try carryOut(line)
        }
        return nil
    }

    /// A line of shale's own.
    private func carryOut(_ line: String) throws(ShaleError) {
        let image = try program.entryImage()
        var subject = image?.short
        if failure != nil, let container = program.failedContainer, !container.isEmpty {
            subject = Identifier.short(container)
        }
        let text = try StatePaths.resolved(line, below: subject)
        let statements = try LineParser(origin: .prompt).statements(in: text)
        if case .command(let command)? = statements.first?.body, statements.first?.dropped.isEmpty ?? true,
            let word = command.words.first?.plain, CommandTable.shared.find(word) == nil, shell.aliases[word] == nil
        {
            throw StepCommand.unknown(word)
        }
        _ = interpreter.run(statements)
    }

    /// `diff` alone.
    private func showChanges() throws(ShaleError) {
        if failure != nil, let container = program.failedContainer, !container.isEmpty {
            let engine = try shell.containers()
            if try engine.changes(of: engine.find(container)).isEmpty {
                return shell.console.note("the failed instruction changed no file")
            }
            _ = try interpreter.run(arguments: ["diff", container])
            return
        }
        guard let id = try program.entryImage() else {
            throw ShaleError(.notFound, "there is no image yet", hint: "next")
        }
        let config = try shell.images().image(id: id).config
        if config.history?.last?.emptyLayer == true {
            return shell.console.note("the last instruction changed no file")
        }
        _ = try interpreter.run(arguments: ["diff", "\(id.hex)#\(config.rootfs.diffIDs.count)"])
    }

    static var helpText: String {
        let width = (StepCommand.table.map(\.usage.count).max() ?? 0) + 2
        let places = StatePaths.usage + "\n" + String(repeating: " ", count: width) + StatePaths.summary + "\n"
        return StepCommand.table.map { entry in
            let short = entry.names.dropFirst().filter { $0 != "?" }.joined(separator: ", ")
            let usage = entry.usage + String(repeating: " ", count: width - entry.usage.count)
            return usage + entry.summary + (short.isEmpty ? "" : "  (\(short))") + "\n"
        }.joined() + places
    }

    private var current: SteppedUnit? {
        program.units.indices.contains(program.next) ? program.units[program.next] : nil
    }

    private func showSource(
        before: Int = SourceView.defaultRange, after: Int = SourceView.defaultRange, all: Bool = false
    ) {
        let view = SourceView(
            fileName: program.fileName, lines: program.text.droppingFinalNewline.components("\n"),
            units: program.units, current: current, breakpoints: breakpoints)
        for line in view.text(before: before, after: after, all: all) { shell.console.line(line) }
    }

    // MARK: Carrying out

    private func step() throws(ShaleError) {
        try carryOutOne()
        try stop()
    }

    /// Shows the position, or ends the program.
    private func stop() throws(ShaleError) {
        if program.next < program.units.count {
            showSource()
            return
        }
        try finish()
    }

    private func finish() throws(ShaleError) {
        guard !isFinished else { return }
        try program.finish()
        isFinished = true
        if hasUnsavedEdits {
            shell.console.note("\(program.fileName) was changed: save FILE keeps it, exit leaves")
        }
    }

    private func carryOutOne() throws(ShaleError) {
        guard current != nil else { throw ShaleError(.notFound, "this is the end", hint: "exit") }
        entry.discard()
        failure = nil
        do throws(ShaleError) {
            try program.carryOut()
        } catch {
            failure = error
            guard breakpoints.stopsOnFailure else { throw error }
            var told = error
            if program.failedContainer.map({ !$0.isEmpty }) ?? false {
                told.hint = "enter   (a shell in the failed container, $failed; or retry 'RUN …', edit, back, exit)"
            } else {
                told.hint = "edit    (change the line; or retry, back, exit)"
            }
            throw told
        }
    }

    private func proceed(until word: String?) throws(ShaleError) {
        var target: Int?
        if let word {
            if let entry = breakpoints.entries.first(where: { $0.key == word }), case .line(let line) = entry.kind {
                target = line
            } else if let line = Int(word) {
                target = line
            } else {
                throw ShaleError(.notFound, "unknown breakpoint \(word.visible)", hint: "breakpoints")
            }
        }
        while true {
            try carryOutOne()
            guard let unit = current else { break }
            if let target, unit.line > 0, unit.line <= target, target <= unit.endLine { break }
            if let hit = breakpoints.hit(unit) {
                shell.console.note("Breakpoint[\(hit.key)]: reached line: \(program.fileName):\(unit.line)")
                break
            }
        }
        try stop()
    }

    private func move(to place: Int) throws(ShaleError) {
        entry.discard()
        failure = nil
        isFinished = false
        try program.goBack(to: place)
        showSource()
    }

    private func addBreakpoint(_ word: String) throws(ShaleError) {
        if word == "on-fail" {
            _ = try breakpoints.add(.failure)
            return
        }
        guard let number = Int(word) else {
            let keyword = word.uppercased()
            guard StepCommand.isKeyword(keyword) else {
                throw ShaleError(
                    .usage, "cannot parse breakpoint \"\(word.visible)\": a line, an instruction or on-fail",
                    hint: "break RUN")
            }
            _ = try breakpoints.add(.instruction(keyword))
            return
        }
        // A blank or comment line means the instruction below it.
        guard let unit = program.units.filter({ $0.endLine >= number && $0.line > 0 }).min(by: { $0.line < $1.line }),
            number > 0
        else {
            throw ShaleError(.notFound, "no instruction at or below line \(number)", hint: "list --all")
        }
        _ = try breakpoints.add(.line(max(number, unit.line)))
    }

    // MARK: Looking and changing

    private func enter(_ command: String) throws(ShaleError) {
        let hasFailed = failure != nil
        var script: String?
        if command.isEmpty, !input.isTerminal {
            // The lines up to `exit` are the shell's.
            var lines: [String] = []
            while let line = input.plainLine(), line.trimmingBlanks != "exit" { lines.append(line) }
            script = lines.joined(separator: "\n") + "\n"
        }
        let program = self.program
        let status = try entry.enter(
            { () throws(ShaleError) in try program.entry(failed: hasFailed) }, command: command, script: script)
        shell.lastStatus = status
        shell.variables["?"] = String(status)
        if command.isEmpty, input.isTerminal {
            shell.console.note("what was done there is no part of the \(program.kind.rawValue); rollback forgets it")
        }
    }

    private func retry(_ text: String) throws(ShaleError) {
        guard let unit = current else { throw ShaleError(.notFound, "this is the end: there is nothing to retry") }
        guard !text.isEmpty else { return try step() }
        let keyword = text.prefix { !$0.isWhitespace }
        let instruction = StepCommand.isKeyword(String(keyword)) || program.kind != .build ? text : "RUN \(text)"
        // The file stays as it was when the try fails.
        try trying { () throws(ShaleError) in
            try replace(lines: unit.line..<unit.endLine + 1, with: instruction)
        }
        shell.console.note("line \(unit.line) is now: \(instruction)")
        try stop()
    }

    private func edit(_ line: Int?, _ text: String?) throws(ShaleError) {
        let wanted = line ?? current?.line ?? 0
        guard let unit = program.units.first(where: { $0.line <= wanted && wanted <= $0.endLine }), unit.line > 0 else {
            throw ShaleError(.notFound, "no instruction at line \(wanted)", hint: "list --all")
        }
        let lines = program.text.droppingFinalNewline.components("\n")
        let old = lines[unit.line - 1...unit.endLine - 1].joined(separator: "\n")
        let new: String
        if let text {
            new = text == "''" || text == "\"\"" ? "" : text
        } else {
            guard input.isTerminal else {
                throw ShaleError(
                    .usage, "edit needs a text where there is no terminal", hint: "edit \(wanted) RUN true")
            }
            new = try TextEditor(shell.console.environment).edit(old)
        }
        guard new != old else { return shell.console.note("line \(unit.line) is as it was") }
        let place = program.next
        try replace(lines: unit.line..<unit.endLine + 1, with: new)
        // The view shows the current line alone and what lies near it.
        if unit.line != current?.line {
            let told = new.isEmpty ? "gone" : "now: \(new.prefix { $0 != "\n" })"
            shell.console.note("line \(unit.line) is \(told.visible)")
        }
        showChange(since: place)
    }

    /// Shows the position to which a change of the file has moved back.
    private func showChange(since place: Int) {
        if program.next < place {
            shell.console.note("back before line \(current?.line ?? 0); what follows is carried out again")
        }
        showSource()
    }

    /// An instruction typed by itself: carried out, and when that went well, written above the current line.
    private func insert(_ text: String) throws(ShaleError) {
        guard program.kind == .build else {
            let statements = try LineParser(origin: .prompt).statements(in: text)
            _ = interpreter.run(statements)
            return
        }
        guard let unit = current, unit.line > 0 else {
            throw ShaleError(.notFound, "this is the end: go back first", hint: "back")
        }
        try trying { () throws(ShaleError) in try replace(lines: unit.line..<unit.line, with: text) }
        try stop()
    }

    /// Changes the file and carries out what now stands there; when that fails the file is as before.
    private func trying(_ change: () throws(ShaleError) -> Void) throws(ShaleError) {
        let (text, stops) = (program.text, breakpoints)
        try change()
        do throws(ShaleError) {
            try carryOutOne()
        } catch {
            try program.replaceText(text)
            breakpoints = stops
            throw error
        }
    }

    /// Puts a text in the place of lines, counted from 1.
    private func replace(lines range: Range<Int>, with text: String) throws(ShaleError) {
        var lines = program.text.droppingFinalNewline.components("\n")
        let new = text.isEmpty ? [] : text.components("\n")
        lines.replaceSubrange(range.lowerBound - 1..<range.upperBound - 1, with: new)
        try replace(lines.joined(separator: "\n") + "\n")
        breakpoints.follow(range, by: new.count)
    }

    private func replace(_ text: String) throws(ShaleError) {
        try program.replaceText(text)
        entry.discard()
        failure = nil
        isFinished = false
    }
}

extension StepCommand {
    static func isKeyword(_ word: String) -> Bool { keywords.contains(word.uppercased()) }
}

extension String {
    fileprivate func components(_ separator: Character) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map(String.init)
    }
}
