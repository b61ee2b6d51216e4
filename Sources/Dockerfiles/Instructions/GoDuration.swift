/// Spans of time as Go writes them: `1m30s`, `1.5h`, `300ms`.
package enum GoDuration {
    private static let units: [String: Double] = [
        "ns": 1, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3_600e9,
    ]

    /// The span in nanoseconds; `nil` for anything that is none.
    package static func parse(_ text: String) -> Int64? { try? nanoseconds(text) }

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

    /// A span as Go prints it, the way back: `1h0m0s`, `1.5s`, `300ms`, `0s`.
    package static func text(_ nanoseconds: Int64) -> String {
        let magnitude = nanoseconds.magnitude
        let sign = nanoseconds < 0 ? "-" : ""
        switch magnitude {
        case 0: return "0s"
        case ..<1_000: return "\(sign)\(magnitude)ns"
        case ..<1_000_000: return sign + decimal(magnitude, per: 1_000) + "µs"
        case ..<1_000_000_000: return sign + decimal(magnitude, per: 1_000_000) + "ms"
        default: break
        }
        let minutes = magnitude / 60_000_000_000
        let seconds = decimal(magnitude % 60_000_000_000, per: 1_000_000_000) + "s"
        if minutes == 0 { return sign + seconds }
        return minutes < 60 ? "\(sign)\(minutes)m\(seconds)" : "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    /// A fraction without trailing zeros.
    private static func decimal(_ value: UInt64, per unit: UInt64) -> String {
        var digits = String(value % unit)
        digits = String(repeating: "0", count: String(unit).utf8.count - 1 - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return digits.isEmpty ? "\(value / unit)" : "\(value / unit).\(digits)"
    }
}
