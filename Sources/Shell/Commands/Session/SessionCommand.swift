package import ArgumentParser
package import Basics
import Layers
import Linux
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// `session`: named sessions, each with its journal, working image and states.
package struct SessionCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "session", abstract: "List, make, switch, rename, remove, export, import, push or pull sessions",
        usage: """
            session [list]
            session new NAME
            session switch NAME
            session rename OLD NEW
            session rm NAME…
            session export FILE [NAME]
            session import FILE [NAME]
            session push REF [NAME]
            session pull REF [NAME]
            """)
    package static let isWorthKeeping = false
    package static let secondWords = [
        SecondWord("list", "every session, and the one this shale is in"), SecondWord("new", "make one, and go there"),
        SecondWord("switch", "go to another", .session), SecondWord("rename", "give one another name", .session),
        SecondWord("rm", "remove some, with their states", .session),
        SecondWord("export", "write one into a file", .hostPath), SecondWord("import", "bring one back", .hostPath),
        SecondWord("push", "send one to a registry", .reference),
        SecondWord("pull", "fetch one from a registry", .reference),
    ]
    package static let examples = [
        "session", "session new lesson-2", "session export lesson.tar",
        "session push localhost:5000/lesson:2", "session pull localhost:5000/lesson:2",
    ]
    package static let differences = [
        "Docker has none: it does not know who typed what, or when.",
        "export writes journal, states, variables and all images into one file, which import brings back elsewhere.",
        "push and pull do the same by way of a registry: only what is missing there, or here, is sent.",
        "Containers do not travel: undo of an rm says so there, and goto goes past it.",
    ]

    @Argument(help: "list, new, switch, rename, rm, export, import, push or pull, and what it takes.") var words:
        [String] = []
    @Option(help: "json, or a template.") var format: String?
    @Flag(name: .shortAndLong, help: "For list: only the names.") var quiet = false
    @Flag(
        name: [.customShort("f"), .customLong("force"), .customLong("yes")],
        help: "For import and pull: images get their names here without a question.") var force = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let sessions = try shell.sessions()
        switch (words.first ?? "list", words.count) {
        case ("list", 0...1), ("ls", 1): return try list(shell, sessions)
        case ("new", 2):
            guard try !sessions.names().contains(words[1]) else {
                throw ShaleError(
                    .conflict, "session \(words[1].visible) exists already", hint: "session switch \(words[1].visible)")
            }
            _ = try sessions.folder(of: words[1])
            shell.enter(session: words[1])
            shell.noteOneCommand(in: words[1])
            return .line("now in session \(words[1])")
        case ("switch", 2):
            // Who made another session before the first line of this one finds the way back.
            let isFirst = words[1] == ShellOptions.firstSession
            if !isFirst { try require(words[1], sessions, in: shell.options.session) }
            shell.enter(session: words[1])
            shell.noteOneCommand(in: words[1])
            return .lines(try ["now in session \(words[1])"] + MoveReport.place(shell.session()))
        case ("rename", 3):
            try require(words[1], sessions, in: shell.options.session)
            let isOwn = shell.options.session == words[1]
            if isOwn { shell.leaveSession() }
            // Lines that were cut off are written to the journal under the old name.
            _ = try Session(named: words[1], in: sessions, engine: shell.engine())
            try SessionFolders.rename(words[1], to: words[2], in: sessions)
            if isOwn { shell.enter(session: words[2]) }
            shell.changes.append(.lost(.sessionRenamed))
            return .line("session \(words[1]) is called \(words[2]) now")
        case ("rm", 2...):
            for name in words.dropFirst() {
                try require(name, sessions, in: shell.options.session)
                guard name != shell.options.session else {
                    let first = ShellOptions.firstSession
                    let other = try name != first ? first : sessions.names().first { $0 != name }
                    throw ShaleError(
                        .inUse, "session \(name.visible) is the one you are in",
                        hint: other.map { "session switch \($0)" } ?? "session new NAME")
                }
                try SessionFolders.remove(name, in: sessions)
                shell.changes.append(.lost(.sessionRemoved))
            }
            return .lines(Array(words.dropFirst()))
        case ("export", 2...3): return try export(shell, sessions)
        case ("import", 2...3): return try importing(shell)
        case ("push", 2...3): return try SessionTransfer(shell).push(to: words[1], session(shell, sessions))
        case ("pull", 2...3):
            return try SessionTransfer(shell).pull(
                words[1], named: words.count > 2 ? words[2] : nil, force: force)
        default:
            let usages = Self.configuration.usage?.split(separator: "\n").map(String.init) ?? []
            let meant = usages.first { $0.hasPrefix("session \(words.first ?? "") ") }
            throw ShaleError(
                .usage, "session: wrong usage", hint: meant ?? Self.hint(forSecondWord: words.first ?? ""))
        }
    }

    private func export(_ shell: ShellContext, _ sessions: SessionStore) throws(ShaleError) -> Outcome {
        let path = words[1]
        if path == "-", shell.console.isTerminal(.output) {
            throw ShaleError(.usage, "refusing to export to a terminal", hint: "session export FILE", exitStatus: 1)
        }
        let session = try session(shell, sessions)
        let export = try SessionExport(session)
        try shell.withOperation(isQuiet: path == "-") { operation throws(ShaleError) in
            try ArchiveOutput.write(to: path, doing: "export session", shell) { sink throws(ShaleError) in
                try export.write(to: sink, operation)
            }
        }
        SessionTransfer(shell).tellWhatStays(export, where: "imported")
        if path == "-" { return .done }
        return .line(
            "exported session \(session.name) to \(path.visible): \(SessionTransfer.count(export.stateCount, "state")), "
                + SessionTransfer.count(export.imageCount, "image"))
    }

    /// The session that the third word names, or the one this shale is in.
    private func session(_ shell: ShellContext, _ sessions: SessionStore) throws(ShaleError) -> Session {
        let name = words.count > 2 ? words[2] : shell.options.session
        guard name != shell.options.session else { return try shell.session() }
        try require(name, sessions, in: shell.options.session)
        return try Session(named: name, in: sessions, engine: shell.engine())
    }

    private func importing(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        let path = words[1]
        let travel = SessionTransfer(shell)
        let file = path.split(separator: "/").last?.prefix { $0 != "." } ?? ""
        let naming = SessionTransfer.naming(words.count > 2 ? words[2] : nil, from: String(file))
        let (engine, sessions) = (try shell.engine(), try shell.sessions())
        let input = shell.input
        let result = try shell.withOperation { operation throws(ShaleError) in
            let subject = path == "-" ? "stdin" : path.visible
            let source = path == "-" ? try FDSource(duplicating: input, subject: subject) : try FDSource(opening: path)
            do throws(ShaleError) {
                return try SessionImport(engine, into: sessions, subject: subject).run(
                    source, naming: naming, namesWanted: travel.namesWanted(force: force, operation), operation)
            } catch {
                guard error.code == .conflict, path != "-" else { throw error }
                var error = error
                error.hint = "session import \(path.shellQuoted) NAME   (under another name)"
                throw error
            }
        }
        travel.tellNames(result)
        return .line(
            "imported session \(result.name): \(SessionTransfer.count(result.states, "state")), "
                + "\(SessionTransfer.count(result.images, "image")); \(travel.wayIn(result.name))")
    }

    private func require(_ name: String, _ sessions: SessionStore, in shellSession: String) throws(ShaleError) {
        // The session that this shale is in exists, even before its first line.
        if name == shellSession {
            _ = try sessions.folder(of: name)
            return
        }
        let names = try sessions.names()
        guard !names.contains(name) else { return }
        let near = Suggestion.nearest(to: name, among: names).first
        throw ShaleError(
            .notFound, "no session \"\(name.visible)\"", hint: near.map { "session switch \($0)" } ?? "session")
    }

    private func list(_ shell: ShellContext, _ sessions: SessionStore) throws(ShaleError) -> Outcome {
        var listing = Listing(
            columns: [
                .init("Current", ""), .init("Name", "NAME"), .init("Lines", "LINES"), .init("States", "STATES"),
                .init("Image", "@"), .init("Last", "LAST USED"),
            ],
            quietKey: "Name")
        var names = Swift.Set(try sessions.names())
        names.insert(shell.options.session)
        for name in names.sorted() {
            let session = try Session(named: name, in: sessions, engine: shell.engine())
            let last = session.lastUsed
            listing.rows.append(
                .members([
                    "Current": .string(name == shell.options.session ? "*" : ""), "Name": .string(name),
                    "Lines": .string(String(session.lineCount)),
                    "States": .string(String(session.tree.nodes.count)),
                    "Image": .string(session.working?.image?.short ?? ""),
                    "Last": .string(
                        last.map { HumanUnits.duration(seconds: Timestamp.now().seconds(since: $0)) + " ago" } ?? ""),
                ]))
        }
        return .listing(listing, format: format, quiet: quiet)
    }
}
