import Glibc

/// Sizes and ages as docker prints them (`docker/go-units`).
package enum HumanUnits {
    /// Decimal size with three significant digits, as listings show it: `5.57MB`, `0B`.
    ///
    /// Docker prints `1e+03kB` for 999 950; here the unit goes up instead.
    package static func size(_ bytes: Int64) -> String { decimal(bytes, digits: 3) }

    /// Decimal size with four significant digits, as progress and totals show it: `34.25MB`.
    package static func preciseSize(_ bytes: Int64) -> String { decimal(bytes, digits: 4) }

    /// Binary size with four significant digits: `2MiB`.
    package static func binarySize(_ bytes: Int64) -> String {
        scaled(Double(bytes), base: 1024, units: ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"], digits: 4)
    }

    /// The age of something in words, without " ago": `About a minute`, `4 minutes`, `2 weeks`.
    package static func duration(seconds exact: Double) -> String {
        // A clock or a file may say anything: ages end at some 300 million years.
        let exact = exact.isFinite ? min(max(exact, -1e16), 1e16) : 0
        let seconds = Int64(exact)
        if seconds < 1 { return "Less than a second" }
        if seconds == 1 { return "1 second" }
        if seconds < 60 { return "\(seconds) seconds" }
        let minutes = seconds / 60
        if minutes == 1 { return "About a minute" }
        if minutes < 60 { return "\(minutes) minutes" }
        let hours = Int64((exact / 3600).rounded())
        if hours == 1 { return "About an hour" }
        if hours < 48 { return "\(hours) hours" }
        if hours < 24 * 7 * 2 { return "\(hours / 24) days" }
        if hours < 24 * 30 * 2 { return "\(hours / 24 / 7) weeks" }
        if hours < 24 * 365 * 2 { return "\(hours / 24 / 30) months" }
        return "\(Int64(exact / 3600) / 24 / 365) years"
    }

    private static func decimal(_ bytes: Int64, digits: Int32) -> String {
        scaled(Double(bytes), base: 1000, units: ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"], digits: digits)
    }

    private static func scaled(_ value: Double, base: Double, units: [String], digits: Int32) -> String {
        var value = value
        var unit = 0
        while unit < units.count - 1, abs(value) >= base || rounded(value, digits).contains("e") {
            value /= base
            unit += 1
        }
        return rounded(value, digits) + units[unit]
    }

    /// C's `%.*g`.
    private static func rounded(_ value: Double, _ digits: Int32) -> String {
        withVaList([digits, value]) { arguments in
            var buffer = [CChar](repeating: 0, count: 64)
            vsnprintf(&buffer, buffer.count, "%.*g", arguments)
            return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
