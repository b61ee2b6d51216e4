import Basics

/// What the prompt says: a text in which words in braces stand for where one is.
struct PromptText {
    /// One of those words.
    enum Part: String, CaseIterable {
        /// The session, where it is not the first one.
        case session
        /// The exit status of the last line, where it is not 0.
        case status
        /// The working image and how many steps it is from its base.
        case image
        /// The directory inside an image or container, after `cd`.
        case place
    }

    static let standard = "{session}{status}{image}{place}shale> "

    /// What is wrong with a text that a person gave; `nil` for nothing.
    static func problem(in text: String) -> String? {
        if text.trimmingBlanks.isEmpty { return "a prompt has some text" }
        if text.contains(where: \.isNewline) { return "a prompt is one line" }
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            rest = rest[rest.index(after: open)...]
            guard let close = rest.firstIndex(of: "}") else { return "a { without its }" }
            if Part(rawValue: String(rest[..<close])) == nil {
                return "in braces only \(Part.allCases.map { "{\($0.rawValue)}" }.joined(separator: " "))"
            }
            rest = rest[rest.index(after: close)...]
        }
        return nil
    }

    /// The text with its parts in their places, each with a blank behind it; a part that says nothing takes no room.
    static func filled(_ text: String, _ value: (Part) -> String?) -> String {
        var result = text
        for part in Part.allCases {
            result = result.replacing("{\(part.rawValue)}", with: value(part).map { "\($0) " } ?? "")
        }
        return result.last?.isWhitespace ?? false ? result : result + " "
    }
}
