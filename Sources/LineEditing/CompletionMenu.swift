import Basics
import CEditline
import Glibc
import Rendering

/// Tab: the common start first, then a list.
extension LineEditor {
    /// Above this many, a list asks first.
    private static let manyCandidates = 100

    func complete() -> KeyOutcome {
        guard let completions = completionsAtCursor(), !completions.candidates.isEmpty else {
            lastTab = nil
            return .error
        }
        let line = line
        let replaced = completions.span.count
        let current = String(
            String.UnicodeScalarView(textBeforeCursor.unicodeScalars.suffix(replaced)))
        if completions.candidates.count == 1, let only = completions.candidates.first {
            let space = only.isWhole && !atBlank(line) ? " " : ""
            replaceBeforeCursor(replaced, with: only.insertion + space)
            lastTab = nil
            return .refresh
        }
        let common = completions.commonPrefix
        if common != current, common.unicodeScalars.count >= current.unicodeScalars.count {
            replaceBeforeCursor(replaced, with: common)
            lastTab = (self.line.text, self.line.cursor)
            return .refresh
        }
        if let lastTab, lastTab == (line.text, line.cursor) {
            list(completions.candidates)
            return .normal
        }
        lastTab = (line.text, line.cursor)
        // Ambiguous as it stands: a beep, and the second Tab shows why.
        return .error
    }

    /// Lists what could stand at the cursor (Ctrl-D at the end of a line).
    func listCompletions() {
        guard let completions = completionsAtCursor(), !completions.candidates.isEmpty else { return }
        list(completions.candidates)
    }

    /// The candidates, with their span inside this line.
    private func completionsAtCursor() -> Completions? {
        guard let completer else { return nil }
        let text = linesBefore + textBeforeCursor
        var found = completer.completions(for: text)
        let count = text.unicodeScalars.count
        guard found.span.upperBound <= count, found.span.count <= textBeforeCursor.unicodeScalars.count else {
            return nil
        }
        found.span = found.span.lowerBound..<count
        return found
    }

    private func atBlank(_ line: (text: String, length: Int, cursor: Int)) -> Bool {
        line.cursor < line.length && Array(line.text.unicodeScalars)[line.cursor].isBlank
    }

    private func list(_ candidates: [Candidate]) {
        if candidates.count > Self.manyCandidates, !confirm(candidates.count) { return }
        let columns = console.size(.output)?.columns ?? 80
        printBelow(CompletionMenu.text(candidates, columns: columns))
    }

    private func confirm(_ count: Int) -> Bool {
        moveBelow()
        console.write("Display all \(count) possibilities? (y or n) ")
        let key = shale_editline_read_key()
        let isYes = [UInt8(ascii: "y"), UInt8(ascii: "Y"), 32].contains { Int32($0) == key }
        console.write(isYes ? "\u{8}" : "\n")
        if !isYes, let handle { shale_editline_refresh(handle) }
        return isYes
    }

    /// Prints text below the line, and the line again below that.
    func printBelow(_ text: String) {
        moveBelow()
        console.write(text)
        if let handle { shale_editline_refresh(handle) }
    }

    /// Moves the terminal's cursor to the row below the line.
    private func moveBelow() {
        let columns = console.size(.output)?.columns ?? 80
        let prompt = promptText.withoutColours
        let last = ScreenRows.row(atEndOf: prompt + line.text, columns: columns)
        let here = ScreenRows.row(atEndOf: prompt + textBeforeCursor, columns: columns)
        let down = last > here && console.canRedraw(.output) ? "\u{1b}[\(last - here)B" : ""
        console.write(down + "\r\n")
    }
}

/// Where text ends up on a screen that wraps.
enum ScreenRows {
    /// The 0-based row of the cursor behind a text that starts at the left edge.
    static func row(atEndOf text: String, columns: Int) -> Int {
        var row = 0
        var column = 0
        for scalar in text.unicodeScalars {
            if scalar == "\n" {
                row += 1
                column = 0
                continue
            }
            let width = scalar == "\t" ? 8 - column % 8 : scalar.displayWidth
            if column + width > columns {
                row += 1
                column = 0
            }
            column += width
            if column >= columns {
                row += 1
                column = 0
            }
        }
        return row
    }
}

/// Candidates in columns, read downwards; with descriptions, one a line.
enum CompletionMenu {
    static func text(_ candidates: [Candidate], columns: Int) -> String {
        let names = candidates.map(\.display.singleLine)
        let widest = names.map(\.displayWidth).max() ?? 0
        if candidates.contains(where: { !$0.summary.isEmpty }) {
            let room = columns - min(widest, columns / 2) - 3
            return zip(names, candidates).map { name, candidate in
                let summary = room > 10 ? candidate.summary.singleLine.ellipsis(room) : ""
                let padded = name.ellipsis(max(1, columns / 2)).padded(to: min(widest, columns / 2))
                return "\(padded)  \(summary)".trimmedSpaces + "\n"
            }.joined()
        }
        let cell = widest + 2
        let perRow = max(1, (columns + 1) / cell)
        let rows = (names.count + perRow - 1) / perRow
        return (0..<rows).map { row in
            var line = ""
            for index in stride(from: row, to: names.count, by: max(1, rows)) { line += names[index].padded(to: cell) }
            return line.trimmedSpaces + "\n"
        }.joined()
    }
}
