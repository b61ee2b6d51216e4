import Basics
import Engine

/// Takes secrets out of a line before it is kept.
enum SecretMask {
    static let mask = "***"

    /// The line as typed, the values of passwords, tokens and secrets replaced by `***`.
    ///
    /// Masked are the value behind `--password…` and `--secret`, `-p` of `login`, `NAME=value` where the name looks
    /// secret (`-e API_TOKEN=…`, `ENV`, `--build-arg`), and passwords in URLs.
    static func masked(_ line: String) -> String {
        var pieces = pieces(of: line)
        let words = pieces.indices.filter { pieces[$0].isWord }
        let verbs = words.prefix(4).map { pieces[$0].text }
        let isLogin = verbs.contains("login")
        var masksNext = false
        var instruction = verbs.first ?? ""
        if !["ENV", "ARG", "LABEL"].contains(instruction) { instruction = "" }
        for (place, index) in words.enumerated() {
            let text = pieces[index].text
            if masksNext {
                pieces[index].text = mask
                masksNext = false
            } else if takesSecret(text, isLogin: isLogin) {
                masksNext = true
            } else if instruction == "ENV", place == 1, words.count > 2, !text.contains("="), isSecret(text) {
                // The old form, `ENV NAME value`: all the rest is the value.
                for rest in words[(place + 1)...] { pieces[rest].text = mask }
                break
            } else {
                pieces[index].text = word(text, isLogin: isLogin)
            }
        }
        return pieces.map(\.text).joined()
    }

    private static func takesSecret(_ word: String, isLogin: Bool) -> Bool {
        ["--password", "--secret"].contains(word) || (isLogin && word == "-p")
    }

    private static func word(_ text: String, isLogin: Bool) -> String {
        var text = maskedURL(text)
        if isLogin, text.hasPrefix("-p"), text.count > 2, !text.hasPrefix("-p=") { return "-p" + mask }
        for option in ["--password=", "--secret=", "-p="] where text.hasPrefix(option) {
            if option != "-p=" || isLogin { return option + mask }
        }
        // `--env=NAME=value`, `-eNAME=value`, `'NAME=value'`: the name stands before the last sign but one.
        guard let equals = nameEnd(text) else { return text }
        let head = text[..<equals]
        let name = head.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }.last.map(String.init) ?? ""
        if isSecret(name) {
            let quote = ["'", "\""].first { text.hasPrefix($0) && text.hasSuffix($0) && text.count > 1 } ?? ""
            text = head + "=" + mask + quote
        }
        return text
    }

    /// The sign behind the variable's name: the first, or behind an option's own sign the second.
    private static func nameEnd(_ text: String) -> String.Index? {
        guard let first = text.firstIndex(of: "=") else { return nil }
        guard text.hasPrefix("--") else { return first }
        return text[text.index(after: first)...].firstIndex(of: "=") ?? first
    }

    private static func isSecret(_ name: String) -> Bool {
        let lower = name.lowercased()
        return Secrets.isNamed(name) || lower == "key" || lower.hasSuffix("_key") || lower.hasSuffix("-key")
    }

    /// `scheme://user:password@host`.
    private static func maskedURL(_ text: String) -> String {
        guard let scheme = text.firstRange(of: "://") else { return text }
        let rest = text[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else {
            return text
        }
        return text[...colon] + mask + text[at...]
    }

    private struct Piece {
        var text: String
        var isWord: Bool
    }

    /// Words with their quotes, and what stands between them.
    private static func pieces(of line: String) -> [Piece] {
        var pieces: [Piece] = []
        var quote: Character?
        var isEscaped = false
        for character in line {
            let isSpace = quote == nil && !isEscaped && (character == " " || character == "\t" || character.isNewline)
            if pieces.isEmpty || pieces[pieces.count - 1].isWord == isSpace {
                pieces.append(Piece(text: "", isWord: !isSpace))
            }
            pieces[pieces.count - 1].text.append(character)
            if isEscaped {
                isEscaped = false
            } else if character == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil }
            } else if character == "'" || character == "\"" {
                quote = character
            }
        }
        return pieces
    }
}

extension String {
    fileprivate func firstRange(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
