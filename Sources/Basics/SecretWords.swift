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

    /// Options of programs whose next word, or the rest of theirs, is a password.
    private static let options: [String: (option: String, takesNext: Bool, isUser: Bool)] = {
        var all: [String: (option: String, takesNext: Bool, isUser: Bool)] = [
            "sshpass": ("-p", true, false), "redis-cli": ("-a", true, false), "curl": ("-u", true, true),
            "login": ("-p", true, false), "http": ("-a", true, true), "https": ("-a", true, true),
        ]
        for name in ["mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump", "mariadb-admin"] {
            all[name] = ("-p", false, false)
        }
        for name in ["mongo", "mongosh", "mongodump", "mongorestore"] { all[name] = ("-p", true, false) }
        for name in ["ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami"] { all[name] = ("-w", true, false) }
        return all
    }()

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
            let name = word.text.split(separator: "/").last.map(String.init) ?? ""
            guard let known = Self.options[name] else { continue }
            // `docker login`, and not a container of that name.
            if name == "login", place > 3 || (place > 0 && words[place - 1].text.hasPrefix("-")) { continue }
            options(known, of: name, words[(place + 1)...])
            if name == "curl" { options(("--user", true, true), of: name, words[(place + 1)...]) }
            if name == "curl" { options(("--proxy-user", true, true), of: name, words[(place + 1)...]) }
        }
        netrc(words)
    }

    private mutating func options(
        _ known: (option: String, takesNext: Bool, isUser: Bool), of name: String, _ words: ArraySlice<Word>
    ) {
        var index = words.startIndex
        while index < words.endIndex {
            let word = words[index]
            index += 1
            guard word.text.hasPrefix(known.option) else { continue }
            var value = word.range.dropFirst(known.option.utf8.count)
            if value.isEmpty {
                guard known.takesNext, index < words.endIndex else { continue }
                // With its quotes: what is given back is a word of its own.
                value = words[index].range[...]
                index += 1
            } else if known.option.hasPrefix("--") || bytes[value.lowerBound] == UInt8(ascii: "=") {
                guard bytes[value.lowerBound] == UInt8(ascii: "=") else { continue }
                value = value.dropFirst()
            }
            guard let first = value.first, let last = value.last else { continue }
            var secret = first..<(last + 1)
            if known.isUser {
                guard let colon = bytes[secret].firstIndex(of: UInt8(ascii: ":")) else { continue }
                secret = (colon + 1)..<secret.upperBound
                // `-u "me:x"y`: the quote that closes stays.
                if let end = bytes[secret].last, end.isQuote { secret = secret.lowerBound..<(secret.upperBound - 1) }
            }
            add(secret, what: "the password of \(name)")
        }
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
