/// What is a secret in a text that is kept or shown: values behind names that say so, and values known by their shape.
///
/// The one rule for the journal, history files, recordings, recipes and what the shell repeats.
package enum Secrets {
    /// The text that replaces a secret.
    package static let mask = "***"

    /// A secret in a text.
    package struct Found: Sendable, Hashable {
        /// The value's place, in bytes of UTF-8, the quotes around it included.
        package var range: Range<Int>
        /// The variable's, option's or header's name; `nil` where there is none.
        package var name: String?
        /// For a person: `the value of API_TOKEN`.
        package var what: String
        /// Whether ``mask`` stands there already.
        package var isMask = false
        /// What takes its place.
        var replacement = Secrets.mask
        /// The quote around it, 0 for none, and whether that is a word of a list as JSON has it.
        var quote: UInt8 = 0
        var isInList = false

        /// A value as it is written in the mask's place, so that whoever reads the text gets just that value.
        package func spelled(_ value: String) -> String {
            let isPlain = value.utf8.allSatisfy { $0.isNameByte || "/:,@%+=^".utf8.contains($0) }
            if isPlain, !value.isEmpty { return value }
            switch quote {
            case UInt8(ascii: "'"): return value.replacing("'", with: #"'\''"#)
            case UInt8(ascii: "\""):
                let escaped = isInList ? "\\\"" : "\\\"$`"
                return value.reduce(into: "") { text, character in
                    if escaped.contains(character) { text += "\\" }
                    text.append(character)
                }
            default: return "'" + value.replacing("'", with: #"'\''"#) + "'"
            }
        }
    }

    /// The secrets of a text, first to last; those that are masked already too.
    ///
    /// `isProse`: a message or a program's output. There `--password VALUE` and `password: VALUE` are mostly no secret
    /// but a sentence, so only the forms that no sentence has count.
    package static func find(in text: String, isProse: Bool = false) -> [Found] {
        let bytes = Array(text.utf8)
        var scan = SecretScan(bytes, isProse: isProse)
        scan.run()
        if !isProse {
            var words = SecretWords(bytes)
            words.run()
            scan.found += words.found
        }
        var all = merged(scan.found)
        for index in all.indices where all[index].isMask { scan.noteQuote(of: &all[index]) }
        return all
    }

    /// A text with every secret in it replaced, and what each was.
    package static func masked(_ text: String, isProse: Bool = false) -> (text: String, found: [String]) {
        let found = find(in: text, isProse: isProse).filter { !$0.isMask }
        if found.isEmpty { return (text, []) }
        return (replacing(found, in: text) { $0.replacement }, found.map(\.what))
    }

    /// The same text with something else in the place of some of its secrets.
    package static func replacing(_ found: [Found], in text: String, _ body: (Found) -> String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var end = 0
        for secret in found where secret.range.lowerBound >= end && secret.range.upperBound <= bytes.count {
            result += bytes[end..<secret.range.lowerBound] + Array(body(secret).utf8)
            end = secret.range.upperBound
        }
        return String(decoding: result + bytes[end...], as: UTF8.self)
    }

    /// The secret values of a text as a program gets them, without the quotes; short ones could be anything.
    package static func values(in text: String) -> Set<String> {
        let bytes = Array(text.utf8)
        return Set(
            find(in: text).filter { !$0.isMask }.map { SecretValue(bytes[$0.range]).plain }.filter {
                $0.utf8.count >= 5
            })
    }

    /// In order, and those that overlap as one.
    private static func merged(_ all: [Found]) -> [Found] {
        var result: [Found] = []
        let sorted = all.sorted {
            ($0.range.lowerBound, -$0.range.upperBound) < ($1.range.lowerBound, -$1.range.upperBound)
        }
        for secret in sorted {
            guard let last = result.last, secret.range.lowerBound < last.range.upperBound else {
                result.append(secret)
                continue
            }
            let end = max(last.range.upperBound, secret.range.upperBound)
            result[result.count - 1].range = last.range.lowerBound..<end
            if !secret.isMask, last.isMask { result[result.count - 1].isMask = false }
        }
        return result
    }

    // MARK: Names

    /// Whether a variable's, an option's or a header's name says that its value is one: `DB_PASSWORD`, `api-key`,
    /// `githubToken`.
    package static func isNamed(_ name: String) -> Bool {
        let words = words(of: name)
        // The place of a secret, and what is told of one, are none: PASSWORD_FILE, TOKEN_TTL, --password-stdin.
        if words.count > 1, let last = words.last, about.contains(last) { return false }
        let lower = name.lowercased()
        if lower.contains("tokeniz") || words.contains("public") || words.contains("pub") { return false }
        if strong.contains(where: { lower.contains($0) }) { return true }
        if words.contains("pass") || words.contains("key") { return true }
        // DBPASS, and what a signed address ends with.
        if name == name.uppercased(), lower.hasSuffix("pass"), !notPasswords.contains(lower) { return true }
        if words == ["sig"] || words.last == "signature" || name == "AUTH" { return true }
        return words.count > 1 && words.contains("pwd")
    }

    /// Whether a value is public whatever `isNamed` says of its name: the fingerprint or the id of an OpenPGP key
    /// (RFC 9580, 5.5.4), as official images have it in `GPG_KEY`.
    package static func isFingerprint(_ value: String, named name: String) -> Bool {
        let lower = name.lowercased()
        guard !Set(words(of: name)).isDisjoint(with: ["gpg", "pgp", "gpgkey"]),
            !strong.contains(where: { lower.contains($0) })
        else { return false }
        let digits = value.utf8.filter { $0 != UInt8(ascii: " ") }
        return [8, 16, 40].contains(digits.count)
            && digits.allSatisfy { $0.isDigit || (65...70).contains($0) || (97...102).contains($0) }
    }

    private static let strong = [
        "password", "passwd", "passphrase", "token", "secret", "apikey", "api_key", "private_key", "credential",
        "storepass", "keypass", "passwort",
    ]
    private static let notPasswords: Set<String> = [
        "bypass", "compass", "encompass", "surpass", "trespass", "overpass",
    ]
    private static let about: Set<String> = [
        "file", "files", "path", "dir", "directory", "ttl", "stdin", "url", "uri", "length", "policy", "name", "prompt",
        "command", "helper", "helpers", "expiry", "expires",
    ]

    /// `AWS_ACCESS_KEY`, `api-key` and `apiKey` as their words in lower case.
    private static func words(of name: String) -> [String] {
        var words: [String] = [""]
        var wasLower = false
        for character in name {
            if "_-.".contains(character) || (wasLower && character.isUppercase) { words.append("") }
            if !"_-.".contains(character) { words[words.count - 1] += character.lowercased() }
            wasLower = character.isLowercase
        }
        return words.filter { !$0.isEmpty }
    }
}

/// The text that stands where a secret may stand.
struct SecretValue {
    /// Without the quotes, and without what a backslash protects.
    let plain: String
    /// Whether it only names where the value is: `$TOKEN`, `${TOKEN}`, `$(cat file)`.
    let isReference: Bool

    init(_ bytes: ArraySlice<UInt8>) {
        var plain: [UInt8] = []
        var quote: UInt8?
        var isEscaped = false
        // What stands in '…' is meant as it is.
        let isLiteral = bytes.first == UInt8(ascii: "'")
        for byte in bytes {
            if isEscaped {
                plain.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "'") {
                isEscaped = true
            } else if let open = quote {
                if byte == open { quote = nil } else { plain.append(byte) }
            } else if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
                quote = byte
            } else {
                plain.append(byte)
            }
        }
        self.plain = String(decoding: plain, as: UTF8.self)
        isReference = !isLiteral && Self.isReference(plain)
    }

    /// Whether there is a value, and it is the secret itself, not a reference to it.
    var isSecret: Bool {
        !plain.isEmpty && !isReference && !["true", "false", "yes", "no", "null"].contains(plain.lowercased())
    }

    var isMask: Bool { plain == Secrets.mask }

    /// One variable or one command's output and nothing else.
    private static func isReference(_ bytes: [UInt8]) -> Bool {
        if bytes.first == UInt8(ascii: "`") { return true }
        guard bytes.first == UInt8(ascii: "$"), bytes.count > 1 else { return false }
        let rest = bytes[1...]
        switch rest.first {
        case UInt8(ascii: "("): return true
        case UInt8(ascii: "{"): return rest.firstIndex(of: UInt8(ascii: "}")) == rest.indices.last
        default: return rest.allSatisfy { $0.isNameByte && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") }
        }
    }
}

extension UInt8 {
    var isLetter: Bool { (65...90).contains(self) || (97...122).contains(self) }
    var isDigit: Bool { (48...57).contains(self) }
    /// A byte of a variable's, option's, label's or header's name.
    var isNameByte: Bool {
        isLetter || isDigit || self == UInt8(ascii: "_") || self == UInt8(ascii: "-") || self == UInt8(ascii: ".")
    }
    var isBlank: Bool { self == 32 || self == 9 || self == 10 || self == 13 }
    var isQuote: Bool { self == UInt8(ascii: "'") || self == UInt8(ascii: "\"") }
}
