import Basics
import OCI

/// Lines of the stepping prompt that look at files: `/etc` in `ls /etc` is a path of the state so far.
enum StatePaths {
    private static let verbs: Set<String> = ["ls", "cat", "tree", "find", "stat", "du", "grep"]

    /// For `help`.
    static let usage = "ls, cat, tree, find, stat, du, grep … /PATH"
    static let summary = "look at the files of the state so far, or of the failed container"

    /// The line with its absolute paths, and `@`, below `subject`, an image or a container; `nil` where there is
    /// neither.
    ///
    /// Throws `notFound` for a line that looks where nothing is yet.
    static func resolved(_ line: String, below subject: String?) throws(ShaleError) -> String {
        var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard let first = words.firstIndex(where: { !$0.isEmpty }), verbs.contains(words[first]) else { return line }
        // What follows a redirection or a pipe is the host's; a pattern is no path.
        let end = words.firstIndex { "|><;&".contains($0.first ?? " ") } ?? words.endIndex
        let operands = words.indices[(first + 1)..<end].filter { !words[$0].isEmpty && !words[$0].hasPrefix("-") }
        for index in operands.dropFirst(words[first] == "grep" ? 1 : 0) {
            let word = words[index]
            guard let path = path(word) else { continue }
            guard let subject else { throw ShaleError(.notFound, "there is no image yet to look into", hint: "next") }
            words[index] = "\(subject):\(path)"
        }
        return words.joined(separator: " ")
    }

    /// The path a word names in the state; `nil` for another word.
    private static func path(_ word: String) -> String? {
        if word == "@" { return "/" }
        if word.hasPrefix("@:/") { return String(word.dropFirst(2)) }
        return word.hasPrefix("/") ? word : nil
    }
}
