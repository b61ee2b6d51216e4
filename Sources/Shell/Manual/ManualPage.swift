import Basics

/// A manual page under way, in the language of man(7): what `man` of man-db and mandoc show.
///
/// Texts are plain: backslashes, leading dots, dashes that are typed and letters beyond ASCII are written so that both
/// programs show them, and copy them, as they are.
struct ManualPage {
    private(set) var text: String

    /// `name` as in `shale-run`; `date` is what the foot of the page says.
    init(_ name: String, date: Timestamp) {
        let day = date.description.prefix { $0 != "T" }
        text = ".TH \(Self.typed(name.uppercased())) 1 \"\(day)\" \"shale \(Version.current)\" \"Shale Manual\"\n"
    }

    mutating func section(_ title: String) { text += ".SH \(Self.typed(title))\n" }

    mutating func subsection(_ title: String) { text += ".SS \(Self.typed(title))\n" }

    /// A text of paragraphs with blank lines between them; lines that begin with a space are kept as they are.
    mutating func prose(_ prose: String) {
        var lines: [Substring] = []
        var isFirst = true
        func paragraphs(_ page: inout ManualPage) {
            guard let first = lines.first else { return }
            if !isFirst, !first.hasPrefix(" ") { page.text += ".PP\n" }
            isFirst = false
            if first.hasPrefix(" ") {
                page.block(lines.map(String.init))
            } else {
                page.fill(lines.joined(separator: " "))
            }
            lines = []
        }
        for line in prose.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty || lines.first.map({ $0.hasPrefix(" ") != line.hasPrefix(" ") }) ?? false {
                paragraphs(&self)
            }
            if !line.isEmpty { lines.append(line) }
        }
        paragraphs(&self)
    }

    /// What is typed, and below it what it means.
    mutating func item(_ typed: String, _ meaning: String) {
        text += ".TP\n\\fB\(Self.typed(typed))\\fR\n"
        fill(meaning.isEmpty ? "\u{2014}" : meaning)
    }

    /// Lines as they are, in the letters of a terminal.
    mutating func block(_ lines: [String]) {
        text += ".EX\n" + lines.map { Self.protected(Self.typed($0)) + "\n" }.joined() + ".EE\n"
    }

    /// Lines for a page's SYNOPSIS or its last line.
    mutating func lines(_ lines: [String]) {
        text += lines.map { Self.protected(Self.typed($0)) + "\n" }.joined(separator: ".br\n")
    }

    /// Words in lines of at most 78 letters; a sentence begins a line, as the language asks.
    private mutating func fill(_ prose: String) {
        var line = ""
        func end(_ page: inout ManualPage) {
            guard !line.isEmpty else { return }
            page.text += Self.protected(line) + "\n"
            line = ""
        }
        for word in prose.split(separator: " ").map({ Self.typed(String($0)) }) {
            if !line.isEmpty, line.utf8.count + 1 + word.utf8.count > 78 { end(&self) }
            line += line.isEmpty ? word : " \(word)"
            if word.hasSuffix(".") || word.hasSuffix(":") { end(&self) }
        }
        end(&self)
    }

    /// A line that must not be taken for a request.
    private static func protected(_ line: String) -> String {
        line.hasPrefix(".") || line.hasPrefix("'") ? "\\&\(line)" : line
    }

    /// The text with each letter as it would be typed.
    private static func typed(_ text: String) -> String {
        var typed = ""
        for letter in text.unicodeScalars {
            switch letter {
            case "\\": typed += "\\(rs"
            case "-": typed += "\\-"
            case "'": typed += "\\(aq"
            case "`": typed += "\\(ga"
            case "^": typed += "\\(ha"
            case "~": typed += "\\(ti"
            // Where the terminal's letters are ASCII, troff has none for these.
            case "…": typed += "..."
            case "→": typed += "\\(->"
            case " "..."~": typed.unicodeScalars.append(letter)
            default:
                let digits = String(letter.value, radix: 16, uppercase: true)
                typed += "\\[u\(String(repeating: "0", count: max(0, 4 - digits.count)))\(digits)]"
            }
        }
        return typed
    }
}
