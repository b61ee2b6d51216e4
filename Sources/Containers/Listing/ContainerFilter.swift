package import Basics
import Dockerfiles
import Glibc
package import Images
import Linux
import OCI
import RunnerProtocol
import Stores

/// The containers that `ps` shows.
package struct ContainerFilter: Sendable {
    /// Whether containers that do not run are shown too.
    package var all = false
    /// The number of newest containers to show, running or not; `nil` for no such limit.
    package var last: Int?
    /// The conditions `key=value`.
    ///
    /// Several conditions with one key are alternatives, except labels.
    package var conditions: [(key: String, value: String)] = []

    package init() {}

    /// All filters, with their possible values when there is a fixed list.
    package static let known: [FilterKey] = [
        FilterKey("id"), FilterKey("name"), FilterKey("label"), FilterKey("exited"),
        FilterKey("status", ["created", "running", "paused", "restarting", "removing", "exited", "dead"]),
        FilterKey("ancestor"), FilterKey("before"), FilterKey("since"), FilterKey("volume"), FilterKey("network"),
        FilterKey("publish"), FilterKey("expose"), FilterKey("health", ["none", "starting", "healthy", "unhealthy"]),
        FilterKey("is-task", ["true", "false"]),
    ]

    /// Adds a `--filter`.
    ///
    /// Throws `usage` when there is no `=`, and `invalid` for an unknown filter or value.
    package mutating func add(_ text: String) throws(ShaleError) {
        let (key, value) = try FilterCondition.parts(of: text)
        guard let known = Self.known.first(where: { $0.name == key }) else {
            throw ShaleError(.invalid, "Invalid filter '\(key)'", hint: FilterKey.hint(Self.known))
        }
        let hint = known.hint
        if key == "status", !known.values.contains(value) {
            throw ShaleError(.invalid, "Invalid filter 'status=\(value)'", hint: hint)
        }
        if key == "health", !known.values.contains(value) {
            throw ShaleError(.invalid, "Unrecognised filter value for health: \(value)", hint: hint)
        }
        if key == "is-task", !["true", "false", "1", "0"].contains(value) {
            throw ShaleError(.invalid, "Invalid filter 'is-task=[\(value)]'", hint: hint)
        }
        if key == "exited", Int32(value) == nil {
            throw ShaleError(
                .invalid, "strconv.Atoi: parsing \"\(value)\": invalid syntax", hint: "--filter exited=0")
        }
        conditions.append((key, value))
    }

    func apply(to views: [ContainerView], _ engine: ContainerEngine) throws(ShaleError) -> [ContainerView] {
        var result = views
        let asked = Dictionary(grouping: conditions, by: \.key)
        for (key, conditions) in asked {
            result = try keep(result, key, conditions.map(\.value), all: views, engine)
        }
        let showsStopped = all || last != nil || asked["status"] != nil || asked["exited"] != nil
        if !showsStopped { result = result.filter { $0.state.isRunning } }
        if let last, last >= 0 { result = Array(result.prefix(last)) }
        return result
    }

    private func keep(
        _ views: [ContainerView], _ key: String, _ values: [String], all: [ContainerView], _ engine: ContainerEngine
    ) throws(ShaleError) -> [ContainerView] {
        switch key {
        case "id": return views.filter { view in values.contains { view.record.id.hasPrefix($0) } }
        case "name":
            return views.filter { view in
                values.contains { Self.matches("/" + view.record.name, $0) || Self.matches(view.record.name, $0) }
            }
        case "label":
            return views.filter { view in values.allSatisfy { FilterCondition.hasLabel(view.record.labels, $0) } }
        case "exited":
            return views.filter { view in
                view.state.status == .exited && values.contains { Int32($0) == view.state.exitCode }
            }
        case "status": return views.filter { values.contains($0.state.status.rawValue) }
        case "ancestor":
            var ancestors: Set<Digest> = []
            for value in values { if let id = try ifSound(engine.store.images.id(of: value)) { ancestors.insert(id) } }
            let listed = try engine.store.images.listed(as: views.map(\.record.image))
            return views.filter { view in
                // For a name of an index these are the containers of all its platforms.
                if ancestors.contains(listed[view.record.image] ?? view.record.image) { return true }
                var parent = try? engine.store.images.image(view.record.image).parent
                while let id = parent {
                    if ancestors.contains(id) { return true }
                    parent = try? engine.store.images.image(id).parent
                }
                return false
            }
        case "before", "since":
            guard let value = values.first else { return views }
            let reference = try engine.store.containers.find(value)
            guard let place = all.firstIndex(where: { $0.record.id == reference.id }) else { return [] }
            let kept = Set((key == "before" ? all[(place + 1)...] : all[..<place]).map(\.record.id))
            return views.filter { kept.contains($0.record.id) }
        case "volume":
            return views.filter { view in
                view.record.host.mounts.contains {
                    values.contains($0.name ?? $0.source) || values.contains($0.destination)
                }
            }
        case "network": return views.filter { values.contains($0.record.host.network) }
        case "expose", "publish":
            var keys: Set<String> = []
            for value in values { keys.formUnion(try PortSpecification(parsing: value).keys) }
            return views.filter { view in
                key == "expose"
                    ? (view.record.config.exposedPorts ?? [:]).keys.contains(where: keys.contains)
                    : view.ports.contains {
                        !$0.address.isEmpty && (keys.contains($0.key) || keys.contains("\($0.hostPort)/\($0.proto)"))
                    }
            }
        case "health": return views.filter { values.contains($0.state.health?.status.rawValue ?? "none") }
        default: return values.contains("true") || values.contains("1") ? [] : views
        }
    }

    /// Whether a text matches a POSIX extended regular expression.
    ///
    /// A malformed expression is searched as plain text.
    static func matches(_ text: String, _ pattern: String) -> Bool {
        var compiled = regex_t()
        guard regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB) == 0 else { return text.contains(pattern) }
        defer { regfree(&compiled) }
        return regexec(&compiled, text, 0, nil, 0) == 0
    }
}
