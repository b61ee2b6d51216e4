import Basics
import Diagnostics
import ShellLanguage

/// The printed form of a trace: how long each part of a command took.
struct TraceText {
    private let tree: SpanTree
    private let words: [String]
    private let status: Int32
    private let home: String

    /// `home` is where the store lies: in the table its paths begin below it.
    init(_ tree: SpanTree, words: [String], status: Int32, home: String) {
        self.tree = tree
        self.words = words
        self.status = status
        self.home = home
    }

    // MARK: For a person

    /// One line for each span, with its time in milliseconds and as a percentage of the whole.
    var table: String {
        var text = "\n        ms   share  \(title.visible)\n"
        for node in tree.nodes { append(node, depth: 0, to: &text) }
        text += line(tree.unaccounted, "not accounted for")
        return text + line(tree.total, "total")
    }

    /// The command as it is typed.
    private var title: String {
        let isStep = words.first.map(StepKeyword.starts) ?? false
        let text = (isStep ? words : words.map(\.shellQuoted)).joined(separator: " ")
        return Secrets.masked(text).text
    }

    private func append(_ node: SpanTree.Node, depth: Int, to text: inout String) {
        let count = node.count > 1 ? " (\(node.count) times)" : ""
        let indent = String(repeating: "  ", count: depth)
        let mark = node.isBeside ? "| " : ""
        let what = Self.shortened(Secrets.masked(node.what, isProse: true).text, home: home).visible
        text += line(node.duration, "\(indent)\(mark)\(node.subject.rawValue): \(what)\(count)")
        for child in node.children { append(child, depth: depth + 1, to: &text) }
    }

    /// With ids of 12 digits, and paths of the home as they go on below it; the folder of one process in `ingest` and
    /// that of the runner's program are left out.
    private static func shortened(_ what: String, home: String) -> String {
        Identifier.shortened(in: what).split(separator: " ", omittingEmptySubsequences: false)
            .map { shortened(path: String($0), home: home) }.joined(separator: " ")
    }

    private static func shortened(path: String, home: String) -> String {
        if path.hasSuffix("/shale-runner") { return "shale-runner" }
        guard path.hasPrefix(home + "/") else { return path }
        var parts = path.dropFirst(home.count + 1).split(separator: "/")
        if parts.first == "ingest", parts.count > 2 { parts.remove(at: 1) }
        return parts.joined(separator: "/")
    }

    private func line(_ nanoseconds: UInt64, _ what: String) -> String {
        let milliseconds = Milliseconds.text(Double(nanoseconds) / 1e6)
        return "\(right(milliseconds, 10))\(right(share(nanoseconds), 6)) %  \(what)\n"
    }

    private func share(_ nanoseconds: UInt64) -> String {
        guard tree.total > 0 else { return "0" }
        return String(Int((Double(nanoseconds) * 100 / Double(tree.total)).rounded()))
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }

    // MARK: For a program

    /// One document on one line; times in nanoseconds.
    var json: String {
        let document = JSONDocument.members([
            "Command": .array(words.map { .string(Secrets.masked($0).text) }),
            "Status": .integer(Int64(status)), "Total": whole(tree.total), "Unaccounted": whole(tree.unaccounted),
            "Spans": .array(tree.nodes.map(document)),
        ])
        return document.text() + "\n"
    }

    private func document(_ node: SpanTree.Node) -> JSONDocument {
        .members([
            "Subject": .string(node.subject.rawValue), "What": .string(Secrets.masked(node.what, isProse: true).text),
            "Duration": whole(node.duration), "Count": .integer(Int64(node.count)), "Beside": .bool(node.isBeside),
            "Spans": .array(node.children.map(document)),
        ])
    }

    private func whole(_ nanoseconds: UInt64) -> JSONDocument { .integer(Int64(clamping: nanoseconds)) }
}
