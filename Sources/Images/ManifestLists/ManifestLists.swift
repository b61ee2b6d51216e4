package import Basics
import FoundationEssentials
package import OCI
import Registries
package import Stores

/// What `manifest annotate` sets of one platform; what is `nil` stays as it is.
package struct PlatformChange: Sendable, Hashable {
    package var architecture: String?
    package var os: String?
    package var osVersion: String?
    package var osFeatures: [String]
    package var variant: String?

    package init(
        architecture: String? = nil, os: String? = nil, osVersion: String? = nil, osFeatures: [String] = [],
        variant: String? = nil
    ) {
        self.architecture = architecture
        self.os = os
        self.osVersion = osVersion
        self.osFeatures = osFeatures
        self.variant = variant
    }

    /// The platform with what is set here.
    func applied(to platform: Platform?) -> Platform {
        var changed = platform ?? Platform(os: "", architecture: "")
        if let architecture { changed.architecture = architecture }
        if let os { changed.os = os }
        if let osVersion { changed.osVersion = osVersion }
        if !osFeatures.isEmpty {
            var features = changed.osFeatures ?? []
            for feature in osFeatures where !features.contains(feature) { features.append(feature) }
            changed.osFeatures = features
        }
        if let variant { changed.variant = variant }
        return changed
    }
}

extension ImageEngine {
    /// Puts a manifest list together from images of registries, or of this home where no registry has one of that name.
    ///
    /// A list that is there already is only added to, and only where `amending` says so. Throws docker's words:
    /// `conflict` for a list that is there, `notFound` for a member that is nowhere, `invalid` for a member that is a
    /// list itself; and what asking the registry and writing to the home throw. Nothing is written then.
    package func createManifestList(
        _ reference: Reference, of members: [Reference], amending: Bool, _ operation: OperationContext
    ) throws(ShaleError) {
        if !amending, try store.manifestLists.find(reference) != nil { throw Self.listIsThere() }
        var found: [ManifestList.Member] = []
        for member in members {
            try operation.cancellation.check()
            found.append(try listMember(member, operation))
        }
        try store.manifestLists.change(reference) { old throws(ShaleError) in
            guard amending || old == nil else { throw Self.listIsThere() }
            var list = old ?? ManifestList(reference: reference)
            for member in found { list.put(member) }
            guard list.members.count <= Self.largestList else {
                throw ShaleError(
                    .invalid, "manifest list \(reference.familiar): more than \(Self.largestList) manifests")
            }
            return list
        }
    }

    /// Changes the platform that a member of a list is listed for.
    ///
    /// Throws docker's words: `notFound` for a list or member that is not there, `invalid` for an operating system and
    /// processor that Go does not know together; and what writing to the home throws.
    package func annotateManifestList(
        _ reference: Reference, member name: Reference, _ change: PlatformChange
    ) throws(ShaleError) {
        try store.manifestLists.change(reference) { old throws(ShaleError) in
            guard var list = old, var member = list.member(named: name) else {
                throw ShaleError(
                    .notFound, "manifest for image \(name.familiar) does not exist in \(reference.familiar)",
                    hint: "manifest create --amend \(reference.familiar) \(name.familiar)   (adds it)")
            }
            let platform = change.applied(to: member.descriptor.platform)
            guard GoPlatform.isKnown(platform) else {
                throw ShaleError(
                    .invalid,
                    "manifest entry for image has unsupported os/arch combination: \(platform.os)/\(platform.architecture)"
                )
            }
            member.descriptor.platform = platform
            list.put(member)
            return list
        }
    }

    /// A manifest list of this home, `nil` for none.
    ///
    /// Throws what reading it throws.
    package func manifestList(_ reference: Reference) throws(ShaleError) -> ManifestList? {
        try store.manifestLists.find(reference)
    }

