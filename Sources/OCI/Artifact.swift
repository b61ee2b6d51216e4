/// Something other than an image in a registry: a manifest with an `artifactType` (image-spec v1.1, manifest.md,
/// "Guidelines for Artifact Usage").
package struct Artifact: Sendable, Hashable {
    package var type: String
    package var blobs: [Descriptor]
    /// The manifest it hangs on.
    package var subject: Descriptor?
    package var annotations: [String: String]

    package init(
        type: String, blobs: [Descriptor], subject: Descriptor? = nil, annotations: [String: String] = [:]
    ) {
        self.type = type
        self.blobs = blobs
        self.subject = subject
        self.annotations = annotations
    }

    /// The config of an artifact that has none: two bytes, `{}`.
    package static let emptyConfig = Descriptor(
        mediaType: MediaType.ociEmpty, digest: Digest.of(emptyConfigBytes), size: Int64(emptyConfigBytes.count))
    package static let emptyConfigBytes = Array("{}".utf8)

    /// Its manifest; one without blobs lists the empty config, for a list of layers must not be empty.
    package var manifest: Manifest {
        var manifest = Manifest(
            config: Self.emptyConfig, layers: blobs.isEmpty ? [Self.emptyConfig] : blobs,
            annotations: annotations.isEmpty ? nil : annotations)
        manifest.artifactType = type
        manifest.subject = subject.map { Descriptor(mediaType: $0.mediaType, digest: $0.digest, size: $0.size) }
        return manifest
    }
}

/// The types of artifacts that shale makes.
package enum ArtifactType {
    package static let session = "application/vnd.shale.session.v1"
    package static let recipe = "application/vnd.shale.recipe.v1"
}

extension Manifest {
    /// What kind of thing it is where it is no image; the type of the config counts where none is said (image-spec
    /// v1.1, manifest.md, "artifactType").
    ///
    /// Signatures and attestations of cosign have an image's config: the type of their layers tells.
    package var kindOfArtifact: String? {
        if let artifactType { return artifactType }
        guard MediaType.isConfig(config.mediaType) else { return config.mediaType }
        return layers.first { !MediaType.isLayer($0.mediaType) }?.mediaType
    }
}

/// What people call an artifact of some type, and the command that it is for.
package struct ArtifactWords: Sendable {
    /// `a Helm chart`.
    package let name: String
    /// A command, in which `NAME` is the reference.
    private let command: String

    package init(type: String) {
        let known = Self.known.first { type == $0.type || ($0.isFamily && type.hasPrefix($0.type)) }
        name = known?.name ?? "an artifact of the type \(type)"
        command = known?.command ?? "manifest NAME"
    }

    /// The command to type for this reference.
    package func command(for reference: Reference) -> String {
        command.split(separator: "NAME", omittingEmptySubsequences: false).joined(separator: reference.familiar)
    }

    private struct Known {
        var type: String
        var name: String
        var command: String
        /// Whether the type only begins so.
        var isFamily = false
    }

    private static let known: [Known] = [
        Known(type: ArtifactType.session, name: "a session of shale's", command: "session pull NAME"),
        Known(type: ArtifactType.recipe, name: "a recipe", command: "recipe NAME --remote"),
        Known(
            type: "application/vnd.shale.cache.", name: "a build cache", command: "build --cache-from NAME .",
            isFamily: true),
        Known(
            type: "application/vnd.cncf.helm.", name: "a Helm chart", command: "!helm pull oci://NAME", isFamily: true),
        Known(type: "application/vnd.dev.cosign.simplesigning.", name: "a signature", command: look, isFamily: true),
        Known(type: "application/vnd.dev.cosign.artifact.sig.", name: "a signature", command: look, isFamily: true),
        Known(type: "application/vnd.dev.sigstore.bundle", name: "a signature", command: look, isFamily: true),
        Known(type: "application/vnd.cncf.notary.signature", name: "a signature", command: look),
        Known(type: "application/vnd.in-toto+json", name: "an attestation", command: look),
        Known(type: "application/vnd.dsse.envelope.", name: "an attestation", command: look, isFamily: true),
        Known(type: "application/spdx", name: "a list of packages (SBOM)", command: look, isFamily: true),
        Known(type: "text/spdx", name: "a list of packages (SBOM)", command: look, isFamily: true),
        Known(type: "application/vnd.cyclonedx", name: "a list of packages (SBOM)", command: look, isFamily: true),
        Known(type: "application/vnd.wasm.", name: "a WebAssembly module", command: look, isFamily: true),
    ]
    private static let look = "manifest NAME"
}
