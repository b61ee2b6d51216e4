package import Logging

/// How much the log keeps: events of this level and all more severe ones.
package enum LogLevel: String, Sendable, CaseIterable {
    case debug, info, warning, error

    /// `nil` for a word that is no level; docker's `warn` and `fatal` are two.
    package init?(spelled text: String) {
        switch text.lowercased() {
        case "warn": self = .warning
        case "fatal": self = .error
        case let word:
            guard let level = LogLevel(rawValue: word) else { return nil }
            self = level
        }
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
