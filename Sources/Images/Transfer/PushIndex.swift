import Basics
import Layers
package import OCI
import Registries
import Stores

/// The platforms that a push sends of a name that stands for an index.
package enum PushedPlatforms: Sendable, Hashable {
    /// All platforms when all are in the store, or the only one in the store.
    ///
    /// Otherwise the push fails.
    case standard
    /// All platforms, with the unchanged index.
    case all
    case one(Platform)
}

extension ImageEngine {
    /// Pushes the image of a name, or an index with all its platforms.
    func send(
        _ image: Image, as reference: Reference, _ platforms: PushedPlatforms, packing: Packing,
        _ operation: OperationContext
    ) throws(ShaleError) -> PushResult {
        guard let index = image.index else { return try push(image, as: reference, packing: packing, operation) }
        guard platforms == .standard, let only = try onlyPlatform(of: index) else {
            return try send(index, of: image, as: reference, packing: packing, operation)
        }
        let single = try store.images.image(manifest: only.descriptor)
        let result = try push(single, as: reference, packing: packing, operation)
        operation.note(
            "Not all multiplatform-content is present and only the available single-platform image was pushed\n"
                + "\(index.digest) -> \(result.manifest.digest)")
        return result
    }

    /// The only member of an index that is complete in the store, when others are not.
    private func onlyPlatform(of index: Descriptor) throws(ShaleError) -> IndexMember? {
        let members = try store.images.members(of: index)
        let whole = members.filter { store.images.usage(of: $0).isWhole }
        let images = whole.filter { $0.image != nil }
        return whole.count < members.count && images.count == 1 ? images.first : nil
    }

    /// Pushes all members of an index, and then the index, so that it never lists an image that the registry lacks.
    private func send(
        _ index: Descriptor, of image: Image, as reference: Reference, packing: Packing,
        _ operation: OperationContext
    ) throws(ShaleError) -> PushResult {
        // The image's repository digests also name registries that have the image without the index.
        let isAsPulled = image.repoDigests.contains { $0.digest == index.digest }
        let source = try storedImage(image, index: index, packing: isAsPulled ? nil : packing)
        let target = RegistryTarget(client: registry, reference: reference)
        var collected = CollectedImages(source: source, cancellation: operation.cancellation)
        try collected.add(source.root(operation), depth: 0)
        let transfer = Transfer(source: source, target: target, words: .push, operation: operation)
        let sent = try transfer.move(collected.items)
        let report = TransferReport(cancellation: operation.cancellation)
        var travelled = TravelledDocuments(sent)
        var root = index
        var documents: [Digest: Descriptor] = [:]
        for (position, document) in collected.documents.enumerated() {
            try operation.cancellation.check()
            let isLast = position == collected.documents.count - 1
            let renamed = try travelled.renamed(document)
            try target.put(renamed, isNamed: isLast, report: report)
            root = renamed.descriptor
            documents[document.descriptor.digest] = root
        }
        let members = try store.images.members(of: index).compactMap { member -> PushedMember? in
            guard let id = member.image, let manifest = documents[member.descriptor.digest] else { return nil }
            return PushedMember(image: id, platform: member.platform, manifest: manifest)
        }
        let result = PushResult(
            reference: reference, manifest: root, image: image, isIndex: true, members: members)
        note(result)
        store.events.append(
            StoreEvent(.image, "push", of: reference.familiar, ["name": reference.familiarName]))
        operation.line(result.line)
        return result
    }
}
