import Basics
import Synchronization

/// One server that answers for a registry: the registry itself, or a mirror of it.
struct Endpoint: Sendable, Hashable {
    /// The registry's domain as references name it.
    let domain: String
    /// The address below which `/v2/` stands, without a slash at its end.
    let base: WebURL
    let basePath: String
    let isMirror: Bool
    /// The name under which its credentials are stored.
    let credentialKey: String
    let verifiesPeer: Bool

    init(domain: String, address: String, isMirror: Bool, verifiesPeer: Bool) throws(ShaleError) {
        self.domain = domain
        base = try WebURL(address)
        basePath = address
        self.isMirror = isMirror
        credentialKey = isMirror ? base.authority : domain
        self.verifiesPeer = verifiesPeer
    }

    func url(_ path: String) throws(ShaleError) -> WebURL { try WebURL(basePath + path) }
}

/// Which servers answer for a domain, and whether they use http or https.
final class EndpointResolver: Sendable {
    private let configuration: RegistryConfiguration
    private let schemes = Mutex<[String: String]>([:])

    init(_ configuration: RegistryConfiguration) {
        self.configuration = configuration
    }

    /// The mirror, where there is one, then the registry; throws `unavailable` when offline leaves none.
    func endpoints(for domain: String, forWriting: Bool = false) throws(ShaleError) -> [Endpoint] {
        var endpoints: [Endpoint] = []
        if !forWriting, let mirror = configuration.mirrors[domain] {
            let address = try RegistryConfiguration.mirrorAddress(mirror)
            let host = try WebURL(address).authority
            endpoints.append(
                try Endpoint(
                    domain: domain, address: address, isMirror: true,
                    verifiesPeer: !configuration.insecure.contains(host)))
        }
        endpoints.append(try origin(domain))
        guard configuration.offline else { return endpoints }
        let allowed = endpoints.filter { configuration.mayAsk(isLoopback: $0.base.isLoopback) }
        guard !allowed.isEmpty else {
            throw ShaleError(
                .unavailable, "offline", cause: "\(endpoints[0].base.origin) is not asked",
                hint: "leave --offline out; set offline off where it is set")
        }
        return allowed
    }

    /// The registry's own server.
    private func origin(_ domain: String) throws(ShaleError) -> Endpoint {
        let host = domain == "docker.io" ? "registry-1.docker.io" : domain
        let isInsecure = configuration.insecure.contains(domain)
        let scheme = schemes.withLock { $0[host] } ?? firstScheme(host)
        return try Endpoint(
            domain: domain, address: "\(scheme)://\(host)", isMirror: false, verifiesPeer: !isInsecure)
    }

    /// The same server over the other scheme, where one may be tried; remembered from then on.
    func other(than endpoint: Endpoint, after failure: RequestFailure) throws(ShaleError) -> Endpoint? {
        guard !endpoint.isMirror else { return nil }
        let host = endpoint.domain == "docker.io" ? "registry-1.docker.io" : endpoint.domain
        let scheme: String
        switch failure {
        case .transport(let failure) where !endpoint.base.isPlain && configuration.insecure.contains(endpoint.domain):
            guard [.tls, .refused, .cutOff].contains(failure.kind) else { return nil }
            scheme = "http"
        case .answer(let answer) where endpoint.base.isPlain && answer.wantsTLS:
            scheme = "https"
        default: return nil
        }
        // Each scheme is tried once; the first result is kept.
        let isNew = schemes.withLock { $0.updateValue(scheme, forKey: host) == nil }
        return isNew ? try origin(endpoint.domain) : nil
    }

    /// Whether an address may be asked on behalf of an endpoint.
    ///
    /// Plain http is allowed for hosts that are configured so, and for an endpoint that is itself reached by plain
    /// http, on its own host or this machine.
    func allows(_ url: WebURL, from endpoint: Endpoint) -> Bool {
        guard url.isPlain, !isInsecure(url) else { return true }
        return endpoint.base.isPlain && (url.host == endpoint.base.host || url.isLoopback)
    }

    func isInsecure(_ url: WebURL) -> Bool {
        configuration.insecure.contains(url.authority) || configuration.insecure.contains("\(url.host):\(url.port)")
    }

    private func firstScheme(_ host: String) -> String {
        let name =
            host.hasPrefix("[")
            ? String(host.prefix { $0 != "]" }) + "]" : String(host.prefix { $0 != ":" })
        return WebURL.isLoopback(name) ? "http" : "https"
    }
}
