import Basics
import Linux
import Sessions
import ShellLanguage
import Stores

/// What a session that came from elsewhere would have to be trusted for, if its lines were typed again: shown before
/// anyone enters it.
struct SessionContents {
    private enum Kind: Int, CaseIterable {
        case host, mounts, privileges, settings

        var words: String {
            switch self {
            case .host: "host commands"
            case .mounts: "mounts"
            case .privileges: "privileges"
            case .settings: "settings"
            }
        }
    }

    /// Lines shown of a kind, and letters of each.
    private static let shownLines = 3
    private static let shownLetters = 100

    private var found: [Kind: [String]] = [:]
    private var hiding: [String] = []

    /// `environment` is what variables of the session would stand before.
    init(_ session: Session, in sessions: SessionStore, environment: [String: String]) {
        let parser = LineParser()
        for entry in session.entries {
            // A line that cannot be read is never run again.
            for statement in (try? parser.statements(in: entry.line)) ?? [] {
                for kind in Self.kinds(of: statement) { found[kind, default: []].append(entry.line) }
            }
        }
        let kept = SessionVariables.read("\(sessions.path(of: session.name))/\(SessionVariables.fileName)")
        hiding = kept.keys.filter { environment[$0] != nil && $0 != "_" }.sorted()
    }

    /// For each kind one line, followed by the lines of the session of that kind; nothing when there are none.
    var lines: [String] {
        var lines: [String] = []
        for kind in Kind.allCases {
            guard let typed = found[kind] else { continue }
            lines.append("  \(kind.words): \(typed.count)")
            for line in typed.prefix(Self.shownLines) {
                let text = line.visible
                lines.append("    " + (text.count > Self.shownLetters ? text.prefix(Self.shownLetters) + "…" : text))
            }
            if typed.count > Self.shownLines { lines.append("    and \(typed.count - Self.shownLines) more") }
        }
        if !hiding.isEmpty {
            lines.append(
                "  variables that stand before the host's own: \(hiding.map(\.visible).joined(separator: ", "))")
        }
        if lines.isEmpty { return [] }
        return ["it was not made here; of this nothing is done unless you type it again:"] + lines
    }

    private static func kinds(of statement: Statement) -> Set<Kind> {
        switch statement.body {
        case .host: return [.host]
        case .assignment(let assignment):
            switch assignment.source {
            case .host: return [.host]
            case .command(let command): return kinds(of: command)
            }
        case .command(let command): return kinds(of: command)
        case .step, .recall: return []
        }
    }

    private static func kinds(of command: Command) -> Set<Kind> {
        var kinds: Set<Kind> = []
        if command.pipeline != nil || command.redirections.contains(where: touchesHost) { kinds.insert(.host) }
        let verb = command.words.first?.plain ?? ""
        if settingVerbs.contains(verb) { kinds.insert(.settings) }
        let end = ContainerWords.start(in: command.words) { _ in nil }
        let options = command.words[..<end].dropFirst().map { $0.constant ?? $0.source }
        for (place, option) in options.enumerated() {
            let name = String(option.prefix { $0 != "=" })
            if mountOptions.contains(name) || (option.hasPrefix("-v") && !option.hasPrefix("--")) {
                kinds.insert(.mounts)
            }
            if privilegeOptions.contains(name) { kinds.insert(.privileges) }
            let value =
                option == name ? options.dropFirst(place + 1).first ?? "" : String(option.dropFirst(name.count + 1))
            if hostOptions.contains(name), value.hasPrefix("host") { kinds.insert(.privileges) }
        }
        return kinds
    }

    private static func touchesHost(_ redirection: Redirection) -> Bool {
        switch redirection {
        case .output, .errors, .both, .input: true
        case .errorsToOutput, .outputToErrors, .hereDocument, .hereString: false
        }
    }

    private static let settingVerbs: Set<String> = ["set", "alias", "source"]
    private static let mountOptions: Set<String> = ["-v", "--volume", "--mount", "--volumes-from"]
    private static let privilegeOptions: Set<String> = [
        "--privileged", "--cap-add", "--device", "--security-opt", "--allow",
    ]
    /// Options that give a container something of the host's by the value `host`.
    private static let hostOptions: Set<String> = ["--network", "--net", "--pid", "--ipc", "--uts", "--userns"]
}
