package import Basics

/// Replaces variables in an instruction's words and takes their quotes off, as BuildKit's shell lexer does.
///
/// `$x`, `${x}`, `${x:-w}` `${x-w}`, `${x:+w}` `${x+w}`, `${x:?w}` `${x?w}`, `${x#p}` `${x##p}` `${x%p}` `${x%%p}`,
/// `${x/p/r}` and `${x//p/r}`; single quotes keep everything, double quotes all but variables and escapes.
package struct WordExpander: Sendable {
    /// The result of expanding a word.
    package struct Expansion: Sendable, Hashable {
        package var text: String
        /// Names that were asked for and are set.
        package var matched: Set<String>
        /// Names that were asked for and are not set.
        package var unmatched: Set<String>
    }

    /// What stays as written.
    struct Keeping: OptionSet, Sendable {
        let rawValue: Int
        /// Quotes stay around what they quote.
        static let quotes = Keeping(rawValue: 1)
        /// Escape characters stay before what they escape.
        static let escapes = Keeping(rawValue: 2)
        /// Variables that are not set stay as they are.
        static let unset = Keeping(rawValue: 4)
        /// Quotes mean nothing (the body of a heredoc).
        static let quotesAsText = Keeping(rawValue: 8)
    }

    private let escape: Unicode.Scalar
    private let lookup: @Sendable (String) -> String?
    private let keeping: Keeping

    /// Asks `lookup` for each name; `nil` means not set.
    package init(escape: Unicode.Scalar = "\\", lookup: @escaping @Sendable (String) -> String?) {
        self.init(escape: escape, keeping: [], lookup: lookup)
    }

    package init(escape: Unicode.Scalar = "\\", environment: [String: String]) {
        self.init(escape: escape, keeping: []) { environment[$0] }
    }

    init(
        escape: Unicode.Scalar = "\\", keeping: Keeping, lookup: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.escape = escape
        self.keeping = keeping
        self.lookup = lookup
    }

    /// The same variables, for the body of a heredoc, where quotes are text.
    package var forHeredocs: WordExpander {
        WordExpander(escape: escape, keeping: .quotesAsText, lookup: lookup)
    }

    /// One word, however many spaces its variables bring.
    ///
    /// Throws `.invalid` for an open quote or brace, an unknown modifier, and a variable that `?` demands.
    package func expand(_ word: String) throws(ShaleError) -> Expansion {
        let (lexer, result) = try lexed(word)
        return Expansion(text: result.text, matched: lexer.matched, unmatched: lexer.unmatched)
    }

    /// The words that a word becomes: unquoted spaces, those from variables too, separate them.
    ///
    /// Throws `invalid` for a word that cannot be expanded.
    package func expandWords(_ word: String) throws(ShaleError) -> [String] {
        try lexed(word).1.words
    }

    private func lexed(_ word: String) throws(ShaleError) -> (WordLexer, WordLexer.Result) {
        var lexer = WordLexer(Array(word.unicodeScalars), escape: escape, keeping: keeping, lookup: lookup)
        do throws(Complaint) {
            let result = try lexer.result()
            return (lexer, result)
        } catch {
            throw ShaleError(.invalid, "failed to process \(goQuoted(word)): \(error.message)")
        }
    }
}
