import Basics
import Linux
import Rendering

/// One conversation with an editor: `shale dap`.
///
/// The main thread carries the steps out and answers what needs the state between two of them; the rest is answered by
/// ``AdapterInbox``. Specification: https://microsoft.github.io/debug-adapter-protocol/specification.
final class DebugSession {
    let shell: ShellContext
    let streams: AdapterStreams
    let rules = StopRules()
    let entry: StepShell
    var variables = DebugVariables()
    /// What is stepped through; `nil` before `launch` and after the end.
    var program: DebuggedProgram?
    /// What the last step failed with, as long as nothing else was done.
    var failure: ShaleError?
    private var settings: LaunchSettings?
    /// The words of shale's own command line.
    private let words: [String]
    /// The file's text when it was last read.
    private var savedText: [UInt8]?
    /// Whether the client was told that the program is over.
    private var isOver = false

    var writer: AdapterWriter { streams.writer }

    /// Takes the standard streams over; `words` stand in front of the launch request's `args`.
    init(_ shell: ShellContext, words: [String]) throws(ShaleError) {
        self.shell = shell
        self.words = words
        streams = try AdapterStreams()
        entry = StepShell(shell)
    }

    /// Answers requests until the client leaves; answers the exit status.
    ///
    /// Throws `invalid` for a client that does not speak the protocol.
    func run() throws(ShaleError) -> Int32 {
        defer { streams.restore() }
        let inbox = try AdapterInbox(reading: streams.input, writer, rules, shell.cancellation)
        while true {
            switch inbox.next() {
            case .request(let request, let command):
                if command == .disconnect {
                    leave()
                    writer.respond(to: request)
                    return 0
                }
                do throws(ShaleError) {
                    try answer(request, command)
                } catch {
                    rules.setRunning(false)
                    writer.refuse(request, error, isShown: command == .launch)
                }
            case .end(let error):
                let wasOpen = program != nil
                leave()
                streams.restore()
                if let error { throw error }
                guard wasOpen else { return 0 }
                throw ShaleError(
                    .io, "the debug client went away", cause: "finished steps are in the cache", exitStatus: 1)
            }
        }
    }

    /// Leaves the program where it stands.
    private func leave() {
        shell.cancellation.reset()
        entry.discard()
        program?.steps.leave()
        program = nil
    }

    private func answer(_ request: AdapterRequest, _ command: AdapterCommand) throws(ShaleError) {
        switch command {
        case .initialize:
            if case .bool(false)? = request.arguments["linesStartAt1"] { rules.setFirstLine(0) }
            writer.respond(to: request, AdapterCapabilities.document)
        case .launch: try launch(request)
        case .attach:
            throw ShaleError(.unsupported, "dap: there is nothing to attach to", hint: "\"request\": \"launch\"")
        case .configurationDone:
            writer.respond(to: request)
            begin()
        case .restart:
            try restart(request)
        case .terminate:
            leave()
            writer.respond(to: request)
            tellEnd(status: 1)
        case .loadedSources:
            let sources = program.map { [source($0)] } ?? []
            writer.respond(to: request, .members(["sources": .array(sources)]))
        case .stackTrace, .scopes, .variables, .evaluate, .exceptionInfo, .gotoTargets: try look(request, command)
        case .next, .stepIn, .stepOut, .stepBack, .proceed, .reverse, .goto: try move(request, command)
        case .threads, .setBreakpoints, .setFunctionBreakpoints, .setExceptionBreakpoints, .breakpointLocations,
            .pause, .disconnect:
            break
        }
    }

    /// The program under way.
    ///
    /// Throws `conflict` where there is none.
    func current() throws(ShaleError) -> DebuggedProgram {
        guard let program else { throw ShaleError(.conflict, "dap: no program is under way") }
        return program
    }

    // MARK: Beginning and end

    private func launch(_ request: AdapterRequest) throws(ShaleError) {
        guard settings == nil else { throw ShaleError(.conflict, "dap: the program was launched already") }
        let wanted = try LaunchSettings(request.arguments, words: words)
        try open(wanted)
        writer.respond(to: request)
        writer.event("initialized")
    }

    private func open(_ wanted: LaunchSettings) throws(ShaleError) {
        let opened = try wanted.open(shell)
        program = opened
        settings = wanted
        savedText = try? WholeFile.read(opened.path, limit: 1 << 22)
        rules.begin(noDebug: wanted.noDebug)
        rules.setPath(opened.path)
        tellChanged(rules.setUnits(opened.steps.units))
    }

    private func begin() {
        guard program != nil else { return rules.setRunning(false) }
        if settings?.stopOnEntry ?? false, !(settings?.noDebug ?? false) { return stop(.entry) }
        proceed(to: .end, looksFirst: true)
    }

    private func restart(_ request: AdapterRequest) throws(ShaleError) {
        guard let settings else { throw ShaleError(.conflict, "dap: no program was launched") }
        let attributes = request.arguments["arguments"]
        let wanted = try attributes.map { (all) throws(ShaleError) in try LaunchSettings(all, words: words) }
        leave()
        failure = nil
        isOver = false
        try open(wanted ?? settings)
        writer.respond(to: request)
        begin()
    }

    /// Ends a program all of whose steps were carried out.
    func finish(_ program: DebuggedProgram) {
        do throws(ShaleError) {
            try program.steps.finish()
            try program.writeResults()
        } catch {
            return fail(error)
        }
        self.program = nil
        tellEnd(status: 0)
    }

    /// Ends a program that failed and does not stop for that.
    func fail(_ error: ShaleError) {
        shell.console.report(error)
        leave()
        tellEnd(status: error.exitStatus ?? 1)
    }

    private func tellEnd(status: Int32) {
        rules.setRunning(false)
        guard !isOver else { return }
        isOver = true
        streams.flush()
        writer.event("exited", .members(["exitCode": .integer(Int64(status))]))
        writer.event("terminated")
    }

    /// Takes a file that was changed on disk since it was last read; false, and told, when it cannot be understood.
    func takeChangedFile(_ program: DebuggedProgram) -> Bool {
        guard let bytes = try? WholeFile.read(program.path, limit: 1 << 22), bytes != savedText else { return true }
        savedText = bytes
        let place = program.steps.next
        do throws(ShaleError) {
            try program.steps.replaceText(String(pathBytes: bytes))
        } catch {
            shell.console.report(error)
            return false
        }
        failure = nil
        let back = program.steps.next < place ? "; back before line \(line(of: program))" : ""
        shell.console.note("\(program.steps.fileName) was changed\(back)")
        tellChanged(rules.setUnits(program.steps.units))
        return true
    }

    private func line(of program: DebuggedProgram) -> Int {
        let units = program.steps.units
        return units.indices.contains(program.steps.next) ? units[program.steps.next].line : 0
    }

    private func tellChanged(_ breakpoints: [StopRules.LineBreakpoint]) {
        for breakpoint in breakpoints {
            writer.event("breakpoint", .members(["reason": "changed", "breakpoint": rules.document(breakpoint)]))
        }
    }

    func source(_ program: DebuggedProgram) -> JSONDocument {
        let name = program.path.split(separator: "/").last.map(String.init) ?? program.path
        return .members(["name": .string(name), "path": .string(program.path)])
    }
}
