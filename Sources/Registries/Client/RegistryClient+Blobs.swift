package import Basics
package import FoundationEssentials
package import OCI

extension RegistryClient {
    /// Streams a blob's bytes from `offset` on, each once and in order, also when transfers fail in between.
    ///
    /// A transfer that fails is repeated after a wait that grows, and continues where it stopped: by `Range`, or by
    /// skipping the bytes that are known when the server does not support ranges. The number of bytes is checked, and
    /// `body` never gets more than the descriptor's size. The caller checks the digest, since it sees all bytes. `body`
    /// gets up to 16 KiB at a time; the bytes are valid only during the call. `retrying` is called once a second while
    /// waiting.
    ///
    /// Throws `invalid` when `offset` is outside of the blob, `corrupt` when the number of bytes is wrong, `cancelled`,
    /// what `body` throws, and what the requests throw when no attempt brings new bytes.
    package func blob(
        _ descriptor: Descriptor, in repository: Reference, offset: Int64 = 0,
        cancellation: Cancellation = Cancellation(), retrying: (RetryNotice) -> Void = { _ in },
        body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        guard descriptor.size >= 0, (0...descriptor.size).contains(offset) else {
            throw ShaleError(.invalid, "blob \(descriptor.digest): no byte \(offset) in \(descriptor.size)")
        }
        try withoutActuallyEscaping(body) { (body) throws(ShaleError) in
            let reception = BlobReception(descriptor, offset: offset, body: body)
            try self.receive(
                reception, in: repository, cancellation: cancellation, retrying: retrying)
        }
    }

    /// A part of a blob, requested by `Range`; when the server does not support ranges, the blob is read up to the
    /// part's end.
    ///
    /// No digest covers a part, so the caller must check the bytes in another way. Throws `invalid` when the range is
    /// outside of the blob, and what the download throws.
    package func part(
        _ range: Range<Int64>, of descriptor: Descriptor, in repository: Reference,
        cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= descriptor.size else {
            throw ShaleError(.invalid, "blob \(descriptor.digest): no bytes \(range) in \(descriptor.size)")
        }
        let part = ReceivedPart()
        let reception = BlobReception(descriptor, offset: range.lowerBound, end: range.upperBound) { chunk in
            part.bytes.append(contentsOf: chunk)
        }
        try receive(reception, in: repository, cancellation: cancellation, retrying: { _ in })
        return part.bytes
    }

