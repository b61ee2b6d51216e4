package import ArgumentParser
package import Basics
import Engine
import Linux
import OCI
import Sessions
import Stores

/// `session`: named sessions, each with its journal, working image and states.
package struct SessionCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "session", abstract: "List, make, switch, rename or remove sessions",
        usage: """
            session [list]
            session new NAME
            session switch NAME
            session rename OLD NEW
            session rm NAME…
            """)
    package static let isWorthKeeping = false
    package static let examples = ["session", "session new lesson-2", "session switch default"]
    package static let differences = ["Docker has none: it does not know who typed what, or when."]

    @Argument(help: "list, new, switch, rename or rm, and names.") var words: [String] = []
    @Option(help: "json, or a template.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let store = try shell.engine().store
        switch (words.first ?? "list", words.count) {
        case ("list", 0...1): return try list(shell, store)
        case ("new", 2):
            guard try !store.sessionNames().contains(words[1]) else {
                throw ShaleError(
                    .conflict, "session \(words[1].visible) exists already", hint: "session switch \(words[1].visible)")
            }
            _ = try store.session(words[1])
            shell.enter(session: words[1])
            return .done
        case ("switch", 2):
            try require(words[1], store)
            shell.enter(session: words[1])
            return .done
        case ("rename", 3):
            try require(words[1], store)
            try SessionArchive.rename(words[1], to: words[2], in: store)
            if shell.options.session == words[1] { shell.enter(session: words[2]) }
            return .done
        case ("rm", 2...):
            for name in words.dropFirst() {
                try require(name, store)
                guard name != shell.options.session else {
                    throw ShaleError(
                        .inUse, "session \(name.visible) is the one you are in", hint: "session switch default")
                }
                try SessionArchive.remove(name, in: store)
            }
            return .lines(Array(words.dropFirst()))
        case ("export", _), ("import", _):
            throw ShaleError(.unsupported, "session \(words[0]) is not there yet")
        default: throw ShaleError(.usage, "session: wrong usage", hint: "help session")
        }
    }

    private func require(_ name: String, _ store: Store) throws(ShaleError) {
        let names = try store.sessionNames()
        guard !names.contains(name) else { return }
        let near = Suggestion.nearest(to: name, among: names).first
        throw ShaleError(
            .notFound, "no session \"\(name.visible)\"", hint: near.map { "session switch \($0)" } ?? "session")
    }

    private func list(_ shell: ShellContext, _ store: Store) throws(ShaleError) -> Outcome {
        var listing = Listing(
            columns: [
                .init("Current", ""), .init("Name", "NAME"), .init("Lines", "LINES"), .init("States", "STATES"),
                .init("Image", "@"), .init("Last", "LAST USED"),
            ],
            quietKey: "Name")
        var names = Swift.Set(try store.sessionNames())
        names.insert(shell.options.session)
        for name in names.sorted() {
            let session = try Session(named: name, engine: shell.engine())
            let last = session.entries.last?.time
            listing.rows.append(
                .members([
                    "Current": .string(name == shell.options.session ? "*" : ""), "Name": .string(name),
                    "Lines": .string(String(session.entries.count)),
                    "States": .string(String(session.tree.nodes.count)),
                    "Image": .string(session.working?.image?.short ?? ""),
                    "Last": .string(
                        last.map { HumanUnits.duration(seconds: Timestamp.now().seconds(since: $0)) + " ago" } ?? ""),
                ]))
        }
        return .listing(listing, format: format)
    }
}
