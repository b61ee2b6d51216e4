import Basics

/// Quotes text so that the language reads it back as it is.
package enum ShellQuoting {
    /// The text as a word, in the quote that is open, closed again when the word is whole.
    package static func quoted(_ text: String, _ quote: CompletionContext.Quote, isWhole: Bool) -> String {
        switch quote {
        case .none: return word(text)
        case .single: return "'" + text.replacing("'", with: "'\\''") + (isWhole ? "'" : "")
        case .double:
            let escaped = text.reduce(into: "") { out, character in
                if "\"\\$`".contains(character) { out += "\\" }
                out.append(character)
            }
            return "\"" + escaped + (isWhole ? "\"" : "")
        }
    }

    /// The text as an unquoted word, with `\` before what means something.
    package static func word(_ text: String) -> String {
        if text.isEmpty { return "''" }
        // A newline cannot be escaped, only quoted.
        if text.contains("\n") { return text.singleQuoted }
        var out = ""
        for (index, character) in text.enumerated() {
            let isSpecial = " \t'\"\\$;&|<>*?[]`".contains(character)
            let isSpecialInFront = index == 0 && "#~!".contains(character) && text.dropFirst().first != "/"
            if isSpecial || isSpecialInFront { out += "\\" }
            out.append(character)
        }
        return out
    }
}
