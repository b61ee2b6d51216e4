import Basics
import Explorer
import Rendering

/// A stack of layers as a drawing: a box a layer, the highest on top, each with a bar as long as it is large.
struct StackDrawing {
    /// The characters it is drawn with.
    struct Pen {
        var corners: [String]
        var side: String
        var line: String
        /// For layers that can still change.
        var dashed: String
        var joints: (left: String, right: String)
        /// A bar's cells, a whole one last.
        var fillings: [String]
        var track: String
        var shared: String
        var ellipsis: String

        static let boxes = Pen(
            corners: ["┌", "┐", "└", "┘"], side: "│", line: "─", dashed: "╌", joints: ("├", "┤"),
            fillings: ["▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"], track: "░", shared: "⇄", ellipsis: "…")
        static let plain = Pen(
            corners: ["+", "+", "+", "+"], side: "|", line: "-", dashed: "~", joints: ("+", "+"), fillings: ["#"],
            track: ".", shared: "=", ellipsis: "...")

        /// Boxes where the environment says UTF-8 (locale(7): the first of the three that is set).
        static func fitting(_ environment: [String: String]) -> Pen {
            let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
            let charset = locale.uppercased().filter { $0 != "-" }
            return charset.contains("UTF8") ? boxes : plain
        }
    }

    /// Columns it may take.
    let width: Int
    let pen: Pen
    /// The style of bars, where there are colours.
    var colour: TerminalStyle?

    private var inner: Int { max(16, min(width, 110)) - 4 }

    /// The drawing's lines; what a container wrote itself is drawn as what can still change.
    func lines(_ rows: [LayerRow], image: String) -> [String] {
        let total = rows.reduce(0) { $0 &+ $1.bytes }
        let largest = rows.map(\.bytes).max() ?? 0
        let count = rows.count { $0.layer.container == nil }
        let layers = (count == 1 ? "1 layer" : "\(count) layers") + (count < rows.count ? " and its own" : "")
        var lines = ["\(image.visible)  \(layers), \(HumanUnits.size(total))".fitting(columns: inner + 4)]
        for (position, row) in rows.reversed().enumerated() {
            let isOwn = row.layer.container != nil
            lines.append(rule(isFirst: position == 0, isDashed: isOwn))
            lines += box(head: head(row.layer), facts: row.count?.text ?? "", bytes: row.bytes, largest, total)
            if !row.sharedWith.isEmpty { lines.append(boxed(shared(row.sharedWith))) }
        }
        if rows.isEmpty { lines += [rule(isFirst: true, isDashed: false), boxed("no layers")] }
        lines.append(pen.corners[2] + String(repeating: pen.line, count: inner + 2) + pen.corners[3])
        return lines
    }

    private func head(_ layer: ImageLayer) -> String {
        if let container = layer.container { return "#\(layer.number) \(container.visible)  its own, writable" }
        return "#\(layer.number) \(layer.instruction.isEmpty ? "?" : layer.headline.singleLine.visible)"
    }

    /// The text, its end an ellipsis where it is wider than so many columns.
    private func cut(_ text: String, _ columns: Int) -> String {
        let text =
            pen.ellipsis == "…"
            ? text
            : text.split(separator: "…", omittingEmptySubsequences: false).joined(
                separator: pen.ellipsis)
        if text.displayWidth <= columns { return text }
        return text.fitting(columns: max(0, columns - pen.ellipsis.displayWidth)) + pen.ellipsis
    }

    private func rule(isFirst: Bool, isDashed: Bool) -> String {
        let line = String(repeating: isDashed ? pen.dashed : pen.line, count: inner + 2)
        return isFirst ? pen.corners[0] + line + pen.corners[1] : pen.joints.left + line + pen.joints.right
    }

    private func box(head: String, facts: String, bytes: Int64, _ largest: Int64, _ total: Int64) -> [String] {
        let size = HumanUnits.size(bytes)
        let share = total > 0 ? Int((Double(bytes) / Double(total) * 100).rounded()) : 0
        let right = "\(size)  \(share)%".rightAligned(in: 13)
        let cells = inner - right.displayWidth - 2
        let bar = bar(bytes, of: largest, cells: cells)
        let room = inner - facts.displayWidth - 2
        let first = room < 12 ? cut(head, inner) : cut(head, room).padded(to: room) + "  " + facts
        return [boxed(first), boxed(bar + "  " + right, drawn: inner)]
    }

    private func shared(_ names: [String]) -> String {
        var text = "\(pen.shared) shared with \(names[0].visible)"
        for (position, name) in names.enumerated().dropFirst() {
            let rest = names.count - position
            let longer = "\(text), \(name.visible)"
            guard longer.displayWidth + (rest > 1 ? 10 : 0) <= inner else { return "\(text) and \(rest) more" }
            text = longer
        }
        return text
    }

    private func bar(_ bytes: Int64, of largest: Int64, cells: Int) -> String {
        guard cells > 0 else { return "" }
        let steps = pen.fillings.count
        let exact = largest > 0 ? Double(bytes) / Double(largest) * Double(cells * steps) : 0
        // Every size above 0 is visible, however small.
        let filled = bytes > 0 ? max(1, min(cells * steps, Int(exact.rounded()))) : 0
        var bar = String(repeating: pen.fillings[steps - 1], count: filled / steps)
        if filled % steps > 0 { bar += pen.fillings[filled % steps - 1] }
        let rest = String(repeating: pen.track, count: cells - (filled + steps - 1) / steps)
        guard let colour else { return bar + rest }
        return colour(bar) + TerminalStyle.dim(rest)
    }

    private func boxed(_ text: String) -> String {
        boxed(text.fitting(columns: inner), drawn: text.fitting(columns: inner).displayWidth)
    }

    /// `drawn` is how many columns the text takes, styles not counted.
    private func boxed(_ text: String, drawn: Int) -> String {
        "\(pen.side) \(text)\(String(repeating: " ", count: max(0, inner - drawn))) \(pen.side)"
    }
}
