import Layers
import OCI

/// The settings of an image on another base: what it changed of its old base's is kept, the rest is the new base's.
struct RebasedConfig {
    /// A setting that the image has changed, and that the new base has otherwise than the old one.
    struct Conflict {
        var name: String
        /// The new base's.
        var offered: String
        /// The image's, which it keeps.
        var kept: String
    }

    private(set) var config: ContainerConfig
    private(set) var conflicts: [Conflict] = []

    init(_ image: ImageConfig, from oldBase: ImageConfig, to newBase: ImageConfig) {
        let (own, old) = (image.config ?? ContainerConfig(), oldBase.config ?? ContainerConfig())
        config = newBase.config ?? ContainerConfig()
        merge(\.user, own, old)
        merge(\.workingDir, own, old)
        merge(\.entrypoint, own, old)
        merge(\.cmd, own, old)
        merge(\.stopSignal, own, old)
        merge(\.stopTimeout, own, old)
        merge(\.healthcheck, own, old)
        merge(\.shell, own, old)
        merge(\.argsEscaped, own, old)
        merge(\.memory, own, old)
        merge(\.networkDisabled, own, old)
        mergeEnvironment(own.env ?? [], old.env ?? [])
        config.labels = Self.merged(own.labels, old.labels, config.labels)
        config.exposedPorts = Self.merged(own.exposedPorts, old.exposedPorts, config.exposedPorts)
        config.volumes = Self.merged(own.volumes, old.volumes, config.volumes)
        // Triggers of a base are for the build on it, not for what was built.
        config.onBuild = own.onBuild
        note(Settings(image), Settings(oldBase), Settings(newBase))
    }

    private mutating func merge<Value: Equatable>(
        _ member: WritableKeyPath<ContainerConfig, Value>, _ own: ContainerConfig, _ old: ContainerConfig
    ) {
        if own[keyPath: member] != old[keyPath: member] { config[keyPath: member] = own[keyPath: member] }
    }

    private static func merged<Value: Equatable>(
        _ own: [String: Value]?, _ old: [String: Value]?, _ new: [String: Value]?
    ) -> [String: Value]? {
        var result = new ?? [:]
        for name in Set((own ?? [:]).keys).union((old ?? [:]).keys) where own?[name] != old?[name] {
            result[name] = own?[name]
        }
        return result.isEmpty ? nil : result
    }

    private mutating func mergeEnvironment(_ own: [String], _ old: [String]) {
        func table(_ entries: [String]) -> [String: String] {
            Dictionary(entries.map { (ConfigEdit.variableName($0), $0) }) { _, last in last }
        }
        let (before, after) = (table(old), table(own))
        for entry in own {
            let name = ConfigEdit.variableName(entry)
            guard before[name] != entry else { continue }
            config.setEnvironment(name, String(entry.utf8.dropFirst(name.utf8.count + 1)) ?? "")
        }
        let gone = Set(before.keys).subtracting(after.keys)
        config.env = config.env?.filter { !gone.contains(ConfigEdit.variableName($0)) }
    }

    /// Finds what both the image and the new base have changed.
    private mutating func note(_ own: Settings, _ old: Settings, _ new: Settings) {
        for (name, offered) in new.values {
            guard let kept = own.values[name], kept != offered, kept != old.values[name], offered != old.values[name],
                name.path != "Author"
            else { continue }
            conflicts.append(Conflict(name: name.path, offered: offered, kept: kept))
        }
        conflicts.sort { $0.name < $1.name }
    }
}
