/// Words as a POSIX shell reads them (POSIX.1, Shell Command Language, 2.2 Quoting).
extension String {
    /// Whether any shell reads the text as one word that is exactly it.
    package var isPlainShellWord: Bool {
        !isEmpty
            && utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "_-./:,@%+=".utf8.contains(byte)
            }
    }

    /// The text as a word that any shell reads as exactly it: in single quotes unless it is plain.
    package var shellQuoted: String { isPlainShellWord ? self : singleQuoted }

    /// The text in single quotes, its own ones closed, escaped and opened again.
    package var singleQuoted: String {
        "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// The text as an unquoted word, as it is typed: `\` before what means something to a shell.
    ///
    /// `#N` and `~N` behind a name, and `~/` in front, stay as they are.
    package var shellEscaped: String {
        if isEmpty { return "''" }
        // A newline cannot be escaped, only quoted.
        if unicodeScalars.contains("\n") { return singleQuoted }
        var out = String.UnicodeScalarView()
        var isFirst = true
        for scalar in unicodeScalars {
            let isSpecial = " \t'\"\\$;&|<>(){}*?[]`!".unicodeScalars.contains(scalar)
            if isSpecial || isFirst && (scalar == "#" || scalar == "~" && !hasPrefix("~/")) { out.append("\\") }
            out.append(scalar)
            isFirst = false
        }
        return String(out)
    }
}
