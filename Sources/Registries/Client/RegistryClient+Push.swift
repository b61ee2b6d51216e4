package import Basics
package import FoundationEssentials
package import OCI

/// Where an upload goes on: an address the registry gave, and how much it has.
package struct UploadSession: Sendable, Equatable {
    var location: WebURL
    /// Bytes the registry has taken.
    package var offset: Int64
    /// The fewest bytes that the registry takes as a chunk, but for the last one (`OCI-Chunk-Min-Length`).
    var smallestChunk: Int64?
}

/// What a request for a mount came to.
package enum MountOutcome: Sendable, Equatable {
    /// The blob is there now.
    case mounted
    /// The registry has not got it, and waits for its bytes.
    case upload(UploadSession)
}

/// Reads a blob's bytes from an offset into a buffer; the number read, 0 at the end.
package typealias BlobReader = (Int64, UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int

extension RegistryClient {
    /// Whether a repository has a blob.
    ///
    /// Throws what the request throws; a status of 404 is no error.
    package func hasBlob(
        _ descriptor: Descriptor, in repository: Reference, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> Bool {
        try ask(repository.domain, for: .push(repository), cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            let call = Call(
                method: "HEAD", target: .path("/v2/\(repository.path)/blobs/\(descriptor.digest)"),
                scopes: [repository.pushScope])
            do throws(RequestFailure) {
                let answer = try self.make(call, at: endpoint, cancellation: cancellation)
                return answer.head.contentLength.map { $0 == descriptor.size } ?? true
            } catch {
                if case .answer(let refused) = error, refused.status == 404 { return false }
                throw error
            }
        }
    }

    /// Asks the registry to take a blob over from another of its repositories; otherwise an upload begins.
    ///
    /// Throws what the request throws.
    package func mountBlob(
        _ digest: Digest, from source: Reference, to repository: Reference,
        cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> MountOutcome {
        let query = "?mount=\(digest)&from=\(WebURL.escape(source.path, keeping: "/"))"
        return try begin(
            repository, query: query, scopes: [repository.pushScope, source.pullScope], cancellation: cancellation)
    }

    /// Uploads a blob: whole in one request, or in chunks where it is larger than one; `sent` is told how far it is.
    ///
    /// A broken upload is tried again with growing waits; one in chunks goes on where the registry stopped. A registry
    /// that takes no chunks gets the blob whole, one that finds a request too large gets smaller chunks, and one that
    /// forgot an upload gets it from its first byte. Throws what the requests throw at last.
    package func uploadBlob(
        _ descriptor: Descriptor, to repository: Reference, session: UploadSession? = nil, chunkSize: Int64? = nil,
        cancellation: Cancellation = Cancellation(), retrying: (RetryNotice) -> Void = { _ in },
        sent: (Int64) -> Void = { _ in }, read: BlobReader
    ) throws(ShaleError) {
        try withoutActuallyEscaping(read) { (read) throws(ShaleError) in
            try withoutActuallyEscaping(sent) { (sent) throws(ShaleError) in
                try self.upload(
                    BlobUpload(descriptor: descriptor, repository: repository, read: read, sent: sent),
                    session: session, chunkSize: chunkSize, cancellation: cancellation, retrying: retrying)
            }
        }
    }

    /// Puts a manifest under a reference's tag or digest; the digest the registry knows it by.
    ///
    /// Throws `corrupt` when the registry answers with another digest, and what the request throws.
    @discardableResult
    package func putManifest(
        _ bytes: Data, mediaType: String, as reference: Reference, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> Digest {
        _ = try send(bytes, mediaType: mediaType, as: reference, cancellation: cancellation)
        return Digest.of(bytes)
    }

    /// Puts a manifest; with a condition only where the registry, if it knows conditions, finds it to hold.
    ///
    /// A condition that does not hold is no failure: the answer's status is 412 then.
    func send(
        _ bytes: Data, mediaType: String, as name: Reference, condition: (name: String, value: String)? = nil,
        cancellation: Cancellation
    ) throws(ShaleError) -> HTTPAnswer {
        let digest = Digest.of(bytes)
        let target = name.tag ?? name.digest?.description ?? Reference.defaultTag
        let answer = try ask(name.domain, for: .push(name), cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            var call = Call(
                method: "PUT", target: .path("/v2/\(name.path)/manifests/\(target)"), scopes: [name.pushScope])
            call.headers.append("Content-Type", mediaType)
            if let condition { call.headers.append(condition.name, condition.value) }
            call.body = .data(bytes)
            do throws(RequestFailure) {
                return try self.make(call, at: endpoint, cancellation: cancellation)
            } catch {
                guard case .answer(let refused) = error, refused.status == 412, condition != nil else { throw error }
                return HTTPAnswer(head: HTTPHead(status: 412), body: Data(), url: refused.url)
            }
        }
        if let said = answer.head.headers["docker-content-digest"], let claimed = try? Digest(parsing: said),
            claimed.algorithm == digest.algorithm, claimed != digest
        {
            throw ShaleError(.corrupt, "manifest \(digest): the registry took it as \(claimed)")
        }
        return answer
    }

    private func begin(
        _ repository: Reference, query: String, scopes: [String], cancellation: Cancellation
    ) throws(ShaleError) -> MountOutcome {
        try ask(repository.domain, for: .push(repository), cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            try self.begin(repository, query: query, scopes: scopes, at: endpoint, cancellation: cancellation)
        }
    }

    /// Asks one server for an upload's place.
    func begin(
        _ repository: Reference, query: String = "", scopes: [String], at endpoint: Endpoint, cancellation: Cancellation
    ) throws(RequestFailure) -> MountOutcome {
        let call = Call(
            method: "POST", target: .path("/v2/\(repository.path)/blobs/uploads/\(query)"), scopes: scopes)
        let answer = try make(call, at: endpoint, cancellation: cancellation)
        if answer.head.status == 201 { return .mounted }
        return .upload(
            UploadSession(
                location: try Self.location(of: answer), offset: 0,
                smallestChunk: answer.head.headers["oci-chunk-min-length"].flatMap { Int64($0) }))
    }

    static func location(of answer: HTTPAnswer) throws(RequestFailure) -> WebURL {
        do throws(ShaleError) {
            guard let location = answer.head.headers["location"] else {
                throw ShaleError(.corrupt, "\(answer.url.origin): an upload without a place to go")
            }
            return try answer.url.resolving(location)
        } catch {
            throw .final(error)
        }
    }
}
