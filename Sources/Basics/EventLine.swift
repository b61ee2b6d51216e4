/// What a home's log of events says in a line, in the form of docker's events (docker/cli, system/events.go).
package enum EventLine {
    /// `kind` is `container`, `image` and so on, `subject` the id or name of what it happened to.
    package static func document(
        _ kind: String, _ action: String, of subject: String, attributes: [String: String], at time: Timestamp
    ) -> JSONDocument {
        .members([
            "Type": .string(kind), "Action": .string(action),
            "Actor": .members(["ID": .string(subject), "Attributes": document(of: attributes)]),
            "scope": "local", "time": .integer(time.seconds),
            "timeNano": .integer(time.wholeNanoseconds(since: .epoch)),
        ])
    }

    package static func document(of attributes: [String: String]) -> JSONDocument {
        .object(attributes.sorted { $0.key < $1.key }.map { JSONDocument.Member($0.key, .string($0.value)) })
    }

    /// Attributes, as ``document(of:)`` writes them; none for text that is no object.
    package static func attributes(parsing text: String) -> [String: String] {
        guard case .object(let members)? = try? JSONDocument(parsing: Array(text.utf8), naming: "attributes") else {
            return [:]
        }
        return members.reduce(into: [:]) { $0[$1.key] = $1.value.string }
    }
}
