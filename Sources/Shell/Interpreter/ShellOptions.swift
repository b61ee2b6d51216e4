package import Diagnostics

/// The options that stand before a command.
package struct ShellOptions: Sendable {
    /// The session that is used when none is named.
    static let firstSession = "default"

    package var home: String
    package var session = firstSession
    package var isOffline = false
    package var readsStartupFile = true
    package var keepsGoing = false
    /// How much the log keeps, where the command line or the environment says.
    package var logLevel: LogLevel?

    package init(home: String) { self.home = home }
}
