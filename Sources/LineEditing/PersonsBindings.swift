import Linux

/// The keys that a person binds in `$EDITRC` or `~/.editrc` (editrc(5)).
enum PersonsBindings {
    /// The largest file that is read, in bytes.
    private static let largest = 1 << 20

    /// The lines that bind a key; empty where there is no file.
    static var lines: String {
        guard let path, let bytes = try? WholeFile.read(path, limit: largest) else { return "" }
        return lines(of: String(decoding: bytes, as: UTF8.self))
    }

    /// The lines that bind a key, each with its newline: not those that choose vi's or emacs' keys or list bindings.
    static func lines(of text: String) -> String {
        var kept = ""
        for line in text.split(separator: "\n") where isBinding(line) { kept += line + "\n" }
        return kept
    }

    /// Whether a line reads `[PROGRAM:]bind [OPTIONS] KEY COMMAND`.
    private static func isBinding(_ line: Substring) -> Bool {
        var words = line.split { $0 == " " || $0 == "\t" }[...]
        guard let first = words.popFirst(), first == "bind" || first.hasSuffix(":bind") else { return false }
        return words.count >= 2
    }

    /// As libedit looks for it.
    private static var path: String? {
        if let given = HostEnvironment.value("EDITRC") { return given.isEmpty ? nil : given }
        return HostEnvironment.value("HOME").map { "\($0)/.editrc" }
    }
}
