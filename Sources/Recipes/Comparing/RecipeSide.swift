package import Basics
import Building
package import Explorer
import Images
package import Stores

/// One side of a comparison of two recipes.
package struct RecipeSide: Sendable {
    package enum Source: Sendable {
        case image(Image)
        case container(ContainerRecord)
        /// A Dockerfile of the host: its path, and the folder that is its context.
        case file(path: String, context: String)
    }

    /// The name as the user typed it.
    package var name: String
    /// The text of the Dockerfile, with secrets masked.
    package var dockerfile: String
    package var source: Source

    package init(name: String, dockerfile: String, source: Source) {
        self.name = name
        self.dockerfile = dockerfile
        self.source = source
    }

    /// Whether the image must be built first.
    package var isFile: Bool { if case .file = source { true } else { false } }
}

extension RecipeEngine {
    /// Compares what two recipes make: settings, packages, files and size.
    ///
    /// Times and orders do not count. A Dockerfile is built with the cache; what the build made is removed. `warn` is
    /// called for each package database that cannot be read.
    ///
    /// Throws what building, and reading the layers and files throw.
    package func compare(
        _ old: RecipeSide, _ new: RecipeSide, _ operation: OperationContext, warn: (String) -> Void
    ) throws(ShaleError) -> ImageComparison {
        try withView(of: old, operation) { before throws(ShaleError) in
            try withView(of: new, operation) { after throws(ShaleError) in
                try ImageComparison(before, after, semantic: true, operation.cancellation, warn: warn)
            }
        }
    }

    /// Calls `body` with the files of one side.
    func withView<Result>(
        of side: RecipeSide, _ operation: OperationContext, _ body: (PlaceView) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        switch side.source {
        case .image(let image): return try body(view(of: image, called: side.name, operation))
        case .container(let record):
            let image = try store.images.image(manifest: record.manifest)
            try images.unpackMissingLayers(of: image, operation)
            let layers = ImageLayers(
                image, name: record.imageName, images: images, own: try ContainerLayer(record, engine: containers))
            return try body(PlaceView(layers, layer: nil, label: side.name))
        case .file(let path, let context):
            var request = BuildRequest(source: .directory(context))
            request.dockerfile = path
            request.steps.fillsCache = false
            return try building.withTrialBuild(request, known: knownImages(), operation) { image throws(ShaleError) in
                try body(view(of: image, called: side.name, operation))
            }
        }
    }

    /// The files of an image; layers that are not unpacked are unpacked first.
    func view(of image: Image, called name: String, _ operation: OperationContext) throws(ShaleError) -> PlaceView {
        try images.unpackMissingLayers(of: image, operation)
        return try PlaceView(ImageLayers(image, name: name, images: images), layer: nil, label: name)
    }
}
