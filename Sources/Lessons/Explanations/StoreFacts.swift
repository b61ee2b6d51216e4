import Basics
import Containers
import Explorer
import Images
import OCI
import Recipes
import Sessions
import Stores

/// The facts of this home that the texts of the explanations may name: `{image.size}` and its like.
///
/// Each is found when a text asks for it. For one thread.
struct StoreFacts {
    private let engine: Engine
    private let session: Session?
    private let images: [ImageSummary]
    private let containers: [ContainerRecord]
    private let volumes: [Volume]
    private let image: ImageFacts?
    private let container: ContainerRecord?
    private let volume: Volume?

    /// Takes the examples from `subjects` where they name something, else from what is here.
    ///
    /// Throws what listing images, containers and volumes throws.
    init(_ engine: Engine, _ session: Session?, about subjects: [String] = []) throws(ShaleError) {
        self.engine = engine
        self.session = session
        images = try engine.images.all().filter { !$0.isIntermediate }
        containers = try engine.containers.all()
        volumes = try engine.containers.volumes()
        let named = subjects.filter { !$0.hasPrefix("-") }
        image = Self.image(named, images, engine, session)
        let known = containers
        container = named.compactMap { try? engine.containers.container(meantBy: $0)?.record }.first ?? known.last
        let all = volumes
        volume = named.compactMap { name in all.first { $0.name == name } }.first ?? all.last
    }

    /// The image that is meant, else the one with the most layers of those with a name: it shows the most.
    private static func image(
        _ named: [String], _ images: [ImageSummary], _ engine: Engine, _ session: Session?
    ) -> ImageFacts? {
        if let found = named.compactMap({ try? engine.images.find($0) }).first { return try? ImageFacts(found, engine) }
        if named.contains("@"), let id = session?.working?.image { return try? ImageFacts(id, engine) }
        let candidates = images.filter { !$0.references.isEmpty }.compactMap { try? engine.images.image(id: $0.id) }
        let most = candidates.max { $0.config.rootfs.diffIDs.count < $1.config.rootfs.diffIDs.count }
        return most.flatMap { try? ImageFacts($0, engine) }
    }

    /// The whole home in one sentence.
    var summary: String {
        "Here are \(Words.count(images.count, "image")), \(Words.count(containers.count, "container")) and "
            + "\(Words.count(volumes.count, "volume"))."
    }

    /// What stands for a name between braces; `nil` where there is nothing of the kind here.
    func value(_ name: String) -> String? {
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        switch (parts.first ?? "", parts.count > 1 ? parts[1] : "") {
        case ("home", ""): return engine.home.path
        case ("images", ""): return Words.count(images.count, "image")
        case ("images.list", ""), ("images", "list"):
            return images.isEmpty ? nil : Words.list(images.flatMap(\.references).map(Words.name), most: 4)
        case ("containers", ""): return Words.count(containers.count, "container")
        case ("containers", "list"): return containers.isEmpty ? nil : Words.list(containers.map(\.name), most: 4)
        case ("volumes", ""): return Words.count(volumes.count, "volume")
        case ("image", let part): return image.flatMap { imageValue($0, part) }
        case ("container", let part): return container.flatMap { containerValue($0, part) }
        case ("volume", let part): return volume.flatMap { volumeValue($0, part) }
        case ("session", let part): return sessionValue(part)
        case ("working", let part): return workingValue(part)
        case ("layers", ""): return Words.count(layerIDs.count, "layer")
        case ("layers", "saved"): return saved
        case ("whiteout", ""): return whiteout
        default: return nil
        }
    }

    // MARK: Values

