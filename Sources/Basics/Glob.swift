/// Patterns of names and paths: the one matcher, with the rules of those who write them as flavours.
///
/// The tokens are run over the text as a set of places, one character at a time, so that no pattern takes longer than
/// its length times the text's. A byte that is no text (`OddByte`) counts as one character.
package struct Glob: Sendable {
    /// Whose rules a pattern follows, where they truly differ.
    package enum Flavour: Sendable {
        /// Go's `path.Match`, for COPY, `images` and `tags`: `*`, `?` and sets stop at a slash, `[^a-c]`, `\` quotes.
        case path
        /// A `.dockerignore`'s (moby/patternmatcher): the same, `**` for any depth, and sets may hold a slash.
        case ignore
        /// `fnmatch` of `find -name` and `-path`: nothing stops at a slash, `[!a]`, `[[:digit:]]`, an open `[` is one.
        case name
        /// A shell's, for one name: the same, but a dot at the front is matched by a dot alone (`FNM_PERIOD`).
        case fileName
        /// Of `${x#p}`, `${x%p}` and `${x/p/r}` in a Dockerfile (BuildKit): `*` and `?` alone.
        case parameter
    }

    /// Why a text is no pattern.
    package enum Malformed: Error, Hashable {
        /// An open bracket, or an empty range's end.
        case set
        /// A backslash before what may not be quoted; `nil` at the end.
        case escape(Unicode.Scalar?)
    }

    enum Token: Sendable, Hashable {
        case literal(Unicode.Scalar)
        /// `?`.
        case one(stopsAtSlash: Bool)
        /// `*`, or `**` at the end.
        case run(stopsAtSlash: Bool)
        /// `**/`: nothing, or any text that ends with a slash; the first of two places.
        case folders
        /// The second place of `folders`: inside the text.
        case insideFolders
        case set(GlobSet)
    }

    let tokens: [Token]
    private let ignoresCase: Bool
    /// Whether a leading dot is matched by a dot alone.
    private let keepsDot: Bool

    /// Throws what is wrong with the pattern.
    package init(_ pattern: String, _ flavour: Flavour, ignoresCase: Bool = false) throws(Malformed) {
        let text = Array(pattern.unicodeScalars)
        var reader = GlobReader(ignoresCase ? text.map(\.folded) : text, flavour)
        tokens = try reader.tokens()
        self.ignoresCase = ignoresCase
        keepsDot = flavour == .fileName
    }

    private init(tokens: [Token]) {
        self.tokens = tokens
        ignoresCase = false
        keepsDot = false
    }

    /// Whether the whole text matches.
    package func matches(_ text: String) -> Bool {
        if keepsDot, text.utf8.first == UInt8(ascii: "."), tokens.first != .literal(".") { return false }
        var places = start
        for scalar in text.unicodeScalars {
            places = step(places, scalar)
            if places.isEmpty { return false }
        }
        return places.contains(tokens.count)
    }

    /// Whether the pattern matches the path or a folder above it.
    package func matchesPathOrParent(_ path: [Unicode.Scalar]) -> Bool {
        var places = start
        for scalar in path {
            if scalar == "/", places.contains(tokens.count) { return true }
            places = step(places, scalar)
            if places.isEmpty { return false }
        }
        return places.contains(tokens.count)
    }

    /// Whether the pattern matches `directory` or could match some path below it.
    package func mayMatch(below directory: [Unicode.Scalar]) -> Bool {
        if matchesPathOrParent(directory) { return true }
        var places = start
        for scalar in directory + ["/"] {
            places = step(places, scalar)
            if places.isEmpty { return false }
        }
        return true
    }

    /// Where a match that begins at `start` ends: the shortest or the longest there is.
    package func matchEnd(in text: [Unicode.Scalar], from start: Int, longest: Bool) -> Int? {
        var places = self.start
        var end = places.contains(tokens.count) ? start : nil
        var position = start
        while position < text.count, longest || end == nil {
            // A star at the end takes all there is.
            if tokens.last == .run(stopsAtSlash: false), end != nil { return text.count }
            places = step(places, text[position])
            if places.isEmpty { return end }
            position += 1
            if places.contains(tokens.count) { end = position }
        }
        return end
    }

    /// The pattern of the texts read from their ends, for a flavour without `**`.
    package var reversed: Glob { Glob(tokens: tokens.reversed()) }

    /// Whether a text has a character that means something in a pattern.
    package static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "[") }
    }

    // MARK: Places

    private var start: PlaceSet {
        var places = PlaceSet(capacity: tokens.count + 1)
        enter(0, &places)
        return places
    }

    /// Adds a place, and those reached from it without a character.
    private func enter(_ first: Int, _ places: inout PlaceSet) {
        var place = first
        // A place that is there already has brought the others.
        while !places.contains(place) {
            places.insert(place)
            guard place < tokens.count else { return }
            switch tokens[place] {
            case .run: place += 1
            case .folders:
                places.insert(place + 1)
                place += 2
            default: return
            }
        }
    }

    private func step(_ places: PlaceSet, _ written: Unicode.Scalar) -> PlaceSet {
        let scalar = ignoresCase ? written.folded : written
        var following = PlaceSet(capacity: tokens.count + 1)
        places.visit { place in
            guard place < tokens.count else { return }
            switch tokens[place] {
            case .literal(let wanted): if scalar == wanted { enter(place + 1, &following) }
            case .one(let stops): if !stops || scalar != "/" { enter(place + 1, &following) }
            case .run(let stops): if !stops || scalar != "/" { enter(place, &following) }
            // Its second place, entered with it, does the work.
            case .folders: break
            case .insideFolders:
                following.insert(place)
                if scalar == "/" { enter(place + 1, &following) }
            case .set(let set): if set.contains(scalar, asWritten: written) { enter(place + 1, &following) }
            }
        }
        return following
    }
}

extension Unicode.Scalar {
    /// One form for both cases of a letter.
    fileprivate var folded: Unicode.Scalar {
        let lower = properties.lowercaseMapping.unicodeScalars
        guard lower.count == 1, let first = lower.first else { return self }
        return first
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
