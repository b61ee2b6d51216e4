import Basics

/// Rows in columns, spaced exactly as docker's listings are.
///
/// Docker writes them through Go's elastic tabs with cells of at least 10 columns and 3 spaces between; the last cell
/// of a line is not padded. Widths are display widths. Other than docker's, lines never end in spaces.
package struct Table: Sendable, Equatable {
    /// The first line; none when empty.
    package var headers: [String]
    package var rows: [[String]]
    /// Columns that may be cut, with a `…`, when the table is wider than the terminal; by index.
    package var shrinkable: Set<Int>

    package init(headers: [String] = [], rows: [[String]] = [], shrinkable: Set<Int> = []) {
        self.headers = headers
        self.rows = rows
        self.shrinkable = shrinkable
    }

    /// The table as text, each line with its newline.
    ///
    /// - Parameter width: The terminal's columns, when it goes to one: spaces give way to fit, then shrinkable columns,
    ///   then the ends of the lines.
    /// - Returns: The lines; the header line alone for a table without rows.
    package func text(width: Int? = nil) -> String {
        var lines = (headers.isEmpty ? [] : [headers]) + rows
        lines = lines.map { $0.map(\.singleLine) }
        guard let width else { return ElasticTabs.text(lines) }
        let columnCount = lines.map(\.count).max() ?? 0
        var widths = (0..<columnCount).map { column in
            lines.map { column < $0.count ? $0[column].displayWidth : 0 }.max() ?? 0
        }
        let spacings: [ElasticTabs.Spacing] = [.docker, .close, .closest]
        if let fits = spacings.first(where: { $0.total(of: widths) <= width }) {
            return ElasticTabs.text(lines, spacing: fits)
        }
        shrink(&lines, widths: &widths, to: width)
        let text = ElasticTabs.text(lines, spacing: .closest)
        // A terminal narrower than the columns that may not be cut: a line that goes on in the next is harder to read.
        guard ElasticTabs.Spacing.closest.total(of: widths) > width else { return text }
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).ellipsis(width) }
            .joined(separator: "\n")
    }

    /// Cuts the widest shrinkable column, again and again, down to its header or 8 columns.
    private func shrink(_ lines: inout [[String]], widths: inout [Int], to width: Int) {
        let columnCount = widths.count
        let floors = (0..<columnCount).map { max(8, $0 < headers.count ? headers[$0].displayWidth : 0) }
        var excess = ElasticTabs.Spacing.closest.total(of: widths) - width
        while excess > 0 {
            let candidates = shrinkable.filter { $0 < columnCount && widths[$0] > floors[$0] }
            guard let widest = candidates.max(by: { (widths[$0], $1) < (widths[$1], $0) }) else { break }
            widths[widest] = max(floors[widest], widths[widest] - max(1, excess / max(1, candidates.count)))
            excess = ElasticTabs.Spacing.closest.total(of: widths) - width
        }
        for row in lines.indices {
            for column in lines[row].indices where shrinkable.contains(column) {
                lines[row][column] = lines[row][column].ellipsis(widths[column])
            }
        }
    }
}

/// Go's `text/tabwriter` with docker's settings.
package enum ElasticTabs {
    /// What stands between two columns.
    package struct Spacing: Sendable {
        /// The least a cell with its spaces takes.
        var minimum: Int
        /// Spaces after the widest cell.
        var padding: Int

        package static let docker = Spacing(minimum: 10, padding: 3)
        /// Of its `top`.
        package static let dockerTop = Spacing(minimum: 20, padding: 3)
        static let close = Spacing(minimum: 0, padding: 2)
        static let closest = Spacing(minimum: 0, padding: 1)

        /// The columns that a line of cells this wide takes.
        func total(of widths: [Int]) -> Int {
            widths.dropLast().reduce(widths.last ?? 0) { $0 + max(minimum, $1 + padding) }
        }
    }

    /// Lines whose cells are separated by tabs, as text.
    ///
    /// A column is a run of neighbouring lines that all have a cell in it which another follows.
    package static func text(tabbed: String) -> String {
        var lines = tabbed.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty ?? false { lines.removeLast() }
        return text(lines.map { $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init) })
    }

    package static func text(_ lines: [[String]], spacing: Spacing = .docker) -> String {
        var widths = lines.map { [Int](repeating: 0, count: $0.count) }
        let columnCount = lines.map(\.count).max() ?? 0
        for column in 0..<max(0, columnCount - 1) {
            var row = 0
            while row < lines.count {
                var end = row
                var widest = spacing.minimum
                while end < lines.count, column < lines[end].count - 1 {
                    widest = max(widest, lines[end][column].displayWidth + spacing.padding)
                    end += 1
                }
                for index in row..<end { widths[index][column] = widest }
                row = max(end, row + 1)
            }
        }
        var out = ""
        for (row, cells) in lines.enumerated() {
            var line = ""
            for (column, cell) in cells.enumerated() { line += cell.padded(to: widths[row][column]) }
            out += line.trimmedSpaces + "\n"
        }
        return out
    }
}

extension String {
    /// The text as one cell: control characters visible, tabs as spaces.
    package var singleLine: String {
        let text = visible
        return text.contains("\t") ? String(text.map { $0 == "\t" ? " " : $0 }) : text
    }

    /// Control characters visible; newlines, tabs and the styles that shale itself writes (`TerminalStyle`) stay.
    package var visibleButStyled: String {
        guard unicodeScalars.contains("\u{1b}") else { return visibleLines }
        let pieces = split(separator: "\u{1b}", omittingEmptySubsequences: false)
        return pieces.dropFirst().reduce(into: String(pieces[0]).visibleLines) { text, piece in
            let style = piece.prefixMatch(of: /\[(?:0|1|2|3[1-6])m/)
            text +=
                style.map { "\u{1b}\($0.output)" + String(piece[$0.range.upperBound...]).visibleLines }
                ?? String("\u{1b}\(piece)").visibleLines
        }
    }

    /// Control characters visible, but newlines and tabs as they are.
    package var visibleLines: String {
        guard
            unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) || $0.value > 0x2000 })
        else { return self }
        return split(separator: "\n", omittingEmptySubsequences: false).map { String($0).visible }.joined(
            separator: "\n")
    }

    package var trimmedSpaces: String {
        var scalars = unicodeScalars
        while scalars.last == " " { scalars.removeLast() }
        return String(scalars)
    }
}
