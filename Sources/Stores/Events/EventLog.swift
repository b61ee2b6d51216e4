import Basics
import Diagnostics
import OCI

/// What happened in a home, for `events`: `HOME/log/events.jsonl`, a JSON object a line.
///
/// Any number of processes append, one write each. At 4 MiB a new file is started, and three older ones are kept. An
/// event that cannot be written (a full disk) is lost; the operation it describes is carried out all the same.
package final class EventLog: Sendable {
    private static let name = "events.jsonl"

    private let file: LogFile

    init(home: String) { file = LogFile(home: home, name: Self.name) }

    /// Where the events of a home lie.
    package static func path(home: String) -> String { LogFile.path(home: home, name: name) }

    /// Appends events, all with one write.
    package func append(_ events: [StoreEvent]) {
        guard !events.isEmpty else { return }
        file.append(Array(events.map { $0.document.text() + "\n" }.joined().utf8))
    }

    package func append(_ event: StoreEvent) { append([event]) }
}
