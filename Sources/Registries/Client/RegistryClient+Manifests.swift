package import Basics
package import FoundationEssentials
package import OCI

/// A manifest or index as a registry sent it, proved to be what its descriptor says.
package struct FetchedManifest: Sendable, Equatable {
    package var descriptor: Descriptor
    /// The bytes as they were received; the store keeps exactly these.
    package var bytes: Data
    /// The decoded document.
    package var document: JSONDocument
    package var mediaType: String
    /// Whether a mirror answered.
    package var isFromMirror: Bool

    package init(
        descriptor: Descriptor, bytes: Data, document: JSONDocument, mediaType: String, isFromMirror: Bool = false
    ) {
        self.descriptor = descriptor
        self.bytes = bytes
        self.document = document
        self.mediaType = mediaType
        self.isFromMirror = isFromMirror
    }
}

extension RegistryClient {
    static let manifestTypes = [
        MediaType.ociIndex, MediaType.dockerManifestList, MediaType.ociManifest, MediaType.dockerManifest,
    ]

    /// Fetches the manifest or index that a reference names: by its digest, else by its tag.
    ///
    /// The name is one with a tag or a digest (`Reference.withDefaultTag`, `asPullTarget`): messages have it as it is.
    /// The bytes are proved against the reference's digest and the server's `Docker-Content-Digest`; throws
    /// `notFound`, `unauthorized`, `unavailable`, `timeout`, `corrupt` or `cancelled`.
    package func resolve(
        _ name: Reference, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> FetchedManifest {
        try ask(name.domain, for: .manifest(name), cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            try self.manifest(name, expecting: name.digest, at: endpoint, cancellation: cancellation)
        }
    }

    /// Fetches one manifest of a repository by the descriptor that an index gave; its size is checked too.
    ///
    /// Throws `corrupt` when the size differs, and what `resolve` throws.
    package func manifest(
        _ descriptor: Descriptor, in repository: Reference, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> FetchedManifest {
        let fetched = try resolve(repository.with(digest: descriptor.digest), cancellation: cancellation)
        guard fetched.descriptor.size == descriptor.size else {
            throw ShaleError(
                .corrupt,
                "manifest \(descriptor.digest): \(fetched.descriptor.size) bytes, its index says \(descriptor.size)")
        }
        return fetched
    }

    /// The descriptor a reference names now, without fetching the manifest where the registry says it in a header.
    ///
    /// Mirrors may be behind: what decides about a change at the registry passes them over.
    /// Throws what the request throws.
    package func head(
        _ name: Reference, passingMirrors: Bool = false, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> Descriptor {
        let purpose = passingMirrors ? Purpose.ownManifest(name) : .manifest(name)
        let answer = try ask(name.domain, for: purpose, cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            try self.make(
                self.manifestCall(name, method: "HEAD"), at: endpoint, cancellation: cancellation)
        }
        let headers = answer.head.headers
        guard let digest = try? headers["docker-content-digest"].map({ try Digest(parsing: $0) }),
            let size = answer.head.contentLength, size >= 0, let type = answer.head.contentType,
            Self.manifestTypes.contains(type), name.digest == nil || name.digest == digest
        else {
            return try ask(name.domain, for: purpose, cancellation: cancellation) {
                (endpoint: Endpoint) throws(RequestFailure) in
                try self.manifest(name, expecting: name.digest, at: endpoint, cancellation: cancellation)
            }.descriptor
        }
        return Descriptor(mediaType: type, digest: digest, size: size)
    }

    /// Removes the manifest of a digest, and with it all tags that lead to it.
    ///
    /// Throws `unsupported` where the registry does not delete, `notFound` where it has no such manifest, and what the
    /// request throws.
    package func deleteManifest(
        _ digest: Digest, in repository: Reference, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) {
        let name = repository.with(digest: digest)
        try ask(name.domain, for: .delete(name), cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            let call = Call(
                method: "DELETE", target: .path("/v2/\(name.path)/manifests/\(digest)"), scopes: [name.deleteScope])
            _ = try self.make(call, at: endpoint, cancellation: cancellation)
        }
    }

    func manifestCall(_ name: Reference, method: String = "GET") -> Call {
        let target = name.digest?.description ?? name.tag ?? Reference.defaultTag
        var call = Call(
            method: method, target: .path("/v2/\(name.path)/manifests/\(target)"), scopes: [name.pullScope])
        for type in Self.manifestTypes { call.headers.append("Accept", type) }
        return call
    }

    private func manifest(
        _ name: Reference, expecting digest: Digest?, at endpoint: Endpoint, cancellation: Cancellation
    ) throws(RequestFailure) -> FetchedManifest {
        let answer = try make(manifestCall(name), at: endpoint, cancellation: cancellation)
        let actual = Digest.of(answer.body)
        let label = name.familiar
        do throws(ShaleError) {
            // Its digest leaves the signatures out, so that it would not even match.
            if answer.head.contentType?.hasPrefix("application/vnd.docker.distribution.manifest.v1") == true {
                throw Self.formatOne(label)
            }
            if let digest {
                guard digest.algorithm == actual.algorithm else {
                    throw ShaleError(
                        .unsupported, "manifest for \(label)", cause: "\(digest.algorithm) digests are not checked here"
                    )
                }
                guard digest == actual else {
                    throw ShaleError(.corrupt, "manifest for \(label): its digest is \(actual), not \(digest)")
                }
            }
            if let said = answer.head.headers["docker-content-digest"], let claimed = try? Digest(parsing: said),
                claimed.algorithm == actual.algorithm, claimed != actual
            {
                throw ShaleError(
                    .corrupt, "manifest for \(label): its digest is \(actual), and the registry says \(claimed)",
                    hint: "the registry is broken, or something between you and it changes what it sends")
            }
            let document = try OCIDocument.document(answer.body, naming: "manifest for \(label)")
            let type = try Self.manifestType(of: document, answer.head, naming: label)
            return FetchedManifest(
                descriptor: Descriptor(mediaType: type, digest: actual, size: Int64(answer.body.count)),
                bytes: answer.body, document: document, mediaType: type, isFromMirror: endpoint.isMirror)
        } catch {
            throw .final(error)
        }
    }

    private static func formatOne(_ label: String) -> ShaleError {
        ShaleError(
            .unsupported, "manifest for \(label)", cause: "docker's image format 1 is no longer supported",
            hint: "push the image again with a newer docker")
    }

    /// The type of an answer: its header's, checked against the document's own.
    private static func manifestType(
        of document: JSONDocument, _ head: HTTPHead, naming label: String
    ) throws(ShaleError) -> String {
        guard case .object = document else {
            throw ShaleError(.corrupt, "manifest for \(label): not a valid manifest", cause: "not an object")
        }
        let said = head.contentType ?? ""
        if document["schemaVersion"] == .integer(1) { throw formatOne(label) }
        let hasManifests = document["manifests"]?.array != nil
        let named = document["mediaType"]?.string
        let own = named ?? (hasManifests ? MediaType.ociIndex : MediaType.ociManifest)
        guard manifestTypes.contains(own), hasManifests || (document["config"] ?? .null) != .null else {
            throw ShaleError(.unsupported, "manifest for \(label)", cause: "unknown media type \(own.visible)")
        }
        // Some servers name every answer after its format only.
        guard manifestTypes.contains(said), named != nil, said != own else {
            return named == nil && manifestTypes.contains(said) ? said : own
        }
        throw ShaleError(
            .corrupt, "manifest for \(label)", cause: "it calls itself \(own.visible), the registry \(said.visible)")
    }
}

extension Reference {
    /// What a token for reading must allow.
    var pullScope: String { "repository:\(path):pull" }
    /// What a token for writing must allow.
    var pushScope: String { "repository:\(path):pull,push" }
    /// What a token for deleting must allow.
    var deleteScope: String { "repository:\(path):pull,delete" }
}
