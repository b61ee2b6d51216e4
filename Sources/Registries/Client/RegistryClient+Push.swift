package import Basics
import Diagnostics
package import FoundationEssentials
import Logging
package import OCI

/// Where an upload goes on: an address the registry gave, and how much it has.
package struct UploadSession: Sendable, Equatable {
    var location: WebURL
    /// Bytes the registry has taken.
    package var offset: Int64
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

    /// Uploads a blob: whole in one request, or in chunks of so many bytes; `sent` is told how far it is.
    ///
    /// A broken upload is tried again with growing waits; one in chunks goes on where the registry stopped.
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
        let name = reference.withDefaultTag
        let digest = Digest.of(bytes)
        let target = name.tag ?? name.digest?.description ?? Reference.defaultTag
        let answer = try ask(name.domain, for: .push(name), cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            var call = Call(
                method: "PUT", target: .path("/v2/\(name.path)/manifests/\(target)"), scopes: [name.pushScope])
            call.headers.append("Content-Type", mediaType)
            call.body = .data(bytes)
            return try self.make(call, at: endpoint, cancellation: cancellation)
        }
        if let said = answer.head.headers["docker-content-digest"], let claimed = try? Digest(parsing: said),
            claimed.algorithm == digest.algorithm, claimed != digest
        {
            throw ShaleError(.corrupt, "manifest \(digest): the registry took it as \(claimed)")
        }
        return digest
    }

    private func begin(
        _ repository: Reference, query: String = "", scopes: [String], cancellation: Cancellation
    ) throws(ShaleError) -> MountOutcome {
        try ask(repository.domain, for: .push(repository), cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            let call = Call(
                method: "POST", target: .path("/v2/\(repository.path)/blobs/uploads/\(query)"), scopes: scopes)
            let answer = try self.make(call, at: endpoint, cancellation: cancellation)
            if answer.head.status == 201 { return .mounted }
            return .upload(UploadSession(location: try Self.location(of: answer), offset: 0))
        }
    }

    private static func location(of answer: HTTPAnswer) throws(RequestFailure) -> WebURL {
        do throws(ShaleError) {
            guard let location = answer.head.headers["location"] else {
                throw ShaleError(.corrupt, "\(answer.url.origin): an upload without a place to go")
            }
            return try answer.url.resolving(location)
        } catch {
            throw .final(error)
        }
    }

    /// One blob on its way up.
    private struct BlobUpload {
        var descriptor: Descriptor
        var repository: Reference
        var read: BlobReader
        var sent: (Int64) -> Void

        /// The bytes from one offset up to another, as a body.
        func body(_ range: Range<Int64>) -> HTTPBody {
            .stream(length: range.upperBound - range.lowerBound) {
                var position = range.lowerBound
                return { (buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) in
                    let wanted = min(Int64(buffer.count), range.upperBound - position)
                    guard wanted > 0 else { return 0 }
                    let count = try read(position, UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(wanted)]))
                    guard count > 0, count <= Int(wanted) else {
                        throw ShaleError(.corrupt, "blob \(descriptor.digest): shorter than its descriptor says")
                    }
                    position += Int64(count)
                    sent(position)
                    return count
                }
            }
        }
    }

    private func upload(
        _ blob: BlobUpload, session: UploadSession?, chunkSize: Int64?, cancellation: Cancellation,
        retrying: (RetryNotice) -> Void
    ) throws(ShaleError) {
        var session = session
        for attempt in 1... {
            do throws(RequestFailure) {
                var place: UploadSession
                if let session {
                    place = session
                } else {
                    place = try beginUpload(blob.repository, cancellation: cancellation)
                }
                // Only now it is known whether the registry uses http or https.
                let endpoint = try writingEndpoint(blob.repository)
                // Kept so that the next attempt can ask how much arrived; a whole upload starts anew.
                session = chunkSize == nil ? nil : place
                if let chunkSize {
                    try sendChunks(
                        blob, of: max(1, chunkSize), to: &place, kept: &session, at: endpoint,
                        cancellation: cancellation)
                }
                return try close(blob, at: place, endpoint: endpoint, cancellation: cancellation)
            } catch {
                let endpoints = try book.endpoints(for: blob.repository.domain, forWriting: true)
                let worded = worded(endpoints.map { ($0, error) }, for: .push(blob.repository))
                guard error.isTransient, attempt < configuration.retries.attempts else { throw worded }
                noteRetry(worded)
                try cancellation.pause(seconds: configuration.retries.unit * Double(attempt)) { seconds in
                    retrying(RetryNotice(seconds: max(1, seconds), attempt: attempt + 1, reason: worded))
                }
                if let place = session, let endpoint = endpoints.first {
                    let known = Logger.registry.attempt("ask how much of an upload arrived") {
                        try resumed(place, blob, at: endpoint, cancellation: cancellation)
                    }
                    session = known ?? nil
                }
            }
        }
    }

    private func writingEndpoint(_ repository: Reference) throws(RequestFailure) -> Endpoint {
        do throws(ShaleError) {
            let endpoints = try book.endpoints(for: repository.domain, forWriting: true)
            guard let endpoint = endpoints.first else {
                throw ShaleError(.unavailable, "\(repository.domain): no registry was asked")
            }
            return endpoint
        } catch {
            throw .final(error)
        }
    }

    private func beginUpload(
        _ repository: Reference, cancellation: Cancellation
    ) throws(RequestFailure) -> UploadSession {
        do throws(ShaleError) {
            guard
                case .upload(let session) = try begin(
                    repository, scopes: [repository.pushScope], cancellation: cancellation)
            else { throw ShaleError(.corrupt, "\(repository.domain): an upload was over before it began") }
            return session
        } catch {
            throw .final(error)
        }
    }

    /// Sends chunk after chunk; each answer says where the next one goes (distribution specification, "Chunked").
    private func sendChunks(
        _ blob: BlobUpload, of size: Int64, to place: inout UploadSession, kept: inout UploadSession?,
        at endpoint: Endpoint, cancellation: Cancellation
    ) throws(RequestFailure) {
        while place.offset < blob.descriptor.size {
            let end = min(place.offset + min(size, blob.descriptor.size), blob.descriptor.size)
            var call = Call(
                method: "PATCH", target: .address(place.location), scopes: [blob.repository.pushScope])
            call.headers.append("Content-Type", "application/octet-stream")
            call.headers.append("Content-Range", "\(place.offset)-\(end - 1)")
            call.body = blob.body(place.offset..<end)
            let answer = try make(call, at: endpoint, cancellation: cancellation)
            place = UploadSession(location: try Self.location(of: answer), offset: end)
            kept = place
        }
    }

    /// The closing request: what is left of the bytes, and the digest they must have.
    private func close(
        _ blob: BlobUpload, at place: UploadSession, endpoint: Endpoint, cancellation: Cancellation
    ) throws(RequestFailure) {
        let joint = place.location.description.contains("?") ? "&" : "?"
        let address: WebURL
        do throws(ShaleError) {
            address = try WebURL("\(place.location)\(joint)digest=\(blob.descriptor.digest)")
        } catch {
            throw .final(error)
        }
        var call = Call(method: "PUT", target: .address(address), scopes: [blob.repository.pushScope])
        call.headers.append("Content-Type", "application/octet-stream")
        if place.offset < blob.descriptor.size { call.body = blob.body(place.offset..<blob.descriptor.size) }
        _ = try make(call, at: endpoint, cancellation: cancellation)
    }

    /// Asks how much of an upload arrived.
    private func resumed(
        _ place: UploadSession, _ blob: BlobUpload, at endpoint: Endpoint, cancellation: Cancellation
    ) throws(RequestFailure) -> UploadSession? {
        let call = Call(target: .address(place.location), scopes: [blob.repository.pushScope])
        let answer = try make(call, at: endpoint, cancellation: cancellation)
        let last = answer.head.headers["range"]?.split(separator: "-").last.flatMap { Int64($0) }
        let offset = last.map { $0 == 0 ? 0 : $0 + 1 } ?? 0
        guard (0...blob.descriptor.size).contains(offset) else { return nil }
        return UploadSession(location: try Self.location(of: answer), offset: offset)
    }
}
