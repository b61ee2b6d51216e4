package import Basics
import Glibc
package import Images
import OCI
package import Stores

/// The filters of `events`, as docker's: of several values for one key one must match, and all keys must match.
package struct EventQuery: Sendable {
    private var conditions: [String: [String]] = [:]
    /// Shows only events at this time or later; `nil` for events from now on.
    package var since: Timestamp?
    /// Shows only events before this time; `nil` for no end.
    package var until: Timestamp?

    package init() {}

    /// All filters.
    package static let known: [FilterKey] = [
        FilterKey("container"), FilterKey("event"), FilterKey("image"), FilterKey("label"),
        FilterKey("scope", ["local"]), FilterKey("type", StoreEvent.Kind.allCases.map(\.rawValue)),
        FilterKey("volume"),
    ]

    /// Adds a `--filter`.
    ///
    /// Throws `usage` when there is no `=`, and `invalid` for an unknown filter.
    package mutating func add(_ text: String) throws(ShaleError) {
        let (key, value) = try FilterCondition.parts(of: text)
        guard Self.known.contains(where: { $0.name == key }) else {
            throw ShaleError(.invalid, "Invalid filter '\(key)'", hint: FilterKey.hint(Self.known))
        }
        conditions[key, default: []].append(value)
    }

    func takes(_ event: StoreEvent) -> Bool {
        if let since, event.time < since { return false }
        return conditions.allSatisfy { key, values in
            switch key {
            case "type": values.contains(event.kind.rawValue)
            case "scope": values.contains("local")
            case "label": values.allSatisfy { FilterCondition.hasLabel(event.attributes, $0) }
            // `exec_start: …` and `health_status: …` also match by the part before the colon.
            case "event": values.contains { event.action == $0 || event.action.hasPrefix("\($0):") }
            case "image": values.contains { Self.isImage(event, $0) }
            case "container": event.kind == .container && values.contains { Self.isNamed(event, $0) }
            default: event.kind == .volume && values.contains { Self.isNamed(event, $0) }
            }
        }
    }

    /// Whether the beginning of the subject's ID or name is `value`.
    private static func isNamed(_ event: StoreEvent, _ value: String) -> Bool {
        !value.isEmpty && (event.subject.hasPrefix(value) || event.attributes["name"]?.hasPrefix(value) ?? false)
    }

    /// Whether an image event matches by ID or by name with or without its tag, or a container event by its image.
    private static func isImage(_ event: StoreEvent, _ value: String) -> Bool {
        let name: String?
        switch event.kind {
        case .container: name = event.attributes["image"]
        case .image: name = event.attributes["name"]
        case .builder, .volume: return false
        }
        let texts = [event.kind == .image ? event.subject : nil, name].compactMap(\.self)
        if texts.contains(value) { return true }
        if event.kind == .image, event.subject.hasPrefix("sha256:\(value)"), !value.isEmpty { return true }
        return texts.contains { (try? Reference(parsing: $0))?.familiarName == value }
    }
}

extension Home {
    /// Passes past events to `show`, then new events as they happen.
    ///
    /// Returns when the query ends, when `show` returns false, or when it is cancelled.
    ///
    /// Throws what `show` throws.
    package func events(
        _ query: EventQuery, _ cancellation: Cancellation, show: (StoreEvent) throws(ShaleError) -> Bool
    ) throws(ShaleError) {
        var reader = EventReader(home: path, isAtEnd: query.since == nil)
        while !cancellation.isCancelled {
            // Checked before the last read, so that every event before the end is shown.
            let isOver = query.until.map { $0 <= .now() } ?? false
            while let event = reader.next() {
                if cancellation.isCancelled { return }
                if let until = query.until, event.time >= until { return }
                if query.takes(event), try !show(event) { return }
            }
            if isOver { return }
            usleep(100_000)
        }
    }
}
