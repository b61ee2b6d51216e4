import Basics
import Layers
import OCI
import Stores

/// The data of a layer page as compact JSON: the layers, and the changes of each path.
///
/// A path is written once, as its name and the number of its directory. A change refers to the path by number.
struct PageData {
    private var names: [JSONDocument] = []
    private var parents: [JSONDocument] = []
    private var numbers: [PathKey: Int] = [:]
    private var layers: [JSONDocument] = []
    private let source: ImageLayers
    /// The bytes of files that later layers hide.
    private var hidden: Int64 = 0

    /// Reads the index of every layer.
    init(_ source: ImageLayers, sharedWith: [[String]], _ cancellation: Cancellation) throws(ShaleError) {
        self.source = source
        names.append("")
        parents.append(.integer(-1))
        numbers[PathKey("/")] = 0
        let merged = MergedIndex()
        for (layer, shared) in zip(try source.stack(), sharedWith) {
            try cancellation.check()
            try add(layer, shared, changes: merged.add(try source.index(layer.number)))
        }
    }

    private mutating func add(
        _ layer: ImageLayer, _ shared: [String], changes: [LayerChange]
    ) throws(ShaleError) {
        var events: [JSONDocument] = []
        var links: [JSONDocument] = []
        let linked = LinkedNames(changes)
        for change in changes where change.path != "/" {
            hidden &+= change.hiddenBytes
            let entry = change.entry.map { linked.renamed($0) }
            let node = number(change.path)
            let isRewrite = change.kind == .changed && change.reasons.isEmpty
            let kind: Int64 =
                switch change.kind {
                case .added: 0
                case .changed: isRewrite ? 3 : 1
                case .deleted: 2
                }
            events += [
                .integer(Int64(node)), .integer(kind), .integer(Self.type(entry?.kind)),
                .integer(entry?.size ?? 0),
            ]
            if let link = entry?.link, !link.isEmpty {
                links += [.integer(Int64(node)), .string(link.visible)]
            }
        }
        let count = try count(of: layer, changes)
        layers.append(
            .members([
                "n": .integer(Int64(layer.number)), "instruction": .string(Self.lines(layer.instruction)),
                "created": layer.created.map { .string($0.description) } ?? .null, "size": .integer(layer.bytes),
                "packed": layer.blob.map { .integer($0.size) } ?? .null,
                "added": .integer(Int64(count.added)), "changed": .integer(Int64(count.changed)),
                "deleted": .integer(Int64(count.deleted)),
                "container": layer.container.map { .string($0.visible) } ?? .null,
                "diffID": layer.diffID.map { .string($0.description) } ?? .null,
                "blob": layer.blob.map { .string($0.digest.description) } ?? .null,
                "shared": .array(shared.map { .string($0.visible) }), "events": .array(events), "links": .array(links),
            ]))
    }

    /// A container's changes are counted against all files that it had at its start, because an image's layers lack
    /// some.
    private func count(of layer: ImageLayer, _ changes: [LayerChange]) throws(ShaleError) -> ChangeCount {
        if layer.container != nil, let own = source.own { return try own.count() }
        return ChangeCount(changes)
    }

    /// The text with control characters visible, except newlines.
    private static func lines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { String($0).visible }.joined(separator: "\n")
    }

    private static func type(_ kind: LayerEntry.Kind?) -> Int64 {
        switch kind {
        case .directory: 0
        case .symlink: 2
        case .hardLink: 3
        case .fifo, .characterDevice, .blockDevice: 4
        case .file, .whiteout, nil: 1
        }
    }

    private mutating func number(_ path: String) -> Int {
        let key = PathKey(path)
        if let known = numbers[key] { return known }
        let parent = number(path.parentPath)
        numbers[key] = names.count
        names.append(.string(path.lastPathComponent.visible))
        parents.append(.integer(Int64(parent)))
        return names.count - 1
    }

    /// The data as JSON that is safe inside a `<script>` element: `<`, `>` and `&` are escaped.
    func text(waste: DiveEfficiency) -> String {
        let config = source.image.config
        let document = JSONDocument.members([
            "image": .string(source.title.visible), "id": .string(source.image.id.description),
            "created": config.created.map { .string($0.description) } ?? .null,
            "platform": .string(config.platform.description.visible), "efficiency": .number(waste.score),
            "hidden": .integer(hidden), "layers": .array(layers), "names": .array(names),
            "parents": .array(parents),
        ])
        return PageTemplate.inScript(document.text())
    }
}

/// The hard-linked files of a layer, each shown under its best-known name.
private struct LinkedNames {
    /// The shown name and the file, by the name of the file's first entry in the layer's archive.
    private var files: [PathKey: (name: String, file: LayerEntry)] = [:]

    init(_ changes: [LayerChange]) {
        var links: [PathKey: [String]] = [:]
        for entry in changes.compactMap(\.entry) where entry.kind == .hardLink {
            links[PathKey(entry.link), default: []].append(entry.path)
        }
        guard !links.isEmpty else { return }
        for entry in changes.compactMap(\.entry) where entry.kind == .file {
            let key = PathKey(entry.path)
            guard let others = links[key], let best = SharedName.best(others + [entry.path]) else { continue }
            files[key] = (best, entry)
        }
    }

    /// The entry with the file at its shown name, and hard links at the other names.
    func renamed(_ entry: LayerEntry) -> LayerEntry {
        let written = entry.kind == .hardLink ? entry.link : entry.path
        guard entry.kind == .file || entry.kind == .hardLink, let (name, file) = files[PathKey(written)] else {
            return entry
        }
        var renamed = entry
        let isName = PathOrder.same(entry.path, name)
        (renamed.kind, renamed.link, renamed.size) = isName ? (.file, "", file.size) : (.hardLink, name, 0)
        return renamed
    }
}
