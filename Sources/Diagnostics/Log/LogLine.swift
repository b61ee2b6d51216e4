package import Basics
package import Logging

/// An event as the line that is kept of it:
/// `2026-11-30T13:45:39.123456Z warning 4711 shale.registry message key=value`.
package enum LogLine {
    package static func bytes(
        time: Timestamp, level: Logger.Level, process: Int32, label: String, message: String,
        metadata: Logger.Metadata
    ) -> [UInt8] {
        var text = "\(stamp(time)) \(level.rawValue) \(process) \(label) \(safe(message, isProse: true))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { text += " " + field(key, "\(value)") }
        return Array(text.utf8) + [UInt8(ascii: "\n")]
    }

    /// RFC 3339 with microseconds, so that lines of one length begin alike.
    private static func stamp(_ time: Timestamp) -> String {
        let second = Timestamp(seconds: time.seconds).description.dropLast()
        let micros = String(time.nanoseconds / 1000)
        return "\(second).\(String(repeating: "0", count: max(0, 6 - micros.count)))\(micros)Z"
    }

    /// `key=value`, in quotes where the value has blanks or its end would not be clear.
    private static func field(_ key: String, _ value: String) -> String {
        let key = safe(key, isProse: true)
        if Secrets.isNamed(key) { return "\(key)=\(Secrets.mask)" }
        let value = safe(value, isProse: false)
        let isPlain = !value.isEmpty && !value.utf8.contains { $0 <= 0x20 || $0 == UInt8(ascii: "\"") }
        if isPlain { return "\(key)=\(value)" }
        return "\(key)=\"\(value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    /// Without secrets, and without anything that drives a terminal or begins a line of its own.
    private static func safe(_ text: String, isProse: Bool) -> String {
        Secrets.masked(text, isProse: isProse).text.visible
    }
}
