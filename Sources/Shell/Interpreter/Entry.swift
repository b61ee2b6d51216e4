import Basics
import Diagnostics
import Glibc
import Linux
import Rendering
import ShellLanguage
import Stores

/// What `main` does: the options before the command, the mode, and the exit status.
package enum Entry {
    /// What the words of the command line ask for.
    private enum Invocation {
        case prompt
        case input
        case command([String])
        case text(String)
        case script(String, arguments: [String])
    }

    /// Runs shale with the process's own arguments; returns the exit status.
    package static func run() -> Int32 {
        let begin = SteadyTime.now()
        StandardDescriptors.reserve()
        let arguments = ProcessCalls.arguments.dropFirst()
        Console.ignoreBrokenPipes()
        CallersUmask.replace()
        let tap = OutputTap()
        let console = Console(observer: { tap.hear($0, $1, $2) })
        do throws(ShaleError) {
            let environment = console.environment
            var options = ShellOptions(home: defaultHome(environment))
            if let home = environment["SHALE_HOME"], !home.isEmpty { options.home = try absolute(home) }
            if let session = environment["SHALE_SESSION"], !session.isEmpty { options.session = session }
            var rest = arguments
            if let early = try parse(&rest, &options) {
                console.write(early)
                try console.checkWritten()
                return 0
            }
            if options.logLevel == nil { options.logLevel = try logLevel(environment) }
            try check(session: options.session)
            if rest.first == Trace.word { TraceStart.begin(at: begin) }
            Observer.measure(.start, "log") { Log.open(home: options.home, level: options.logLevel ?? .warning) }
            let invocation = try Observer.measure(.start, "commands") { () throws(ShaleError) -> Invocation in
                try Self.invocation(Array(rest), isTerminal: isatty(0) == 1)
            }
            do throws(ShaleError) {
                if !asksOnlyTheProgram(invocation) { try enterNamespace(home: options.home) }
            } catch {
                // `doctor` runs all the same, because it says what is missing.
                guard case .command(let words) = invocation, words.first == "doctor" else { throw error }
            }
            return try carryOut(invocation, options, console, tap)
        } catch {
            console.report(error)
            return error.status(of: nil)
        }
    }

    private static func asksOnlyTheProgram(_ invocation: Invocation) -> Bool {
        guard case .command(let words) = invocation else { return false }
        return CommandTable.shared.find(words: words)?.asksOnlyTheProgram ?? false
    }

    private static func enterNamespace(home: String) throws(ShaleError) {
        // The namespace leaves its lock in the home.
        try Store.refuseShared(home: home)
        try Observer.measure(.start, "user namespace") { () throws(ShaleError) in
            _ = try UserNamespace.enter(home: home)
        }
    }

    /// Throws `usage` for a name that no session can have.
    private static func check(session name: String) throws(ShaleError) {
        do throws(ShaleError) {
            try SessionFolder.check(name)
        } catch {
            throw ShaleError(.usage, error.message, cause: error.cause, hint: "shale session list")
        }
    }

    /// Takes the options in front; returns text that is all that was asked for (`--version`).
    private static func parse(_ rest: inout ArraySlice<String>, _ options: inout ShellOptions) throws(ShaleError)
        -> String?
    {
        while let word = rest.first, word.hasPrefix("-"), word != "-c", word != "-" {
            rest.removeFirst()
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            func value() throws(ShaleError) -> String {
                if parts.count == 2 { return parts[1] }
                guard let next = rest.popFirst() else {
                    throw ShaleError(.usage, "\(word) needs a value", hint: "shale --help")
                }
                return next
            }
            switch parts[0] {
            case "--home": options.home = try absolute(value())
            case "-S", "--session": options.session = try value()
            case "--offline": options.isOffline = true
            case "--no-rc": options.readsStartupFile = false
            case "--keep-going": options.keepsGoing = true
            case "-l", "--log-level": options.logLevel = try logLevel(value(), of: parts[0])
            case "-D", "--debug": options.logLevel = .debug
            case "--version": return "shale \(Version.current)\n"
            case "--help", "-h": return GlobalOption.usage + HelpText.overview
            default:
                let near = Suggestion.nearest(to: parts[0], among: GlobalOption.all.flatMap(\.names)).first
                throw ShaleError(
                    .usage, "unknown flag: \(parts[0].visible)", hint: near.map { "shale \($0)" } ?? "shale --help")
            }
        }
        return nil
    }

    private static func invocation(_ words: [String], isTerminal: Bool) throws(ShaleError) -> Invocation {
        guard let first = words.first else { return isTerminal ? .prompt : .input }
        if first == "-c" {
            guard words.count > 1 else { throw ShaleError(.usage, "-c needs the commands", hint: "shale -c 'images'") }
            return .text(words[1])
        }
        if first == "-" { return .input }
        let isScript = (first.contains("/") || first.hasSuffix(".shale")) && CommandTable.shared.find(first) == nil
        if isScript { return .script(first, arguments: Array(words.dropFirst())) }
        return .command(words)
    }

    private static func carryOut(
        _ invocation: Invocation, _ options: ShellOptions, _ console: Console, _ tap: OutputTap
    ) throws(ShaleError) -> Int32 {
        let mode: ShellContext.Mode
        switch invocation {
        case .prompt: mode = .prompt
        case .command: mode = .single
        default: mode = .script
        }
        let shell = Observer.measure(.start, "settings") {
            ShellContext(options: options, mode: mode, console: console, tap: tap, cancellation: Interrupt.flag)
        }
        Observer.measure(.start, "signals") { Interrupt.watch() }
        defer { shell.close() }
        try Observer.measure(.start, "variables") { () throws(ShaleError) in try shell.loadVariables() }
        switch invocation {
        case .prompt: return try PromptLoop(shell).run()
        case .input: return try ScriptRun(shell).runInput()
        case .text(let text): return try ScriptRun(shell).run(text: text, name: "-c")
        case .script(let file, let arguments): return try ScriptRun(shell).run(file: file, arguments: arguments)
        case .command(let words): return SingleCommand.run(words, shell)
        }
    }

    /// `$XDG_DATA_HOME/shale`; for root `/var/lib/shale`.
    private static func defaultHome(_ environment: [String: String]) -> String {
        if geteuid() == 0, !UserNamespace.isInside { return "/var/lib/shale" }
        if let data = environment["XDG_DATA_HOME"], data.hasPrefix("/") { return "\(data)/shale" }
        return "\(environment["HOME"] ?? "/tmp")/.local/share/shale"
    }

    /// What `SHALE_LOG` says; `nil` where it says nothing.
    private static func logLevel(_ environment: [String: String]) throws(ShaleError) -> LogLevel? {
        guard let text = environment["SHALE_LOG"], !text.isEmpty else { return nil }
        return try logLevel(text, of: "SHALE_LOG")
    }

    private static func logLevel(_ text: String, of source: String) throws(ShaleError) -> LogLevel {
        if let level = LogLevel(spelled: text) { return level }
        throw ShaleError(
            .usage, "\(source) cannot be \"\(text.visible)\"",
            cause: "one of: \(LogLevel.allCases.map(\.rawValue).joined(separator: ", "))",
            hint: "shale --log-level debug …")
    }

    private static func absolute(_ path: String) throws(ShaleError) -> String {
        guard !path.isEmpty else { throw ShaleError(.usage, "--home needs a directory") }
        if path.hasPrefix("/") { return path }
        return ProcessCalls.workingDirectory().map { "\($0)/\(path)" } ?? path
    }
}

