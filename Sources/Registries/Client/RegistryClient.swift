import Basics
import Diagnostics
import FoundationEssentials
import Logging
import OCI
import Synchronization

/// Talks to registries by the OCI distribution specification (v1.1) and docker's registry API v2.
///
/// Every function may be called from any thread; connections, tokens and what was learnt about servers are shared.
package final class RegistryClient: Sendable {
    package let configuration: RegistryConfiguration
    let transport: Transport
    let book: EndpointResolver
    let authenticator: Authenticator
    private let limits = Mutex<[String: RateLimit]>([:])
    private let certificates = Mutex<[String: HostCertificates]>([:])
    private static let mostRedirects = 10

    package init(_ given: RegistryConfiguration) {
        var configuration = given
        configuration.mirrors = [:]
        for (domain, address) in given.mirrors {
            configuration.mirrors[RegistryConfiguration.domain(domain)] = address
        }
        self.configuration = configuration
        var timeouts = Transport.Timeouts()
        timeouts.connect = configuration.connectTimeout
        timeouts.stall = configuration.stallTimeout
        transport = Transport(timeouts: timeouts, userAgent: "shale/\(configuration.version)")
        book = EndpointResolver(configuration)
        authenticator = Authenticator(configuration.credentials, warn: configuration.warn)
    }

    /// What a registry, or the mirror that stands in for it, last said about how many pulls are left.
    ///
    /// `nil` where neither ever did.
    package func rateLimit(of domain: String) -> RateLimit? { limits.withLock { $0[domain] } }

    /// One request of the API, before it is known which server answers it.
    struct Call {
        enum Target {
            /// Below the endpoint's address, from `/v2/` on.
            case path(String)
            /// Where the server itself sent us: the next page, an upload's place.
            case address(WebURL)
        }
        var method = "GET"
        var target: Target
        /// What a token must allow: `repository:library/ubuntu:pull`.
        var scopes: [String] = []
        var headers = HTTPHeaders()
        var body = HTTPBody.none
        var limit = OCIDocument.largest
    }

    /// Makes a call at one endpoint: authorises, follows redirects, tries the other scheme where that is allowed.
    ///
    /// Throws for every answer that is no success.
    func make(
        _ call: Call, at endpoint: Endpoint, cancellation: Cancellation, sink: BodySink? = nil
    ) throws(RequestFailure) -> HTTPAnswer {
        do throws(RequestFailure) {
            return try authorised(call, at: endpoint, cancellation: cancellation, sink: sink)
        } catch {
            let other: Endpoint?
            do throws(ShaleError) {
                other = try book.other(than: endpoint, after: error)
            } catch {
                throw .final(error)
            }
            guard let other else { throw error }
            return try authorised(call, at: other, cancellation: cancellation, sink: sink)
        }
    }

    private func authorised(
        _ call: Call, at endpoint: Endpoint, cancellation: Cancellation, sink: BodySink?
    ) throws(RequestFailure) -> HTTPAnswer {
        let known = authenticator.knownHeader(for: endpoint, scopes: call.scopes)
        var answer = try followed(call, at: endpoint, authorization: known, cancellation: cancellation, sink: sink)
        // A challenge from another host, after a redirect or at an upload's address, gets no answer with this
        // registry's credentials.
        if answer.head.status == 401, answer.url.origin == endpoint.base.origin {
            if let known { authenticator.forget(known) }
            let challenges = answer.head.headers.all("www-authenticate").flatMap(Challenge.parse)
            let header = try authenticator.header(
                answering: challenges, for: endpoint, scopes: call.scopes,
                fetch: { (request: HTTPRequest) throws(RequestFailure) in
                    try self.fetchToken(request, for: endpoint, cancellation: cancellation)
                })
            if let header, header != known || header.hasPrefix("Bearer ") {
                answer = try followed(
                    call, at: endpoint, authorization: header, cancellation: cancellation, sink: sink)
            }
        }
        noteRateLimit(answer.head.headers, of: endpoint)
        guard answer.head.isSuccess else { throw .answer(ErrorAnswer(answer, method: call.method)) }
        return answer
    }

    private func fetchToken(
        _ request: HTTPRequest, for endpoint: Endpoint, cancellation: Cancellation
    ) throws(RequestFailure) -> HTTPAnswer {
        let authorization = request.headers["authorization"]
        var bare = request
        bare.headers.remove("authorization")
        let answer = try follow(
            bare, from: endpoint, authorization: authorization, cancellation: cancellation, sink: nil)
        guard answer.head.isSuccess else { throw .answer(ErrorAnswer(answer, method: request.method)) }
        Logger.registry.info(
            "token", metadata: ["from": "\(request.url.loggable)", "for": "\(endpoint.base.origin)"])
        return answer
    }

    private func followed(
        _ call: Call, at endpoint: Endpoint, authorization: String?, cancellation: Cancellation, sink: BodySink?
    ) throws(RequestFailure) -> HTTPAnswer {
        var url: WebURL
        do throws(ShaleError) {
            switch call.target {
            case .path(let path): url = try endpoint.url(path)
            case .address(let address): url = address
            }
        } catch {
            throw .final(error)
        }
        var request = HTTPRequest(method: call.method, url: url)
        request.headers = call.headers
        request.body = call.body
        request.limit = call.limit
        // An address on another host gets no credentials of this one.
        let isOwn = url.origin == endpoint.base.origin
        return try follow(
            request, from: endpoint, authorization: isOwn ? authorization : nil, cancellation: cancellation,
            sink: sink)
    }

    /// Sends a request and follows its redirects; `authorization` stays with the origin it was given for.
    private func follow(
        _ request: HTTPRequest, from endpoint: Endpoint, authorization: String?, cancellation: Cancellation,
        sink: BodySink?
    ) throws(RequestFailure) -> HTTPAnswer {
        let origin = request.url.origin
        var request = request
        for _ in 0...Self.mostRedirects {
            guard book.allows(request.url, from: endpoint) else {
                throw .final(
                    ShaleError(
                        .denied, "\(endpoint.base.origin) points to \(request.url.origin), which is plain http",
                        hint: "if you trust it: set registry.insecure \(request.url.authority)"))
            }
            var attempt = request
            if let authorization, request.url.origin == origin {
                attempt.headers.append("Authorization", authorization)
            }
            attempt.verifiesPeer = endpoint.verifiesPeer && !book.isInsecure(request.url)
            attempt.certificates = try certificates(for: request.url)
            let answer = try transport.send(attempt, cancellation: cancellation, sink: sink)
            guard [301, 302, 303, 307, 308].contains(answer.head.status), ["GET", "HEAD"].contains(request.method),
                let location = answer.head.headers["location"]
            else { return answer }
            do throws(ShaleError) {
                let from = request.url
                request.url = try from.resolving(location)
                Logger.registry.info(
                    "redirect", metadata: ["from": "\(from.loggable)", "to": "\(request.url.loggable)"])
            } catch {
                throw .final(error)
            }
        }
        throw .transport(TransportFailure(.malformed, url: request.url, detail: "more than 10 redirects"))
    }

    /// What a host's own folder of certificates holds, read once.
    private func certificates(for url: WebURL) throws(RequestFailure) -> HostCertificates? {
        guard !url.isPlain else { return nil }
        if let known = certificates.withLock({ $0[url.authority] }) { return known }
        do throws(ShaleError) {
            let found = try HostCertificates(of: url, in: configuration.certificateFolders)
            certificates.withLock { $0[url.authority] = found }
            return found
        } catch {
            throw .final(error)
        }
    }

    private func noteRateLimit(_ headers: HTTPHeaders, of endpoint: Endpoint) {
        guard var limit = RateLimit(headers) else { return }
        limit.mirror = endpoint.isMirror ? endpoint.base.authority : nil
        limits.withLock { $0[endpoint.domain] = limit }
    }
}

/// How many pulls a registry still allows (Docker Hub's `ratelimit-…` fields).
package struct RateLimit: Sendable, Equatable {
    package var limit: Int
    package var remaining: Int
    /// Seconds over which pulls are counted.
    package var window: Int?
    /// What they are counted by, usually an address.
    package var source: String?
    /// The mirror that said so, where it was not the registry itself.
    package var mirror: String?

    init?(_ headers: HTTPHeaders) {
        let read = { (name: String) -> (Int, Int?)? in
            guard let parts = headers[name]?.split(separator: ";"), let first = parts.first,
                let count = Int(first.trimmingBlanks)
            else { return nil }
            let window = parts.dropFirst().map(\.trimmingBlanks).first { $0.hasPrefix("w=") }
            return (count, window.flatMap { Int($0.dropFirst(2)) })
        }
        guard let limit = read("ratelimit-limit"), let remaining = read("ratelimit-remaining") else { return nil }
        self.limit = limit.0
        self.remaining = remaining.0
        window = limit.1
        source = headers["docker-ratelimit-source"]?.visible
    }
}
