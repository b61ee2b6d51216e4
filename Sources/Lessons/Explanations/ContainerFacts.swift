import Basics
import Containers
import Explorer
import Images
import Layers
import OCI
import Recipes
import Stores

/// A container of this home, with what it wrote itself.
struct ContainerFacts {
    let view: ContainerView
    let own: ChangeCount
    let bytes: Int64
    /// The first paths that it changed.
    let paths: [String]
    let volumes: [String]

    /// Throws what finding the container's changes throws.
    init(_ record: ContainerRecord, _ engine: Engine) throws(ShaleError) {
        let layer = try ContainerLayer(record, engine: engine.containers)
        let changes = try layer.changes().filter { !$0.isParentOnly }
        own = ChangeCount(
            added: changes.count { $0.kind == .added }, changed: changes.count { $0.kind == .changed },
            deleted: changes.count { $0.kind == .deleted })
        paths = changes.prefix(3).map { "\($0.kind.rawValue) \($0.path)" }
        let image = try engine.images.image(manifest: record.manifest)
        bytes =
            try ImageLayers(image, name: record.imageName, images: engine.images, own: layer).stack().last?.bytes ?? 0
        view = engine.containers.view(of: record)
        volumes = try engine.containers.volumes().filter { $0.users.contains(record.id) }.map(\.name)
    }

    var name: String { view.record.name }
    var title: String { "\(name) (\(Identifier.short(view.record.id)))" }
    /// `+1 path, 3B`, in words.
    var written: String {
        own.added + own.changed + own.deleted == 0 ? "nothing" : "\(Words.changes(own)), \(Words.size(bytes))"
    }
}
