package import Basics
package import OCI

/// A file fetched by its address.
package struct FetchedFile: Sendable {
    package var digest: Digest
    package var size: Int64
    /// What the server says of its age, as it says it.
    package var lastModified: String?
}

extension RegistryClient {
    /// Fetches a file by its http or https address, for `ADD` and for a build's context; redirects are followed, no credentials are sent.
    ///
    /// `subject` begins the messages of errors, such as `ADD failed: `; it may be empty.
    ///
    /// Throws in docker's words when the server does not have it or cannot be reached.
    package func file(
        at address: String, subject: String, cancellation: Cancellation,
        body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) -> FetchedFile {
        var url = try WebURL(address)
        if !configuration.mayAsk(isLoopback: url.isLoopback) {
            throw ShaleError(.unavailable, "\(subject)offline: \(address.visible) would have been fetched")
        }
        for _ in 0...10 {
            var hasher = DigestHasher()
            let answer = try send(to: url, named: address, subject, cancellation) {
                (bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                hasher.update(bytes)
                try body(bytes)
            }
            let redirects = [301, 302, 303, 307, 308]
            if redirects.contains(answer.head.status), let location = answer.head.headers["location"] {
                url = try url.resolving(location)
                continue
            }
            guard answer.head.isSuccess else {
                throw ShaleError(
                    .notFound, "\(subject)failed to GET \(address.visible) with status \(answer.head.status)")
            }
            return FetchedFile(
                digest: hasher.digest(), size: hasher.count, lastModified: answer.head.headers["last-modified"])
        }
        throw ShaleError(.unavailable, "\(subject)\(address.visible): more than 10 redirects")
    }

    private func send(
        to url: WebURL, named address: String, _ subject: String, _ cancellation: Cancellation,
        body: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) -> HTTPAnswer {
        do throws(RequestFailure) {
            return try withoutActuallyEscaping(body) { (body) throws(RequestFailure) in
                try transport.send(HTTPRequest(url: url), cancellation: cancellation) {
                    (head: HTTPHead, bytes: UnsafeRawBufferPointer) throws(ShaleError) in
                    if head.isSuccess { try body(bytes) }
                    return .more
                }
            }
        } catch {
            switch error {
            case .final(let error): throw error
            case .transport(let failure):
                throw ShaleError(.unavailable, "\(subject)\(address.visible)", cause: failure.words)
            case .answer(let answer):
                throw ShaleError(.notFound, "\(subject)failed to GET \(address.visible) with status \(answer.status)")
            }
        }
    }
}
