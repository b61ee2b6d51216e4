import Basics
import OCI

/// Checks of indexes: members may be missing from the store, but those in the store must be complete.
extension StoreCheck {
    /// The correct entry of an index; `nil` when no member can be used.
    mutating func checkedIndex(_ entry: ImageEntry, _ name: String) -> ImageEntry? {
        let images = store.images
        let digest = entry.manifest.digest
        guard isPresent(digest), let members = try? images.members(of: entry.manifest) else {
            note("\(name): its index \(digest) is missing or damaged", lost(entry))
            return nil
        }
        for member in members { check(member, of: name, entry) }
        // Another tool may have written an index of artifacts that are not images.
        guard let noted = entry.image else { return entry }
        let sound = members.filter { member in
            isPresent(member.descriptor.digest) && (member.image.map { isPresent($0) } ?? false)
        }
        if sound.contains(where: { $0.image == noted && $0.isUsable }) { return entry }
        guard ImageStore.choose(from: sound, for: nil) != nil else {
            note("\(name): no platform of its index \(digest) is here", lost(entry))
            return nil
        }
        note("\(name): noted as image \(noted.short), which is not here", "another of its platforms is noted")
        var mended = entry
        mended.image = nil
        mended.size = nil
        return images.note(mended)
    }

    private mutating func check(_ member: IndexMember, of name: String, _ entry: ImageEntry) {
        let digest = member.descriptor.digest
        let platform = member.platform?.description ?? digest.short
        guard store.blobs.contains(digest) || damaged.contains(digest) else { return }
        let remedy = (entry.name ?? entry.repoDigests.first).map { name in
            member.platform.map { "pull --platform \($0) \(name.familiar)" } ?? "pull --platform all \(name.familiar)"
        }
        guard isPresent(digest), store.images.isHere(member.descriptor) else {
            let size = (try? store.blobs.size(digest)).map { ": \($0) bytes instead of \(member.descriptor.size)" }
            note(
                "\(name), \(platform): its manifest \(digest) is damaged\(damaged.contains(digest) ? "" : size ?? "")",
                remedy ?? again(entry), isRepaired: false)
            return
        }
        guard let manifest = member.manifest else {
            guard MediaType.isManifest(member.descriptor.mediaType) else { return }
            note(
                "\(name), \(platform): \(digest) is no manifest, as its index says", remedy ?? again(entry),
                isRepaired: false)
            return
        }
        if member.isUsable, isPresent(manifest.config.digest),
            let bytes = try? store.blobs.bytes(manifest.config.digest),
            let config = try? OCIDocument.read(ImageConfig.self, from: bytes, naming: "config")
        {
            checkLayers(of: "\(name), \(platform)", manifest, config, remedy: remedy ?? again(entry))
            return
        }
        for blob in [manifest.config] + manifest.layers
        where !isPresent(blob.digest) && !MediaType.isForeignLayer(blob.mediaType) {
            let what = blob.digest == manifest.config.digest ? "config" : "blob"
            note(
                "\(name), \(platform): its \(what) \(blob.digest) is missing or damaged", remedy ?? again(entry),
                isRepaired: false)
        }
    }

    /// Whether a member needs no entry of its own beside the entry of its index.
    private static func belongs(_ member: IndexMember) -> Bool {
        if case .attestation = member.kind { return true }
        return member.isUsable
    }

    /// The images of a home whose names are lost.
    ///
    /// An index stands for its members.
    func foundImages() throws(ShaleError) -> ImageTable {
        var indexes: [ImageEntry] = []
        var single: [ImageEntry] = []
        var members: Set<Digest> = []
        for digest in try store.blobs.all() where !damaged.contains(digest) {
            guard let size = try? store.blobs.size(digest), size <= Int64(OCIDocument.largest),
                let bytes = try? store.blobs.bytes(digest), bytes.first == UInt8(ascii: "{"),
                let document = try? JSONDocument(parsing: bytes, naming: "blob")
            else { continue }
            if document["manifests"] != nil {
                let type = document["mediaType"]?.string ?? MediaType.ociIndex
                let entry = ImageEntry(
                    manifest: Descriptor(mediaType: type, digest: digest, size: size), image: nil)
                guard entry.isIndex, let found = try? store.images.members(of: entry.manifest) else { continue }
                let noted = store.images.note(entry)
                guard noted.image != nil else { continue }
                indexes.append(noted)
                // A member that a use of the index cannot find gets an entry of its own.
                members.formUnion(found.filter(Self.belongs).map(\.descriptor.digest))
            } else if document["layers"] != nil,
                let manifest = try? OCIDocument.read(Manifest.self, from: bytes, naming: "blob"),
                MediaType.isConfig(manifest.config.mediaType), isPresent(manifest.config.digest)
            {
                let type = manifest.mediaType ?? MediaType.ociManifest
                single.append(
                    ImageEntry(
                        manifest: Descriptor(mediaType: type, digest: digest, size: size),
                        image: manifest.config.digest))
            }
        }
        var table = ImageTable()
        for entry in indexes + single.filter({ !members.contains($0.manifest.digest) }) { table.insert(entry) }
        return table
    }
}
