import Basics
import Runtime

/// `--log-opt` of docker's `json-file`: when the log is begun anew.
struct LogFileOptions: Sendable, Equatable {
    private(set) var rotation = LogRotation()

    /// Reads `max-size=10m` and `max-file=3`; a size of -1 is no limit.
    init(_ options: [String]) throws(ShaleError) {
        for option in options {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let value = parts.count > 1 ? parts[1] : ""
            switch parts[0] {
            case "max-size":
                if value == "-1" {
                    rotation.size = 0
                    continue
                }
                guard let bytes = DecimalBytes.parse(value), bytes > 0 else {
                    throw ShaleError(.invalid, "invalid value for max-size: \"\(value)\"", exitStatus: 125)
                }
                rotation.size = bytes
            case "max-file":
                guard let files = UInt32(value), files >= 1, files <= 1000 else {
                    throw ShaleError(.invalid, "max-file cannot be less than 1", exitStatus: 125)
                }
                rotation.files = files
            default:
                throw ShaleError(
                    .unsupported, "unknown log opt '\(parts[0])' for json-file log driver", exitStatus: 125)
            }
        }
    }
}

/// Bytes as docker's log options have them: `10m` is ten million.
private enum DecimalBytes {
    static func parse(_ text: String) -> UInt64? {
        var number = text.lowercased()[...]
        if number.hasSuffix("b") { number = number.dropLast() }
        let scales: [Character: Double] = ["k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12]
        var scale = 1.0
        if let last = number.last, let found = scales[last] {
            scale = found
            number = number.dropLast()
        }
        guard let value = Double(number), value.isFinite, value >= 0 else { return nil }
        return UInt64(exactly: (value * scale).rounded(.down))
    }
}
