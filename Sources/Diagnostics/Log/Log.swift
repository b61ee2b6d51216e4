package import Basics
import Glibc
package import Logging
import Synchronization

/// The log of this process: which level it keeps, and the file it goes to.
///
/// Before ``open(home:level:)`` nothing is kept, so that tests of a module write no file.
package enum Log {
    private static let threshold = Atomic<Int>(LogLevel.warning.level.order)
    private static let file = Mutex<LogFile?>(nil)

    package static func open(home: String, level: LogLevel) {
        open(LogFile(home: home), level: level)
    }

    package static func open(_ new: LogFile, level: LogLevel) {
        file.withLock { $0 = new }
        set(level)
    }

    /// Keeps events of this level and more severe ones from now on.
    package static func set(_ level: LogLevel) {
        threshold.store(level.level.order, ordering: .relaxed)
        Observations.update()
    }

    /// Ends keeping anything.
    package static func close() { file.withLock { $0 = nil } }

    package static var level: Logger.Level {
        let order = threshold.load(ordering: .relaxed)
        return Logger.Level.allCases.first { $0.order == order } ?? .warning
    }

    /// Whether pieces of work are written down with their times.
    static var keepsSpans: Bool { threshold.load(ordering: .relaxed) <= Logger.Level.debug.order }

    static func append(_ event: LogEvent, label: String, own: Logger.Metadata) {
        guard let file = file.withLock({ $0 }) else { return }
        var metadata = own.merging(event.metadata ?? [:]) { _, new in new }
        if let error = event.error { metadata["error"] = "\(error)" }
        file.append(
            LogLine.bytes(
                time: .now(), level: event.level, process: getpid(), label: label,
                message: event.message.description, metadata: metadata))
    }
}

extension Logger.Level {
    /// Its place among the levels, the least severe first.
    fileprivate var order: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

/// Sends events of a logger to the process's log.
package struct LogFileHandler: LogHandler {
    private let label: String
    package var metadata: Logger.Metadata = [:]
    /// Of the whole process; a logger has no level of its own.
    package var logLevel: Logger.Level {
        get { Log.level }
        set {}
    }

    package init(label: String) { self.label = label }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) { Log.append(event, label: label, own: metadata) }
}

extension Logger {
    /// The logger of a subject: `shale.registry`.
    package init(_ subject: Observer.Subject) {
        self.init(label: "shale.\(subject.rawValue)") { LogFileHandler(label: $0) }
    }

    package static let registry = Logger(.registry)
    package static let container = Logger(.container)
    package static let runner = Logger(.runner)
    package static let image = Logger(.image)
    package static let layer = Logger(.layer)
    package static let build = Logger(.build)
    package static let cache = Logger(.cache)
    package static let git = Logger(.git)
    package static let session = Logger(.session)
    package static let store = Logger(.store)
    package static let shell = Logger(.shell)

    /// Runs `body`, and turns a failure into a warning in the log and the answer `nil`.
    ///
    /// For work that may fail without failing the operation it belongs to. Throws nothing.
    @discardableResult
    package func attempt<Result: ~Copyable, Failure: Error>(
        _ what: @autoclosure () -> String, _ body: () throws(Failure) -> Result
    ) -> Result? {
        do throws(Failure) {
            return try body()
        } catch {
            swallowed(what(), error)
            return nil
        }
    }

    /// A failure that the command goes on without.
    package func swallowed(_ what: String, _ error: any Error) {
        warning("failed: \(what)", metadata: ["error": "\(error)"])
    }
}
