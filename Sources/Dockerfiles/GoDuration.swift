/// Spans of time as Go writes them: `1m30s`, `1.5h`, `300ms`.
enum GoDuration {
    private static let units: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3_600e9,
    ]

    /// The span in nanoseconds; throws Go's words.
    static func nanoseconds(_ text: String) throws(Complaint) -> Int64 {
        let invalid = Complaint("time: invalid duration \(goQuoted(text))")
        var rest = Array(text.unicodeScalars)[...]
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if rest.elementsEqual(["0"]) { return 0 }
        guard !rest.isEmpty else { throw invalid }
        var total = 0.0
        while !rest.isEmpty {
            let number = String(rest.prefix { ("0"..."9").contains($0) || $0 == "." })
            rest = rest.dropFirst(number.unicodeScalars.count)
            guard number.utf8.contains(where: { $0 != UInt8(ascii: ".") }), let value = Double("0" + number) else {
                throw invalid
            }
            let unit = String(rest.prefix { !("0"..."9").contains($0) && $0 != "." })
            rest = rest.dropFirst(unit.unicodeScalars.count)
            guard !unit.isEmpty else { throw Complaint("time: missing unit in duration \(goQuoted(text))") }
            guard let scale = units[unit] else {
                throw Complaint("time: unknown unit \(goQuoted(unit)) in duration \(goQuoted(text))")
            }
            total += value * scale
        }
        guard let nanoseconds = Int64(exactly: (isNegative ? -total : total).rounded()) else { throw invalid }
        return nanoseconds
    }

    /// A span as `1m30s`, the way back.
    static func text(_ nanoseconds: Int64) -> String {
        guard nanoseconds > 0 else { return "0s" }
        if nanoseconds < 1_000_000_000 {
            return nanoseconds.isMultiple(of: 1_000_000) ? "\(nanoseconds / 1_000_000)ms" : "\(nanoseconds)ns"
        }
        let seconds = nanoseconds / 1_000_000_000
        let fraction = nanoseconds % 1_000_000_000
        var text = ""
        if seconds >= 3_600 { text += "\(seconds / 3_600)h" }
        if seconds / 60 % 60 > 0 { text += "\(seconds / 60 % 60)m" }
        if seconds % 60 > 0 { text += "\(seconds % 60)s" }
        return fraction > 0 ? "\(text)\(fraction)ns" : text
    }
}
