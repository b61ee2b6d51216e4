import Basics
import Glibc
import Linux
import RunnerProtocol

/// Tells in the home's log of events what becomes of a container; a failure does not make the container fail.
struct EventFile {
    private let path: String
    private let id: String
    private let attributes: [String: String]
    private let volumes: [[String: String]]

    init(_ plan: LaunchPlan) {
        path = plan.eventsPath
        id = plan.containerID
        attributes = EventLine.attributes(parsing: plan.eventAttributes)
        volumes = plan.eventVolumes.map(EventLine.attributes)
    }

    /// Tells what became of the container; `more` are further attributes.
    ///
    /// Its volumes are told as mounted before it starts, and as unmounted after its end.
    func tell(_ action: String, _ more: [(name: String, value: String)] = []) {
        guard !path.isEmpty else { return }
        let now = Timestamp.now()
        let all = attributes.merging(more.map { ($0.name, $0.value) }) { $1 }
        let own = EventLine.document("container", action, of: id, attributes: all, at: now)
        switch action {
        case "start": append(volumes.map { told($0, "mount", now) } + [own])
        case "die": append([own] + volumes.map { told($0, "unmount", now) })
        default: append([own])
        }
    }

    private func told(_ volume: [String: String], _ action: String, _ time: Timestamp) -> JSONDocument {
        var attributes = volume
        let name = attributes.removeValue(forKey: "name") ?? ""
        return EventLine.document("volume", action, of: name, attributes: attributes, at: time)
    }

    /// Appends lines with one write.
    ///
    /// The log is renamed here too where it has grown long: a container that restarts for ever writes without a shale.
    private func append(_ documents: [JSONDocument]) {
        FileRotation(path).rotateIfLong()
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK
        let text = documents.map { $0.text() + "\n" }.joined()
        try? OwnedFD.open(path, flags, mode: 0o600).write(Array(text.utf8))
    }
}
