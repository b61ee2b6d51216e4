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
}
