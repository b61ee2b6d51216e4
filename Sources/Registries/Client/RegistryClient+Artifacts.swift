package import Basics
import FoundationEssentials
package import OCI

extension RegistryClient {
    /// Puts the manifest of an artifact whose blobs are there: under a reference's tag, or by its digest where the
    /// reference has none.
    ///
    /// It is then found from its subject: where the registry does not say that it saw the subject (`OCI-Subject`), the
    /// index under the tag `sha256-<hex>` gets an entry (distribution specification v1.1, "Pushing Manifests with
    /// Subject"). Returns the manifest's descriptor. Throws what the requests throw, and `conflict` where others write
    /// the index faster than this client.
    package func putArtifact(
        _ artifact: Artifact, as reference: Reference, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> Descriptor {
        let bytes = Data(artifact.manifest.document.text().utf8)
        var descriptor = Descriptor(
            mediaType: MediaType.ociManifest, digest: Digest.of(bytes), size: Int64(bytes.count),
            annotations: artifact.annotations.isEmpty ? nil : artifact.annotations)
        descriptor.artifactType = artifact.type
        let name = reference.tag == nil ? reference.with(digest: descriptor.digest) : reference
        let answer = try send(bytes, mediaType: MediaType.ociManifest, as: name, cancellation: cancellation)
        if let subject = artifact.subject, answer.head.headers["oci-subject"] == nil {
            try add(descriptor, toListOf: subject.digest, in: reference.repository, cancellation)
        }
        return descriptor
    }

    /// Sends a small blob that the repository has not got.
    ///
    /// Throws what the requests throw.
    package func sendBytes(
        _ bytes: [UInt8], _ descriptor: Descriptor, to repository: Reference,
        cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) {
        if try hasBlob(descriptor, in: repository, cancellation: cancellation) { return }
        try uploadBlob(descriptor, to: repository, cancellation: cancellation) { offset, buffer throws(ShaleError) in
            guard let start = Int(exactly: offset), start < bytes.count else { return 0 }
            let part = bytes[start...].prefix(buffer.count)
            buffer.copyBytes(from: part)
            return part.count
        }
    }

    /// The list under a referrers tag, and the entity tag (`ETag`) of this version of it.
    private struct KeptList {
        /// The document as the registry sent it: members that other tools wrote into their entries are kept.
        var document: JSONDocument
        var index: Index
        var mark: String?
    }

    /// How often the list is written and read again before `conflict` is thrown.
    private static let mostRounds = 20

    /// Adds an entry to the list under a referrers tag.
    ///
    /// Another writer may replace our list at any time. A registry that supports conditional requests (`If-Match`)
    /// prevents that. With every other registry the list is read again after a pause, and written again when our entry
    /// is missing.
    private func add(
        _ entry: Descriptor, toListOf subject: Digest, in repository: Reference, _ cancellation: Cancellation
    ) throws(ShaleError) {
        let name = repository.with(tag: subject.referrersTag)
        for _ in 0..<Self.mostRounds {
            let known = try keptList(name, cancellation)
            if let known, known.index.manifests.contains(where: { $0.digest == entry.digest }) { return }
            _ = try send(
                Data(Self.adding(entry, to: known).text().utf8), mediaType: MediaType.ociIndex, as: name,
                condition: Self.condition(for: known),
                cancellation: cancellation)
            // The pause is longer than the time that another writer needs between reading and writing, and random, so
            // that two writers do not wait equally long.
            try cancellation.pause(seconds: configuration.retries.unit * Double.random(in: 0.05...0.1))
        }
        throw ShaleError(
            .conflict, "\(name.familiar): others write this list of what hangs on \(subject.short) all the time",
            hint: "try again")
    }

    private static func adding(_ entry: Descriptor, to known: KeptList?) -> JSONDocument {
        guard case .object(var members)? = known?.document,
            let place = members.firstIndex(where: { $0.key == "manifests" }), let entries = members[place].value.array
        else { return Index(manifests: [entry]).document }
        members[place].value = .array(entries + [entry.document])
        return .object(members)
    }

    /// The condition under which the list may be written: it has not changed since it was read, or there is still none.
    private static func condition(for known: KeptList?) -> (name: String, value: String)? {
        guard let known else { return ("If-None-Match", "*") }
        return known.mark.map { ("If-Match", $0) }
    }

    /// The list of the registry itself, never of a mirror; `nil` when there is none.
    private func keptList(_ name: Reference, _ cancellation: Cancellation) throws(ShaleError) -> KeptList? {
        let answer = try ask(name.domain, for: .push(name), cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) -> HTTPAnswer? in
            do throws(RequestFailure) {
                return try self.make(self.manifestCall(name), at: endpoint, cancellation: cancellation)
            } catch {
                if case .answer(let refused) = error, refused.status == 404 { return nil }
                throw error
            }
        }
        guard let answer else { return nil }
        let document = try OCIDocument.document(answer.body, naming: "manifest for \(name.familiar)")
        guard document["manifests"] != nil else {
            throw ShaleError(.conflict, "\(name.familiar) is no list of what hangs on an image, and is left as it is")
        }
        let index = try OCIDocument.read(Index.self, from: document, naming: "manifest for \(name.familiar)")
        return KeptList(document: document, index: index, mark: answer.head.headers["etag"])
    }
}