    /// A small blob (a config) whole, its size and digest checked.
    ///
    /// Throws `invalid` when the blob has more than `limit` bytes, `unsupported` for a digest that is not sha256,
    /// `corrupt` when what came has another digest, and what the download throws.
    package func blobData(
        _ descriptor: Descriptor, in repository: Reference, limit: Int = OCIDocument.largest,
        cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> Data {
        guard descriptor.size <= limit else {
            throw ShaleError(.invalid, "blob \(descriptor.digest): larger than \(limit) bytes")
        }
        var data = Data()
        try blob(descriptor, in: repository, cancellation: cancellation) { (bytes) throws(ShaleError) in
            data.append(contentsOf: bytes)
        }
        guard descriptor.digest.algorithm == "sha256" else {
            throw ShaleError(
                .unsupported, "blob \(descriptor.digest)", cause: "digests other than sha256 are not checked here")
        }
        let actual = Digest.of(data)
        guard actual == descriptor.digest else {
            throw ShaleError(.corrupt, "blob \(descriptor.digest): what came has the digest \(actual)")
        }
        return data
    }

    private func receive(
        _ reception: BlobReception, in repository: Reference, cancellation: Cancellation,
        retrying: (RetryNotice) -> Void
    ) throws(ShaleError) {
        let purpose = Purpose.blob(reception.descriptor.digest, repository)
        var attempt = 1
        var mark = reception.received
        while !reception.isComplete {
            let failures = try round(reception, in: repository, cancellation: cancellation)
            if reception.isComplete { return }
            let error = worded(failures, for: purpose)
            guard failures.contains(where: \.failure.isTransient) else { throw error }
            // An attempt that brought 1 MiB or more starts the count again, so that a large blob may fail often.
            attempt = reception.received - mark >= 1 << 20 ? 2 : attempt + 1
            mark = reception.received
            guard attempt <= configuration.retries.attempts else { throw error }
            noteRetry(error)
            let wait = configuration.retries.unit * Double(attempt - 1)
            try cancellation.pause(seconds: wait) { seconds in
                retrying(RetryNotice(seconds: max(1, seconds), attempt: attempt, reason: error))
            }
        }
    }

    /// Asks each server once for what is missing.
    private func round(
        _ reception: BlobReception, in repository: Reference, cancellation: Cancellation
    ) throws(ShaleError) -> [(endpoint: Endpoint, failure: RequestFailure)] {
        var failures: [(endpoint: Endpoint, failure: RequestFailure)] = []
        for endpoint in try servers(of: repository.domain, for: .blob(reception.descriptor.digest, repository)) {
            do throws(RequestFailure) {
                try part(reception, in: repository, at: endpoint, cancellation: cancellation)
                return []
            } catch {
                if case .final(let error) = error { throw error }
                failures.append((endpoint, error))
            }
            try cancellation.check()
        }
        return failures
    }

    private func part(
        _ reception: BlobReception, in repository: Reference, at endpoint: Endpoint, cancellation: Cancellation
    ) throws(RequestFailure) {
        let path = "/v2/\(repository.path)/blobs/\(reception.descriptor.digest)"
        var call = Call(target: .path(path), scopes: [repository.pullScope])
        if reception.received > 0 || reception.end < reception.descriptor.size, reception.usesRange {
            let last = reception.end < reception.descriptor.size ? String(reception.end - 1) : ""
            call.headers.append("Range", "bytes=\(reception.received)-\(last)")
        }
        reception.beginAnswer()
        let answer: HTTPAnswer
        do throws(RequestFailure) {
            answer = try make(call, at: endpoint, cancellation: cancellation) {
                (head: HTTPHead, bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                try reception.take(bytes, head: head)
            }
        } catch {
            // All is there, however the transfer ended.
            if reception.isComplete { return }
            guard case .answer(let refused) = error, refused.status == 416, reception.usesRange else { throw error }
            reception.usesRange = false
            return try part(reception, in: repository, at: endpoint, cancellation: cancellation)
        }
        guard !reception.isComplete else { return }
        if let error = reception.shortfall(of: answer.head) { throw .final(error) }
        throw .transport(TransportFailure(.cutOff, url: answer.url, detail: "the answer ended early"))
    }
}

/// The bytes of a part: a reference, because an escaping closure appends to them.
private final class ReceivedPart {
    var bytes: [UInt8] = []
}

/// The bytes of one blob that have been received, over as many answers as are needed.
private final class BlobReception {
    let descriptor: Descriptor
    /// Where the part that is wanted ends.
    let end: Int64
    private(set) var received: Int64
    /// False after a server has refused a range that is inside the blob.
    var usesRange = true
    private let body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    /// Where the next byte of this answer stands in the blob; `nil` before its first.
    private var position: Int64?

    init(
        _ descriptor: Descriptor, offset: Int64, end: Int64? = nil,
        body: @escaping (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) {
        self.descriptor = descriptor
        self.end = end ?? descriptor.size
        received = offset
        self.body = body
    }

    var isComplete: Bool { received == end }

    func beginAnswer() { position = nil }

    /// Takes bytes of an answer: known ones are skipped, more than the descriptor promises are refused.
    func take(_ bytes: UnsafeRawBufferPointer, head: HTTPHead) throws(ShaleError) -> BodyDemand {
        var start: Int64
        if let position { start = position } else { start = try Self.start(of: head, for: descriptor, at: received) }
        var rest = bytes[...]
        if start < received {
            let known = min(received - start, Int64(rest.count))
            rest = rest.dropFirst(Int(known))
            start += known
        }
        guard Int64(rest.count) <= descriptor.size - start else {
            throw ShaleError(
                .corrupt, "blob \(descriptor.digest): the registry sends more than its \(descriptor.size) bytes")
        }
        position = start + Int64(rest.count)
        let wanted = rest.prefix(Int(max(0, min(Int64(rest.count), end - start))))
        if !wanted.isEmpty {
            try body(UnsafeRawBufferPointer(rebasing: wanted))
            received = start + Int64(wanted.count)
        }
        // A server without ranges sends more than was asked for.
        return wanted.count < rest.count ? .enough : .more
    }

    /// The offset of an answer's first byte; throws `corrupt` when its lengths contradict the descriptor.
    private static func start(
        of head: HTTPHead, for descriptor: Descriptor, at received: Int64
    ) throws(ShaleError) -> Int64 {
        guard head.status == 206 else {
            try check(head.contentLength, descriptor)
            return 0
        }
        guard let range = head.headers["content-range"].flatMap(ContentRange.init) else {
            throw ShaleError(.corrupt, "blob \(descriptor.digest): an answer in part that does not say which")
        }
        try check(range.total, descriptor)
        guard range.first <= received else {
            throw ShaleError(.corrupt, "blob \(descriptor.digest): the registry leaves bytes out of its answer")
        }
        return range.first
    }

    private static func check(_ size: Int64?, _ descriptor: Descriptor) throws(ShaleError) {
        guard let size, size != descriptor.size else { return }
        throw ShaleError(
            .corrupt,
            "blob \(descriptor.digest): the registry offers \(size) bytes, its descriptor says \(descriptor.size)")
    }

    /// The error for an answer that is complete by its own length, but shorter than the descriptor says.
    func shortfall(of head: HTTPHead) -> ShaleError? {
        if position == nil, head.contentLength == 0 || head.contentLength == nil, descriptor.size > 0 {
            return ShaleError(
                .corrupt,
                "blob \(descriptor.digest): the registry sends nothing, its descriptor says "
                    + "\(descriptor.size) bytes")
        }
        return nil
    }
}

/// A `Content-Range` field (RFC 9110, section 14.4).
struct ContentRange: Equatable {
    var first: Int64
    var last: Int64
    var total: Int64?

    init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let halves = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0, last >= first
        else { return nil }
        let total = Int64(halves[1])
        guard halves[1] == "*" || (total ?? -1) > last else { return nil }
        self.first = first
        self.last = last
        self.total = total
    }
}