/// A trace that began with the program.
private enum TraceStart {
    /// Adds the time up to here to the trace: the start of the process, by its processor time, and the options.
    static func begin(at entry: UInt64) {
        let now = SteadyTime.now()
        var used = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
        let processor = UInt64(used.tv_sec) &* 1_000_000_000 &+ UInt64(used.tv_nsec)
        let start = min(entry, processor &- min(processor, now &- entry))
        _ = SpanRecorder.start(at: entry &- start)
        let lane = Observer.lane
        Observer.tell(
            Observer.Span(.start, "the program (processor time)", begin: entry &- start, end: entry, lane: lane))
        Observer.tell(Observer.Span(.start, "options", begin: entry, end: now, lane: lane))
    }
}

/// One command of the host's command line: the host's shell has split it into words, so nothing in them is expanded.
enum SingleCommand {
    static func run(_ words: [String], _ shell: ShellContext) -> Int32 {
        // Noun-verb spellings and pasted `docker …` mean here what they mean at the prompt.
        var spelled = words.map { Word($0) }
        _ = CommandTable.shared.spelling.normalise(&spelled)
        let words = spelled.isEmpty ? ["help"] : spelled.map { $0.constant ?? $0.source }
        if StepKeyword.names.contains(words[0]) {
            let text = words.joined(separator: " ")
            return Interpreter(shell).run([Statement(.step(text), source: text)])
        }
        var source = words.map(\.shellQuoted)
        var rest = words.dropFirst().map(literal)
        if let start = InnerCommand.start(in: words), start < words.count, StepKeyword.names.contains(words[start]) {
            // An instruction is one text, as at the prompt.
            let text = words[start...].joined(separator: " ")
            rest = rest.prefix(start - 1) + [literal(text)]
            source = source.prefix(start) + [text]
        }
        let command = Command(words: [Word(words[0])] + rest)
        return Interpreter(shell).run([Statement(.command(command), source: source.joined(separator: " "))])
    }

    private static func literal(_ text: String) -> Word { Word(parts: [.literal(text, quoted: true)], source: text) }
}
