package import Basics
import Diagnostics
import FoundationEssentials
package import Layers
import Logging
package import OCI
import Registries
package import Stores

/// The result of a push.
package struct PushResult: Sendable {
    package let reference: Reference
    /// The descriptor of the manifest in the registry.
    package let manifest: Descriptor
    package let image: Image
    /// Whether an index went, with all its platforms.
    package var isIndex = false
    /// The images of an index that went, each with its manifest as the registry has it; empty for a single image.
    package var members: [PushedMember] = []

    /// Docker's last line.
    package var line: String {
        "\(reference.tag ?? Reference.defaultTag): digest: \(manifest.digest) size: \(manifest.size)"
    }
}

/// One platform of an index that was pushed.
package struct PushedMember: Sendable {
    package let image: Digest
    package let platform: Platform?
    /// Of the manifest as the registry has it now.
    package let manifest: Descriptor
}

extension ImageEngine {
    /// Sends a name's image to its registry: docker's lines and states (`tell`), only what the registry has not got.
    ///
    /// Blobs that came from a registry go as they came; layers made here are packed as `packing` says, and kept so. An
    /// image that was pulled has the manifest there that it had. Throws docker's words for a name that is not here,
    /// `unauthorized` with docker's words, `cancelled`, and what the registry client and the store throw.
    package func push(
        _ reference: Reference, platforms: PushedPlatforms = .standard, packing: Packing = .standard,
        _ operation: OperationContext
    ) throws(ShaleError) -> PushResult {
        let reference = try Self.pushable(reference)
        let image = try pushedImage(reference, platforms)
        operation.line("The push refers to repository [\(reference.repository)]")
        return try send(image, as: reference, platforms, packing: packing, operation)
    }

    /// Sends every tag of a repository that is here, in the order of their names.
    ///
    /// Throws what `push` throws; the tags before the one that failed are there.
    package func pushAll(
        _ repository: Reference, platforms: PushedPlatforms = .standard, packing: Packing = .standard,
        _ operation: OperationContext
    ) throws(ShaleError) -> [PushResult] {
        let names = try store.names.all().map(\.reference).filter { $0.name == repository.name && $0.digest == nil }
        guard !names.isEmpty else { throw Self.noImage(of: repository) }
        operation.line("The push refers to repository [\(repository.repository)]")
        var results: [PushResult] = []
        for name in names.sorted(by: { $0.description < $1.description }) {
            let image = try pushedImage(name, platforms)
            results.append(try send(image, as: name, platforms, packing: packing, operation))
        }
        return results
    }

    /// Sends an image under a name that need not be one here; tells the states of its layers and the last line.
    ///
    /// Without `isNamed` the repository gets the image under its digest alone, for an index that lists it. Throws what
    /// `push` throws.
    package func push(
        _ image: Image, as reference: Reference, packing: Packing = .standard, isNamed: Bool = true,
        _ operation: OperationContext
    ) throws(ShaleError) -> PushResult {
        try store.hold(image)
        let layers = image.manifest.layers
        let source = try StoreSource(
            store: store, packing: image.isAsPulled ? nil : packing, blobs: layers + [image.manifest.config])
        let target = RegistryTarget(client: registry, reference: reference)
        let transfer = Transfer(source: source, target: target, words: .push, operation: operation)
        let ids = image.config.rootfs.diffIDs
        let items = layers.enumerated().map { position, layer in
            TransferItem(
                id: (position < ids.count ? ids[position] : layer.digest).short, blob: layer,
                isForeign: MediaType.isForeignLayer(layer.mediaType) && !(layer.urls ?? []).isEmpty)
        }
        // Docker's order: the highest layer first.
        let sent = try transfer.move(items.reversed())
        let report = TransferReport(cancellation: operation.cancellation)
        _ = try target.take(image.manifest.config, from: source, mountSources: [], report: report)
        var travelled = TravelledDocuments(sent)
        let document = try travelled.renamed(
            TransferDocument(
                try store.blobs.bytes(image.manifestDescriptor.digest), mediaType: image.manifestDescriptor.mediaType))
        try target.put(document, isNamed: isNamed, report: report)
        let result = PushResult(reference: reference, manifest: document.descriptor, image: image)
        note(result)
        store.events.append(
            StoreEvent(.image, "push", of: reference.familiar, ["name": reference.familiarName]))
        if isNamed { operation.line(result.line) }
        return result
    }

