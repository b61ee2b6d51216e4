import Basics
import LineEditing

/// Tab and F1 while stepping: its own words first, then what shale completes.
struct StepCompleter: Completer {
    let base: any Completer
    /// What the paths of `ls /etc` lie in: an image or a container; `nil` where there is neither yet.
    let subject: () -> String?

    func completions(for text: String) -> Completions {
        let end = text.unicodeScalars.count
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        let isFirst = words.count <= 1 && !text.hasSuffix(" ")
        if isFirst {
            let own = StepCommand.table.filter { $0.names[0].hasPrefix(text) }
                .map { Candidate($0.names[0], summary: $0.summary) }
            if !own.isEmpty { return Completions(own, span: 0..<end) }
        } else if ["break", "b", "clear"].contains(words.first ?? "") {
            let prefix = text.hasSuffix(" ") ? "" : String(words.last ?? "")
            let all = ["on-fail", "RUN", "COPY", "ADD", "FROM", "ENV", "WORKDIR"]
            let found = all.filter { $0.hasPrefix(prefix) }.map { Candidate($0) }
            return Completions(found, span: end - prefix.unicodeScalars.count..<end)
        }
        return inState(text) ?? base.completions(for: text)
    }

    /// Paths of the state so far; `nil` where the word at the cursor is none.
    private func inState(_ text: String) -> Completions? {
        let word = String(text.reversed().prefix { $0 != " " }.reversed())
        guard word.hasPrefix("/"), let subject = subject(),
            let asked = try? StatePaths.resolved(text, below: subject), asked.hasSuffix("\(subject):\(word)")
        else { return nil }
        var found = base.completions(for: asked)
        let end = text.unicodeScalars.count
        let length = found.span.count
        // Either the word from its beginning is replaced, or its last part.
        if length > word.unicodeScalars.count {
            let prefix = "\(subject):"
            for index in found.candidates.indices where found.candidates[index].insertion.hasPrefix(prefix) {
                found.candidates[index].insertion.removeFirst(prefix.count)
            }
            found.span = end - word.unicodeScalars.count..<end
        } else {
            found.span = end - length..<end
        }
        return found
    }

    func hint(for text: String) -> String? {
        let word = String(text.prefix { $0 != " " })
        guard let entry = StepCommand.table.first(where: { $0.names.contains(word) }) else {
            return base.hint(for: text)
        }
        return text.contains(" ") ? nil : String(entry.usage.dropFirst(entry.names[0].count)).trimmingBlanks
    }

    func help(for text: String) -> String? { StepLoop.helpText }
}
