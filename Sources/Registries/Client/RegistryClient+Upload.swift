import Basics
import Diagnostics
import FoundationEssentials
import Logging
import OCI

/// One blob on its way up.
struct BlobUpload {
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

/// How far an upload is and how it is sent, over as many attempts as it takes.
private struct UploadProgress {
    /// Where it goes on; `nil` before it began, or where it must begin anew.
    var session: UploadSession? { didSet { if let session { begun = session } } }
    /// The upload that the registry has of it last, also where it does not go on.
    private(set) var begun: UploadSession?
    /// Bytes of a chunk; `nil` to send all in one request.
    var chunk: Int64?
    /// Whether the registry refused the first chunk: it is not asked for chunks again.
    var refusesChunks = false
    var attempt = 1
    /// How much the registry had when the last attempt failed.
    var mark: Int64 = 0

    /// The registry does not know of it any more.
    mutating func forget() { (session, begun) = (nil, nil) }

    /// The smallest chunks tried where a registry finds a request too large.
    private static let least: Int64 = 1 << 20
    private static let first: Int64 = 64 << 20

    /// Changes how the blob is sent after an answer that asks for it; whether it did.
    mutating func adapt(to answer: ErrorAnswer) -> Bool {
        let hasBegun = (session?.offset ?? 0) > 0
        if answer.status == 413, !refusesChunks, (chunk ?? Self.first) > Self.least {
            chunk = max(Self.least, (chunk ?? Self.first) / 4)
            session = nil
            return true
        }
        // When the first chunk gets one of these, the registry does not support chunks.
        if chunk != nil, !hasBegun, answer.method == "PATCH",
            [400, 404, 405, 411, 415, 416, 501].contains(answer.status)
        {
            chunk = nil
            session = nil
            refusesChunks = true
            return true
        }
        return false
    }
}

extension RegistryClient {
    func upload(
        _ blob: BlobUpload, session: UploadSession?, chunkSize: Int64?, cancellation: Cancellation,
        retrying: (RetryNotice) -> Void
    ) throws(ShaleError) {
        let chunk = chunkSize.map { max(1, $0) }
        var progress = UploadProgress(
            session: session, chunk: blob.descriptor.size > chunk ?? .max ? chunk : nil,
            mark: session?.offset ?? 0)
        while true {
            do throws(RequestFailure) {
                return try attempt(blob, &progress, cancellation: cancellation)
            } catch {
                if case .answer(let answer) = error, progress.adapt(to: answer) { continue }
                do throws(ShaleError) {
                    try prepareNext(blob, &progress, after: error, cancellation: cancellation, retrying: retrying)
                } catch {
                    // A registry that cannot be reached collects it by itself.
                    if ![.unavailable, .timeout].contains(error.code) { abandon(progress.begun, blob) }
                    throw error
                }
            }
        }
    }

    /// Seconds that tidying up at a registry may take.
    private static let patience = 2.0

    /// Tells the registry that an upload is not gone on with (distribution specification, "Cancelling an upload").
    private func abandon(_ place: UploadSession?, _ blob: BlobUpload) {
        guard let place else { return }
        let call = Call(method: "DELETE", target: .address(place.location), scopes: [blob.repository.pushScope])
        Logger.registry.attempt("cancel an upload") { () throws(RequestFailure) in
            let endpoint = try writingEndpoint(blob.repository)
            _ = try make(call, at: endpoint, cancellation: Cancellation(afterSeconds: Self.patience))
        }
    }

    private func attempt(
        _ blob: BlobUpload, _ progress: inout UploadProgress, cancellation: Cancellation
    ) throws(RequestFailure) {
        var place: UploadSession
        if let session = progress.session {
            place = session
        } else {
            place = try beginUpload(blob.repository, cancellation: cancellation)
            // One that began anew left another behind.
            abandon(progress.begun, blob)
        }
        // Only now it is known whether the registry uses http or https.
        let endpoint = try writingEndpoint(blob.repository)
        // Kept so that the next attempt can ask how much arrived; a whole upload starts anew.
        progress.session = place
        if progress.chunk == nil { progress.session = nil }
        if let chunk = progress.chunk {
            try sendChunks(
                blob, of: max(chunk, place.smallestChunk ?? 0), to: &place, kept: &progress.session, at: endpoint,
                cancellation: cancellation)
        }
        try close(blob, at: place, endpoint: endpoint, cancellation: cancellation)
    }

