package import Basics

/// `--since` and `--until`: a moment (RFC 3339, with parts left out, or seconds since 1970) or an age (`10m`, `1h30m`).
package enum ContainerTimes {
    package static func parse(_ text: String, now: Timestamp = .now()) throws(ShaleError) -> Timestamp {
        if let seconds = duration(text) {
            let exact = Double(now.seconds) + Double(now.nanoseconds) / 1e9 - seconds
            return timestamp(exact)
        }
        if let moment = date(text) { return moment }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        if let seconds = Int64(parts[0]) {
            let fraction = parts.count > 1 ? parts[1].prefix(9) : "0"
            let padded = fraction + String(repeating: "0", count: max(0, 9 - fraction.count))
            if let nanoseconds = Int32(padded) { return Timestamp(seconds: seconds, nanoseconds: nanoseconds) }
        }
        throw ShaleError(
            .invalid, "invalid value for time: \(text)",
            hint: "write 2024-01-31T12:00:00, seconds since 1970, or an age like 10m")
    }

    private static func timestamp(_ seconds: Double) -> Timestamp {
        let whole = seconds.rounded(.down)
        guard whole.magnitude < 1e15 else { return .epoch }
        return Timestamp(seconds: Int64(whole), nanoseconds: Int32((seconds - whole) * 1e9))
    }

    /// Go's durations, in seconds.
    package static func duration(_ text: String) -> Double? {
        let units: [(String, Double)] = [
            ("ns", 1e-9), ("us", 1e-6), ("\u{B5}s", 1e-6), ("ms", 1e-3), ("h", 3600), ("m", 60), ("s", 1),
        ]
        var rest = text[...]
        var sign = 1.0
        if rest.first == "-" || rest.first == "+" { sign = rest.removeFirst() == "-" ? -1 : 1 }
        guard !rest.isEmpty else { return nil }
        var total = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            guard let value = Double(digits), let unit = units.first(where: { rest.hasPrefix($0.0) }) else {
                return nil
            }
            rest = rest.dropFirst(unit.0.count)
            total += value * unit.1
        }
        return sign * total
    }

    private static func date(_ text: String) -> Timestamp? {
        if let exact = Timestamp(rfc3339: text) { return exact }
        let shapes = ["", "Z", ":00Z", ":00:00Z", "T00:00:00Z"]
        for shape in shapes {
            if let moment = Timestamp(rfc3339: text + shape) { return moment }
        }
        return nil
    }
}
