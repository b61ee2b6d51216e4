package import Basics
import Building
import Dockerfiles
import Glibc
import Images
import Layers
import Linux
package import OCI
package import Stores

/// A recipe in a registry: an artifact whose subject is the image.
///
/// Its first blob is the Dockerfile; the files that the Dockerfile copies are a second blob, a tar.
package struct RecipeArtifact: Sendable {
    /// The descriptor of the image's manifest in the registry.
    package let image: Descriptor
    package let dockerfile: String
    fileprivate let artifact: RemoteArtifact
    fileprivate let files: Descriptor?

    fileprivate static let dockerfileType = "application/vnd.shale.recipe.v1.dockerfile"
    fileprivate static let filesType = "application/vnd.shale.recipe.v1.files.tar"
    /// The largest Dockerfile that is read, in bytes.
    fileprivate static let largestDockerfile = 4 << 20
}

/// The result of attaching a recipe.
package struct AttachedRecipe: Sendable {
    package var descriptor: Descriptor
    package var secrets: [MaskedSecret]
}

extension RecipeEngine {
    /// Attaches the recipe of an image that was made here to the image's manifest in a registry.
    ///
    /// Returns `nil` for an image that was not made here.
    ///
    /// Values that look secret are masked. The same recipe gives the same artifact, so nothing is uploaded a second
    /// time.
    /// Throws what making the recipe and the requests throw.
    package func attachRecipe(
        of image: Image, to subject: Descriptor, in reference: Reference, version: String, _ operation: OperationContext
    ) throws(ShaleError) -> AttachedRecipe? {
        guard try images.provenance(of: image.id) != nil else { return nil }
        let (recipe, secrets) = try travelling(recipeOf: image).masked
        let repository = reference.repository
        let scratch = try ScratchFolder(in: store)
        let paths = try RecipeFolder("\(scratch.path)/recipe", engine: self).save(recipe, operation.cancellation)
        var blobs: [Descriptor] = []
        let text = recipe.dockerfile.pathBytes
        blobs.append(Self.blob(text, type: RecipeArtifact.dockerfileType, title: "Dockerfile"))
        try images.send(text, as: blobs[0], to: repository, operation)
        if paths.count > 1 {
            let file = try store.blobs.newIngest()
            defer { file.abandon(keepingPartial: false) }
            // Folders and files that were just created have no meaningful times.
            let options = TreeArchive.PackOptions(owner: (0, 0), epoch: image.config.created ?? .epoch)
            let root = try RecipeFolder.files(below: "\(scratch.path)/recipe")
            _ = try TreeArchive.pack(
                MergedTree(layers: [root], form: form), options: options, cancellation: operation.cancellation
            ) { bytes throws(ShaleError) in try file.append(bytes) }
            var blob = Descriptor(mediaType: RecipeArtifact.filesType, digest: file.digest, size: file.count)
            blob.annotations = ["org.opencontainers.image.title": "files.tar"]
            blobs.append(blob)
            _ = try images.send(try file.openForReading(), as: blob, to: repository, operation)
        }
        var notes = ["org.opencontainers.image.title": "the recipe of the image", "dev.shale.version": version]
        notes["org.opencontainers.image.created"] = image.config.created?.description
        let artifact = Artifact(type: ArtifactType.recipe, blobs: blobs, subject: subject, annotations: notes)
        return AttachedRecipe(descriptor: try images.send(artifact, as: repository, operation), secrets: secrets)
    }

    /// A recipe that contains only files which the image itself contains.
    ///
    /// A stage behind `COPY --from`, or a layer before a squash, may hold files that must not be published. Where a
    /// recipe
    /// with several stages needs files, the files of the image are kept instead of these stages.
    private func travelling(recipeOf image: Image) throws(ShaleError) -> Recipe {
        let recipe = try RecipeMaker.recipe(of: image, engine: self)
        let stages = recipe.lines.count { $0.keyword == "FROM" }
        guard stages > 1, !recipe.attachments.isEmpty else { return recipe }
        return try RecipeMaker.recipe(of: image, inOneStage: true, engine: self)
    }

    private static func blob(_ bytes: [UInt8], type: String, title: String) -> Descriptor {
        Descriptor(
            mediaType: type, digest: Digest.of(bytes), size: Int64(bytes.count),
            annotations: ["org.opencontainers.image.title": title])
    }

