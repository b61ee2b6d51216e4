import Basics
import Glibc
import Linux
import RunnerProtocol

/// Tells in the home's log of events what becomes of a container; a failure does not make the container fail.
struct EventFile {
    private let path: String
    private let id: String
    private let attributes: String

    init(_ plan: LaunchPlan) {
        path = plan.eventsPath
        id = plan.containerID
        attributes = plan.eventAttributes
    }

    /// Appends one line with one write; `more` are further attributes, of plain letters.
    func tell(_ action: String, _ more: [(name: String, value: String)] = []) {
        guard !path.isEmpty else { return }
        let time = Timestamp.now()
        let members = (attributes.isEmpty ? [] : [attributes]) + more.map { "\"\($0.name)\":\"\($0.value)\"" }
        let line =
            "{\"Type\":\"container\",\"Action\":\"\(action)\",\"Actor\":{\"ID\":\"\(id)\",\"Attributes\":{"
            + members.joined(separator: ",") + "}},\"scope\":\"local\",\"time\":\(time.seconds),\"timeNano\":"
            + "\(time.wholeNanoseconds(since: .epoch))}\n"
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK
        try? OwnedFD.open(path, flags, mode: 0o600).write(Array(line.utf8))
    }
}
