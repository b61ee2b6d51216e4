/// A pattern over slash paths, Go's `filepath.Match`: `*` and `?` stop at a slash, `[a-z]`, `\` quotes.
package struct FileNamePattern {
    private enum Token {
        case scalar(Unicode.Scalar)
        case anyOne
        case anyRun
        case set(ranges: [ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    private let tokens: [Token]

    /// `nil` for a malformed pattern.
    package init?(_ pattern: String) {
        var tokens: [Token] = []
        var scalars = pattern.unicodeScalars[...]
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "*": tokens.append(.anyRun)
            case "?": tokens.append(.anyOne)
            case "\\":
                guard let quoted = scalars.popFirst() else { return nil }
                tokens.append(.scalar(quoted))
            case "[":
                guard let set = Self.set(&scalars) else { return nil }
                tokens.append(set)
            default: tokens.append(.scalar(scalar))
            }
        }
        self.tokens = tokens
    }

    private static func set(_ scalars: inout Substring.UnicodeScalarView) -> Token? {
        var ranges: [ClosedRange<Unicode.Scalar>] = []
        let isNegated = scalars.first == "^"
        if isNegated { scalars.removeFirst() }
        func one() -> Unicode.Scalar? {
            guard let scalar = scalars.popFirst(), scalar != "-" else { return nil }
            if scalar == "\\" { return scalars.popFirst() }
            return scalar
        }
        while let next = scalars.first {
            if next == "]", !ranges.isEmpty {
                scalars.removeFirst()
                return .set(ranges: ranges, isNegated: isNegated)
            }
            guard let low = one() else { return nil }
            var high = low
            if scalars.first == "-" {
                scalars.removeFirst()
                guard let end = one() else { return nil }
                high = end
            }
            // An empty range matches nothing, as in Go.
            ranges.append(low <= high ? low...high : "\u{0}"..."\u{0}")
        }
        return nil
    }

    /// Whether the whole path matches; the time is at most the product of both lengths.
    package func matches(_ path: String) -> Bool {
        let text = Array(path.unicodeScalars)
        var position = 0
        var token = 0
        var retry: (token: Int, position: Int)?
        while position < text.count || token < tokens.count {
            if token < tokens.count {
                if case .anyRun = tokens[token] {
                    retry = (token, position + 1)
                    token += 1
                    continue
                }
                if position < text.count, Self.accepts(tokens[token], text[position]) {
                    position += 1
                    token += 1
                    continue
                }
            }
            guard let back = retry, back.position <= text.count, text[back.position - 1] != "/" else { return false }
            token = back.token
            position = back.position
            retry = nil
        }
        return true
    }

    private static func accepts(_ token: Token, _ scalar: Unicode.Scalar) -> Bool {
        switch token {
        case .scalar(let wanted): wanted == scalar
        case .anyOne: scalar != "/"
        case .anyRun: false
        case .set(let ranges, let isNegated): scalar != "/" && ranges.contains { $0.contains(scalar) } != isNegated
        }
    }
}
