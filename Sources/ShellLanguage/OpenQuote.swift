import Basics

extension CompletionContext.Quote {
    /// The text as a word inside the open quote; the quote is closed when the word is complete.
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
