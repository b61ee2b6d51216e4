import Basics
import Explorer
import Images
import Layers
import OCI
import Rendering
import ShellLanguage

extension DebugSession {
    /// The changed paths of a step that are shown; a `RUN apt-get install` changes thousands.
    private static let mostChanges = 1000

    /// Answers what needs the state between two steps.
    func look(_ request: AdapterRequest, _ command: AdapterCommand) throws(ShaleError) {
        let program = try current()
        let body: JSONDocument
        switch command {
        case .stackTrace: body = stack(program)
        case .scopes:
            let scopes = DebugVariables.Scope.allCases.map { scope in
                JSONDocument.members([
                    "name": .string(scope.name(in: program.steps.kind)), "variablesReference": .integer(scope.rawValue),
                    "expensive": .bool(scope == .changes),
                ])
            }
            body = .members(["scopes": .array(scopes)])
        case .variables: body = try variables(request, program)
        case .evaluate: body = try evaluate(request, program)
        case .exceptionInfo:
            guard let failure else { throw ShaleError(.conflict, "dap: nothing failed") }
            let text = Secrets.masked(failure.description, isProse: true).text.visibleLines
            body = .members([
                "exceptionId": .string(failure.exitStatus.map { "exit status \($0)" } ?? "failed instruction"),
                "description": .string(text), "breakMode": "always",
            ])
        default: body = targets(request, program)
        }
        writer.respond(to: request, body)
    }

    // MARK: Where it stands

    /// The instruction that is next, and the stage it is in.
    private func stack(_ program: DebuggedProgram) -> JSONDocument {
        let units = program.steps.units
        let next = program.steps.next
        var frames: [JSONDocument] = []
        if units.indices.contains(next) {
            frames.append(frame(1, units[next], program))
        } else if let last = units.last(where: { $0.line > 0 }) {
            let end = SteppedUnit(line: last.endLine, endLine: last.endLine, text: "(the end)")
            frames.append(frame(1, end, program))
        }
        // A FROM begins its stage itself.
        let isStage = units.indices.contains(next) && units[next].beginsStage
        if !isStage, let stage = units.prefix(next).last(where: \.beginsStage) {
            frames.append(frame(2, stage, program))
        }
        return .members(["stackFrames": .array(frames), "totalFrames": .integer(Int64(frames.count))])
    }

    private func frame(_ id: Int64, _ unit: SteppedUnit, _ program: DebuggedProgram) -> JSONDocument {
        // An instruction of a base's ONBUILD stands in no file.
        guard unit.line > 0 else {
            return .members(["id": .integer(id), "name": .string(unit.text.visible), "line": 0, "column": 0])
        }
        return .members([
            "id": .integer(id), "name": .string(unit.text.visible), "source": source(program),
            "line": .integer(Int64(rules.shown(unit.line))), "column": 1,
            "endLine": .integer(Int64(rules.shown(unit.endLine))),
        ])
    }

    /// The steps that can be gone back to, on a line.
    private func targets(_ request: AdapterRequest, _ program: DebuggedProgram) -> JSONDocument {
        let line = rules.line(request.arguments["line"])
        let places = program.steps.units.indices.filter { index in
            let unit = program.steps.units[index]
            return index <= program.steps.next && unit.line > 0 && unit.line <= line && line <= unit.endLine
        }
        let targets = places.map { index in
            let unit = program.steps.units[index]
            return JSONDocument.members([
                "id": .integer(Int64(index)), "label": .string("back to \(unit.text.visible)"),
                "line": .integer(Int64(rules.shown(unit.line))),
            ])
        }
        return .members(["targets": .array(targets)])
    }

    // MARK: Variables

    private func variables(_ request: AdapterRequest, _ program: DebuggedProgram) throws(ShaleError) -> JSONDocument {
        guard case .integer(let reference)? = request.arguments["variablesReference"] else {
            throw ShaleError(.usage, "dap: variables needs \"variablesReference\"")
        }
        var found: [DebugVariable]
        if let scope = variables.scope(reference) {
            found = try values(of: scope, program)
        } else if let list = variables.list(reference) {
            found = list
        } else {
            throw ShaleError(.notFound, "dap: no such variables: the program went on")
        }
        if case .integer(let start)? = request.arguments["start"], let first = Int(exactly: start), first > 0 {
            found = Array(found.dropFirst(first))
        }
        if case .integer(let count)? = request.arguments["count"], let most = Int(exactly: count), most > 0 {
            found = Array(found.prefix(most))
        }
        return .members(["variables": .array(found.map { variables.document($0) })])
    }

