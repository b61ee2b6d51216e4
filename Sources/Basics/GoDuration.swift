/// Spans of time as Go reads and writes them (`time.ParseDuration`): `1m30s`, `1.5h`, `300ms`.
package enum GoDuration {
    /// Why a text is no span, in Go's words.
    package struct Malformed: Error, Hashable {
        package let words: String

        package init(words: String) { self.words = words }
    }

    /// A name and its nanoseconds.
    typealias Unit = (name: String, nanoseconds: UInt64)

    static let units: [Unit] = [
        ("ns", 1), ("us", 1000), ("\u{B5}s", 1000), ("\u{3BC}s", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
        ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// The span in nanoseconds; `nil` for anything that is none.
    package static func parse(_ text: String) -> Int64? { try? nanoseconds(text) }

    /// The span in nanoseconds; throws Go's words.
    package static func nanoseconds(_ text: String) throws(Malformed) -> Int64 {
        try nanoseconds(text, units: units)
    }

    static func nanoseconds(_ text: String, units: [Unit]) throws(Malformed) -> Int64 {
        let invalid = Malformed(words: "time: invalid duration \(goQuoted(text))")
        var rest = Array(text.utf8)[...]
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        if rest.elementsEqual([UInt8(ascii: "0")]) { return 0 }
        guard !rest.isEmpty else { throw invalid }
        var total: UInt64 = 0
        while !rest.isEmpty {
            guard let number = Number(&rest) else { throw invalid }
            let name = rest.prefix { !$0.isDigit && $0 != UInt8(ascii: ".") }
            guard !name.isEmpty else {
                throw Malformed(words: "time: missing unit in duration \(goQuoted(text))")
            }
            guard let unit = units.first(where: { $0.name.utf8.elementsEqual(name) }) else {
                let name = goQuoted(String(decoding: name, as: UTF8.self))
                throw Malformed(words: "time: unknown unit \(name) in duration \(goQuoted(text))")
            }
            rest = rest.dropFirst(name.count)
            guard let span = number.times(unit.nanoseconds) else { throw invalid }
            let (sum, overflows) = total.addingReportingOverflow(span)
            guard !overflows else { throw invalid }
            total = sum
        }
        if isNegative, total == Int64.min.magnitude { return .min }
        guard let magnitude = Int64(exactly: total) else { throw invalid }
        return isNegative ? -magnitude : magnitude
    }

    /// Digits with at most one dot; whole numbers are exact.
    private struct Number {
        private var whole: UInt64 = 0
        private var fraction = 0.0

        /// Takes the number from the front; `nil` where there is none, or one that does not fit.
        init?(_ rest: inout ArraySlice<UInt8>) {
            let digits = rest.prefix(while: \.isDigit)
            rest = rest.dropFirst(digits.count)
            var decimals: ArraySlice<UInt8> = []
            if rest.first == UInt8(ascii: ".") {
                decimals = rest.dropFirst().prefix(while: \.isDigit)
                rest = rest.dropFirst(decimals.count + 1)
            }
            guard !digits.isEmpty || !decimals.isEmpty else { return nil }
            if !digits.isEmpty {
                guard let value = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
                whole = value
            }
            // More digits than these change no nanosecond.
            fraction = Double("0." + String(decoding: decimals.prefix(30), as: UTF8.self) + "0") ?? 0
        }

        func times(_ unit: UInt64) -> UInt64? {
            let (product, overflows) = whole.multipliedReportingOverflow(by: unit)
            let (sum, overflowsToo) = product.addingReportingOverflow(UInt64(fraction * Double(unit)))
            return overflows || overflowsToo ? nil : sum
        }
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
