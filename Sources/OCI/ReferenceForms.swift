package import Basics

/// What a person may call an image by: a name, or a whole digest.
package enum AnyReference: Sendable, Hashable {
    case named(Reference)
    /// 64 hex digits, or a digest by itself.
    case digest(Digest)

    /// Parses as distribution/reference's `ParseAnyReference`: an id first, then a digest, then a name.
    package init(parsing text: String) throws(ShaleError) {
        if Reference.isIdentifier(text) {
            self = .digest(try Digest(parsing: "sha256:\(text)"))
        } else if let digest = try? Digest(parsing: text) {
            self = .digest(digest)
        } else {
            self = .named(try Reference(parsing: text))
        }
    }
}

extension Reference {
    /// What docker asks a registry for: `:latest` filled in, a tag beside a digest dropped.
    package var forPulling: Reference {
        if let digest { return with(digest: digest) }
        return withDefaultTag
    }

    /// The name as an image may get it, with `latest` filled in; throws docker's words for one that would be read as an id.
    package func asTarget() throws(ShaleError) -> Reference {
        guard digest == nil else {
            throw ShaleError(.invalid, "refusing to create a tag with a digest reference")
        }
        guard familiarName != "sha256" else {
            throw ShaleError(.invalid, "refusing to create an ambiguous tag using digest algorithm as name")
        }
        return withDefaultTag
    }

    /// Whether a `reference=` filter's pattern fits the familiar form, with its tag or without.
    ///
    /// The pattern is Go's `path.Match`. Throws `invalid` for a malformed one.
    package func matches(familiarPattern pattern: String) throws(ShaleError) -> Bool {
        let pattern = try PathPattern(pattern)
        return pattern.matches(familiar) || pattern.matches(familiarName)
    }
}

/// A pattern of Go's `path.Match`: `*` and `?` stop at a slash, `[a-z]` and `[^a-z]`, `\` takes the next as it is.
private struct PathPattern {
    private indirect enum Token {
        case literal(Character)
        case any
        case star
        case set(ranges: [ClosedRange<Character>], isNegated: Bool)
    }

    private var tokens: [Token] = []

    init(_ text: String) throws(ShaleError) {
        var rest = text[...]
        let malformed = ShaleError(.invalid, "\(text): syntax error in pattern")
        while let character = rest.popFirst() {
            switch character {
            case "*":
                if case .star = tokens.last { continue }
                tokens.append(.star)
            case "?": tokens.append(.any)
            case "\\":
                guard let next = rest.popFirst() else { throw malformed }
                tokens.append(.literal(next))
            case "[":
                guard let set = Self.set(&rest) else { throw malformed }
                tokens.append(set)
            default: tokens.append(.literal(character))
            }
        }
    }

    private static func set(_ rest: inout Substring) -> Token? {
        var isNegated = false
        if rest.first == "^" {
            isNegated = true
            rest.removeFirst()
        }
        var ranges: [ClosedRange<Character>] = []
        while true {
            if rest.first == "]", !ranges.isEmpty {
                rest.removeFirst()
                return .set(ranges: ranges, isNegated: isNegated)
            }
            guard let low = character(&rest) else { return nil }
            var high = low
            if rest.first == "-" {
                rest.removeFirst()
                guard let end = character(&rest), end >= low else { return nil }
                high = end
            }
            ranges.append(low...high)
        }
    }

    private static func character(_ rest: inout Substring) -> Character? {
        guard let first = rest.popFirst(), first != "-", first != "]" else { return nil }
        return first == "\\" ? rest.popFirst() : first
    }

    /// Remembers the last star only: an earlier one never needs to take more, so the time is bounded.
    func matches(_ text: String) -> Bool {
        let text = Array(text)
        var place = 0
        var token = 0
        var afterStar: (token: Int, place: Int)?
        while place < text.count || token < tokens.count {
            if token < tokens.count {
                if case .star = tokens[token] {
                    token += 1
                    afterStar = (token, place)
                    continue
                }
                if place < text.count, fits(tokens[token], text[place]) {
                    token += 1
                    place += 1
                    continue
                }
            }
            guard let star = afterStar, star.place < text.count, text[star.place] != "/" else { return false }
            afterStar = (star.token, star.place + 1)
            (token, place) = (star.token, star.place + 1)
        }
        return true
    }

    private func fits(_ token: Token, _ character: Character) -> Bool {
        switch token {
        case .literal(let wanted): wanted == character
        case .any: character != "/"
        case .star: false
        case .set(let ranges, let isNegated):
            character != "/" && ranges.contains { $0.contains(character) } != isNegated
        }
    }
}
