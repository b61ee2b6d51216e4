import Basics
import Diagnostics
import OCI

/// The events of a home, for `events`: `HOME/log/events.jsonl`, one JSON object per line.
///
/// Any number of processes append, each with a single write. At 4 MiB a new file is started, and three older files are
/// kept. When an event cannot be written (a full disk) it is lost; its operation does not fail.
package final class EventLog: Sendable {
    private static let name = "events.jsonl"

    private let file: LogFile

    init(home: String) { file = LogFile(home: home, name: Self.name) }

    /// The path of the events file of a home.
    package static func path(home: String) -> String { LogFile.path(home: home, name: name) }

    /// Appends events with a single write.
    package func append(_ events: [StoreEvent]) {
        guard !events.isEmpty else { return }
        file.append(Array(events.map { $0.document.text() + "\n" }.joined().utf8))
    }

    package func append(_ event: StoreEvent) { append([event]) }
}
