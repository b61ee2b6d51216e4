/// Finds secrets by the program that takes them: `login -p X`, `curl -u user:X`, `mysql -pX`, `echo X | chpasswd`.
struct SecretWords {
    private struct Word {
        /// What stands between the quotes, where the whole word is in them.
        var range: Range<Int>
        var text: String
    }

    private let bytes: [UInt8]
    var found: [Secrets.Found] = []

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private static let stdinReaders: Set<String> = ["chpasswd", "--password-stdin", "--passphrase-fd", "--stdin"]

    mutating func run() { scan(0..<bytes.count, depth: 0) }

    private mutating func scan(_ range: Range<Int>, depth: Int) {
        var before: [Word] = []
        var index = range.lowerBound
        while index < range.upperBound {
            let (words, end) = command(from: index, to: range.upperBound)
            look(words)
            let isPiped = index > range.lowerBound && bytes[index - 1] == UInt8(ascii: "|")
            if isPiped, words.contains(where: { Self.stdinReaders.contains($0.text) }) { hide(spokenBy: before) }
            // A command in quotes, as `sh -c` gets one.
            if depth < 4 {
                for word in words where word.text.utf8.contains(where: \.isBlank) { scan(word.range, depth: depth + 1) }
            }
            before = words
            index = end + 1
        }
    }

    /// The words of a simple command, and where it ends.
    private func command(from start: Int, to limit: Int) -> (words: [Word], end: Int) {
        var words: [Word] = []
        var index = start
        while index < limit {
            let byte = bytes[index]
            if ";|&\n()".utf8.contains(byte) { break }
            // `["a", "b"]` are words, too.
            if byte.isBlank || "[],".utf8.contains(byte) {
                index += 1
            } else if byte == UInt8(ascii: "\\"), index + 1 < limit, bytes[index + 1] == 10 {
                index += 2
            } else {
                let end = endOfWord(from: index, to: limit)
                words.append(word(index..<end))
                index = end
            }
        }
        return (words, index)
    }

    private func endOfWord(from start: Int, to limit: Int) -> Int {
        var index = start
        while index < limit, !bytes[index].isBlank, !";|&()".utf8.contains(bytes[index]) {
            if bytes[index] == UInt8(ascii: "\\") {
                index += 2
            } else if bytes[index].isQuote {
                let quote = bytes[index]
                index += 1
                while index < limit, bytes[index] != quote {
                    index += bytes[index] == UInt8(ascii: "\\") && quote != UInt8(ascii: "'") ? 2 : 1
                }
                index += 1
                if index < limit, bytes[index] == UInt8(ascii: ",") || bytes[index] == UInt8(ascii: "]") { break }
            } else {
                index += 1
            }
        }
        return min(index, limit)
    }

    private func word(_ range: Range<Int>) -> Word {
        var inner = range
        if let first = bytes[range].first, first.isQuote, range.count > 1, bytes[range.upperBound - 1] == first,
            !bytes[(range.lowerBound + 1)..<(range.upperBound - 1)].contains(first)
        {
            inner = (range.lowerBound + 1)..<(range.upperBound - 1)
        }
        return Word(range: inner, text: String(decoding: bytes[inner], as: UTF8.self))
    }

    private mutating func look(_ words: [Word]) {
        for (place, word) in words.enumerated() {
            var name = word.text.split(separator: "/").last.map(String.init) ?? ""
            // `!curl` of the shell's own.
            if place == 0, name.hasPrefix("!") { name.removeFirst() }
            // `logn -p X` gets an error line, which repeats it.
            if place < 2, name.utf8.count > 3, Suggestion.distance(name, "login") == 1 { name = "login" }
            guard let known = PasswordOption.known[name] else { continue }
            if name == "login", !isLogin(at: place, in: words) { continue }
            for option in known { options(option, of: name, words[(place + 1)...]) }
        }
        netrc(words)
        settings(words)
        for word in words { account(in: word) }
    }

    /// `docker login`, and not a container of that name.
    private func isLogin(at place: Int, in words: [Word]) -> Bool {
        guard place > 0 else { return true }
        let before = words[place - 1].text
        return PasswordOption.registryClients.contains(before) || (place <= 3 && !before.hasPrefix("-"))
    }

    private mutating func options(_ known: PasswordOption, of name: String, _ words: ArraySlice<Word>) {
        var index = words.startIndex
        while index < words.endIndex {
            let word = words[index]
            index += 1
            guard var value = known.value(in: word.range, of: bytes) else { continue }
            if value.isEmpty {
                guard known.takesNext, index < words.endIndex else { continue }
                // With its quotes: what is given back is a word of its own.
                value = words[index].range
                index += 1
            }
            guard let separator = known.separator else {
                add(value, what: "the password of \(name)")
                continue
            }
            guard let sign = bytes[value].firstIndex(of: separator) else { continue }
            var secret = (sign + 1)..<value.upperBound
            // `-u "me:x"y`: the quote that closes stays.
            if let end = bytes[secret].last, end.isQuote { secret = secret.lowerBound..<(secret.upperBound - 1) }
            add(secret, what: "the password of \(name)")
        }
    }

    /// `aws configure set aws_secret_access_key X`, `npm config set NAME X`.
    private mutating func settings(_ words: [Word]) {
        for (place, word) in words.enumerated() where word.text == "set" && place + 2 < words.count {
            let name = words[place + 1].text
            if Secrets.isNamed(name) { add(words[place + 2].range, what: "the value of \(name)") }
        }
    }

    /// `user:password@host/…`, an address without a scheme.
    private mutating func account(in word: Word) {
        let range = word.range
        guard let at = bytes[range].firstIndex(of: UInt8(ascii: "@")),
            let colon = bytes[range.lowerBound..<at].firstIndex(of: UInt8(ascii: ":")), colon + 1 < at,
            bytes[range.lowerBound..<colon].allSatisfy(\.isNameByte), colon > range.lowerBound
        else { return }
        let password = (colon + 1)..<at
        let host = bytes[(at + 1)..<range.upperBound]
        // Not `name:tag@sha256:…`, and not `host:path@version`.
        guard !bytes[password].contains(UInt8(ascii: "/")), !host.starts(with: Array("sha".utf8)),
            host.first?.isLetter == true || host.first?.isDigit == true,
            host.contains(where: { "/:".utf8.contains($0) })
        else { return }
        add(password, what: "a password in an address")
    }

    /// `machine HOST login ME password X`.
    private mutating func netrc(_ words: [Word]) {
        guard words.contains(where: { $0.text.hasSuffix("machine") }) else { return }
        for (place, word) in words.enumerated() where word.text == "password" && place + 1 < words.count {
            add(words[place + 1].range, what: "a password")
        }
    }

    /// What is printed for a program that reads a password: `echo X | login --password-stdin`.
    private mutating func hide(spokenBy words: [Word]) {
        guard let verb = words.firstIndex(where: { ["echo", "printf"].contains($0.text) }) else { return }
        let said = words[(verb + 1)...].filter { !$0.text.hasPrefix("-") && $0.text != "%s" && $0.text != #"%s\n"# }
        guard let last = said.last else { return }
        var secret = last.range
        if let colon = bytes[secret].firstIndex(of: UInt8(ascii: ":")) { secret = (colon + 1)..<secret.upperBound }
        add(secret, what: "a password")
    }

    private mutating func add(_ range: Range<Int>, what: String) {
        let value = SecretValue(bytes[range])
        if value.isMask || value.isSecret {
            found.append(Secrets.Found(range: range, name: nil, what: what, isMask: value.isMask))
        }
    }
}