    /// The manifests that a name of a registry leads to, and whether it leads to an index.
    ///
    /// Throws what asking the registry throws.
    package func listedManifests(
        of reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> (members: [ManifestList.Member], isIndex: Bool) {
        let fetched = try resolve(reference, operation.cancellation)
        guard MediaType.isIndex(fetched.mediaType) else {
            var descriptor = fetched.descriptor
            descriptor.platform = try platform(of: fetched, named: reference, operation)
            let member = ManifestList.Member(
                reference: reference, descriptor: descriptor, manifest: fetched.bytes, isOfHome: false)
            return ([member], false)
        }
        let index = try OCIDocument.read(
            Index.self, from: fetched.document, naming: "index \(fetched.descriptor.digest)")
        guard index.manifests.count <= Self.largestList else {
            throw ShaleError(.invalid, "\(reference.familiar): more than \(Self.largestList) manifests")
        }
        var members: [ManifestList.Member] = []
        for entry in index.manifests {
            try operation.cancellation.check()
            let manifest = try registry.manifest(entry, in: reference, cancellation: operation.cancellation)
            members.append(
                ManifestList.Member(
                    reference: reference.with(digest: entry.digest), descriptor: entry, manifest: manifest.bytes,
                    isOfHome: false))
        }
        return (members, true)
    }

    /// Removes a manifest list; the images stay.
    ///
    /// Throws `notFound` in docker's words.
    package func removeManifestList(_ reference: Reference) throws(ShaleError) {
        guard try store.manifestLists.remove(reference) else { throw Self.noSuchList(reference) }
    }

    package static func noSuchList(_ reference: Reference) -> ShaleError {
        ShaleError(
            .notFound, "No such manifest: \(reference.familiar)",
            hint: "manifest create \(reference.familiar) IMAGE IMAGE   (puts one together)")
    }

    private static func listIsThere() -> ShaleError {
        ShaleError(.conflict, "refusing to amend an existing manifest list with no --amend flag")
    }

    /// More would pass the size that registries take for an index.
    private static let largestList = 1000

    private func listMember(
        _ reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> ManifestList.Member {
        let fetched: FetchedManifest
        do throws(ShaleError) {
            fetched = try registry.resolve(reference, cancellation: operation.cancellation)
        } catch {
            // Registries refuse to say whether a repository of other users exists; any other failure says nothing about
            // it.
            guard [.notFound, .denied, .unauthorized].contains(error.code) else { throw error }
            if let own = try homeMember(reference) { return own }
            guard error.code == .notFound else { throw error }
            throw ShaleError(
                .notFound, "no such manifest: \(reference.familiar)",
                hint: "tags \(reference.familiarName)   (what its registry has; images lists what is here)")
        }
        guard !MediaType.isIndex(fetched.mediaType) else {
            throw ShaleError(
                .invalid, "\(reference.familiar) is a manifest list",
                hint: "platforms \(reference.familiar)   (lists its images, each with the digest to name it by)")
        }
        var descriptor = fetched.descriptor
        descriptor.platform = try platform(of: fetched, named: reference, operation)
        return ManifestList.Member(
            reference: reference, descriptor: descriptor, manifest: fetched.bytes, isOfHome: false)
    }

    /// The platform that an image's config names.
    private func platform(
        of fetched: FetchedManifest, named reference: Reference, _ operation: OperationContext
    ) throws(ShaleError) -> Platform {
        let what = "manifest \(fetched.descriptor.digest)"
        let manifest = try OCIDocument.read(Manifest.self, from: fetched.document, naming: what)
        try Self.checkManifest(manifest, reference)
        let config = try document(manifest.config, in: reference, operation)
        return try OCIDocument.read(ImageConfig.self, from: config, naming: "config \(manifest.config.digest)").platform
    }

    /// An image of this home as a member; it is sent when the list is pushed.
    private func homeMember(_ reference: Reference) throws(ShaleError) -> ManifestList.Member? {
        guard reference.digest == nil, try store.names.table().entry(named: reference) != nil else { return nil }
        let image = try store.images.find(reference.description)
        var descriptor = image.manifestDescriptor
        descriptor.platform = image.config.platform
        let bytes = try store.blobs.data(descriptor.digest, limit: OCIDocument.largest)
        return ManifestList.Member(reference: reference, descriptor: descriptor, manifest: bytes, isOfHome: true)
    }
}
