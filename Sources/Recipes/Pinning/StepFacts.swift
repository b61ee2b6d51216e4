import Basics
import Containers
import Explorer
import Images
import Layers
import Linux
import OCI
import Stores

/// What a step found and left: packages and files, read from its layers and never guessed.
struct StepFacts {
    /// The packages before the step; empty where nothing lies below it.
    let before: [InstalledPackage]
    /// The packages when the step had ended.
    let after: [InstalledPackage]
    /// What could not be read, in sentences.
    let warnings: [String]
    /// The working directory of the step.
    let directory: String
    /// The shell of its `RUN`.
    let shell: [String]
    let view: PlaceView
    /// The paths that the step made or changed, for files whose checksum is asked for.
    let layer: PlaceView?

    /// Packages that are there since the step, or in another version.
    var added: [InstalledPackage] {
        let known = Set(before)
        return after.filter { !known.contains($0) }
    }

    /// The checksum of a file that the step left; `nil` when it made no such file.
    func checksum(of path: String) throws(ShaleError) -> Digest? {
        guard let entry = try view.entry(path, followingLinks: true), entry.kind == .file,
            try isMade(entry.path)
        else { return nil }
        let file = try view.open(entry)
        var hasher = DigestHasher()
        var buffer = [UInt8](repeating: 0, count: 128 << 10)
        while true {
            let count = try translating(path) { try buffer.withUnsafeMutableBytes { try file.read(into: $0) } }
            if count == 0 { return hasher.digest() }
            hasher.update(buffer[..<count])
        }
    }

    private func isMade(_ path: String) throws(ShaleError) -> Bool {
        guard let layer else { return true }
        return try layer.entry(path, followingLinks: false)?.kind == .file
    }

    /// Whether a program of the image is there, by any of its usual paths.
    func hasProgram(_ name: String) throws(ShaleError) -> Bool {
        for folder in ["/usr/bin", "/bin", "/usr/local/bin", "/sbin", "/usr/sbin"]
        where try view.entry("\(folder)/\(name)", followingLinks: true) != nil { return true }
        return false
    }
}

extension StepFacts {
    /// Reads the facts of the step that made an image or a container.
    ///
    /// Returns `nil` when what it was made from is not here any more. Throws what reading the layers throws.
    init?(
        of place: Recipe.LayerOwner, engine: RecipeEngine, known: inout [Digest: [InstalledPackage]],
        _ operation: OperationContext
    ) throws(ShaleError) {
        let parent: Image?
        let settings: ContainerConfig
        var warnings: [String] = []
        switch place {
        case .image(let id):
            let image = try engine.store.images.image(id)
            let provenance = try engine.images.provenance(of: id)
            guard let provenance else { return nil }
            parent = try provenance.parent.flatMap { parent throws(ShaleError) in try engine.imageIfHere(parent) }
            if provenance.parent != nil, parent == nil { return nil }
            settings = provenance.facts?.settings ?? parent?.containerConfig ?? ContainerConfig()
            let layers = try engine.layers(of: image, operation)
            view = try PlaceView(.image(layers), label: image.id.short)
            let below = parent?.config.rootfs.diffIDs.count ?? 0
            layer = layers.count > below ? try PlaceView(.layer(layers, layers.count), label: image.id.short) : nil
            after = try engine.packages(in: view, of: id, known: &known, &warnings, operation)
        case .container(let id):
            let record = try engine.store.containers.record(id)
            let base = try engine.store.images.image(manifest: record.manifest)
            parent = base
            settings = record.config
            let own = try ContainerLayer(record, engine: engine.containers)
            try engine.images.unpackMissingLayers(of: base, operation)
            let layers = ImageLayers(base, name: base.id.short, images: engine.images, own: own)
            view = try PlaceView(.container(own, layers), label: record.name)
            layer = try PlaceView(.layer(layers, layers.count), label: record.name)
            after = try PackageList(view).packages(operation.cancellation) { warnings.append($0) }
        }
        before =
            try parent.map { parent throws(ShaleError) in
                let layers = try engine.layers(of: parent, operation)
                let below = try PlaceView(.image(layers), label: parent.id.short)
                return try engine.packages(in: below, of: parent.id, known: &known, &warnings, operation)
            } ?? []
        self.warnings = warnings
        directory = ImagePath.clean(settings.workingDir ?? "/")
        shell = settings.commandShell
    }
}

extension RecipeEngine {
    /// An image of the home; `nil` only when it is not there.
    func imageIfHere(_ id: Digest) throws(ShaleError) -> Image? {
        do throws(ShaleError) {
            return try store.images.image(id)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// The layers of an image, unpacked where they are not.
    func layers(of image: Image, _ operation: OperationContext) throws(ShaleError) -> ImageLayers {
        try images.unpackMissingLayers(of: image, operation)
        return ImageLayers(image, name: image.id.short, images: images)
    }

    /// The packages of an image, read once for all steps that need them.
    fileprivate func packages(
        in view: PlaceView, of image: Digest, known: inout [Digest: [InstalledPackage]], _ warnings: inout [String],
        _ operation: OperationContext
    ) throws(ShaleError) -> [InstalledPackage] {
        if let packages = known[image] { return packages }
        let packages = try PackageList(view).packages(operation.cancellation) { warnings.append($0) }
        known[image] = packages
        return packages
    }
}
