import Basics
import Explorer

/// An image's stack as a drawing: boxes on top of each other, as high as they are large.
struct StackDrawing {
    let width: Int

    func lines(_ rows: [LayerRow], image: String) -> [String] {
        let inner = max(40, min(width, 100)) - 4
        let rule = "+" + String(repeating: "-", count: inner + 2) + "+"
        var lines = [image.visible, rule]
        let largest = rows.map(\.layer.bytes).max() ?? 0
        for row in rows.reversed() {
            let layer = row.layer
            let facts = "\(HumanUnits.size(layer.bytes))  \(row.count.text)"
            let number = "#\(layer.number) "
            let room = max(8, inner - number.displayWidth - facts.displayWidth - 2)
            let name = layer.instruction.isEmpty ? "?" : layer.headline
            lines.append(
                boxed((number + name.singleLine.ellipsis(room)).padded(to: inner - facts.displayWidth) + facts, inner))
            for _ in 0..<extraLines(layer.bytes, largest) { lines.append(boxed("", inner)) }
            lines.append(rule)
        }
        if rows.isEmpty { lines += [boxed("no layers", inner), rule] }
        return lines
    }

    private func boxed(_ text: String, _ inner: Int) -> String { "| " + text.padded(to: inner) + " |" }

    /// Up to four lines more for the largest.
    private func extraLines(_ bytes: Int64, _ largest: Int64) -> Int {
        guard largest > 0, bytes > 0 else { return 0 }
        return Int((Double(bytes) / Double(largest) * 4).rounded(.down))
    }
}