    private func imageValue(_ facts: ImageFacts, _ part: String) -> String? {
        let image = facts.image
        switch part {
        case "": return image.references.first.map(Words.name) ?? image.id.short
        case "id": return image.id.short
        case "digest": return "sha256:\(image.manifestDescriptor.digest.short)…"
        case "layers": return facts.count
        case "size": return Words.size(facts.bytes)
        case "names": return image.references.isEmpty ? nil : Words.list(image.references.map(Words.name))
        case "top": return facts.top.map { "#\($0.layer.number), \"\($0.layer.headline.visible)\"" }
        case "top.changes":
            return facts.top.map { "\(Words.changes($0.count ?? ChangeCount())), \(Words.size($0.bytes))" }
        case "top.diffid": return facts.top?.layer.diffID.map { "sha256:\($0.short)…" }
        case "sharing":
            let shared = facts.shared()
            return shared.names.isEmpty
                ? nil
                : "\(Words.list(shared.names)) (\(Words.count(shared.layers, "layer")), \(Words.size(shared.bytes)))"
        case "own":
            let shared = facts.shared()
            return Words.size(facts.bytes &- shared.bytes)
        case "command":
            let settings = image.containerConfig
            let words = (settings.entrypoint ?? []) + (settings.cmd ?? [])
            return words.isEmpty ? nil : words.joined(separator: " ").visible
        case "packed": return Words.size(image.manifest.layers.reduce(Int64(0)) { $0 &+ $1.size })
        default: return nil
        }
    }

    private func containerValue(_ record: ContainerRecord, _ part: String) -> String? {
        switch part {
        case "": return record.name
        case "image": return record.imageName
        case "state": return engine.containers.view(of: record).statusWords()
        case "written": return try? ContainerFacts(record, engine).written
        default: return nil
        }
    }

    private func volumeValue(_ volume: Volume, _ part: String) -> String? {
        switch part {
        case "": return volume.name
        case "size": return Words.size(volume.bytes)
        case "users": return volume.users.isEmpty ? "no container" : Words.count(volume.users.count, "container")
        default: return nil
        }
    }

    private func sessionValue(_ part: String) -> String? {
        guard let session else { return nil }
        switch part {
        case "": return session.name
        case "states": return Words.count(session.tree.nodes.count, "state")
        case "lines": return Words.count(session.lineCount, "line")
        case "last":
            guard let node = session.tree.nodes[session.tree.head] else { return nil }
            return node.line.split(separator: "\n").first.map { "\"\(String($0).visible)\"" }
        default: return nil
        }
    }

    private func workingValue(_ part: String) -> String? {
        guard let working = session?.working else { return nil }
        switch part {
        case "": return working.image?.short ?? "empty"
        case "base": return working.base.instruction.visible
        case "steps": return Words.count(working.steps.count, "step")
        case "cached": return Words.count(working.steps.count { $0.wasCached }, "step")
        case "last":
            return working.steps.last.map {
                "\"\($0.instruction.split(separator: "\n").first.map(String.init)?.visible ?? "")\""
            }
        default: return nil
        }
    }

    // MARK: Layers of all images

    private var layerIDs: Set<Digest> {
        Set(images.compactMap { try? engine.images.image(id: $0.id) }.flatMap(\.config.rootfs.diffIDs))
    }

    /// Bytes that would be on the disk once more if images did not share layers.
    private var saved: String? {
        let sizes = images.reduce(Int64(0)) { $0 &+ $1.size }
        var known: [Digest: Int64] = [:]
        for image in images.compactMap({ try? engine.images.image(id: $0.id) }) {
            let layers = ImageLayers(image, name: "", images: engine.images).layers
            for layer in layers { if let id = layer.chain { known[id] = layer.size?.tar ?? 0 } }
        }
        let saved = sizes &- known.values.reduce(0, &+)
        return saved > 0 ? Words.size(saved) : nil
    }

    /// An image here in which a layer hides something of the layers below it.
    private var whiteout: String? {
        for summary in images {
            guard let image = try? engine.images.image(id: summary.id), image.config.rootfs.diffIDs.count > 1,
                let facts = try? ImageFacts(image, engine), let hidden = (try? facts.hiddenByTop()) ?? nil,
                let top = facts.top
            else { continue }
            return "layer #\(top.layer.number) of \(Words.image(image)) hides \(Words.list(hidden.paths, most: 2)), "
                + "\(Words.size(hidden.bytes)) of the layers below"
        }
        return nil
    }
}