    private func values(
        of scope: DebugVariables.Scope, _ program: DebuggedProgram
    ) throws(ShaleError) -> [DebugVariable] {
        let state = try program.steps.inspected()
        switch scope {
        case .state:
            var values = [
                DebugVariable(
                    name: "step",
                    value: "\(min(program.steps.next + 1, program.steps.units.count)) of "
                        + "\(program.steps.units.count)")
            ]
            if let image = state.image { values.append(DebugVariable(name: "image", value: image.description)) }
            if let config = state.config {
                values.append(DebugVariable(name: "layers", value: String(config.rootfs.diffIDs.count)))
                values.append(DebugVariable(name: "platform", value: config.platform.description))
            }
            if let container = program.steps.failedContainer, !container.isEmpty {
                values.append(DebugVariable(name: "failed container", value: Identifier.short(container)))
            }
            return values
        case .arguments: return Self.sorted(state.arguments)
        case .environment:
            return (state.config?.config?.env ?? []).map { assignment in
                let parts = assignment.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1)
                return DebugVariable(
                    name: parts.first.map { String(Substring($0)) } ?? "",
                    value: parts.count > 1 ? String(Substring(parts[1])) : "")
            }
        case .configuration: return state.config?.config.map(Self.settings) ?? []
        case .changes: return try changes(program, state)
        }
    }

    private static func sorted(_ values: [String: String]) -> [DebugVariable] {
        values.sorted { $0.key < $1.key }.map { DebugVariable(name: $0.key, value: $0.value) }
    }

    /// The settings of an image that are set, beside its environment.
    private static func settings(_ config: ContainerConfig) -> [DebugVariable] {
        var all: [DebugVariable] = []
        func add(_ name: String, _ value: String?) {
            if let value, !value.isEmpty { all.append(DebugVariable(name: name, value: value)) }
        }
        func add(_ name: String, _ words: [String]?) {
            guard let words else { return }
            all.append(DebugVariable(name: name, value: JSONDocument.array(words.map { .string($0) }).text()))
        }
        add("WORKDIR", config.workingDir)
        add("USER", config.user)
        add("ENTRYPOINT", config.entrypoint)
        add("CMD", config.cmd)
        add("SHELL", config.shell)
        add("STOPSIGNAL", config.stopSignal)
        add("EXPOSE", config.exposedPorts?.keys.sorted().joined(separator: " "))
        add("VOLUME", config.volumes?.keys.sorted().joined(separator: " "))
        add("ONBUILD", config.onBuild)
        if let labels = config.labels, !labels.isEmpty {
            all.append(DebugVariable(name: "LABEL", value: "\(labels.count)", members: sorted(labels)))
        }
        return all
    }

    /// What the last step changed of the files, or the failed one before it failed.
    private func changes(
        _ program: DebuggedProgram, _ state: InspectedState
    ) throws(ShaleError) -> [DebugVariable] {
        let subject: String
        if failure != nil, let container = program.steps.failedContainer, !container.isEmpty {
            subject = container
        } else if let image = state.image, let config = state.config {
            if config.history?.last?.emptyLayer == true { return [] }
            subject = "\(image.hex)#\(config.rootfs.diffIDs.count)"
        } else {
            return []
        }
        let changed = try DiffSubjects([subject], shell).differences(linked: false)
        var shown = changed.prefix(Self.mostChanges).map { change in
            DebugVariable(name: change.path.visible, value: change.kind.rawValue)
        }
        if changed.count > shown.count {
            shown.append(DebugVariable(name: "…", value: "and \(changed.count - shown.count) more"))
        }
        return shown
    }

    // MARK: Evaluating

    /// The `context` of a line that is typed in the debug console; an expression of any other place must change nothing.
    private static let console = "repl"

    /// `evaluate`: a command in the state so far, with `:` in front a line of shale's, or a variable's name.
    private func evaluate(_ request: AdapterRequest, _ program: DebuggedProgram) throws(ShaleError) -> JSONDocument {
        guard let expression = request.arguments["expression"]?.string else {
            throw ShaleError(.usage, "dap: evaluate needs \"expression\"")
        }
        let text = expression.trimmingBlanks
        let isTyped = request.arguments["context"]?.string == Self.console
        let result = try isTyped ? command(text, program) : value(of: text, program)
        return .members(["result": .string(result), "variablesReference": 0])
    }

    /// A variable of the state, spelled `NAME`, `$NAME` or `${NAME}`.
    private func value(of text: String, _ program: DebuggedProgram) throws(ShaleError) -> String {
        var name = text[...]
        if name.hasPrefix("$") { name = name.dropFirst() }
        if name.hasPrefix("{"), name.hasSuffix("}") { name = name.dropFirst().dropLast() }
        for scope in [DebugVariables.Scope.environment, .arguments, .configuration, .state] {
            if let found = try values(of: scope, program).last(where: { $0.name == name }) { return found.value }
        }
        throw ShaleError(.notFound, "no variable here is called \(name.prefix(80))")
    }

    private func command(_ text: String, _ program: DebuggedProgram) throws(ShaleError) -> String {
        guard !text.isEmpty else { return "" }
        if text.hasPrefix(":"), case .changes? = try? StepCommand(parsing: String(text.dropFirst())) {
            return try values(of: .changes, program).map { "\($0.value) \($0.name)" }.joined(separator: "\n")
        }
        let buffer = OutputBuffer(limit: 1 << 20)
        let before = shell.console
        shell.console = before.redirected(output: .buffer(buffer), errors: .buffer(buffer))
        defer { shell.console = before }
        shell.cancellation.reset()
        let status: Int32
        if text.hasPrefix(":") {
            let image = try program.steps.inspected().image
            var subject = image?.short
            if failure != nil, let container = program.steps.failedContainer, !container.isEmpty { subject = container }
            let line = try StatePaths.resolved(String(text.dropFirst()), below: subject)
            status = Interpreter(shell).run(try LineParser(origin: .prompt).statements(in: line))
        } else {
            let hasFailed = failure != nil
            status = try entry.enter(
                { () throws(ShaleError) in try program.steps.entry(failed: hasFailed) }, command: text, script: nil)
        }
        var result = buffer.text.trimmingFinalNewlines
        if buffer.isCut { result += "\n(cut at 1 MiB)" }
        if status != 0 { result += (result.isEmpty ? "" : "\n") + "(exit status \(status))" }
        return result
    }
}