    /// Sends a blob of the store to a repository that has not got it; whether bytes were sent.
    ///
    /// For artifacts, whose manifest ``pushDocument(_:to:_:)`` sends afterwards. Throws what the registry client and
    /// reading the blob throw.
    @discardableResult
    package func uploadIfMissing(
        _ blob: Descriptor, to repository: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> Bool {
        let source = try StoreSource(store: store, packing: nil, blobs: [blob])
        let target = RegistryTarget(client: registry, reference: repository)
        let report = TransferReport(cancellation: operation.cancellation)
        let mountSources = source.mountSources(of: blob, beside: repository)
        return try target.take(blob, from: source, mountSources: mountSources, report: report) == .sent
    }

    /// The same of a layer as it travels, a plain one packed; what it is called there.
    ///
    /// Throws what packing the layer throws, and what the registry client and reading the blob throw.
    package func uploadPacked(
        _ layer: Descriptor, to repository: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> Descriptor {
        let source = try StoreSource(store: store, packing: .standard, blobs: [layer])
        let packed = try source.outgoing(layer, cancellation: operation.cancellation) { _ in }
        let target = RegistryTarget(client: registry, reference: repository)
        _ = try target.take(
            packed, from: source, mountSources: source.mountSources(of: packed, beside: repository),
            report: TransferReport(cancellation: operation.cancellation))
        return packed
    }

    /// Puts a manifest whose blobs are there under a name's tag or digest.
    ///
    /// Throws what the registry client throws.
    package func pushDocument(
        _ document: TransferDocument, to reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) {
        try RegistryTarget(client: registry, reference: reference)
            .put(document, isNamed: true, report: TransferReport(cancellation: operation.cancellation))
    }

    /// Notes what the registry calls the image now; a home that cannot be written to goes without.
    func note(_ result: PushResult) {
        let pinned = result.reference.with(digest: result.manifest.digest)
        let own = result.isIndex ? result.image.index : result.image.manifestDescriptor
        let isOther = result.manifest.digest != own?.digest
        Logger.store.attempt("note what \(pinned) is") {
            try store.images.note(pushed: pinned, of: result.image.id, isPackedAtPush: isOther)
        }
    }

    private static func pushable(_ reference: Reference) throws(ShaleError) -> Reference {
        guard reference.digest == nil else { throw ShaleError(.invalid, "cannot push a digest reference") }
        return reference.withDefaultTag
    }

    private func pushedImage(
        _ reference: Reference, _ platforms: PushedPlatforms
    ) throws(ShaleError) -> Image {
        let names = try store.names.all().map(\.reference)
        guard names.contains(reference) else {
            guard names.contains(where: { $0.name == reference.name }) else { throw Self.noImage(of: reference) }
            var error = ShaleError(.notFound, "tag does not exist: \(reference.familiar)")
            error.hint = Self.nearestName(to: reference.familiar, among: names).map { "did you mean \($0.familiar)?" }
            throw error
        }
        var platform: Platform?
        if case .one(let wanted) = platforms { platform = wanted }
        return try store.images.find(reference.description, platform: platform)
    }

    private static func noImage(of reference: Reference) -> ShaleError {
        ShaleError(
            .notFound, "An image does not exist locally with the tag: \(reference.familiarName)",
            hint: "tag IMAGE \(reference.familiar)   (gives an image here that name)")
    }
}
