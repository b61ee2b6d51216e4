package import Basics
import Diagnostics
import Logging
package import OCI
import RunnerProtocol
package import Stores

/// The containers, images and names that prevent the removal of an image.
package struct RemovalBlockers: Sendable, Hashable {
    package struct Container: Sendable, Hashable {
        package let id: String
        package let name: String
        package let status: String
    }

    package struct Child: Sendable, Hashable {
        package let id: Digest
        package let names: [String]
    }

    /// The containers made from it, newest first.
    package var containers: [Container] = []
    /// The images built directly on it, newest first.
    package var children: [Child] = []
    /// Its tags.
    package var names: [String] = []
}

extension ImageEngine {
    /// Carries out `rmi` of one argument by docker's rules: removes a name, and with the last name the image.
    ///
    /// With a session the content is retained until that session releases it, and no listing shows it. Throws
    /// `notFound`, or `conflict` in docker's wording with the command that makes the removal possible, and what reading
    /// or writing the store throws.
    package func removeImage(
        _ text: String, force: Bool = false, keepingParents: Bool = false, retainedBy session: SessionFolder? = nil
    ) throws(ShaleError) -> RemovedImages {
        let uses = try store.imageUses()
        do throws(ShaleError) {
            return try store.removeImages(retainedBy: session) { table throws(ShaleError) in
                try ImageRemoval.plan(text, in: table, uses: uses, force: force, pruningParents: !keepingParents)
            }
        } catch {
            throw try explained(error, about: text)
        }
    }

    /// What `rmi` of several arguments would do, one after the other.
    ///
    /// Nothing is changed.
    ///
    /// The error of one argument is its result. Throws what reading the store throws.
    package func planRemoval(
        of texts: [String], force: Bool = false, keepingParents: Bool = false
    ) throws(ShaleError) -> [Result<RemovedImages, ShaleError>] {
        var results = try store.planRemoval(of: texts, force: force, pruningParents: !keepingParents)
        for (index, text) in zip(results.indices, texts) {
            guard case .failure(let error) = results[index] else { continue }
            results[index] = .failure(try explained(error, about: text))
        }
        return results
    }

    /// The containers of an image and the images built on it; empty for a text that names no image.
    ///
    /// Throws what reading the store throws.
    package func blockers(of text: String) throws(ShaleError) -> RemovalBlockers {
        guard let id = try? store.images.id(of: text) else { return RemovalBlockers() }
        var blockers = RemovalBlockers()
        let records = try store.containers.all()
        let listed = try store.images.listed(as: records.map(\.image))
        for record in records where (listed[record.image] ?? record.image) == id {
            let status = store.containers.state(record.id).status.rawValue
            blockers.containers.append(
                RemovalBlockers.Container(id: record.id, name: record.name, status: status))
        }
        let children = Set(try store.images.children(of: id))
        for summary in try store.images.all(includingIntermediate: true) where children.contains(summary.id) {
            blockers.children.append(RemovalBlockers.Child(id: summary.id, names: summary.references.map(\.familiar)))
        }
        blockers.names = try store.names.table().entries(of: id).compactMap { $0.name?.familiar }.sorted()
        return blockers
    }

    /// Adds to an error: for an unknown name the nearest name as a hint, and for a platform that only an index lists
    /// the reason why it cannot be removed alone.
    private func explained(_ error: ShaleError, about text: String) throws(ShaleError) -> ShaleError {
        guard error.code == .notFound else { return error }
        if let member = try? store.images.find(text), let name = try indexListing(member.id) {
            return ShaleError(
                .conflict,
                "conflict: unable to delete \(member.id.short) (cannot be forced) - it is one of the platforms of \(name)",
                hint: "rmi \(name)   (with all its platforms)")
        }
        guard
            let near = Self.nearestName(to: text, among: try store.names.all().map(\.reference))
        else { return error }
        return error.hinting("did you mean \(near.familiar)?")
    }

    /// A name of an index that lists an image, or the beginning of its digest.
    private func indexListing(_ image: Digest) throws(ShaleError) -> String? {
        guard let noted = try store.images.listed(as: [image])[image] else { return nil }
        let indexes = try store.names.table().entries(of: noted).filter(\.isIndex)
        return (indexes.first { $0.name != nil } ?? indexes.first).map { $0.name?.familiar ?? $0.manifest.digest.short }
    }

    /// Removes an image without a name.
    ///
    /// Its parents stay.
    package func discardImage(_ id: Digest) {
        if let image = try? store.images.image(id) {
            let top = [image.config.rootfs.diffIDs.last, image.manifest.layers.last?.digest].compactMap(\.self)
            store.leases.drop(([id, image.manifestDescriptor.digest] + top).map { .digest($0) })
        }
        _ = Logger.image.attempt("discard image \(id.short)") { () throws(ShaleError) in
            try store.removeImages { table throws(ShaleError) in
                try ImageRemoval.plan(id.description, in: table, uses: [], pruningParents: false)
            }
        }
        forgetProvenance(of: id)
    }
}
