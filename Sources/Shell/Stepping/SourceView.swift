import Basics

/// A file with the current line marked and its breakpoints, as buildg shows it.
struct SourceView {
    static let defaultRange = 3

    let fileName: String
    let lines: [String]
    let units: [SteppedUnit]
    let current: SteppedUnit?
    let breakpoints: Breakpoints

    /// The lines from `before` above the current one to `after` below it, or all of them.
    func text(before: Int = defaultRange, after: Int = defaultRange, all: Bool = false) -> [String] {
        var shown = ["Filename: \"\(fileName.visible)\""]
        let first = current.map { $0.line > 0 ? $0.line : lines.count } ?? lines.count
        let last = current.map { $0.line > 0 ? $0.endLine : lines.count } ?? lines.count
        for (index, line) in lines.enumerated() {
            let number = index + 1
            guard all || (first - before...last + after).contains(number) else { continue }
            let isCurrent = current.map { $0.line > 0 && ($0.line...$0.endLine).contains(number) } ?? false
            let mark = breakpoints.marks(number, units: units) ? "*" : " "
            let digits = String(number)
            let place = String(repeating: " ", count: max(0, 4 - digits.count)) + digits
            shown.append("\(mark)\(isCurrent ? "=>" : "  ")\(place)| \(line.visible)")
        }
        if let current, current.line == 0 {
            shown.append(" =>    | \(current.text.visible)")
        } else if current == nil {
            shown.append(" =>    | (the end)")
        }
        return shown
    }
}
