import Basics
import Dockerfiles

/// A secret that was masked in a recipe.
package struct MaskedSecret: Sendable, Hashable {
    /// The line in the masked recipe, from 1.
    package var line: Int
    package var what: String
    /// The build argument that gives the value back; `nil` when the masked line cannot be built as it is.
    package var argument: String?

    /// The keyword of the instruction with the secret; empty for a comment.
    package var keyword: String

    /// A warning for the user; with `withLine` it names the line.
    package func warning(withLine: Bool) -> String {
        let subject = keyword.isEmpty ? "a comment" : keyword
        let place = withLine ? "line \(line) (\(subject))" : subject
        if let argument { return "\(place): \(what) is masked: build with --build-arg \(argument)=…" }
        return "\(place): \(what) is masked: give it as a build argument, or by RUN --mount=type=secret"
    }
}

extension Recipe {
    /// The recipe with all values masked that look secret, and the list of these secrets.
    ///
    /// `ENV` and `ARG` then take the value from a build argument of the same name. Other lines get a mask in its place.
    package var masked: (recipe: Recipe, secrets: [MaskedSecret]) {
        var recipe = self
        recipe.lines = []
        recipe.sources = []
        var secrets: [MaskedSecret] = []
        var number = 1
        func add(_ line: Line, _ found: [String], argument: String? = nil) {
            for what in found {
                secrets.append(MaskedSecret(line: number, what: what, argument: argument, keyword: line.keyword))
            }
            recipe.lines.append(line)
            number += line.height
        }
        for line in lines {
            switch line {
            case .comment(let text):
                let (masked, found) = Secrets.masked(text)
                add(.comment(masked), found)
            case .instruction(let text):
                if let (replaced, names) = Self.withArguments(text) {
                    for (index, replacement) in replaced.enumerated() {
                        guard index == replaced.count - 1 else {
                            recipe.lines.append(.instruction(replacement))
                            number += 1
                            continue
                        }
                        for name in names {
                            let what = "the value of \(name)"
                            secrets.append(
                                MaskedSecret(line: number, what: what, argument: name, keyword: line.keyword))
                        }
                        let (masked, found) = Secrets.masked(replacement)
                        add(.instruction(masked), found)
                    }
                } else {
                    let (masked, found) = withPinsKept(text)
                    add(.instruction(masked), found)
                }
            }
        }
        return (recipe, secrets)
    }

    /// A line with its secrets masked, but for the words that pinning wrote.
    private func withPinsKept(_ text: String) -> (text: String, found: [String]) {
        let words = Set(text.split { " \n'\"".contains($0) }.map(String.init))
        let kept = words.intersection(pins).sorted { ($1.utf8.count, $0) < ($0.utf8.count, $1) }
        guard !kept.isEmpty else { return Secrets.masked(text) }
        // A character for private use stands on both sides of each of them meanwhile.
        var marked = text
        for (index, word) in kept.enumerated() {
            marked = marked.replacing(word, with: "\u{E000}\(index)\u{E001}")
        }
        var (masked, found) = Secrets.masked(marked)
        for (index, word) in kept.enumerated() {
            masked = masked.replacing("\u{E000}\(index)\u{E001}", with: word)
        }
        return (masked, found)
    }

    /// Rewrites `ENV` and `ARG` with secret names so that build arguments give the values; `nil` when there are none.
    private static func withArguments(_ text: String) -> (lines: [String], names: [String])? {
        guard text.hasPrefix("ENV ") || text.hasPrefix("ARG "), let parsed = try? Instruction.parse(line: text) else {
            return nil
        }
        var names: [String] = []
        switch parsed.value {
        case .env(var pairs):
            for index in pairs.indices where isSecret(pairs[index].value, pairs[index].key) {
                names.append(pairs[index].key)
                pairs[index].value = "${\(pairs[index].key)}"
            }
            guard !names.isEmpty else { return nil }
            return (names.map { "ARG \($0)" } + [Instruction.env(pairs).printed()], names)
        case .arg(var argument):
            for index in argument.arguments.indices {
                let entry = argument.arguments[index]
                guard let value = entry.value, isSecret(value, entry.key) else { continue }
                names.append(entry.key)
                argument.arguments[index].value = nil
            }
            return names.isEmpty ? nil : ([Instruction.arg(argument).printed()], names)
        default: return nil
        }
    }

    private static func isSecret(_ value: String, _ name: String) -> Bool {
        guard Secrets.isNamed(name) else { return false }
        let bare = value.filter { $0 != "\"" && $0 != "'" }
        return !bare.isEmpty && !bare.hasPrefix("$") && !Secrets.isFingerprint(bare, named: name)
    }
}
