extension Table {
    /// The table with a field a line, each row under a line with its number, for tables wider than the terminal.
    ///
    /// - Returns: The lines, each with its newline; nothing for a table without rows.
    package var tallText: String {
        let width = headers.map(\.displayWidth).max() ?? 0
        var out = ""
        for (number, row) in rows.enumerated() {
            let title = "-[ \(number + 1) ]"
            out += title + String(repeating: "-", count: max(3, width + 12 - title.count)) + "\n"
            for (column, cell) in row.enumerated() {
                let header = column < headers.count ? headers[column] : ""
                out += "\(header.padded(to: width + 2))\(cell.singleLine)".trimmedSpaces + "\n"
            }
        }
        return out
    }
}