    /// Waits, and asks how many bytes arrived; throws the failure when another attempt cannot help.
    private func prepareNext(
        _ blob: BlobUpload, _ progress: inout UploadProgress, after failure: RequestFailure,
        cancellation: Cancellation, retrying: (RetryNotice) -> Void
    ) throws(ShaleError) {
        let endpoints = try book.endpoints(for: blob.repository.domain, forWriting: true)
        let worded = worded(endpoints.map { ($0, failure) }, for: .push(blob.repository))
        let state = Self.state(after: failure)
        // An attempt that sent 1 MiB or more starts the count again, so that a large blob may fail often.
        let offset = progress.session?.offset ?? 0
        progress.attempt = offset - progress.mark >= 1 << 20 ? 2 : progress.attempt + 1
        progress.mark = offset
        guard failure.isTransient || state != .sound, progress.attempt <= configuration.retries.attempts else {
            throw worded
        }
        noteRetry(worded)
        let next = progress.attempt
        try cancellation.pause(seconds: configuration.retries.unit * Double(next - 1)) { seconds in
            retrying(RetryNotice(seconds: max(1, seconds), attempt: next, reason: worded))
        }
        guard let place = progress.session, let endpoint = endpoints.first else { return }
        guard state != .forgotten else {
            progress.forget()
            return
        }
        do throws(RequestFailure) {
            progress.session = try resumed(place, blob, at: endpoint, cancellation: cancellation)
        } catch {
            Logger.registry.swallowed("ask how much of an upload arrived", error)
            // A server that cannot be reached may still have the upload.
            if case .answer = error { progress.session = nil }
        }
    }

    /// What a failure says of the upload at the registry.
    private enum UploadState {
        case sound
        /// The registry does not know it any more.
        case forgotten
        /// The registry has another number of bytes than was thought.
        case outOfStep
    }

    private static func state(after failure: RequestFailure) -> UploadState {
        guard case .answer(let answer) = failure else { return .sound }
        if answer.has("BLOB_UPLOAD_UNKNOWN") || (answer.status == 404 && answer.method != "POST") { return .forgotten }
        return answer.status == 416 ? .outOfStep : .sound
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
        let endpoint = try writingEndpoint(repository)
        let outcome = try begin(
            repository, scopes: [repository.pushScope], at: endpoint, cancellation: cancellation)
        guard case .upload(let session) = outcome else {
            throw .final(ShaleError(.corrupt, "\(repository.domain): an upload was over before it began"))
        }
        return session
    }

    /// Sends chunk after chunk; each answer says where the next one goes (distribution specification, "Chunked").
    private func sendChunks(
        _ blob: BlobUpload, of size: Int64, to place: inout UploadSession, kept: inout UploadSession?,
        at endpoint: Endpoint, cancellation: Cancellation
    ) throws(RequestFailure) {
        while place.offset < blob.descriptor.size {
            let end = place.offset + min(size, blob.descriptor.size - place.offset)
            var call = Call(
                method: "PATCH", target: .address(place.location), scopes: [blob.repository.pushScope])
            call.headers.append("Content-Type", "application/octet-stream")
            call.headers.append("Content-Range", "\(place.offset)-\(end - 1)")
            call.body = blob.body(place.offset..<end)
            let answer = try make(call, at: endpoint, cancellation: cancellation)
            // A registry may have taken less than it was sent.
            let taken = Self.taken(answer).map { $0 > place.offset && $0 < end ? $0 : end } ?? end
            place.location = try Self.location(of: answer)
            place.offset = taken
            kept = place
        }
    }

    /// How many bytes an upload has, by an answer's `Range: 0-LAST`.
    private static func taken(_ answer: HTTPAnswer) -> Int64? {
        guard let last = answer.head.headers["range"]?.split(separator: "-").last.flatMap({ Int64($0) }), last >= 0,
            last < .max
        else { return nil }
        // For an upload of zero bytes, registries send the same range as for one of one byte.
        return last == 0 ? 0 : last + 1
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
        let offset = Self.taken(answer) ?? 0
        guard (0...blob.descriptor.size).contains(offset) else { return nil }
        return UploadSession(
            location: try Self.location(of: answer), offset: offset, smallestChunk: place.smallestChunk)
    }
}
