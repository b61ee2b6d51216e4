package import Basics

/// A Dockerfile that cannot be understood: where, why, and the line itself.
package struct DockerfileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The first line of the instruction at fault, counted from 1.
    package var line: Int
    /// Docker's words for what is wrong, without a position.
    package var message: String
    /// The line as it stands in the source, without its line ending.
    package var sourceLine: String?

    package init(line: Int, message: String, sourceLine: String? = nil) {
        self.line = line
        self.message = message
        self.sourceLine = sourceLine
    }

    package var description: String { "dockerfile parse error on line \(line): \(message)" }

    /// The same failure as a `ShaleError`, for other modules.
    package var shaleError: ShaleError { ShaleError(.invalid, description) }
}

/// What is wrong with one instruction, before its position is known.
struct Complaint: Error, Hashable {
    let message: String

    init(_ message: String) {
        self.message = message
    }

    /// The same words with the nearest of the known names, if one is within two edits.
    init(_ message: String, about word: String, among known: [String], caseSensitive: Bool = true) {
        let nearest = Nearest.name(to: word, among: known, caseSensitive: caseSensitive)
        self.message = nearest.map { "\(message) (did you mean \($0)?)" } ?? message
    }
}

enum Nearest {
    /// The known name within two edits of `word`, the first of the nearest; `nil` where the word itself is known.
    static func name(to word: String, among known: [String], caseSensitive: Bool = true) -> String? {
        // A word longer than every name by more than the bound cannot be near one; distances cost length squared.
        guard word.utf8.count <= 64 else { return nil }
        let wanted = caseSensitive ? word : word.lowercased()
        var best: (name: String, distance: Int)?
        for name in known {
            let candidate = caseSensitive ? name : name.lowercased()
            if candidate == wanted { return nil }
            let distance = Suggestion.distance(wanted, candidate)
            if distance < best?.distance ?? 3 { best = (candidate, distance) }
        }
        guard let best else { return nil }
        return !caseSensitive && word == word.uppercased() ? best.name.uppercased() : best.name
    }
}
