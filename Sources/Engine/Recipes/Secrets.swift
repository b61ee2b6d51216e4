/// Names that say their value is nobody's business, and values that are recognised by their shape.
package enum Secrets {
    /// What stands in a secret's place.
    package static let mask = "***"

    /// Whether a variable's or an option's name says so: `DB_PASSWORD`, `api-key`, `githubToken`.
    package static func isNamed(_ name: String) -> Bool {
        let lower = name.lowercased()
        if ["password", "passwd", "passphrase", "token", "secret", "apikey", "api_key", "private_key", "credential"]
            .contains(where: { lower.contains($0) })
        {
            return true
        }
        let words = words(of: name)
        if words.contains("pass") || words.contains("key") { return true }
        return words.count > 1 && words.contains("pwd")
    }

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

    /// A text with every secret in it replaced, and what each was.
    package static func masked(_ text: String) -> (text: String, found: [String]) {
        var text = text
        var found: [String] = []
        replaceKeys(&text, &found)
        replaceAddresses(&text, &found)
        replaceHeaders(&text, &found)
        replaceOptions(&text, &found)
        replaceAssignments(&text, &found)
        return (text, found)
    }

    private static func replaceKeys(_ text: inout String, _ found: inout [String]) {
        let block = /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?:[^-]|-(?!----))*-----END [A-Z ]*PRIVATE KEY-----)?[^'"]*/
        text.replace(block) { _ in
            found.append("a private key")
            return "-----BEGIN PRIVATE KEY----- \(mask)"
        }
        let shapes =
            /(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|npm_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{35}|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}|sk-[A-Za-z0-9_-]{20,}/
        text.replace(shapes) { match in
            let word = String(match.output)
            // Something of that look in a longer word is something else.
            found.append("a key (\(word.prefix(4))…)")
            return mask
        }
    }

    private static func replaceAddresses(_ text: inout String, _ found: inout [String]) {
        text.replace(/([A-Za-z][A-Za-z0-9+.\-]*:\/\/[^\s\/:@'"]*):([^\s\/@'"]+)@/) { match in
            if isReference(match.output.2) { return String(match.output.0) }
            found.append("a password in a URL")
            return "\(match.output.1):\(mask)@"
        }
    }

    private static func replaceHeaders(_ text: inout String, _ found: inout [String]) {
        text.replace(/\b([Bb]earer|[Aa]uthorization: *[Bb]asic) +([A-Za-z0-9._~+\/=\-]{8,})/) { match in
            found.append("an authorization header")
            return "\(match.output.1) \(mask)"
        }
    }

    private static func replaceOptions(_ text: inout String, _ found: inout [String]) {
        text.replace(/(--[A-Za-z][A-Za-z0-9\-]*)( +|=|",\s*")('[^']*'|"[^"]*"|[^\s'",;&|]+)/) { match in
            let name = String(match.output.1.dropFirst(2))
            // `--key 2` of sort, `--keyring FILE` and the like are no secrets.
            let isSecret =
                isNamed(name) && !["key", "token-ttl"].contains(name.lowercased()) && !name.hasSuffix("-stdin")
                && !name.hasSuffix("-file")
            if !isSecret || isReference(match.output.3) || match.output.3.hasPrefix("-") {
                return String(match.output.0)
            }
            found.append("the value of --\(name)")
            return "\(match.output.1)\(match.output.2)\(mask)"
        }
    }

    private static func replaceAssignments(_ text: inout String, _ found: inout [String]) {
        text.replace(/(^|[\s;&|('",])([A-Za-z_][A-Za-z0-9_]*)=('[^']*'|"[^"]*"|[^\s'";&|)]+)/) { match in
            let name = String(match.output.2)
            let isWritten = name != "key" && isNamed(name)
            if !isWritten || isReference(match.output.3) || match.output.3 == "\(mask)" {
                return String(match.output.0)
            }
            found.append("the value of \(name)")
            return "\(match.output.1)\(name)=\(mask)"
        }
    }

    /// Whether a value only names another variable, or is empty.
    private static func isReference(_ value: Substring) -> Bool {
        let bare = value.filter { $0 != "\"" && $0 != "'" }
        return bare.isEmpty || bare.hasPrefix("$") || bare == mask
    }
}
