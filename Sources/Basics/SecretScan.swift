/// Finds secrets by what stands before them: `NAME=`, `--name`, `Name:`, `scheme://user:`; and by their own shape.
struct SecretScan {
    private let bytes: [UInt8]
    private let isProse: Bool
    /// The quote that is open before each byte, 0 for none.
    private let quotes: [UInt8]
    /// Whether words end at blanks alone: in `ENV`, `ARG` and `LABEL` nothing else ends one.
    private let endsAtBlanks: Bool
    var found: [Secrets.Found] = []

    init(_ bytes: [UInt8], isProse: Bool) {
        self.bytes = bytes
        self.isProse = isProse
        quotes = Self.quotes(bytes)
        let first = String(decoding: bytes.drop { $0.isBlank }.prefix { !$0.isBlank }, as: UTF8.self).uppercased()
        endsAtBlanks = ["ENV", "ARG", "LABEL"].contains(first)
    }

    private static func quotes(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var open: UInt8 = 0
        var isEscaped = false
        for (index, byte) in bytes.enumerated() {
            result.append(open)
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\"), open != UInt8(ascii: "'") {
                isEscaped = true
            } else if open != 0 {
                if byte == open { open = 0 }
            } else if byte == UInt8(ascii: "\"") {
                open = byte
            } else if byte == UInt8(ascii: "'"),
                index == 0 || !bytes[index - 1].isLetter || bytes.has("'", after: index)
            {
                // An apostrophe in a word, with no other behind it, opens nothing.
                open = byte
            }
        }
        return result
    }

    mutating func run() {
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "="): assignment(at: index)
            case UInt8(ascii: ":"): if hasAddress(at: index) { address(at: index) } else { pair(at: index) }
            case UInt8(ascii: "-"): dashes(at: index)
            default: if index == 0 || !(bytes[index - 1].isLetter || bytes[index - 1].isDigit) { word(at: index) }
            }
            index += 1
        }
        spacedName()
    }

    private mutating func add(_ range: Range<Int>, name: String?, what: String) {
        let value = SecretValue(bytes[range])
        if value.isMask || isInnerMask(range) {
            found.append(Secrets.Found(range: range, name: name, what: what, isMask: true))
        } else if value.isSecret, !(name.map { Secrets.isFingerprint(value.plain, named: $0) } ?? false) {
            found.append(Secrets.Found(range: range, name: name, what: what))
        }
    }

    /// `\"***\"`, as JSON in a shell's quotes has it.
    private func isInnerMask(_ range: Range<Int>) -> Bool {
        bytes[range].elementsEqual(Array(#"\"***\""#.utf8)) || bytes[range].elementsEqual(Array("***".utf8))
    }

    /// Notes in what quote a mask stands, and whether that is a word of a list.
    func noteQuote(of secret: inout Secrets.Found) {
        var start = secret.range.lowerBound
        secret.quote = start < quotes.count ? quotes[start] : 0
        guard secret.quote == UInt8(ascii: "\"") else { return }
        while start > 0, quotes[start] == secret.quote { start -= 1 }
        var index = start
        while index > 0, bytes[index - 1].isBlank { index -= 1 }
        secret.isInList = index > 0 && (bytes[index - 1] == UInt8(ascii: "[") || bytes[index - 1] == UInt8(ascii: ","))
    }

    // MARK: NAME=value

    private mutating func assignment(at equals: Int) {
        guard equals + 1 < bytes.count, bytes[equals + 1] != UInt8(ascii: "=") else { return }
        var end = equals
        var start = equals + 1
        let isQuoted = end > 0 && bytes[end - 1].isQuote
        if end > 0, bytes[end - 1] == UInt8(ascii: "+") || bytes[end - 1].isQuote { end -= 1 }
        let isSpaced = end > 0 && bytes[end - 1] == 32 && bytes[start] == 32
        if isSpaced {
            // `name = value` in a file of settings: at a line's beginning.
            while end > 0, bytes[end - 1] == 32 { end -= 1 }
            while start < bytes.count, bytes[start] == 32 { start += 1 }
        }
        guard let written = name(endingAt: end), start < bytes.count else { return }
        let name = written.name
        guard isBoundary(before: written.start, also: "?&={:\\"), name != "key", name != "Key", Secrets.isNamed(name)
        else {
            return
        }
        if isSpaced {
            guard !isProse, written.start > 0, isLineStart(written.start) else { return }
        }
        let what = written.dashes > 1 ? "the value of --\(name)" : "the value of \(name)"
        let range = value(from: start, nameStart: written.start - (isQuoted && written.start > 0 ? 1 : 0))
        if !range.isEmpty { add(range, name: name, what: what) }
    }

    /// Whether a line begins there, be it one that `printf` will print.
    private func isLineStart(_ index: Int) -> Bool {
        index == 0 || bytes[index - 1] == 10 || bytes[index - 1].isQuote || bytes[index - 1] == UInt8(ascii: "\\")
    }

    /// The name that ends before an index, with the dashes before it.
    private func name(endingAt end: Int) -> (start: Int, name: String, dashes: Int)? {
        var start = end
        while start > 0, bytes[start - 1].isNameByte { start -= 1 }
        let dashes = bytes[start..<end].prefix { $0 == UInt8(ascii: "-") }.count
        var name = bytes[(start + dashes)..<end]
        // The letter of `\n` is not the name's.
        if start > 0, bytes[start - 1] == UInt8(ascii: "\\") { name = name.dropFirst() }
        guard let first = name.first, first.isLetter || first == UInt8(ascii: "_") else { return nil }
        return (start, String(decoding: name, as: UTF8.self), dashes)
    }

    private func isBoundary(before index: Int, also signs: String = "") -> Bool {
        guard index > 0 else { return true }
        let byte = bytes[index - 1]
        if byte.isBlank || byte.isQuote { return true }
        return (";&|(,[`<>" + signs).utf8.contains(byte)
    }

    /// The word that begins at an index, quotes of all kinds in it included.
    ///
    /// Where the name itself begins a quoted text (`-e 'NAME=a b'`) it is the rest of that text, but for a command
    /// that a shell gets (`sh -c "NAME=a make"`).
    private func value(from start: Int, nameStart: Int) -> Range<Int> {
        let outer = quotes[nameStart]
        if outer != 0, nameStart > 0, bytes[nameStart - 1] == outer, !isCommand(quotedAt: nameStart - 1) {
            return start..<closing(outer, from: start)
        }
        return start..<endOfWord(from: start, in: outer)
    }

    /// The index of the quote that closes, or the end.
    private func closing(_ quote: UInt8, from start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != quote {
            index += bytes[index] == UInt8(ascii: "\\") && quote != UInt8(ascii: "'") ? 2 : 1
        }
        return min(index, bytes.count)
    }

    private func endOfWord(from start: Int, in outer: UInt8) -> Int {
        var index = start
        if outer == UInt8(ascii: "\""), bytes[start...].starts(with: Array(#"\""#.utf8)) {
            index = start + 2
            while index < bytes.count, bytes[index] != outer { index += 1 }
            return min(index + 1, bytes.count)
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte.isBlank || (outer != 0 && byte == outer) { break }
            if !(endsAtBlanks && outer == 0), ";&|)<>".utf8.contains(byte) { break }
            if byte == UInt8(ascii: "\\") {
                guard index + 1 < bytes.count, !bytes[index + 1].isQuote || outer == 0 else { break }
                if bytes[index + 1] == 10 { break }
                index += 2
            } else if byte.isQuote {
                index = closing(byte, from: index + 1) + 1
                if index < bytes.count, bytes[index] == UInt8(ascii: ",") { break }
            } else {
                index += 1
            }
        }
        return min(index, bytes.count)
    }

    /// Whether a quoted text is a command that a shell gets: `sh -c "…"`, `["sh", "-c", "…"]`.
    private func isCommand(quotedAt quote: Int) -> Bool {
        var end = quote
        while end > 0, bytes[end - 1].isBlank || bytes[end - 1] == UInt8(ascii: ",") || bytes[end - 1].isQuote {
            end -= 1
        }
        guard let option = name(endingAt: end) else { return false }
        return option.dashes == 1 && option.name.hasSuffix("c") && option.name.utf8.count <= 3
    }

    // MARK: --name value

    private mutating func dashes(at index: Int) {
        if bytes[index...].starts(with: Array("-----BEGIN ".utf8)) { return privateKey(at: index) }
        guard !isProse, isBoundary(before: index) else { return }
        var start = index
        while start < bytes.count, bytes[start] == UInt8(ascii: "-") { start += 1 }
        let dashes = start - index
        var end = start
        while end < bytes.count, bytes[end].isNameByte { end += 1 }
        let name = String(decoding: bytes[start..<end], as: UTF8.self)
        guard dashes == 2 || (dashes == 1 && name.utf8.count >= 4), name.lowercased() != "key", Secrets.isNamed(name),
            end < bytes.count
        else { return }
        let what = "the value of \(String(repeating: "-", count: dashes))\(name)"
        if bytes[end].isQuote {
            // `["--password", "x"]`
            guard let quote = nextInList(after: end) else { return }
            let range = (quote + 1)..<max(quote + 1, closing(bytes[quote], from: quote + 1))
            if !range.isEmpty { add(range, name: name, what: what) }
            return
        }
        var next = end
        while next < bytes.count, bytes[next] == 32 || bytes[next] == 9 { next += 1 }
        // The line goes on.
        if next + 1 < bytes.count, bytes[next] == UInt8(ascii: "\\"), bytes[next + 1] == 10 {
            next += 2
            while next < bytes.count, bytes[next].isBlank { next += 1 }
        }
        guard next > end, next < bytes.count, bytes[next] != UInt8(ascii: "-"), bytes[next] != 10 else { return }
        let range = next..<endOfWord(from: next, in: quotes[index])
        if !range.isEmpty { add(range, name: name, what: what) }
    }

    /// The quote that opens the next word of a list.
    private func nextInList(after quote: Int) -> Int? {
        var index = quote + 1
        var hasComma = false
        while index < bytes.count, bytes[index].isBlank || bytes[index] == UInt8(ascii: ",") {
            hasComma = hasComma || bytes[index] == UInt8(ascii: ",")
            index += 1
        }
        return hasComma && index < bytes.count && bytes[index] == bytes[quote] ? index : nil
    }

    // MARK: Name: value

    private mutating func pair(at colon: Int) {
        var end = colon
        while end > 0, bytes[end - 1] == 32 { end -= 1 }
        var isQuoted = false
        if end > 0, bytes[end - 1].isQuote {
            isQuoted = true
            end -= 1
            if end > 0, bytes[end - 1] == UInt8(ascii: "\\") { end -= 1 }
        } else if end != colon {
            return
        }
        guard let written = name(endingAt: end), written.dashes == 0 else { return }
        let name = written.name
        let isHeader = Self.headers.contains(name.lowercased()) || name.lowercased().hasPrefix("x-")
        guard Self.headers.contains(name.lowercased()) || (Secrets.isNamed(name) && name.lowercased() != "key") else {
            return
        }
        var start = colon + 1
        while start < bytes.count, bytes[start] == 32 { start += 1 }
        guard start < bytes.count, bytes[start] != 10 else { return }
        let range: Range<Int>
        if isQuoted {
            guard !"{[".utf8.contains(bytes[start]) else { return }
            range = jsonValue(from: start, in: written.start > 0 ? quotes[written.start - 1] : 0)
        } else {
            guard isBoundary(before: written.start, also: "{-\\"), start > colon + 1 || isHeader else { return }
            guard isHeader || isPlainPair(written.start, name) else { return }
            let outer = quotes[written.start]
            range = start..<(outer == 0 ? endOfWord(from: start, in: 0) : lineEnd(outer, from: start))
        }
        let secret = withoutScheme(range, of: name)
        if !secret.isEmpty { add(secret, name: name, what: isHeader ? "the header \(name)" : "the value of \(name)") }
    }

    private static let headers: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "set-cookie", "private-token", "job-token", "deploy-token",
    ]

    /// Whether `name: value` is a setting, and not a sentence.
    private func isPlainPair(_ start: Int, _ name: String) -> Bool {
        if isProse { return false }
        if isLineStart(start) { return true }
        let lower = name.lowercased()
        return name.contains("_") || name.contains("-") || lower.contains("password") || lower.contains("passwd")
    }

    private func lineEnd(_ quote: UInt8, from start: Int) -> Int {
        var index = start
        while index < bytes.count, bytes[index] != quote, bytes[index] != 10 {
            if bytes[index] == UInt8(ascii: "\\"), quote != UInt8(ascii: "'") {
                // `\n` in what printf gets.
                if index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "n") { break }
                index += 1
            }
            index += 1
        }
        return min(index, bytes.count)
    }

    private func jsonValue(from start: Int, in outer: UInt8) -> Range<Int> {
        if bytes[start].isQuote, bytes[start] != outer {
            return start..<min(closing(bytes[start], from: start + 1) + 1, bytes.count)
        }
        if bytes[start...].starts(with: Array(#"\""#.utf8)) {
            return start..<endOfWord(from: start, in: UInt8(ascii: "\""))
        }
        var end = start
        while end < bytes.count, !bytes[end].isBlank, !bytes[end].isQuote, !",}]".utf8.contains(bytes[end]) { end += 1 }
        return start..<end
    }

    /// What stands behind `Bearer`, `Basic` and the like in an authorization.
    private func withoutScheme(_ range: Range<Int>, of name: String) -> Range<Int> {
        guard name.lowercased().hasSuffix("authorization"), let first = bytes[range].first else { return range }
        let start = range.lowerBound + (first.isQuote ? 1 : 0)
        var index = start
        while index < range.upperBound, bytes[index].isLetter { index += 1 }
        let scheme = index
        while index < bytes.count, bytes[index] == 32 { index += 1 }
        guard index > scheme, index < bytes.count else { return range }
        // A word alone ended before the blank.
        let end = range.upperBound > index ? range.upperBound : endOfWord(from: index, in: 0)
        return index..<max(index, first.isQuote && end == range.upperBound ? end - 1 : end)
    }

    // MARK: scheme://user:password@host

    private func hasAddress(at colon: Int) -> Bool {
        bytes[colon...].starts(with: Array("://".utf8)) && colon > 0
            && (bytes[colon - 1].isLetter || bytes[colon - 1].isDigit)
    }

    private mutating func address(at colon: Int) {
        let start = colon + 3
        var end = start
        while end < bytes.count, !bytes[end].isBlank, !bytes[end].isQuote, !"/?#".utf8.contains(bytes[end]) { end += 1 }
        guard let at = bytes[start..<end].lastIndex(of: UInt8(ascii: "@")) else { return }
        guard let sign = bytes[start..<at].firstIndex(of: UInt8(ascii: ":")) else {
            // A token in a user's place: `https://TOKEN@host`. A person's name has no digits at that length.
            let user = bytes[start..<at]
            let isToken = user.count >= 10 && user.contains(where: \.isDigit) && user.contains(where: \.isLetter)
            if isToken || user.elementsEqual(Array(Secrets.mask.utf8)) {
                add(start..<at, name: nil, what: "a token in a URL")
            }
            return
        }
        if sign + 1 < at { add((sign + 1)..<at, name: nil, what: "a password in a URL") }
    }

    // MARK: Shapes

    private mutating func word(at index: Int) {
        if let length = SecretShape.length(at: index, of: bytes) {
            let what = "a key (\(String(decoding: bytes[index...].prefix(4), as: UTF8.self))…)"
            found.append(Secrets.Found(range: index..<(index + length), name: nil, what: what))
        }
        let bearer = Array("bearer ".utf8)
        guard bytes.count - index > bearer.count,
            bytes[index..<(index + bearer.count)].map({ $0 | 32 }).elementsEqual(bearer)
        else { return }
        let start = index + bearer.count
        var end = start
        while end < bytes.count, bytes[end].isNameByte || "~+/=".utf8.contains(bytes[end]) { end += 1 }
        let value = bytes[start..<end]
        if value.count >= 16 || (value.count >= 8 && value.contains { $0.isDigit }) {
            add(start..<end, name: nil, what: "an authorization header")
        }
    }

    private mutating func privateKey(at index: Int) {
        let header = bytes[(index + 11)...].prefix(60)
        guard let end = header.firstIndex(of: UInt8(ascii: "-")), bytes[end...].starts(with: Array("-----".utf8)),
            String(decoding: bytes[(index + 11)..<end], as: UTF8.self).hasSuffix("PRIVATE KEY")
        else { return }
        let body = end + 5
        let mark = Array(" \(Secrets.mask)".utf8)
        if bytes[body...].starts(with: mark) {
            let range = index..<(body + mark.count)
            return found.append(
                Secrets.Found(range: range, name: nil, what: "a private key", isMask: true))
        }
        var stop = body
        while stop < bytes.count, !bytes[stop...].starts(with: Array("-----END ".utf8)), !bytes[stop].isQuote {
            stop += 1
        }
        if stop < bytes.count, !bytes[stop].isQuote {
            stop += 9
            while stop < bytes.count, bytes[stop] != UInt8(ascii: "-"), bytes[stop] != 10 { stop += 1 }
            stop = min(stop + 5, bytes.count)
        }
        found.append(
            Secrets.Found(
                range: index..<stop, name: nil, what: "a private key",
                replacement: "-----BEGIN PRIVATE KEY----- \(Secrets.mask)"))
    }

    // MARK: NAME value

    /// `ENV NAME value`, the old form, where all the rest is the value; `NAME = value` of the shell's own.
    private mutating func spacedName() {
        guard !isProse else { return }
        let words = bytes.split(whereSeparator: \.isBlank)
        if words.count > 2, endsAtBlanks,
            words[0].elementsEqual(Array("ENV".utf8)) || words[0].elementsEqual(Array("env".utf8))
        {
            let name = String(decoding: words[1], as: UTF8.self)
            guard !name.contains("="), Secrets.isNamed(name), let last = words.last else { return }
            add(words[2].startIndex..<last.endIndex, name: name, what: "the value of \(name)")
        } else if words.count == 3, words[1].elementsEqual([UInt8(ascii: "=")]) {
            let name = String(decoding: words[0], as: UTF8.self)
            guard Secrets.isNamed(name), name.utf8.allSatisfy(\.isNameByte) else { return }
            add(words[2].startIndex..<words[2].endIndex, name: name, what: "the value of \(name)")
        }
    }
}

extension [UInt8] {
    fileprivate func has(_ sign: Unicode.Scalar, after index: Int) -> Bool {
        self[(index + 1)...].prefix(4096).contains(UInt8(ascii: sign))
    }
}
