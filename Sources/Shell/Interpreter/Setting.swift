import Basics
import Diagnostics
import Registries

/// One of the settings there are: what it means, and which values it may have.
package struct Setting: Sendable {
    /// What a value is.
    private enum Kind: Sendable {
        /// One of these words.
        case words([String])
        /// A whole number, none below zero.
        case count
        /// `HOST=URL`.
        case mirror
        /// `HOST` or `HOST:PORT`.
        case host
        /// An http or https address.
        case address
        /// See ``PromptText``.
        case prompt
        /// A command of the host's shell.
        case program
    }

    package let name: String
    package let meaning: String
    private let kind: Kind
    /// Whether it may have several values at once.
    var isList: Bool {
        switch kind {
        case .mirror, .host: true
        case .words, .count, .address, .prompt, .program: false
        }
    }

    /// Every setting, in the order to list them.
    package static let all: [Setting] = [
        Setting("build.wording", .words(["seed", "moby"]), "seed: the course's words; moby: today's docker's"),
        Setting(
            "log.level", .words(LogLevel.allCases.map(\.rawValue)),
            "how much HOME/log keeps: --log-level for every shale"),
        Setting("offline", .words(["on", "off"]), "on: nothing is fetched"),
        Setting(
            "pager", .program, "what shows long output: a program with its options, or off; SHALE_PAGER goes before it"),
        Setting(
            "prompt", .prompt,
            "the prompt's text; \(PromptText.Part.allCases.map { "{\($0.rawValue)}" }.joined(separator: " ")) say where one is"
        ),
        Setting("registry.mirror", .mirror, "HOST=URL: ask URL for what lies at HOST"),
        Setting("registry.insecure", .host, "HOST: speak plain http to it"),
        Setting("search.endpoint", .address, "URL of the search service for Docker Hub"),
        Setting("teach", .words(["on", "off"]), "on: one line after each command about what it did"),
        Setting("undo.limit", .count, "how many states of a session prune leaves for undo"),
    ]

    private init(_ name: String, _ kind: Kind, _ meaning: String) {
        self.name = name
        self.kind = kind
        self.meaning = meaning
    }

    static func named(_ name: String) -> Setting? { all.first { $0.name == name } }

    /// Throws `usage` for a name that is no setting, with the nearest that is one.
    static func known(_ name: String) throws(ShaleError) -> Setting {
        if let setting = named(name) { return setting }
        let near = Suggestion.nearest(to: name, among: all.map(\.name)).first
        throw ShaleError(
            .usage, "no setting \"\(name.visible)\"",
            hint: near.flatMap { named($0) }.map { "set \($0.usage)" } ?? "set")
    }

    /// What follows `set`: `offline on|off`.
    var usage: String {
        switch kind {
        case .words(let words): "\(name) \(words.joined(separator: "|"))"
        case .count: "\(name) 100"
        case .mirror: "\(name) docker.io=http://127.0.0.1:5000"
        case .host: "\(name) registry.example:5000"
        case .address: "\(name) https://index.docker.io"
        case .prompt: "\(name) '\(PromptText.standard)'"
        case .program: "\(name) 'less -FRX'"
        }
    }

    /// The values it can have, where they can be listed.
    package var words: [String] { if case .words(let words) = kind { words } else { [] } }

    /// The value as it is kept; throws `usage` for one that cannot be right.
    func checked(_ value: String) throws(ShaleError) -> String {
        switch kind {
        case .words(let words):
            let word =
                Self.spellings[value.lowercased()].flatMap { words.contains($0) ? $0 : nil } ?? value.lowercased()
            guard words.contains(word) else { throw wrong(value, "one of: \(words.joined(separator: ", "))") }
            return word
        case .count:
            guard !value.isEmpty, value.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(value) else {
                throw wrong(value, "a whole number, 0 or more")
            }
            return String(number)
        case .mirror:
            do throws(ShaleError) {
                guard try !RegistryConfiguration.mirrors(parsing: value).isEmpty else {
                    throw wrong(value, "HOST=URL")
                }
            } catch {
                throw ShaleError(.usage, error.message, cause: error.cause, hint: "set \(usage)")
            }
            return value
        case .prompt:
            if let problem = PromptText.problem(in: value) { throw wrong(value, problem) }
            return value
        case .program:
            guard !value.trimmingBlanks.isEmpty, !value.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
                throw wrong(value, "a program with its options, or off")
            }
            return value
        case .host:
            guard RegistryConfiguration.isHost(value) else { throw wrong(value, "HOST or HOST:PORT, without http://") }
            return value
        case .address:
            do throws(ShaleError) {
                _ = try WebURL(value)
            } catch {
                throw wrong(value, "an http or https address")
            }
            return value
        }
    }

    private static let spellings = [
        "true": "on", "yes": "on", "1": "on", "false": "off", "no": "off", "0": "off",
    ]

    /// Whether a value takes the place of one of the values there are: a registry has one mirror.
    func replaces(_ value: String, _ old: String) -> Bool {
        guard case .mirror = kind else { return value == old }
        return value.prefix { $0 != "=" } == old.prefix { $0 != "=" }
    }

    private func wrong(_ value: String, _ wanted: String) -> ShaleError {
        ShaleError(.usage, "\(name) cannot be \"\(value.visible)\"", cause: wanted, hint: "set \(usage)")
    }
}
