import Basics

/// The `# name=value` lines at the very top of a Dockerfile.
struct DirectiveScanner {
    static let known: Set<String> = ["syntax", "escape", "check"]

    /// What starts a comment: `#`, or `//` where another front end's file is looked at.
    var comment: [Unicode.Scalar] = ["#"]
    private(set) var seen: [String: String] = [:]
    private var isDone = false

    /// The directive that a line is, if directives may still come; the first line that is none ends them.
    mutating func read(_ line: some BidirectionalCollection<Unicode.Scalar>) throws(Complaint) -> (
        name: String, value: String
    )? {
        guard !isDone else { return nil }
        guard let (name, value) = Self.parse(line, comment: comment), Self.known.contains(name) else {
            isDone = true
            return nil
        }
        guard seen[name] == nil else { throw Complaint("only one \(name) parser directive can be used") }
        seen[name] = value
        return (name, value)
    }

    private static func parse(
        _ line: some BidirectionalCollection<Unicode.Scalar>, comment: [Unicode.Scalar]
    ) -> (String, String)? {
        guard line.starts(with: comment) else { return nil }
        let body = Array(line.dropFirst(comment.count).trimmed)
        guard let equals = body.firstIndex(of: "=") else { return nil }
        let name = body[..<equals].trimmed
        let value = body[(equals + 1)...].trimmed
        guard let first = name.first, first.isASCII, first.isLetter, !value.isEmpty,
            name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isDigit) })
        else { return nil }
        return (String(name).lowercased(), String(value))
    }
}

/// A directive found by looking at a file from outside, as a build front end is chosen.
package struct Directive: Sendable, Hashable {
    /// The first word: a front end's image, a rule list.
    package var reference: String
    /// The whole value.
    package var value: String
    /// The line, counted from 1.
    package var line: Int

    /// The `syntax` of a file in any notation: `# syntax=`, `// syntax=` or a JSON object, below an optional `#!` line.
    package static func syntax(of text: String) -> Directive? {
        if let found = named("syntax", in: text) ?? named("syntax", in: text, comment: ["/", "/"]) { return found }
        let (body, skipped) = withoutPreamble(text)
        guard let value = JSONDocument(body)?["syntax"]?.string else { return nil }
        return Directive(reference: value, value: value, line: skipped + 1)
    }

    /// The directive `name` written as `# name=value`, below an optional `#!` line.
    package static func named(_ name: String, in text: String) -> Directive? {
        named(name, in: text, comment: ["#"])
    }

    private static func named(_ name: String, in text: String, comment: [Unicode.Scalar]) -> Directive? {
        let (body, skipped) = withoutPreamble(text)
        var scanner = DirectiveScanner()
        scanner.comment = comment
        var number = skipped
        for line in body.split(separator: "\n", omittingEmptySubsequences: false) {
            number += 1
            guard let found = try? scanner.read(line.trimmedLeft) else { return nil }
            guard found.name == name else { continue }
            let first = found.value.unicodeScalars.prefix { $0 != " " }
            return Directive(reference: String(first), value: found.value, line: number)
        }
        return nil
    }

    /// The text without a byte order mark and a `#!` line, and how many lines that took.
    private static func withoutPreamble(_ text: String) -> (Scalars, lines: Int) {
        var scalars = Array(text.unicodeScalars)[...]
        if scalars.first == "\u{feff}" { scalars.removeFirst() }
        guard scalars.starts(with: "#!".unicodeScalars) else { return (Array(scalars), 0) }
        guard let end = scalars.firstIndex(of: "\n") else { return ([], 1) }
        return (Array(scalars[(end + 1)...]), 1)
    }
}
