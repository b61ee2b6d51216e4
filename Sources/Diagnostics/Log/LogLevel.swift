package import Logging

/// How much the log keeps: events of this level and all more severe ones.
package enum LogLevel: String, Sendable, CaseIterable {
    case debug, info, warning, error

    /// `nil` for a word that is no level; docker's `warn` is one.
    package init?(spelled text: String) {
        let word = text.lowercased()
        guard let level = LogLevel(rawValue: word == "warn" ? "warning" : word) else { return nil }
        self = level
    }

    package var level: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
