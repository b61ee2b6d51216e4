import Basics
import Rendering
import ShellLanguage

/// What a line of a handout would do outside of containers and of the home that the test runs in.
///
/// A handout may be a stranger's: nothing of the kind is done unless the person who tests it allows it.
struct HandoutReach {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    /// Throws `denied` with the first line that reaches out.
    func check(_ lines: [ReplaySource.Line], of path: String) throws(ShaleError) {
        for line in lines {
            // A line that cannot be read is not run.
            guard case .success(let statements) = line.statements else { continue }
            for statement in statements {
                guard let reason = reason(statement) else { continue }
                let text = statement.source.split(separator: "\n").first.map(String.init) ?? ""
                throw ShaleError(
                    .denied, "\(path.visible):\(line.number): \(text.visible.ellipsis(60))", cause: reason,
                    hint: "read the file; test --allow-host \(path.shellQuoted)   (where you trust it)")
            }
        }
    }

    private func reason(_ statement: Statement) -> String? {
        if HostFiles.meant(by: statement, shell) != nil { return Self.host }
        switch statement.body {
        case .host, .recall: return Self.host
        case .step: return nil
        case .command(let command): return reason(command)
        case .assignment(let assignment):
            switch assignment.source {
            case .host: return Self.host
            case .command(let command): return reason(command)
            }
        }
    }

    private static let host = "it runs a command of this machine"
    private static let outside = "it writes or reads outside of the test's own home"

    private func reason(_ command: Command) -> String? {
        if command.pipeline != nil { return Self.host }
        for redirection in command.redirections {
            switch redirection {
            case .output, .errors, .both, .input: return Self.outside
            case .errorsToOutput, .outputToErrors, .hereDocument, .hereString: break
            }
        }
        let hasSubstitution = command.words.contains { word in
            word.parts.contains { if case .substitution = $0 { true } else { false } }
        }
        if hasSubstitution { return Self.host }
        return reason(command.words)
    }

    private func reason(_ words: [Word]) -> String? {
        let texts = words.map { $0.constant ?? $0.source }
        if let start = InnerCommand.start(in: texts), start < words.count { return reason(Array(words[start...])) }
        guard let verb = texts.first else { return nil }
        if shell.aliases[verb] != nil || Self.verbs.contains(verb) { return Self.outside }
        if let kind = Self.secondWords[verb], texts.dropFirst().contains(where: { kind.contains($0) }) {
            return Self.outside
        }
        let end = ContainerWords.start(in: words) { _ in nil }
        let options = Array(texts[..<end].dropFirst())
        for (place, option) in options.enumerated() where option.hasPrefix("-") {
            let name = String(option.prefix { $0 != "=" })
            let next = options.dropFirst(place + 1).first ?? ""
            let value = option == name ? next : String(option.dropFirst(name.count + 1))
            if Self.options.contains(name) { return Self.outside }
            if Self.hostOptions.contains(name), value.hasPrefix("host") { return Self.outside }
            if name == "--volume" || name == "--mount", Self.isOfHost(value) { return Self.outside }
            guard !option.hasPrefix("--") else { continue }
            // `-itv /:/x` and `-v/:/x` as well as `-v /:/x`.
            for flag in option.dropFirst().indices where option[flag] == "v" || option[flag] == "o" {
                let rest = option[option.index(after: flag)...].drop { $0 == "=" }
                if option[flag] == "o" { return Self.outside }
                if Self.isOfHost(rest.isEmpty ? next : String(rest)) { return Self.outside }
            }
        }
        return nil
    }

    /// Whether a mount is of a folder of this machine, and not of a volume.
    private static func isOfHost(_ value: String) -> Bool {
        value.contains("bind") || (value.first.map { "/.~$\"'".contains($0) } ?? false) || value.contains("source=/")
            || value.contains("src=/")
    }

    private static let verbs: Set<String> = [
        "push", "delete", "copy", "save", "load", "export", "import", "cp", "login", "logout", "record", "replay",
        "source", "test", "alias", "cd", "completions",
    ]
    /// Words behind a verb that make it reach out.
    private static let secondWords: [String: Set<String>] = [
        "recipe": ["save", "-o", "--output"], "session": ["export", "import", "push", "pull"], "manifest": ["push"],
        "set": ["pager"],
    ]
    private static let options: Set<String> = [
        "--output", "--html", "--extract", "--privileged", "--device", "--cap-add", "--security-opt", "--allow",
        "--cidfile", "--iidfile", "--metadata-file", "--cache-to", "--secret", "--ssh", "--env-file", "--label-file",
        "--push", "--volumes-from", "--base-config",
    ]
    /// Options that give a container something of the host's by the value `host`.
    private static let hostOptions: Set<String> = ["--network", "--net", "--pid", "--ipc", "--uts", "--userns"]
}
