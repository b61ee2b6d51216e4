package import Basics
package import Images
package import Stores

/// The filters of `volume ls` and `volume prune`.
package struct VolumeFilter: Sendable {
    private var conditions: [String: [String]] = [:]
    private let keys: [FilterKey]

    /// The filters of `volume ls` and `volume prune`.
    package static let listed: [FilterKey] = [
        FilterKey("name"), FilterKey("label"), FilterKey("driver", ["local"]),
        FilterKey("dangling", ["true", "false"]),
    ]
    package static let pruned: [FilterKey] = [FilterKey("label"), FilterKey("label!")]

    /// Allows only these filters.
    package init(keys: [FilterKey]) { self.keys = keys }

    /// Adds a `--filter`.
    ///
    /// Throws `usage` when there is no `=`, and `invalid` for an unknown filter or value.
    package mutating func add(_ text: String) throws(ShaleError) {
        let (key, value) = try FilterCondition.parts(of: text)
        guard let known = keys.first(where: { $0.name == key }) else {
            throw ShaleError(.invalid, "Invalid filter '\(key)'", hint: FilterKey.hint(keys))
        }
        if key == "dangling", !["true", "1", "false", "0"].contains(value) {
            throw ShaleError(.invalid, "Invalid filter 'dangling=[\(value)]'", hint: known.hint)
        }
        conditions[key, default: []].append(value)
    }

    /// Whether a volume passes the filters.
    ///
    /// Several values of one filter are alternatives, except labels.
    package func takes(_ volume: Volume) -> Bool {
        conditions.allSatisfy { key, values in
            switch key {
            case "name": values.contains { ContainerFilter.matches(volume.name, $0) }
            case "label": values.allSatisfy { FilterCondition.hasLabel(volume.labels, $0) }
            case "label!": !values.contains { FilterCondition.hasLabel(volume.labels, $0) }
            case "driver": values.contains("local")
            default: values.contains { ["true", "1"].contains($0) == volume.users.isEmpty }
            }
        }
    }
}

extension ContainerEngine {
    /// Makes a volume with labels `KEY=VALUE`, and returns its name.
    ///
    /// For an empty name a random name is made.
    ///
    /// Throws `invalid` when the name cannot be a volume's, and what reading the labels or making the volume throws.
    package func createVolume(_ name: String, labels: [String]) throws(ShaleError) -> String {
        let name = name.isEmpty ? Identifier.random() : name
        try store.volumes.create(name, labels: EnvironmentOption.labels(files: [], values: labels))
        return name
    }
}
