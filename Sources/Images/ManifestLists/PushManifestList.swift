package import Basics
package import OCI
import Registries
import Stores

extension ImageEngine {
    /// Sends a manifest list to its registry, after the images that its repository lacks; the index's digest.
    ///
    /// Prints docker's `Pushed ref … with digest: …` for each image that was sent. The index is sent last, so that it
    /// never lists an image that is missing. Throws `notFound` for a list, or an image of this home, that does not
    /// exist, `invalid` for an image whose platform is not known, and what sending throws.
    package func pushManifestList(
        _ reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> Digest {
        guard let list = try store.manifestLists.find(reference) else { throw Self.noSuchList(reference) }
        for member in list.members where !(member.descriptor.platform.map(GoPlatform.isKnown) ?? false) {
            throw ShaleError(
                .invalid,
                "manifest \(member.reference.familiar) must have an OS and Architecture to be pushed to a registry",
                hint: "manifest annotate --os linux --arch amd64 \(reference.familiar) \(member.reference.familiar)")
        }
        var pushed = ManifestList(reference: reference)
        for member in list.members {
            try operation.cancellation.check()
            var sent = member
            if let descriptor = try send(member, to: reference, operation) {
                sent.descriptor.mediaType = descriptor.mediaType
                sent.descriptor.digest = descriptor.digest
                sent.descriptor.size = descriptor.size
                operation.line(
                    "Pushed ref \(reference.repository)@\(descriptor.digest) with digest: \(descriptor.digest)")
            }
            pushed.put(sent)
        }
        let index = TransferDocument(Array(pushed.text.utf8), mediaType: pushed.mediaType)
        try pushDocument(index, to: reference, operation)
        return index.descriptor.digest
    }

    /// Sends a member to the list's repository; `nil` where it is there already.
    private func send(
        _ member: ManifestList.Member, to list: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> Descriptor? {
        guard member.isOfHome else { return try carry(member, to: list, operation) }
        guard try store.names.table().entry(named: member.reference) != nil else {
            throw ShaleError(
                .notFound, "manifest list \(list.familiar): the image \(member.reference.familiar) is no longer here",
                hint: "manifest create --amend \(list.familiar) \(member.reference.familiar)   (once it is again)")
        }
        let image = try store.images.find(member.reference.description)
        guard image.manifestDescriptor.digest == member.descriptor.digest else {
            throw ShaleError(
                .conflict, "manifest list \(list.familiar): \(member.reference.familiar) is another image by now",
                hint: "manifest create --amend \(list.familiar) \(member.reference.familiar)   (takes the new one)")
        }
        return try push(image, as: list, isNamed: false, operation).manifest
    }
}

extension ImageEngine {
    /// Brings an image of a registry into the list's repository; `nil` where that is its own.
    private func carry(
        _ member: ManifestList.Member, to list: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> Descriptor? {
        guard member.reference.repository != list.repository else { return nil }
        let digest = member.descriptor.digest
        return try copy(
            ImageCopy(
                from: .registry(member.reference.repository.with(digest: digest)),
                to: .registry(list.repository.with(digest: digest))), operation)
    }
}
