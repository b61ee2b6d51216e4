/// Shale's own prompt in front of a line that was copied from a terminal.
package enum PromptSign {
    /// What every prompt ends with that was not changed by `set prompt`.
    package static let end = "shale> "

    /// How many scalars of a line its prompt takes; `nil` for a line without one.
    ///
    /// Before ``end`` stand only what the prompt says of the session, the last status, the place and the working
    /// image: `(lesson) [64] busybox:/etc busybox+2 shale> `.
    package static func length(in line: String) -> Int? {
        let scalars = Array(line.unicodeScalars)
        let sign = Array(end.unicodeScalars)
        var start = 0
        for _ in 0...4 {
            if scalars[start...].starts(with: sign) { return start + sign.count }
            guard let blank = scalars[start...].firstIndex(of: " "),
                isPart(String(String.UnicodeScalarView(scalars[start..<blank])))
            else { return nil }
            start = blank + 1
        }
        return nil
    }

    private static func isPart(_ word: String) -> Bool {
        if word.hasPrefix("("), word.hasSuffix(")") { return word.utf8.count > 2 }
        if word.hasPrefix("["), word.hasSuffix("]") {
            let digits = word.dropFirst().dropLast()
            return !digits.isEmpty && digits.allSatisfy { $0.isASCII && $0.isNumber }
        }
        let parts = word.split(separator: "+", omittingEmptySubsequences: false)
        let steps = parts.last ?? ""
        let hasSteps = parts.count > 1 && !steps.isEmpty && steps.allSatisfy { $0.isASCII && $0.isNumber }
        return hasSteps && parts.first?.isEmpty == false || hasPlace(word)
    }

    /// Whether a word is an image or a container with a path in it.
    private static func hasPlace(_ word: String) -> Bool {
        let bytes = word.utf8
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")), colon != bytes.startIndex else { return false }
        return bytes[colon...].dropFirst().contains(UInt8(ascii: "/"))
    }
}
