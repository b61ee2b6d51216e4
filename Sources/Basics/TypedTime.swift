import Glibc

/// Moments as a person types them, in every option and filter that takes one (docker's `GetTimestamp`).
extension Timestamp {
    /// A date (`2024-01-31`, `2024-01-31T12:00:00+01:00`), seconds since 1970 (`1700000000.25`), or how long ago
    /// (`1.5h`, `1h30m`; here `2d` and `1w` too).
    ///
    /// - Throws: `invalid` for anything else, in docker's words.
    package init(typed text: String, now: Timestamp = .now()) throws(ShaleError) {
        if let moment = Timestamp(typedDate: text) ?? Timestamp(unixSeconds: text) {
            self = moment
        } else if let span = try? GoDuration.nanoseconds(text, units: GoDuration.units + Self.longUnits) {
            self = now.earlier(bySpan: span)
        } else {
            throw ShaleError(
                .invalid, "failed to parse value as time or duration: \(goQuoted(text))",
                hint: "write 2024-01-31T12:00:00, seconds since 1970, or an age like 1h30m")
        }
    }

    /// Units of ages that Go's durations do not have.
    private static let longUnits: [GoDuration.Unit] = [("d", 86_400_000_000_000), ("w", 604_800_000_000_000)]

    /// A date with as much of a time as is wanted: `2024-01-31`, `…T12`, `…T12:30`, `…T12:30:05.25`.
    ///
    /// Without `Z` or an offset behind it, it is meant in the zone of whoever types it.
    package init?(typedDate text: String) {
        var scanner = DigitScanner(bytes: Array(text.utf8))
        guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
            let day = scanner.number(2)
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard CivilDate(daysSinceEpoch: date.daysSinceEpoch) == date else { return nil }
        var clock: [Int64] = []
        var fraction: Int64 = 0
        if scanner.skip("T") || scanner.skip("t") || scanner.skip(" ") {
            repeat {
                guard let part = scanner.number(2), part < (clock.isEmpty ? 24 : 60) else { return nil }
                clock.append(part)
            } while clock.count < 3 && scanner.skip(":")
            if clock.count == 3 { fraction = scanner.fraction() }
        }
        clock += Array(repeating: 0, count: 3 - clock.count)
        let seconds = clock[0] * 3600 + clock[1] * 60 + clock[2]
        if scanner.isAtEnd {
            self.init(seconds: Self.localSeconds(date, clock), nanoseconds: Int32(fraction))
        } else {
            guard let offset = scanner.offset(), scanner.isAtEnd else { return nil }
            self.init(seconds: date.daysSinceEpoch * 86_400 + seconds - offset, nanoseconds: Int32(fraction))
        }
    }

    private static func localSeconds(_ date: CivilDate, _ clock: [Int64]) -> Int64 {
        var parts = tm()
        parts.tm_year = Int32(date.year - 1900)
        parts.tm_mon = Int32(date.month - 1)
        parts.tm_mday = Int32(date.day)
        parts.tm_hour = Int32(clock[0])
        parts.tm_min = Int32(clock[1])
        parts.tm_sec = Int32(clock[2])
        parts.tm_isdst = -1
        return Int64(mktime(&parts))
    }

    /// `1700000000` or `1700000000.25`.
    private init?(unixSeconds text: String) {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, !first.hasPrefix("-"), let seconds = Int64(first) else { return nil }
        var scanner = DigitScanner(bytes: parts.count > 1 ? Array(".\(parts[1])".utf8) : [])
        let fraction = scanner.fraction()
        guard scanner.isAtEnd, parts.count == 1 || !parts[1].isEmpty else { return nil }
        self.init(seconds: seconds, nanoseconds: Int32(fraction))
    }

    /// So many nanoseconds before, or after where they are negative; ends at the border.
    private func earlier(bySpan span: Int64) -> Timestamp {
        let rest = Int64(nanoseconds) - span % 1_000_000_000
        let borrowed: Int64 = rest < 0 ? -1 : rest >= 1_000_000_000 ? 1 : 0
        return Timestamp(
            seconds: seconds.subtractingClamped(span / 1_000_000_000).addingClamped(borrowed),
            nanoseconds: Int32(rest - borrowed * 1_000_000_000))
    }
}
