package import Basics
import Images
import Layers
import OCI
import Stores

/// The differences of two images: config, history, packages, files and size.
///
/// Of a container its settings are compared, but not the command it was given. A single layer has no config and one
/// history step; paths that it deletes are compared like files.
package struct ImageComparison {
    /// One value that differs; `nil` on the side that does not have it.
    package struct Value: Sendable, Hashable {
        package var key: String
        package var old: String?
        package var new: String?

        package init(key: String, old: String?, new: String?) {
            self.key = key
            self.old = old
            self.new = new
        }

        /// `+`, `-` or `~`.
        package var mark: String { old == nil ? "+" : new == nil ? "-" : "~" }
    }

    package private(set) var config: [Value] = []
    /// History steps that only one image has, in order, `-` and `+`.
    package private(set) var history: [Value] = []
    /// The keys are `MANAGER NAME`, the values are versions.
    package private(set) var packages: [Value] = []
    package var files: [TreeDifference] = []
    package private(set) var oldSize: Int64
    package private(set) var newSize: Int64

    /// Compares two images, layers or containers.
    ///
    /// With `semantic` times and orders are ignored. `warn` is called for each package database that cannot be read.
    ///
    /// Throws `cancelled` when it is stopped, and what reading the layers and files throws.
    package init(
        _ old: PlaceView, _ new: PlaceView, semantic: Bool, _ cancellation: Cancellation,
        warn: (String) -> Void = { _ in }
    ) throws(ShaleError) {
        oldSize = try old.storedBytes()
        newSize = try new.storedBytes()
        let (before, after) = (old.layers.image.config, new.layers.image.config)
        let hasLayer = old.singleLayer != nil || new.singleLayer != nil
        if !hasLayer {
            config = Self.values(
                Self.flat(before, old.settings, semantic: semantic),
                Self.flat(after, new.settings, semantic: semantic))
            history = Self.steps(before.history ?? [], after.history ?? [], semantic: semantic)
        } else if let left = old.singleLayer, let right = new.singleLayer {
            history = Self.steps([try Self.step(left, old)], [try Self.step(right, new)], semantic: semantic)
        }
        // Images with the same layers have the same files. A container may also have its own files.
        if before.rootfs.diffIDs == after.rootfs.diffIDs, case .image = old.source, case .image = new.source { return }
        let versions = (
            old: try Self.versions(old, cancellation, warn), new: try Self.versions(new, cancellation, warn)
        )
        // A layer without a package database has not removed any package.
        if !hasLayer || !versions.old.isEmpty && !versions.new.isEmpty {
            packages = Self.values(versions.old, versions.new)
        }
        var comparison = TreeComparison(old, new)
        comparison.comparesTimes = !semantic
        files = try comparison.differences(cancellation)
    }

    /// The history step that made a layer.
    private static func step(_ number: Int, _ view: PlaceView) throws(ShaleError) -> History {
        let layer = try view.layers.layer(number)
        return History(created: layer.created, createdBy: layer.instruction)
    }

    package var isSame: Bool { config.isEmpty && history.isEmpty && packages.isEmpty && files.isEmpty }

    private static func values(_ old: [String: String], _ new: [String: String]) -> [Value] {
        func keyed(_ values: [String: String]) -> [PathKey: String] {
            values.reduce(into: [:]) { $0[PathKey($1.key)] = $1.value }
        }
        return values(keyed(old), keyed(new))
    }

    /// Compares keys and values by their bytes, because `String` treats equivalent Unicode texts as equal.
    private static func values(_ old: [PathKey: String], _ new: [PathKey: String]) -> [Value] {
        Set(old.keys).union(new.keys).sorted { PathOrder.precedes($0.path, $1.path) }.compactMap { key in
            let isSame = old[key].map(PathKey.init) == new[key].map(PathKey.init)
            return isSame ? nil : Value(key: key.path, old: old[key], new: new[key])
        }
    }

    /// The config as keys and values, such as `Env.PATH` and `Cmd`.
    private static func flat(
        _ config: ImageConfig, _ container: ContainerConfig, semantic: Bool
    ) -> [PathKey: String] {
        var flat: [PathKey: String] = [:]
        func note(_ key: String, _ value: String?) {
            if let value, !value.isEmpty { flat[PathKey(key)] = value }
        }
        note("architecture", config.architecture)
        note("os", config.os)
        note("variant", config.variant)
        note("os.version", config.osVersion)
        note("author", config.author)
        if !semantic { note("created", config.created?.description) }
        note("User", container.user)
        note("WorkingDir", container.workingDir)
        note("StopSignal", container.stopSignal)
        for (key, words) in [
            ("Entrypoint", container.entrypoint), ("Cmd", container.cmd), ("Shell", container.shell),
            ("OnBuild", container.onBuild), ("Healthcheck", container.healthcheck?.test),
        ] { note(key, words.map { list($0) }) }
        note("ExposedPorts", container.exposedPorts.map { $0.keys.sorted().joined(separator: " ") })
        note("Volumes", container.volumes.map { $0.keys.sorted().joined(separator: " ") })
        for (name, value) in container.labels ?? [:] { flat[PathKey("Labels.\(name)")] = value }
        for entry in container.env ?? [] {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            flat[PathKey("Env.\(parts[0])")] = parts.count > 1 ? String(parts[1]) : ""
        }
        if !semantic {
            note("Env", (container.env ?? []).map { String($0.prefix { $0 != "=" }) }.joined(separator: " "))
        }
        return flat
    }

    private static func list(_ words: [String]) -> String {
        JSONDocument.array(words.map { .string($0) }).text()
    }

    private static func steps(_ old: [History], _ new: [History], semantic: Bool) -> [Value] {
        func text(_ step: History) -> String {
            let instruction = InstructionText.instruction(step.createdBy ?? "")
            return semantic ? instruction : "\(step.created.map { "\($0.description) " } ?? "")\(instruction)"
        }
        let before = old.map(text)
        let after = new.map(text)
        if semantic {
            // Without the order: steps that one image has more often than the other.
            var counts: [String: Int] = [:]
            for step in before { counts[step, default: 0] -= 1 }
            for step in after { counts[step, default: 0] += 1 }
            return counts.filter { $0.value != 0 }.sorted { $0.key < $1.key }.map { step, count in
                Value(key: step, old: count < 0 ? step : nil, new: count > 0 ? step : nil)
            }
        }
        guard before.count &+ after.count <= 20_000 else {
            return before == after
                ? [] : [Value(key: "history", old: "\(before.count) steps", new: "\(after.count) steps")]
        }
        return after.difference(from: before).map { change in
            switch change {
            case .remove(_, let step, _): Value(key: step, old: step, new: nil)
            case .insert(_, let step, _): Value(key: step, old: nil, new: step)
            }
        }
    }

    /// The packages that a step changed; without `old` all packages.
    ///
    /// `warn` is called for each package database that cannot be read. Throws `cancelled`, and what reading the trees
    /// throws.
    package static func packages(
        _ old: PlaceView?, _ new: PlaceView, _ cancellation: Cancellation, warn: (String) -> Void
    ) throws(ShaleError) -> [Value] {
        let before = try old.map { view throws(ShaleError) in try versions(view, cancellation) { _ in } }
        return values(before ?? [:], try versions(new, cancellation, warn))
    }

    private static func versions(
        _ view: PlaceView, _ cancellation: Cancellation, _ warn: (String) -> Void
    ) throws(ShaleError) -> [String: String] {
        var versions: [String: Set<String>] = [:]
        for package in try PackageList(view).packages(cancellation, warn: { warn("\(view.label): \($0)") }) {
            versions["\(package.manager.rawValue) \(package.name)", default: []].insert(package.version)
        }
        return versions.mapValues { $0.sorted().joined(separator: ", ") }
    }
}

extension PlaceView {
    /// The container's settings, or the settings of the image.
    fileprivate var settings: ContainerConfig {
        if case .container = source { layers.settings } else { layers.image.containerConfig }
    }
}
