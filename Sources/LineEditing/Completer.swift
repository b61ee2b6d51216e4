/// One way to complete a line.
package struct Candidate: Sendable, Equatable {
    /// What takes the place of the span, quoted as the line needs it.
    package var insertion: String
    /// What a list shows: the plain name.
    package var display: String
    /// One line on what it is; may be empty.
    package var summary: String
    /// Whether a space follows when it is the only one: not after a directory or `--flag=`.
    package var isWhole: Bool

    package init(_ insertion: String, display: String? = nil, summary: String = "", isWhole: Bool = true) {
        self.insertion = insertion
        self.display = display ?? insertion
        self.summary = summary
        self.isWhole = isWhole
    }
}

/// What can stand at the cursor.
package struct Completions: Sendable, Equatable {
    /// In the order to show them.
    package var candidates: [Candidate]
    /// The part of the line they replace, in Unicode scalars; it ends at the cursor.
    package var span: Range<Int>

    package init(_ candidates: [Candidate] = [], span: Range<Int>) {
        self.candidates = candidates
        self.span = span
    }

    /// The longest text that every candidate's insertion starts with.
    package var commonPrefix: String {
        guard let first = candidates.first else { return "" }
        var common = Array(first.insertion.unicodeScalars)
        for candidate in candidates.dropFirst() {
            let same = zip(common, candidate.insertion.unicodeScalars).prefix { $0 == $1 }.count
            common.removeLast(common.count - same)
        }
        return String(String.UnicodeScalarView(common))
    }
}

/// Returns what can stand at the cursor.
package protocol Completer {
    /// What can stand at the end of a text.
    ///
    /// - Parameter text: The line, and the lines it continues, up to the cursor.
    /// - Returns: Candidates, and the part of `text` they replace.
    func completions(for text: String) -> Completions

    /// The rest of the usage, to show at the right while one types; `nil` for nothing.
    func hint(for text: String) -> String?

    /// Help on the word at the cursor, in lines (F1); `nil` for none.
    func help(for text: String) -> String?
}

extension Completer {
    package func hint(for text: String) -> String? { nil }
    package func help(for text: String) -> String? { nil }
}
