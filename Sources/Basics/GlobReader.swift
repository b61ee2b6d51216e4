/// Reads a pattern into tokens, by the rules of its flavour.
struct GlobReader {
    private let scalars: [Unicode.Scalar]
    private let flavour: Glob.Flavour
    private var position = 0

    init(_ scalars: [Unicode.Scalar], _ flavour: Glob.Flavour) {
        self.scalars = scalars
        self.flavour = flavour
    }

    private var isAtEnd: Bool { position >= scalars.count }
    private var stopsAtSlash: Bool { flavour == .path || flavour == .ignore }
    /// Whether the rules are C's, where no pattern is malformed.
    private var isForgiving: Bool { flavour == .name || flavour == .fileName }

    mutating func tokens() throws(Glob.Malformed) -> [Glob.Token] {
        var tokens: [Glob.Token] = []
        // A leading `**` before text without wildcards means "ends with", not "is a file called".
        let isSuffix = flavour == .ignore && scalars.starts(with: ["*", "*"]) && !hasWildcards(from: 2)
        while let scalar = next() {
            switch scalar {
            case "*" where flavour == .ignore && take("*"):
                let isFirst = tokens.isEmpty
                let tookSlash = take("/")
                if isAtEnd || isFirst && isSuffix && !tookSlash {
                    tokens.append(.run(stopsAtSlash: false))
                } else {
                    tokens += [.folders, .insideFolders]
                }
            case "*":
                let star = Glob.Token.run(stopsAtSlash: stopsAtSlash)
                if tokens.last != star { tokens.append(star) }
            case "?": tokens.append(.one(stopsAtSlash: stopsAtSlash))
            case "[" where flavour != .parameter: tokens.append(try bracket())
            // C matches nothing with a backslash at the end.
            case "\\" where isForgiving && isAtEnd:
                tokens.append(.set(GlobSet(isNegated: false, stopsAtSlash: false)))
            case "\\": tokens.append(.literal(try escaped()))
            default: tokens.append(.literal(scalar))
            }
        }
        return tokens
    }

    private mutating func next() -> Unicode.Scalar? {
        guard position < scalars.count else { return nil }
        defer { position += 1 }
        return scalars[position]
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard position < scalars.count, scalars[position] == scalar else { return false }
        position += 1
        return true
    }

    private func hasWildcards(from start: Int) -> Bool {
        scalars.dropFirst(start).contains { "*?[]\\".unicodeScalars.contains($0) }
    }

    private mutating func escaped() throws(Glob.Malformed) -> Unicode.Scalar {
        guard let scalar = next() else { throw .escape(nil) }
        // The braces of `${}` need a slash and a brace quoted.
        if flavour == .parameter, !"*?\\}/".unicodeScalars.contains(scalar) { throw .escape(scalar) }
        return scalar
    }

    /// The set behind `[`, whose `]` is taken.
    private mutating func bracket() throws(Glob.Malformed) -> Glob.Token {
        let begin = position
        if let set = isForgiving ? forgivingSet() : goSet() { return .set(set) }
        guard isForgiving else { throw .set }
        position = begin
        return .literal("[")
    }

    private mutating func goSet() -> GlobSet? {
        var set = GlobSet(isNegated: take("^"), stopsAtSlash: flavour == .path)
        while !isAtEnd {
            if !set.ranges.isEmpty, take("]") { return set }
            guard let low = goMember() else { return nil }
            guard let high = take("-") ? goMember() : low else { return nil }
            // A reversed range such as `z-a` matches nothing, but counts as a range.
            set.ranges.append(.init(low: low, high: high))
        }
        return nil
    }

    private mutating func goMember() -> Unicode.Scalar? {
        guard let scalar = next(), scalar != "-", scalar != "]" else { return nil }
        return scalar == "\\" ? next() : scalar
    }

    /// As POSIX has it: a `]` at the front is one, and so is a `-` at either end.
    private mutating func forgivingSet() -> GlobSet? {
        var set = GlobSet(isNegated: take("!") || take("^"), stopsAtSlash: false)
        while let scalar = next() {
            if scalar == "]", !(set.ranges.isEmpty && set.classes.isEmpty) { return set }
            if scalar == "[", let kind = classKind() {
                guard let name = className(kind) else { return nil }
                if kind == ":" {
                    guard let known = GlobSet.Class(rawValue: name) else { return nil }
                    set.classes.append(known)
                } else if let only = name.unicodeScalars.first, name.unicodeScalars.count == 1 {
                    set.ranges.append(.init(low: only, high: only))
                } else {
                    return nil
                }
                continue
            }
            guard let low = scalar == "\\" ? next() : scalar else { return nil }
            var high = low
            if position + 1 < scalars.count, scalars[position] == "-", scalars[position + 1] != "]" {
                position += 1
                guard let end = take("\\") ? next() : next() else { return nil }
                high = end
            }
            set.ranges.append(.init(low: low, high: high))
        }
        return nil
    }

    /// The `:`, `=` or `.` behind the bracket of `[:digit:]`, `[=a=]` and `[.a.]`.
    private mutating func classKind() -> Unicode.Scalar? {
        for kind: Unicode.Scalar in [":", "=", "."] where take(kind) { return kind }
        return nil
    }

    private mutating func className(_ kind: Unicode.Scalar) -> String? {
        var name = String.UnicodeScalarView()
        while let scalar = next() {
            if scalar == kind, take("]") { return String(name) }
            name.append(scalar)
        }
        return nil
    }
}

/// The characters of a `[…]`.
struct GlobSet: Sendable, Hashable {
    struct Range: Sendable, Hashable {
        var low: Unicode.Scalar
        var high: Unicode.Scalar
    }

    /// POSIX's classes, of ASCII, as in the C locale.
    enum Class: String, Sendable, Hashable {
        case alnum, alpha, blank, cntrl, digit, graph, lower, print, punct, space, upper, xdigit

        func contains(_ scalar: Unicode.Scalar) -> Bool {
            guard scalar.isASCII else { return false }
            let isLower = ("a"..."z").contains(scalar)
            let isUpper = ("A"..."Z").contains(scalar)
            let isDigit = ("0"..."9").contains(scalar)
            return switch self {
            case .alnum: isLower || isUpper || isDigit
            case .alpha: isLower || isUpper
            case .blank: scalar == " " || scalar == "\t"
            case .cntrl: scalar.value < 32 || scalar.value == 127
            case .digit: isDigit
            case .graph: (33...126).contains(scalar.value)
            case .lower: isLower
            case .print: (32...126).contains(scalar.value)
            case .punct: (33...126).contains(scalar.value) && !isLower && !isUpper && !isDigit
            case .space: scalar == " " || (9...13).contains(scalar.value)
            case .upper: isUpper
            case .xdigit: isDigit || ("a"..."f").contains(scalar) || ("A"..."F").contains(scalar)
            }
        }
    }

    var ranges: [Range] = []
    var classes: [Class] = []
    var isNegated: Bool
    var stopsAtSlash: Bool

    init(isNegated: Bool, stopsAtSlash: Bool) {
        self.isNegated = isNegated
        self.stopsAtSlash = stopsAtSlash
    }

    /// Whether a character is in it: `scalar`, folded where case does not count; classes are asked for it as written.
    func contains(_ scalar: Unicode.Scalar, asWritten written: Unicode.Scalar) -> Bool {
        if stopsAtSlash, scalar == "/" { return false }
        let isIn =
            ranges.contains { $0.low <= scalar && scalar <= $0.high } || classes.contains { $0.contains(written) }
        return isIn != isNegated
    }
}
