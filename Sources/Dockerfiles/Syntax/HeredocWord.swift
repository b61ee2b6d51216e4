import Basics

/// Words of the form `<<NAME`, `<<-NAME`, `3<<'NAME'`.
enum HeredocWord {
    /// The heredocs that an instruction's line begins, in order, still without content.
    static func all(in line: Scalars) throws(Complaint) -> [Heredoc] {
        let lexer = WordExpander(keeping: [.quotes, .escapes, .unset])
        // A line that no shell can split has no heredocs: the shell will report the error.
        guard let words = try? lexer.expandWords(String(line)) else { return [] }
        var found: [Heredoc] = []
        for word in words {
            if let heredoc = try parse(word) { found.append(heredoc) }
        }
        return found
    }

    /// The heredoc that a word begins, or `nil` for any other word.
    static func parse(_ word: String) throws(Complaint) -> Heredoc? {
        let scalars = word.unicodeScalars
        let digits = scalars.prefix { ("0"..."9").contains($0) }
        var rest = scalars.dropFirst(digits.count)
        guard rest.starts(with: "<<".unicodeScalars) else { return nil }
        rest = rest.dropFirst(2)
        let chomp = rest.first == "-"
        if chomp { rest = rest.dropFirst() }
        guard !rest.isEmpty, !rest.contains("<") else { return nil }
        let text = String(rest)
        do throws(ShaleError) {
            let plain = try WordExpander(keeping: .unset).expandWords(text)
            guard plain.count == 1, let name = plain.first else { return nil }
            let quoted = try WordExpander(keeping: [.quotes, .unset]).expandWords(text)
            guard quoted.count == 1, let spelled = quoted.first else { return nil }
            return Heredoc(
                name: name, content: "", expand: quotes(name) == quotes(spelled), chomp: chomp,
                descriptor: Int(String(digits)) ?? 0)
        } catch {
            throw Complaint(error.message)
        }
    }

    private static func quotes(_ text: String) -> Int {
        text.unicodeScalars.count { $0 == "'" || $0 == "\"" }
    }
}
