/// What a terminal would show: enough of a VT100 for what shale and libedit send.
package struct Screen: Sendable {
    package private(set) var columns: Int
    package private(set) var rows: Int
    private var cells: [[Character]]
    /// Lines that left the top.
    package private(set) var scrollback: [String] = []
    package private(set) var row = 0
    package private(set) var column = 0
    /// Whether the last column was just written: the next character wraps.
    private var isPastEnd = false
    private var sequence: [Unicode.Scalar] = []
    private var undecoded: [UInt8] = []
    /// Whether the program asked for bracketed pastes.
    package private(set) var bracketsPaste = false
    package private(set) var beeps = 0

    package init(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
        cells = Self.blank(columns: columns, rows: rows)
    }

    /// The lines on the screen, without trailing blanks and trailing empty lines.
    package var lines: [String] {
        var lines = cells.map(Self.text)
        while lines.last?.isEmpty ?? false { lines.removeLast() }
        return lines
    }

    /// Everything shown so far, what scrolled away included.
    package var text: String { (scrollback + lines).joined(separator: "\n") }

    /// The line the cursor is on.
    package var currentLine: String { Self.text(cells[row]) }

    package mutating func resize(columns: Int, rows: Int) {
        var resized = Self.blank(columns: columns, rows: rows)
        for index in 0..<min(rows, self.rows) {
            for position in 0..<min(columns, self.columns) { resized[index][position] = cells[index][position] }
        }
        cells = resized
        self.columns = columns
        self.rows = rows
        row = min(row, rows - 1)
        column = min(column, columns - 1)
    }

    package mutating func feed(_ bytes: some Sequence<UInt8>) {
        undecoded += bytes
        // An unfinished character at the end waits for the rest of it.
        var end = undecoded.count
        if let last = undecoded.lastIndex(where: { $0 < 0x80 || $0 >= 0xc0 }), undecoded[last] >= 0xc0 {
            let needed = undecoded[last] >= 0xf0 ? 4 : undecoded[last] >= 0xe0 ? 3 : 2
            if undecoded.count - last < needed { end = last }
        }
        for scalar in String(decoding: undecoded[..<end], as: UTF8.self).unicodeScalars { put(scalar) }
        undecoded.removeFirst(end)
    }

    private static func blank(columns: Int, rows: Int) -> [[Character]] {
        Array(repeating: Array(repeating: " ", count: columns), count: rows)
    }

    /// A wide character's second cell holds a NUL.
    private static func text(_ cells: [Character]) -> String {
        var line = String(cells.filter { $0 != "\0" })
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }

    private mutating func put(_ scalar: Unicode.Scalar) {
        if !sequence.isEmpty {
            escape(scalar)
            return
        }
        switch scalar {
        case "\u{1b}": sequence = [scalar]
        case "\r":
            column = 0
            isPastEnd = false
        case "\n":
            lineFeed()
        case "\u{8}":
            column = max(0, column - 1)
            isPastEnd = false
        case "\t": column = min(columns - 1, (column / 8 + 1) * 8)
        case "\u{7}": beeps += 1
        case _ where scalar.value < 0x20: return
        default: write(Character(scalar), width: Self.isWide(scalar) ? 2 : 1)
        }
    }

    private mutating func write(_ character: Character, width: Int) {
        if isPastEnd || column + width > columns {
            column = 0
            lineFeed()
        }
        cells[row][column] = character
        if width == 2, column + 1 < columns { cells[row][column + 1] = "\0" }
        column += width
        isPastEnd = column >= columns
        if isPastEnd { column = columns - 1 }
    }

    private mutating func lineFeed() {
        isPastEnd = false
        if row + 1 < rows {
            row += 1
            return
        }
        scrollback.append(Self.text(cells.removeFirst()))
        cells.append(Array(repeating: " ", count: columns))
    }

    /// Takes one more scalar of an escape sequence, and acts when it is whole.
    private mutating func escape(_ scalar: Unicode.Scalar) {
        sequence.append(scalar)
        if sequence.count == 2 {
            if scalar == "[" || scalar == "]" || scalar == "(" { return }
            sequence = []
            return
        }
        switch sequence[1] {
        case "]": if scalar == "\u{7}" || scalar == "\\" { sequence = [] }
        case "(": sequence = []
        default:
            guard (0x40...0x7e).contains(scalar.value) else { return }
            let body = sequence.dropFirst(2).dropLast().map { Character($0) }
            sequence = []
            control(scalar, String(body))
        }
    }

    private mutating func control(_ final: Unicode.Scalar, _ body: String) {
        if body == "?2004" {
            bracketsPaste = final == "h"
            return
        }
        let numbers = body.split(separator: ";", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
        let first = numbers.first ?? 0
        let count = max(1, first)
        isPastEnd = false
        switch final {
        case "A": row = max(0, row - count)
        case "B": row = min(rows - 1, row + count)
        case "C": column = min(columns - 1, column + count)
        case "D": column = max(0, column - count)
        case "G": column = min(columns - 1, count - 1)
        case "H":
            row = min(rows - 1, count - 1)
            column = min(columns - 1, max(1, numbers.count > 1 ? numbers[1] : 1) - 1)
        case "J": eraseDisplay(first)
        case "K": eraseLine(first)
        case "P":
            for _ in 0..<min(count, columns) {
                cells[row].remove(at: column)
                cells[row].append(" ")
            }
        case "@":
            for _ in 0..<min(count, columns) {
                cells[row].insert(" ", at: column)
                cells[row].removeLast()
            }
        default: return
        }
    }

    private mutating func eraseLine(_ mode: Int) {
        let range = mode == 0 ? column..<columns : mode == 1 ? 0..<(column + 1) : 0..<columns
        for index in range { cells[row][index] = " " }
    }

    private mutating func eraseDisplay(_ mode: Int) {
        if mode == 0 {
            eraseLine(0)
            for index in (row + 1)..<max(row + 1, rows) { cells[index] = Array(repeating: " ", count: columns) }
        } else {
            cells = Self.blank(columns: columns, rows: rows)
        }
    }

    private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
        (0x1100...0x115f).contains(scalar.value) || (0x2e80...0xa4cf).contains(scalar.value)
            || (0xac00...0xd7a3).contains(scalar.value) || (0xf900...0xfaff).contains(scalar.value)
            || (0xff00...0xff60).contains(scalar.value) || (0x1f300...0x1faff).contains(scalar.value)
    }
}
