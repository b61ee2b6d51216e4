/// The media types a registry or layout may answer with (image-spec v1.1, media-types.md; docker's v2.2 manifest).
package enum MediaType {
    package static let ociIndex = "application/vnd.oci.image.index.v1+json"
    package static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    package static let ociConfig = "application/vnd.oci.image.config.v1+json"
    package static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
    package static let ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    package static let ociLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd"
    package static let dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
    package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    /// What an artifact without a config of its own has instead: `{}` (image-spec v1.1, "Guidance for an Empty
    /// Descriptor").
    package static let ociEmpty = "application/vnd.oci.empty.v1+json"
    package static let dockerConfig = "application/vnd.docker.container.image.v1+json"

    /// Whether it names a list of manifests by platform.
    package static func isIndex(_ type: String) -> Bool { type == ociIndex || type == dockerManifestList }
    /// Whether it names one image's manifest.
    package static func isManifest(_ type: String) -> Bool { type == ociManifest || type == dockerManifest }
    private static let dockerLayerPrefix = "application/vnd.docker.image.rootfs."

    /// A layer's media type in an OCI manifest: all types of one manifest are OCI's, whatever the base image used.
    ///
    /// What has no OCI name stays as it is.
    package static func oci(_ layer: String) -> String {
        guard layer.hasPrefix(dockerLayerPrefix) else { return layer }
        switch layer.dropFirst(dockerLayerPrefix.count) {
        case "diff.tar": return ociLayer
        case "diff.tar.gzip": return ociLayerGzip
        case "diff.tar.zstd": return ociLayerZstd
        case "foreign.diff.tar": return "application/vnd.oci.image.layer.nondistributable.v1.tar"
        case "foreign.diff.tar.gzip": return "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        case "foreign.diff.tar.zstd": return "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
        default: return layer
        }
    }

    /// Whether it names a tar layer, packed or not, distributable or not.
    package static func isLayer(_ type: String) -> Bool {
        type.hasPrefix("application/vnd.oci.image.layer.") || type.hasPrefix(dockerLayerPrefix)
    }

    /// Whether it names a tar layer that is not packed, and that may be distributed.
    package static func isPlainLayer(_ type: String) -> Bool {
        type == ociLayer || type == dockerLayerPrefix + "diff.tar"
    }

    /// Whether it names a layer that is not to be pushed to a registry: its bytes have their own address.
    package static func isForeignLayer(_ type: String) -> Bool {
        type.hasPrefix("application/vnd.oci.image.layer.nondistributable.")
            || type.hasPrefix(dockerLayerPrefix + "foreign.")
    }

    /// A plain layer's type once it is packed by `gzip` or `zstd`, in the language of the plain one.
    package static func packed(_ plain: String, by method: String) -> String {
        plain.hasPrefix(dockerLayerPrefix) ? "\(plain).\(method)" : "\(plain)+\(method)"
    }
}
