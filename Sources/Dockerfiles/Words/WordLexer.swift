/// One pass over one word: quotes, escapes and variables.
struct WordLexer {
    struct Result {
        var text = ""
        var words: [String] = []
    }

    /// How deep `${x:-${y:-…}}` may nest.
    private static let maximumDepth = 100
    /// The most characters that a word may expand to: thirty lines of `ENV a=$a$a` would otherwise fill the memory.
    static let largest = 1 << 20

    private let source: Scalars
    private let escape: Unicode.Scalar
    private let keeping: WordExpander.Keeping
    private let lookup: (String) -> String?
    private var position = 0
    private var depth = 0
    private var keepsEscapes: Bool
    private(set) var matched: Set<String> = []
    private(set) var unmatched: Set<String> = []

    init(
        _ source: Scalars, escape: Unicode.Scalar, keeping: WordExpander.Keeping, lookup: @escaping (String) -> String?
    ) {
        self.source = source
        self.escape = escape
        self.keeping = keeping
        self.lookup = lookup
        keepsEscapes = keeping.contains(.escapes)
    }

    mutating func result() throws(Complaint) -> Result {
        try read(until: nil, keepingEscapes: keepsEscapes)
    }

    private static let tooLarge = Complaint("a word may become no larger than \(largest) characters")

    private var peek: Unicode.Scalar? { position < source.count ? source[position] : nil }
    private var isAtEnd: Bool { position >= source.count }

    private mutating func next() -> Unicode.Scalar? {
        guard position < source.count else { return nil }
        defer { position += 1 }
        return source[position]
    }

    /// Reads up to `stop`, which is taken and not part of the result, or to the end.
    private mutating func read(until stop: Unicode.Scalar?, keepingEscapes: Bool) throws(Complaint) -> Result {
        let outer = keepsEscapes
        keepsEscapes = keepingEscapes
        defer { keepsEscapes = outer }
        var collected = Collector()
        var size = 0
        while let scalar = next() {
            if scalar == stop { return collected.result }
            switch scalar {
            case "$":
                let value = try dollar()
                size += value.count
                guard size <= Self.largest else { throw Self.tooLarge }
                collected.append(expanded: value)
            case "<":
                collected.append(quoted: redirection())
            case "'" where !keeping.contains(.quotesAsText):
                collected.append(quoted: try singleQuoted())
            case "\"" where !keeping.contains(.quotesAsText):
                let text = try doubleQuoted()
                size += text.count
                guard size <= Self.largest else { throw Self.tooLarge }
                collected.append(quoted: text)
            case escape:
                if keepsEscapes { collected.append(escaped: escape) }
                // At the end of the word the escape character escapes nothing and is dropped.
                if let escaped = next() { collected.append(escaped: escaped) }
            default:
                collected.append(plain: scalar)
            }
        }
        if let stop {
            throw Complaint("unexpected end of statement while looking for matching \(stop)")
        }
        return collected.result
    }

    /// `<<` and the blanks behind it, which belong to one word with what follows.
    private mutating func redirection() -> Scalars {
        guard peek == "<" else { return ["<"] }
        position += 1
        var text: Scalars = ["<", "<"]
        while let scalar = peek, scalar == " " || scalar == "\t" || scalar == "\r" {
            text.append(scalar)
            position += 1
        }
        return text
    }

    private mutating func singleQuoted() throws(Complaint) -> Scalars {
        var text: Scalars = keeping.contains(.quotes) ? ["'"] : []
        while let scalar = next() {
            if scalar == "'" { return keeping.contains(.quotes) ? text + ["'"] : text }
            text.append(scalar)
        }
        throw Complaint("unexpected end of statement while looking for matching single-quote")
    }

    private mutating func doubleQuoted() throws(Complaint) -> Scalars {
        var text: Scalars = keeping.contains(.quotes) ? ["\""] : []
        while let scalar = next() {
            switch scalar {
            case "\"": return keeping.contains(.quotes) ? text + ["\""] : text
            case "$":
                text += try dollar()
                guard text.count <= Self.largest else { throw Self.tooLarge }
            case escape:
                if keepsEscapes { text.append(escape) }
                guard let following = peek else { continue }
                // Only these three can be escaped here; before anything else the character is itself.
                if following == "\"" || following == "$" || following == escape {
                    position += 1
                    text.append(following)
                } else {
                    text.append(escape)
                }
            default: text.append(scalar)
            }
        }
        throw Complaint("unexpected end of statement while looking for matching double-quote")
    }

    // MARK: Variables

    /// The value of `$…`; the dollar sign has been read already.
    private mutating func dollar() throws(Complaint) -> Scalars {
        guard peek == "{" else {
            let name = readName()
            if name.isEmpty { return ["$"] }
            if let value = value(of: name) { return Array(value.unicodeScalars) }
            return keeping.contains(.unset) ? ["$"] + Array(name.unicodeScalars) : []
        }
        position += 1
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.maximumDepth else { throw Complaint("syntax error: substitutions nest too deeply") }
        return Array(try braced().unicodeScalars)
    }

