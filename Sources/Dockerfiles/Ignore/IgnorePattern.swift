/// One compiled pattern of a `.dockerignore`.
///
/// The tokens are run over the path as a set of places, one character at a time, so that no pattern takes longer than
/// its length times the path's. Since a pattern also matches everything below what it matches, reaching the end of the
/// tokens before any slash of the path is enough.
struct IgnorePattern: Sendable {
    private enum Token: Sendable {
        case literal(Unicode.Scalar)
        /// `?`: one character, no slash.
        case anyOne
        /// `*`: any text without a slash.
        case anyText
        /// `**` at the end: any text.
        case anything
        /// `**/`: nothing, or any text that ends with a slash; the first of two places.
        case anyFolders
        /// The second place of `anyFolders`: inside the text.
        case insideFolders
        case oneOf(ranges: [ClosedRange<Unicode.Scalar>], isNegated: Bool)
    }

    private let tokens: [Token]

    /// Compiles a cleaned pattern; `nil` if it is malformed: an open bracket, an escape that escapes nothing.
    init?(_ pattern: String) {
        var reader = Reader(Array(pattern.unicodeScalars))
        var tokens: [Token] = []
        // A leading `**` before text without wildcards means "ends with", not "is a file called".
        let isSuffix = pattern.hasPrefix("**") && !reader.hasWildcards(from: 2)
        while let scalar = reader.next() {
            switch scalar {
            case "*" where reader.take("*"):
                let isFirst = tokens.isEmpty
                let tookSlash = reader.take("/")
                if reader.isAtEnd {
                    tokens.append(.anything)
                } else if isFirst && isSuffix && !tookSlash {
                    tokens.append(.anything)
                } else {
                    tokens += [.anyFolders, .insideFolders]
                }
            case "*": tokens.append(.anyText)
            case "?": tokens.append(.anyOne)
            case "[":
                guard let set = reader.bracket() else { return nil }
                tokens.append(.oneOf(ranges: set.ranges, isNegated: set.isNegated))
            case "\\":
                guard let escaped = reader.next() else { return nil }
                tokens.append(.literal(escaped))
            default: tokens.append(.literal(scalar))
            }
        }
        self.tokens = tokens
    }

    /// Whether the pattern matches the path or a folder above it.
    func matches(_ path: Scalars) -> Bool {
        var places = PlaceSet(capacity: tokens.count + 1)
        enter(0, &places)
        for scalar in path {
            if scalar == "/", places.contains(tokens.count) { return true }
            places = step(places, scalar)
            if places.isEmpty { return false }
        }
        return places.contains(tokens.count)
    }

    /// Whether the pattern matches `directory` or could match some path below it.
    func mayMatch(below directory: Scalars) -> Bool {
        if matches(directory) { return true }
        var places = PlaceSet(capacity: tokens.count + 1)
        enter(0, &places)
        for scalar in directory + ["/"] {
            places = step(places, scalar)
            if places.isEmpty { return false }
        }
        return true
    }

    /// Adds a place, and those reached from it without a character.
    private func enter(_ first: Int, _ places: inout PlaceSet) {
        var place = first
        // A place that is there already has brought the others.
        while !places.contains(place) {
            places.insert(place)
            guard place < tokens.count else { return }
            switch tokens[place] {
            case .anyText, .anything: place += 1
            case .anyFolders:
                places.insert(place + 1)
                place += 2
            default: return
            }
        }
    }

    private func step(_ places: PlaceSet, _ scalar: Unicode.Scalar) -> PlaceSet {
        var following = PlaceSet(capacity: tokens.count + 1)
        places.visit { place in
            guard place < tokens.count else { return }
            switch tokens[place] {
            case .literal(let wanted): if scalar == wanted { enter(place + 1, &following) }
            case .anyOne: if scalar != "/" { enter(place + 1, &following) }
            case .anyText: if scalar != "/" { enter(place, &following) }
            case .anything: enter(place, &following)
            // Its second place, entered with it, does the work.
            case .anyFolders: break
            case .insideFolders:
                following.insert(place)
                if scalar == "/" { enter(place + 1, &following) }
            case .oneOf(let ranges, let isNegated):
                if ranges.contains(where: { $0.contains(scalar) }) != isNegated { enter(place + 1, &following) }
            }
        }
        return following
    }

    /// Characters of a pattern.
    private struct Reader {
        private let scalars: Scalars
        private var position = 0

        init(_ scalars: Scalars) {
            self.scalars = scalars
        }

        var isAtEnd: Bool { position >= scalars.count }

        mutating func next() -> Unicode.Scalar? {
            guard position < scalars.count else { return nil }
            defer { position += 1 }
            return scalars[position]
        }

        mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard position < scalars.count, scalars[position] == scalar else { return false }
            position += 1
            return true
        }

        func hasWildcards(from start: Int) -> Bool {
            scalars.dropFirst(start).contains { "*?[]\\".unicodeScalars.contains($0) }
        }

        /// The set behind `[`, whose `]` is taken; `nil` if it is malformed.
        mutating func bracket() -> (ranges: [ClosedRange<Unicode.Scalar>], isNegated: Bool)? {
            let isNegated = take("^")
            var ranges: [ClosedRange<Unicode.Scalar>] = []
            while !isAtEnd {
                if !ranges.isEmpty, take("]") { return (ranges, isNegated) }
                guard let low = member() else { return nil }
                guard take("-") else {
                    ranges.append(low...low)
                    continue
                }
                guard let high = member() else { return nil }
                // A range turned round holds nothing, but stands for one.
                ranges.append(low <= high ? low...high : "\u{0}"..."\u{0}")
            }
            return nil
        }

        private mutating func member() -> Unicode.Scalar? {
            guard let scalar = next(), scalar != "-", scalar != "]" else { return nil }
            return scalar == "\\" ? next() : scalar
        }
    }
}

/// A set of small numbers: one machine word where that is enough.
private struct PlaceSet {
    private var low: UInt64 = 0
    private var high: [UInt64]

    init(capacity: Int) {
        high = capacity <= 64 ? [] : Array(repeating: 0, count: (capacity - 1) / 64)
    }

    var isEmpty: Bool { low == 0 && high.allSatisfy { $0 == 0 } }

    mutating func insert(_ number: Int) {
        if number < 64 { low |= 1 << UInt64(number) } else { high[number / 64 - 1] |= 1 << UInt64(number % 64) }
    }

    func contains(_ number: Int) -> Bool {
        number < 64 ? low & (1 << UInt64(number)) != 0 : high[number / 64 - 1] & (1 << UInt64(number % 64)) != 0
    }

    func visit(_ body: (Int) -> Void) {
        Self.visit(in: low, offset: 0, body)
        for (index, word) in high.enumerated() { Self.visit(in: word, offset: 64 * (index + 1), body) }
    }

    private static func visit(in word: UInt64, offset: Int, _ body: (Int) -> Void) {
        var rest = word
        while rest != 0 {
            body(offset + rest.trailingZeroBitCount)
            rest &= rest - 1
        }
    }
}
