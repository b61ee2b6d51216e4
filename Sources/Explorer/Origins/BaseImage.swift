package import Basics
import Images
import Layers
package import OCI
import Stores

/// The base image of an image or a container, and how it is known.
package struct BaseImage: Sendable, Hashable {
    package enum Evidence: String, Sendable, Hashable {
        /// The container's record names its image.
        case container
        /// An image in the store has the same layers, and this image has more.
        case layers
        /// An annotation or label of the image names it.
        case annotation
        /// The image was built here from that name.
        case record
        /// Only the name of the distribution is known, from the files.
        case files
    }

    package var name: String
    package var id: Digest?
    /// The number of the image's layers that belong to the base.
    package var layers: Int?
    package var evidence: Evidence

    /// All possible bases, the most certain first; empty for an image from scratch.
    ///
    /// `record` is the name in the `FROM` with which the image was built here.
    ///
    /// Throws what reading the images here and the image's files throws.
    package static func candidates(of layers: ImageLayers, record: String? = nil) throws(ShaleError) -> [BaseImage] {
        var found: [BaseImage] = []
        if layers.own != nil {
            let isHere = try layers.images.all().contains { $0.id == layers.image.id }
            found.append(
                BaseImage(
                    name: layers.displayName, id: isHere ? layers.image.id : nil, layers: layers.layers.count,
                    evidence: .container))
        }
        if let best = try sharing(layers) { found.append(best) }
        if let record, !found.contains(where: { $0.name == familiar(record) }) {
            found.append(BaseImage(name: record, id: nil, layers: nil, evidence: .record))
        }
        let key = "org.opencontainers.image.base.name"
        let annotation = layers.image.manifest.annotations?[key] ?? layers.image.containerConfig.labels?[key]
        if let annotation, !annotation.isEmpty, !found.contains(where: { $0.name == familiar(annotation) }) {
            found.append(BaseImage(name: annotation, id: nil, layers: nil, evidence: .annotation))
        }
        if found.isEmpty, let distribution = try distribution(of: layers) {
            found.append(BaseImage(name: distribution, id: nil, layers: nil, evidence: .files))
        }
        return found
    }

    /// The number of layers that belong to the base image; 0 when it is not known.
    ///
    /// It is known from an image in the store with the same layers, or from a build here. Otherwise it is guessed from
    /// the
    /// history: a base image usually ends with its `CMD`.
    ///
    /// Throws what reading the images here throws.
    package static func layersBelow(_ layers: ImageLayers) throws(ShaleError) -> Int {
        var below = try sharing(layers, onlyNamed: true)?.layers ?? 0
        if below == 0, let first = layers.layers.first(where: { $0.written != nil }) { below = first.number - 1 }
        guard below == 0 else { return below }
        var made = 0
        for step in layers.image.config.steps {
            if step.layer != nil { made += 1 }
            let text = InstructionText.instruction(step.history?.createdBy ?? "")
            if step.layer == nil, text.hasPrefix("CMD "), made < layers.layers.count { return made }
        }
        return 0
    }

    /// A name in the form that listings use.
    private static func familiar(_ name: String) -> String {
        (try? Reference(parsing: name))?.withDefaultTag.familiar ?? name
    }

    /// The image in the store with the most layers among those on which this image may be built.
    private static func sharing(
        _ layers: ImageLayers, onlyNamed: Bool = false
    ) throws(ShaleError) -> BaseImage? {
        let chains = layers.layers.map(\.chain)
        var best: (summary: ImageSummary, count: Int)?
        for summary in try layers.images.all()
        where summary.id != layers.image.id && (!onlyNamed || !summary.references.isEmpty) {
            let diffIDs = try layers.images.image(id: summary.id).config.rootfs.diffIDs
            guard !diffIDs.isEmpty, diffIDs.count < chains.count, let chain = Digest.chainID(diffIDs),
                chains[diffIDs.count - 1] == chain
            else { continue }
            let isNamed = !summary.references.isEmpty
            let isBetter = best.map {
                ($0.count, !$0.summary.references.isEmpty ? 1 : 0) < (diffIDs.count, isNamed ? 1 : 0)
            }
            if isBetter ?? true { best = (summary, diffIDs.count) }
        }
        return best.map { best in
            BaseImage(
                name: best.summary.references.first?.familiar ?? best.summary.id.short, id: best.summary.id,
                layers: best.count, evidence: .layers)
        }
    }

    /// The value of `PRETTY_NAME` in `/etc/os-release`.
    private static func distribution(of layers: ImageLayers) throws(ShaleError) -> String? {
        guard layers.count > 0 else { return nil }
        let view = try PlaceView(.image(layers), label: layers.name)
        let title = try Distribution(view).title
        return title.isEmpty ? nil : title
    }
}
