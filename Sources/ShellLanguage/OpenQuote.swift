import Basics

extension CompletionContext.Quote {
    /// The text as a word, in the quote that is open, closed again when the word is whole.
    package func quoting(_ text: String, isWhole: Bool) -> String {
        switch self {
        case .none: return text.shellEscaped
        case .single: return isWhole ? text.singleQuoted : String(text.singleQuoted.dropLast())
        case .double:
            let escaped = text.reduce(into: "") { out, character in
                if "\"\\$`".contains(character) { out += "\\" }
                out.append(character)
            }
            return "\"" + escaped + (isWhole ? "\"" : "")
        }
    }
}
