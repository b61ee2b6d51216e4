package import Basics
import Layers
import OCI
package import Stores

extension ImageEngine {
    /// Makes an image with other settings and the same layers; `nil` for a trial.
    ///
    /// What changes is told as notes first. The history gets one entry, which made no layer. The image is made of the
    /// source's own moment, so that the same changes give the same image.
    ///
    /// Throws `notFound` for an image, a variable, a label, a port or a volume that is not there, `invalid`, or
    /// docker's words, for what cannot be a setting, and what writing to the store throws.
    package func configure(
        _ name: String, _ edits: [ConfigEdit], message: String? = nil, _ options: EditOptions,
        _ operation: OperationContext
    ) throws(ShaleError) -> Image? {
        let image = try editedImage(name)
        let name = Self.shownName(of: image, called: name)
        var config = image.config
        try ConfigEdit.apply(edits, to: &config)
        let changes = SettingChange.all(from: image.config, to: config)
        operation.note("\(name): \(changes.isEmpty ? "no setting changes" : "settings change:")")
        for change in changes { operation.note("  \(change.text)") }
        if options.isTrial { return nil }
        config.created = editTime(of: image)
        let words = changes.map(\.text).joined(separator: "; ")
        config.append(
            History(created: config.created, createdBy: "config \(words)", comment: message, emptyLayer: true),
            layer: nil)
        let provenance = Provenance(
            parent: image.id, base: try calledBase(of: image, named: name),
            origin: .edited(.config, text: Self.words(changes, of: name)))
        return try addEdited(
            config, image.manifest.layers, parent: image.id, named: options.reference, made: provenance)
    }
}

extension ImageEngine {
    /// The comment in a recipe about changed settings, before their instructions: the settings that were removed,
    /// because no instruction can express that.
    private static func words(_ changes: [SettingChange], of name: String) -> String {
        let gone = changes.compactMap { $0.isRemoval ? String($0.text.dropFirst(2)) : nil }
        let text = "settings of \(name) changed"
        return gone.isEmpty ? text : "\(text); taken away: \(gone.joined(separator: ", "))"
    }
}

/// One setting that an edit changes, for people.
struct SettingChange {
    /// `Env PATH: /bin -> /bin:/opt/bin`.
    let text: String
    let isRemoval: Bool

    private init(_ name: String, from old: String?, to new: String?) {
        isRemoval = new == nil
        switch (old, new) {
        case (let old?, let new?): text = "\(name): \(old.visible) -> \(new.visible)"
        case (nil, let new?): text = new.isEmpty ? "+ \(name)" : "+ \(name): \(new.visible)"
        default: text = "- \(name)"
        }
    }

    /// What differs between two configs: a variable, a label, a port, a volume at a time.
    static func all(from old: ImageConfig, to new: ImageConfig) -> [SettingChange] {
        let (before, after) = (Settings(old), Settings(new))
        let names = Set(before.values.keys).union(after.values.keys).map(\.path).sorted(by: PathOrder.precedes)
        return names.compactMap { name in
            let (left, right) = (before.values[PathKey(name)], after.values[PathKey(name)])
            guard left.map(PathKey.init) != right.map(PathKey.init) else { return nil }
            return SettingChange(name, from: left, to: right)
        }
    }
}

/// The settings of a config, each under a name of its own.
struct Settings {
    private(set) var values: [PathKey: String] = [:]

    init(_ config: ImageConfig) {
        let settings = config.config ?? ContainerConfig()
        for entry in settings.env ?? [] {
            let name = ConfigEdit.variableName(entry)
            values[PathKey("Env \(name)")] = String(decoding: entry.utf8.dropFirst(name.utf8.count + 1), as: UTF8.self)
        }
        for (name, value) in settings.labels ?? [:] { values[PathKey("Label \(name)")] = value }
        for port in (settings.exposedPorts ?? [:]).keys { values[PathKey("ExposedPorts \(port)")] = "" }
        for path in (settings.volumes ?? [:]).keys { values[PathKey("Volumes \(path)")] = "" }
        var rest = settings
        (rest.env, rest.labels, rest.exposedPorts, rest.volumes) = (nil, nil, nil, nil)
        for (name, text) in ConfigMembers(rest).texts { values[PathKey(name)] = text }
        if let author = config.author, !author.isEmpty { values[PathKey("Author")] = author }
    }
}