    /// The name of a variable, a number, or one of the special parameters; empty if there is none.
    private mutating func readName() -> String {
        guard let first = peek else { return "" }
        let start = position
        if first.isDigit {
            while let scalar = peek, scalar.isDigit { position += 1 }
        } else if "@*#?-$!".unicodeScalars.contains(first) {
            position += 1
        } else {
            while let scalar = peek, scalar.isLetter || scalar.isDigit || scalar == "_" { position += 1 }
        }
        return String(source[start..<position])
    }

    private mutating func value(of name: String) -> String? {
        let value = lookup(name)
        if value == nil { unmatched.insert(name) } else { matched.insert(name) }
        return value
    }

    private mutating func braced() throws(Complaint) -> String {
        switch peek {
        case nil: throw Complaint("syntax error: missing '}'")
        case "{", "}", ":": throw Complaint("syntax error: bad substitution")
        default: break
        }
        let name = readName()
        guard let modifier = next() else { throw Complaint("syntax error: missing '}'") }
        switch modifier {
        case "}":
            if let value = value(of: name) { return value }
            return keeping.contains(.unset) ? "${\(name)}" : ""
        case "/":
            return try replaced(name)
        case ":":
            guard let second = next() else { throw Complaint("syntax error: missing '}'") }
            if second == "#" || second == "%" {
                throw Complaint("unsupported modifier (:\(second)) in substitution")
            }
            return try modified(name, by: second, emptyIsUnset: true)
        case "+", "-", "?", "#", "%":
            return try modified(name, by: modifier, emptyIsUnset: false)
        default:
            throw Complaint("unsupported modifier (\(modifier)) in substitution")
        }
    }

    private mutating func operand(until stop: Unicode.Scalar, keepingEscapes: Bool, missing: String) throws(Complaint)
        -> String
    {
        do throws(Complaint) {
            return try read(until: stop, keepingEscapes: keepingEscapes).text
        } catch {
            throw isAtEnd ? Complaint("syntax error: missing \(missing)") : error
        }
    }

    private mutating func modified(
        _ name: String, by modifier: Unicode.Scalar, emptyIsUnset: Bool
    ) throws(Complaint) -> String {
        let isTrim = modifier == "#" || modifier == "%"
        let word = try operand(until: "}", keepingEscapes: isTrim, missing: "'}'")
        let value = value(of: name)
        if value == nil, keeping.contains(.unset) {
            return "${\(name)\(emptyIsUnset ? ":" : "")\(modifier)\(word)}"
        }
        let isSet = value.map { !(emptyIsUnset && $0.isEmpty) } ?? false
        switch modifier {
        case "-": return isSet ? value ?? "" : word
        case "+": return isSet ? word : ""
        case "?":
            if isSet { return value ?? "" }
            let reason = value == nil ? "is not allowed to be unset" : "is not allowed to be empty"
            throw Complaint("\(name): \(word.isEmpty ? reason : word)")
        case "#", "%":
            // A doubled sign (`##`, `%%`) removes the longest match.
            let longest = word.unicodeScalars.first == modifier
            let text = longest ? String(word.unicodeScalars.dropFirst()) : word
            let pattern = try ShellPattern(text)
            return modifier == "#"
                ? pattern.trimmingPrefix(of: value ?? "", longest: longest)
                : pattern.trimmingSuffix(of: value ?? "", longest: longest)
        default:
            throw Complaint("unsupported modifier (\(emptyIsUnset ? ":" : "")\(modifier)) in substitution")
        }
    }

    private mutating func replaced(_ name: String) throws(Complaint) -> String {
        let everywhere = peek == "/"
        if everywhere { position += 1 }
        let text = try operand(until: "/", keepingEscapes: true, missing: "'/' in ${}")
        let replacement = try operand(until: "}", keepingEscapes: true, missing: "'}'")
        let value = value(of: name)
        if value == nil, keeping.contains(.unset) { return "${\(name)/\(text)/\(replacement)}" }
        guard
            let result = try ShellPattern(text).replacing(
                in: value ?? "", with: replacement, everywhere: everywhere, limit: Self.largest)
        else { throw Self.tooLarge }
        return result
    }
}

/// Text and, beside it, the words it falls into.
private struct Collector {
    private var text = String.UnicodeScalarView()
    private var word = String.UnicodeScalarView()
    private var words: [String] = []

    var result: WordLexer.Result {
        WordLexer.Result(text: String(text), words: word.isEmpty ? words : words + [String(word)])
    }

    mutating func append(plain scalar: Unicode.Scalar) {
        text.append(scalar)
        addToWord(scalar)
    }

    mutating func append(escaped scalar: Unicode.Scalar) {
        text.append(scalar)
        word.append(scalar)
    }

    mutating func append(quoted scalars: Scalars) {
        text.append(contentsOf: scalars)
        word.append(contentsOf: scalars)
    }

    mutating func append(expanded scalars: Scalars) {
        text.append(contentsOf: scalars)
        for scalar in scalars { addToWord(scalar) }
    }

    private mutating func addToWord(_ scalar: Unicode.Scalar) {
        if !scalar.isSpace {
            word.append(scalar)
        } else if !word.isEmpty {
            words.append(String(word))
            word = String.UnicodeScalarView()
        }
    }
}
