/// The names that a line may use, so that their definitions can be written before it.
///
/// It may return too many names but never too few: an unneeded definition does no harm.
struct NamesInLine {
    /// Names after a `$`, in arithmetic, or as arguments of a builtin that takes names.
    private let variables: Set<String>
    private let words: Set<String>
    /// Whether the line may use names that are not in its text, as with `eval`.
    private let mayUseAny: Bool

    private static let takingNames: Set<String> = [
        "read", "unset", "export", "let", "getopts", "declare", "typeset", "local", "readonly", "test", "[[", "printf",
        "mapfile", "readarray", "for",
    ]
    private static let opaque: Set<String> = ["eval", ".", "source", "set", "trap"]

    init(_ text: String) {
        var variables: Set<String> = []
        var words: Set<String> = []
        let bytes = Array(text.utf8)
        let isArithmetic = text.contains("((")
        var index = 0
        while index < bytes.count {
            guard ShellWords.isNameByte(bytes[index]) else {
                index += 1
                continue
            }
            let start = index
            while index < bytes.count, ShellWords.isNameByte(bytes[index]) { index += 1 }
            let name = String(decoding: bytes[start..<index], as: UTF8.self)
            let before = start > 0 ? bytes[start - 1] : 0
            let isExpanded =
                before == UInt8(ascii: "$")
                || (before == UInt8(ascii: "{") && start > 1 && bytes[start - 2] == UInt8(ascii: "$"))
                || ((before == UInt8(ascii: "#") || before == UInt8(ascii: "!")) && start > 1
                    && bytes[start - 2] == UInt8(ascii: "{"))
            let appends =
                index + 1 < bytes.count && bytes[index] == UInt8(ascii: "+") && bytes[index + 1] == UInt8(ascii: "=")
            if isExpanded || isArithmetic || appends { variables.insert(name) }
        }
        let blanks: Set<Character> = [" ", "\t", "\n", ";", "&", "|", "(", ")", "<", ">", "`", "\"", "'"]
        for word in text.split(whereSeparator: { blanks.contains($0) }) {
            words.insert(String(word))
            // The name in `export A=b`.
            if let equals = word.firstIndex(of: "=") { words.insert(String(word[..<equals])) }
        }
        if !words.isDisjoint(with: Self.takingNames) { variables.formUnion(words) }
        self.variables = variables
        self.words = words
        mayUseAny = !words.isDisjoint(with: Self.opaque)
    }

    /// Whether the line uses `pushd`, `popd`, `dirs`, `$DIRSTACK` or `~2`.
    var usesDirectoryStack: Bool {
        mayUseAny || variables.contains("DIRSTACK") || !words.isDisjoint(with: ["pushd", "popd", "dirs"])
            || words.contains { word in
                word.first == "~" && word.dropFirst().first.map { "+-0123456789".contains($0) } ?? false
            }
    }

    func usesVariable(_ name: String) -> Bool { mayUseAny || variables.contains(name) }
    func usesCommand(_ name: String) -> Bool { mayUseAny || words.contains(name) }
    func hasWord(_ name: String) -> Bool { words.contains(name) }
}
