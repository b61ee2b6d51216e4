import Basics
import Runtime

/// The values of `--log-opt` for the rotation of docker's `json-file` log.
struct LogFileOptions: Sendable, Equatable {
    private(set) var rotation = LogRotation()

    /// Reads `max-size=10m` and `max-file=3`.
    ///
    /// A size of -1 means no limit.
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
                guard let bytes = try? ByteSize.bytes(value, .decimal), bytes > 0 else {
                    throw ShaleError(.invalid, "invalid value for max-size: \"\(value)\"", exitStatus: 125)
                }
                rotation.size = UInt64(bytes)
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
