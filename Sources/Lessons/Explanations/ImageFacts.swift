import Basics
import Explorer
import Images
import Layers
import OCI
import Recipes
import Stores

/// An image of this home, with what its layers do and who else has them.
struct ImageFacts {
    let image: Image
    let layers: ImageLayers
    /// Lowest first.
    let rows: [LayerRow]

    /// Throws what reading the layers' indexes throws.
    init(_ image: Image, _ engine: Engine) throws(ShaleError) {
        self.image = image
        layers = ImageLayers(
            image, name: image.references.first?.familiar ?? image.id.short, images: engine.images,
            written: (try? engine.images.writtenInstructions(of: image)) ?? [:])
        rows = try LayerTable(layers).rows(telling: true)
    }

    /// Throws `notFound` for an image that is not here.
    init(_ id: Digest, _ engine: Engine) throws(ShaleError) {
        try self.init(engine.images.image(id: id), engine)
    }

    var name: String { Words.image(image) }
    /// Bytes of the files of all layers.
    var bytes: Int64 { rows.reduce(0) { $0 &+ $1.bytes } }
    var count: String { Words.count(rows.count, "layer") }
    var top: LayerRow? { rows.last }

    /// The layers that images with a name have too: how many, their bytes, and the names.
    func shared(besides own: Set<String> = []) -> (layers: Int, bytes: Int64, names: [String]) {
        let common = rows.filter { !others($0, own).isEmpty }
        let names = Set(common.flatMap { others($0, own) })
        return (common.count, common.reduce(0) { $0 &+ $1.bytes }, names.sorted())
    }

    private func others(_ row: LayerRow, _ own: Set<String>) -> [String] {
        let ownNames = own.union(image.references.map(\.familiar))
        return row.sharedWith.filter { !ownNames.contains($0) }
    }

    /// What the highest layer hides of those below: bytes, and the paths; `nil` for nothing.
    func hiddenByTop() throws(ShaleError) -> (bytes: Int64, paths: [String], layers: [Int])? {
        guard let top = top?.layer.number, top > 1 else { return nil }
        var hiding: [LayerChange] = []
        _ = try MergedIndex(layers) { number, changes in
            if number == top { hiding = changes.filter { $0.hiddenBytes > 0 || $0.kind == .deleted } }
        }
        guard !hiding.isEmpty else { return nil }
        hiding.sort { $0.hiddenBytes > $1.hiddenBytes }
        return (
            hiding.reduce(0) { $0 &+ $1.hiddenBytes }, hiding.map(\.path),
            Set(hiding.flatMap(\.hidden.keys)).sorted()
        )
    }
}
