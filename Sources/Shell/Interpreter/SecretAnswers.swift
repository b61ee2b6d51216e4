import Basics
import Glibc
import Rendering

/// Puts the secrets back into lines that were kept without them: from `--var`, a variable, or the user's answer.
///
/// A line with `***` in a secret's place never runs unchanged: that would set a password to `***`.
final class SecretAnswers {
    private let shell: ShellContext
    /// The file that is replayed, for the way on.
    private let replayed: String?
    private var known: [String: String] = [:]
    /// How many secrets without a name there were so far.
    private var nameless = 0

    init(_ shell: ShellContext, replayed: String? = nil) {
        self.shell = shell
        self.replayed = replayed
    }

    /// The text with its secrets; the same text where none is masked.
    func filled(_ text: String, line: Int? = nil) throws(ShaleError) -> String {
        // Most lines have no masked secret.
        guard text.contains(Secrets.mask) else { return text }
        let masked = Secrets.find(in: text).filter(\.isMask)
        var values: [Secrets.Found: String] = [:]
        for secret in masked { values[secret] = try value(of: secret, text, line: line) }
        return Secrets.replacing(masked, in: text) { secret in secret.spelled(values[secret] ?? Secrets.mask) }
    }

    private func value(of secret: Secrets.Found, _ text: String, line: Int?) throws(ShaleError) -> String {
        var name = secret.name
        if name == nil {
            nameless += 1
            name = nameless == 1 ? "password" : "password\(nameless)"
        }
        let named = name ?? "password"
        if let value = known[named] ?? shell.variables[named] { return value }
        let place = line.map { "line \($0): " } ?? ""
        guard isatty(shell.input) == 1, shell.console.isTerminal(.errors) else {
            let way = replayed.map { "replay \($0.visible) --var \(named)=VALUE" } ?? "type it again, with the value"
            throw ShaleError(
                .invalid,
                "\(place)the value of \(named) was masked (***) when this was kept, and is not known: "
                    + Self.firstLine(text), hint: way)
        }
        let answer = try SecretInput(descriptor: shell.input).ask(
            "\(place)\(Self.firstLine(text))\n\(named): ", console: shell.console, isHidden: true)
        guard !answer.isEmpty else {
            throw ShaleError(.cancelled, "\(place)no value was given for \(named)")
        }
        known[named] = answer
        return answer
    }

    private static func firstLine(_ text: String) -> String {
        let lines = text.split(separator: "\n")
        let line = lines.first { $0.contains(Secrets.mask) } ?? lines.first ?? ""
        return String(line).visible
    }
}
