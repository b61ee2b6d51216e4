package import Basics
package import OCI
package import Stores

extension ImageEngine {
    /// Makes the layers that a build's last stage added to its base one: `build --squash`.
    ///
    /// Layers and history are those of docker: the image is the base and one layer. All lines of the history stay, those
    /// of the stage without a layer, and one more line says what was merged. The layer is made also when no file is left
    /// for it. The image gets the time of creation of the image that was built, so that the same build gives the same
    /// image.
    ///
    /// `base` is the image that the stage begins with, `nil` for `FROM scratch`. Returns the image itself when it adds no
    /// layer to the base: docker's build fails there.
    ///
    /// Throws `cancelled` when the operation is stopped, and what reading the layers or writing to the store throws.
    package func squashBuild(
        _ id: Digest, onto base: Digest?, _ operation: OperationContext
    ) throws(ShaleError) -> Image {
        let image = try editedImage("\(id)")
        let below = try base.map { base throws(ShaleError) in try store.images.image(base).config } ?? nil
        let (lower, all) = (below?.rootfs.diffIDs ?? [], image.config.rootfs.diffIDs)
        guard all.count > lower.count, all.starts(with: lower) else { return image }
        let range = lower.count..<all.count
        let name = Self.shownName(of: image, called: "\(id)")
        let squashed = try squashedLayers(range, of: image, operation.cancellation)
        try tell(squashed, range, of: image, named: name, operation)
        let layer = try store(squashed, operation)
        var config = image.config
        config.rootfs.diffIDs = lower + [layer.diffID]
        var history = config.history ?? []
        for position in history.indices.dropFirst(below?.history?.count ?? 0) { history[position].emptyLayer = true }
        // The words are docker's (daemon/images, SquashImage).
        let comment = base.map { "merge \(image.id) to \($0)" } ?? "create new from \(image.id)"
        config.history = history + [History(created: config.created, createdBy: nil, comment: comment)]
        if let time = settings.sourceDateEpoch { config.created = time }
        var provenance = Provenance(
            parent: base, base: try calledBase(of: image, named: name),
            origin: .edited(.squash, text: "squashed the layers of the build of \(name)"))
        provenance.from = image.id
        return try addEdited(
            config, Array(image.manifest.layers[..<lower.count]) + [layer.blob], parent: base, made: provenance)
    }
}
