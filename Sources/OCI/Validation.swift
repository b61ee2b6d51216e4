package import Basics

/// What a document must satisfy before anything of it is unpacked or run.
extension Manifest {
    /// More layers than docker's overlay driver takes are refused.
    package static let mostLayers = 500

    /// Throws `unsupported` or `corrupt`, naming the member, for what is no image this engine can use.
    package func validate(naming what: String) throws(ShaleError) {
        guard schemaVersion == 2 else {
            throw ShaleError(.unsupported, "\(what): schemaVersion", cause: "not 2 but \(schemaVersion)")
        }
        if let mediaType, !MediaType.isManifest(mediaType) {
            throw ShaleError(.corrupt, "\(what): mediaType", cause: "not an image manifest's: \(mediaType)")
        }
        guard MediaType.isConfig(config.mediaType) else {
            throw ShaleError(
                .unsupported, "\(what): config: unsupported media type \(config.mediaType)",
                cause: "this is an artifact, not a container image")
        }
        guard layers.count <= Self.mostLayers else {
            throw ShaleError(.unsupported, "\(what): max depth exceeded", cause: "\(layers.count) layers")
        }
        try config.validate(naming: "\(what): config")
        for (position, layer) in layers.enumerated() {
            let place = "\(what): layers[\(position)]"
            guard MediaType.isLayer(layer.mediaType) else {
                throw ShaleError(.unsupported, "\(place): unsupported media type \(layer.mediaType)")
            }
            try layer.validate(naming: place)
        }
    }
}

extension Index {
    /// Throws `corrupt` for an index whose entries cannot be.
    package func validate(naming what: String) throws(ShaleError) {
        guard schemaVersion == 2 else {
            throw ShaleError(.unsupported, "\(what): schemaVersion", cause: "not 2 but \(schemaVersion)")
        }
        if let mediaType, !MediaType.isIndex(mediaType) {
            throw ShaleError(.corrupt, "\(what): mediaType", cause: "not an index's: \(mediaType)")
        }
        for (position, entry) in manifests.enumerated() {
            try entry.validate(naming: "\(what): manifests[\(position)]")
        }
    }
}

extension Descriptor {
    /// Throws `corrupt` for a negative size or a media type that is none (RFC 6838, section 4.2).
    package func validate(naming what: String) throws(ShaleError) {
        guard size >= 0 else { throw ShaleError(.corrupt, "\(what): size", cause: "negative") }
        guard MediaType.isWellFormed(mediaType) else {
            throw ShaleError(.corrupt, "\(what): mediaType", cause: "not a media type: \(mediaType)")
        }
    }
}

extension ImageConfig {
    /// Throws `corrupt` when the config does not fit its manifest, `unsupported` for another operating system.
    package func validate(for manifest: Manifest, naming what: String) throws(ShaleError) {
        guard rootfs.diffIDs.count == manifest.layers.count else {
            throw ShaleError(
                .corrupt, "\(what): rootfs.diff_ids",
                cause: "\(rootfs.diffIDs.count) diff IDs for \(manifest.layers.count) layers")
        }
        guard os == "linux" || os.isEmpty else {
            throw ShaleError(
                .unsupported, "\(what): operating system \"\(os)\" cannot be used on this platform",
                hint: "choose another with --platform")
        }
        let filled = (history ?? []).count { !($0.emptyLayer ?? false) }
        guard filled <= rootfs.diffIDs.count else {
            throw ShaleError(
                .corrupt, "\(what): history", cause: "\(filled) steps that made a layer, \(rootfs.diffIDs.count) layers"
            )
        }
    }
}

extension MediaType {
    /// Whether it names an image's config, and not an artifact's.
    package static func isConfig(_ type: String) -> Bool {
        type == ociConfig || type == dockerConfig || type == "application/octet-stream"
    }

    /// Whether text is `type/subtype` in the characters RFC 6838 allows.
    package static func isWellFormed(_ type: String) -> Bool {
        let parts = type.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                guard let first = part.utf8.first, first.isASCIIAlphanumeric, part.utf8.count <= 127 else {
                    return false
                }
                return part.utf8.allSatisfy { $0.isASCIIAlphanumeric || "!#$&-^_.+".utf8.contains($0) }
            }
    }
}