    /// The recipe that is attached to an image in a registry, or the recipe artifact that the reference itself names.
    ///
    /// The recipe is untrusted data: nothing in it may run unless the user asks. Throws `notFound` when no recipe is
    /// attached, `corrupt` for a malformed artifact, and what the requests throw.
    package func remoteRecipe(
        of reference: Reference, platform: Platform?, _ operation: OperationContext
    ) throws(ShaleError) -> RecipeArtifact {
        let reference = reference.withDefaultTag
        if let own = try? images.artifact(reference, type: ArtifactType.recipe, operation) {
            guard let image = own.manifest.subject else {
                throw ShaleError(.corrupt, "\(reference.familiar): a recipe that does not say of which image it is")
            }
            return try read(own, of: image, operation)
        }
        let image = try images.remoteImage(reference, platform: platform, operation)
        for subject in [image.descriptor, image.resolved] {
            if let found = try images.artifact(on: subject, in: reference, type: ArtifactType.recipe, operation) {
                return try read(found, of: image.descriptor, operation)
            }
        }
        throw ShaleError(
            .notFound, "no recipe hangs on \(reference.familiar)",
            hint: "referrers \(reference.familiar)   (what does)")
    }

    private func read(
        _ artifact: RemoteArtifact, of image: Descriptor, _ operation: OperationContext
    ) throws(ShaleError) -> RecipeArtifact {
        let layers = artifact.manifest.layers
        let texts = layers.filter { $0.mediaType == RecipeArtifact.dockerfileType }
        let files = layers.filter { $0.mediaType == RecipeArtifact.filesType }
        guard texts.count == 1, files.count <= 1 else {
            throw ShaleError(
                .corrupt,
                "recipe \(artifact.descriptor.digest): it has \(texts.count) Dockerfiles, and "
                    + "\(files.count) tars of files")
        }
        let bytes = try images.bytes(
            texts[0], of: artifact, limit: RecipeArtifact.largestDockerfile, operation)
        return RecipeArtifact(
            image: image, dockerfile: String(pathBytes: bytes), artifact: artifact, files: files.first)
    }

    /// Rebuilds an image from the recipe that is attached to it in a registry, and returns the differences.
    ///
    /// The build uses only the recipe's own files, without the cache, shared cache mounts, host mounts or privileges.
    /// The
    /// image is pulled for the comparison. Afterwards nothing stays except base images. Throws what pulling and
    /// building
    /// throw.
    package func verify(
        _ recipe: RecipeArtifact, _ operation: OperationContext
    ) throws(ShaleError) -> [RecipeDifference] {
        let scratch = try ScratchFolder(in: store)
        let folder = "\(scratch.path)/recipe"
        try translating("recipe") { try check("mkdir", path: folder) { mkdir(folder, 0o700) } }
        if let files = recipe.files {
            let root = try translating("recipe") { try RootDirectory(hostPath: folder) }
            let subject = "recipe \(recipe.artifact.descriptor.digest.short)"
            let owner = TreeArchive.UnpackOptions(owner: (UInt32(geteuid()), UInt32(getegid())))
            try images.withFile(files, of: recipe.artifact, operation) { file throws(ShaleError) in
                _ = try TreeArchive.unpack(
                    FDSource(file, subject: subject), into: root, subject: subject, options: owner,
                    cancellation: operation.cancellation)
            }
        }
        var request = BuildRequest(source: .directory(folder))
        request.dockerfileText = recipe.dockerfile
        request.steps.sharesCacheMounts = false
        let before = try images.allThere()
        let name = recipe.artifact.reference.with(digest: recipe.image.digest)
        let image = try images.pull(name, platform: nil, operation).image
        // The recipe of another platform's image may name no platform, where it begins with nothing of an image.
        if image.config.platform.normalised != Platform.host.normalised { request.platform = image.config.platform }
        defer { if !before.contains(image.id) { images.discardImage(image.id) } }
        return try compare(.image(image), with: request, of: Recipe(foreign: recipe.dockerfile), operation)
    }
}

extension Recipe {
    /// The lines of a foreign Dockerfile at their places; empty when it cannot be parsed.
    fileprivate init(foreign text: String) {
        self.init()
        guard let file = try? Dockerfile(parsing: text) else { return }
        let source = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var next = 1
        for node in file.nodes where node.line >= next && node.endLine >= node.line && node.endLine <= source.count {
            if node.line > next {
                let between = source[(next - 1)..<(node.line - 1)]
                lines.append(.comment(between.map { _ in "" }.joined(separator: "\n")))
            }
            lines.append(.instruction(source[(node.line - 1)..<node.endLine].joined(separator: "\n")))
            next = node.endLine + 1
        }
    }
}
