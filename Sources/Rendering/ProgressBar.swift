import Basics

/// Docker's text for how far an item is: a bar of 50 cells and the bytes.
enum ProgressBar {
    /// The text behind an item's state; empty when nothing is known.
    ///
    /// - Parameters:
    ///   - current: Bytes done.
    ///   - total: Bytes in all, or `nil`.
    ///   - width: The terminal's columns; the bar needs more than 110.
    /// - Returns: `[==>  ]  34.25MB/38.64MB`, or the numbers alone.
    static func text(current: Int64, total: Int64?, width: Int) -> String {
        let total = total ?? 0
        if current <= 0, total <= 0 { return "" }
        let done = HumanUnits.preciseSize(max(0, current))
        if total <= 0 { return done.rightAligned(in: 8) }
        let percentage = Int(max(0, min(1, Double(current) / Double(total))) * 100)
        var text = ""
        if width > 110 {
            let filled = min(50, percentage / 2)
            text = "[" + String(repeating: "=", count: filled) + ">" + String(repeating: " ", count: 50 - filled) + "] "
        }
        text += done.rightAligned(in: 8)
        if current <= total { text += "/" + HumanUnits.preciseSize(total) }
        return text
    }

    /// The line below the items: bytes of all of them, the rate, and the time left.
    static func summary(current: Int64, total: Int64, isTotalKnown: Bool, rate: Double) -> String {
        var text = HumanUnits.preciseSize(current)
        if isTotalKnown { text += "/" + HumanUnits.preciseSize(total) }
        guard rate >= 1, rate.isFinite else { return text }
        text += "  \(HumanUnits.size(Int64(min(rate, 1e15))))/s"
        if isTotalKnown, total > current {
            text += "  \(duration(seconds: Double(total - current) / rate)) left"
        }
        return text
    }

    /// `7s`, `2m03s`, `1h20m`.
    static func duration(seconds: Double) -> String {
        let seconds = Int64(max(0, min(seconds, 360_000)).rounded(.up))
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        if seconds < 60 { return "\(seconds)s" }
        if seconds < 3600 { return "\(seconds / 60)m\(two(seconds % 60))s" }
        return "\(seconds / 3600)h\(two(seconds / 60 % 60))m"
    }
}
