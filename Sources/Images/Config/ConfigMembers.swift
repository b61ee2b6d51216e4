import Basics
package import Layers
package import OCI

/// The settings of a config, member by member.
///
/// Compared by bytes: for `String` a composed and a decomposed letter are equal, for programs they are not.
package struct ConfigMembers {
    /// Members with a value, by docker's names, as JSON.
    package private(set) var texts: [String: String] = [:]

    /// How the container that was committed was started: no instruction says so, and no image needs it.
    private static let ofContainers: Set<String> = [
        "Hostname", "Domainname", "Image", "AttachStdin", "AttachStdout", "AttachStderr", "Tty", "OpenStdin",
        "StdinOnce",
    ]

    package init(_ config: ContainerConfig) {
        var config = config
        // Their order has no meaning, and a Dockerfile cannot put one before those it inherits.
        config.env = config.env?.sorted(by: PathOrder.precedes)
        guard let bytes = try? OCIDocument.encode(config),
            let document = try? JSONDocument(parsing: Array(bytes), naming: "config"),
            case .object(let members) = document
        else { return }
        for member in members where !Self.ofContainers.contains(member.key) {
            let text = member.value.text()
            if !["[]", "{}", "\"\"", "null", "0", "false"].contains(text) { texts[member.key] = text }
        }
    }

    /// The names of the members that differ, sorted.
    package func differences(from other: ConfigMembers) -> [String] {
        Set(texts.keys).union(other.texts.keys)
            .filter { texts[$0].map(PathKey.init) != other.texts[$0].map(PathKey.init) }.sorted()
    }

    /// The single settings of a config: each variable, label, port, volume and trigger, and every other member.
    package static func pieces(of config: ContainerConfig) -> Set<PathKey> {
        var pieces: Set<PathKey> = []
        for entry in config.env ?? [] { pieces.insert(PathKey("Env \(entry)")) }
        for (name, value) in config.labels ?? [:] { pieces.insert(PathKey("Labels \(name)\0\(value)")) }
        for port in (config.exposedPorts ?? [:]).keys { pieces.insert(PathKey("ExposedPorts \(port)")) }
        for path in (config.volumes ?? [:]).keys { pieces.insert(PathKey("Volumes \(path)")) }
        for (place, trigger) in (config.onBuild ?? []).enumerated() {
            pieces.insert(PathKey("OnBuild \(place) \(trigger)"))
        }
        var rest = config
        rest.env = nil
        rest.labels = nil
        rest.exposedPorts = nil
        rest.volumes = nil
        rest.onBuild = nil
        for (name, text) in ConfigMembers(rest).texts { pieces.insert(PathKey("\(name) \(text)")) }
        return pieces
    }
}
