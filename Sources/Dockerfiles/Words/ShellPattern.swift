/// The pattern of `${x#p}`, `${x%p}` and `${x/p/r}`: `*` any text, `?` any character, no brackets.
struct ShellPattern {
    private enum Token: Hashable {
        case literal(Unicode.Scalar)
        case anyOne
        case anyText
    }

    private let tokens: [Token]

    /// A backslash escapes `*`, `?` and itself; before `}` and `/`, which the braces need escaped, it just goes.
    init(_ pattern: String) throws(Complaint) {
        var tokens: [Token] = []
        var scalars = pattern.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            switch scalar {
            case "*": if tokens.last != .anyText { tokens.append(.anyText) }
            case "?": tokens.append(.anyOne)
            case "\\":
                guard let escaped = scalars.next() else {
                    throw Complaint("invalid pattern (\(pattern)) in substitution: invalid escape '\\'")
                }
                guard "*?\\}/".unicodeScalars.contains(escaped) else {
                    throw Complaint("invalid pattern (\(pattern)) in substitution: invalid escape '\\\(escaped)'")
                }
                tokens.append(.literal(escaped))
            default: tokens.append(.literal(scalar))
            }
        }
        self.tokens = tokens
    }

    func trimmingPrefix(of value: String, longest: Bool) -> String {
        let scalars = Array(value.unicodeScalars)
        guard let end = Self.matchEnd(tokens[...], in: scalars, from: 0, longest: longest) else { return value }
        return String(scalars[end...])
    }

    func trimmingSuffix(of value: String, longest: Bool) -> String {
        let scalars = Array(value.unicodeScalars.reversed())
        let reversed = Array(tokens.reversed())
        guard let end = Self.matchEnd(reversed[...], in: scalars, from: 0, longest: longest) else { return value }
        return String(scalars[end...].reversed())
    }

    /// Replaces the first match, or every one; matches are the leftmost and longest.
    ///
    /// `nil` for a result of more than `limit` characters.
    func replacing(in value: String, with replacement: String, everywhere: Bool, limit: Int) -> String? {
        let scalars = Array(value.unicodeScalars)
        let added = replacement.unicodeScalars.count
        var left = limit - scalars.count
        var result = String.UnicodeScalarView()
        var start = 0
        var lastEnd = -1
        while start <= scalars.count {
            if let end = Self.matchEnd(tokens[...], in: scalars, from: start, longest: true),
                end > start || start != lastEnd
            {
                left -= added
                guard left >= 0 else { return nil }
                result.append(contentsOf: replacement.unicodeScalars)
                if !everywhere {
                    result.append(contentsOf: scalars[end...])
                    return String(result)
                }
                lastEnd = end
                if end > start {
                    start = end
                    continue
                }
            }
            if start < scalars.count { result.append(scalars[start]) }
            start += 1
        }
        return String(result)
    }

    /// Where a match that begins at `start` ends; the shortest or the longest there is.
    ///
    /// Between stars each piece is taken at its first place, which leaves the most room; only the last piece decides.
    private static func matchEnd(
        _ tokens: ArraySlice<Token>, in text: Scalars, from start: Int, longest: Bool
    ) -> Int? {
        let pieces = tokens.split(separator: .anyText, omittingEmptySubsequences: false)
        guard let first = pieces.first, matches(first, in: text, at: start) else { return nil }
        var position = start + first.count
        guard pieces.count > 1 else { return position }
        for piece in pieces.dropFirst().dropLast() {
            guard let found = firstMatch(of: piece, in: text, from: position) else { return nil }
            position = found + piece.count
        }
        guard let last = pieces.last else { return position }
        if longest {
            var candidate = text.count - last.count
            while candidate >= position {
                if matches(last, in: text, at: candidate) { return candidate + last.count }
                candidate -= 1
            }
            return nil
        }
        return firstMatch(of: last, in: text, from: position).map { $0 + last.count }
    }

    private static func firstMatch(of piece: ArraySlice<Token>, in text: Scalars, from start: Int) -> Int? {
        var candidate = start
        while candidate + piece.count <= text.count {
            if matches(piece, in: text, at: candidate) { return candidate }
            candidate += 1
        }
        return nil
    }

    private static func matches(_ piece: ArraySlice<Token>, in text: Scalars, at start: Int) -> Bool {
        guard start + piece.count <= text.count else { return false }
        for (offset, token) in piece.enumerated() {
            if case .literal(let scalar) = token, text[start + offset] != scalar { return false }
        }
        return true
    }
}
