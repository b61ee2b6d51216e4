import Basics
import FoundationEssentials
import Synchronization

/// Answers challenges: basic credentials, or a bearer token from the server the challenge names
/// (distribution's "Token Authentication Specification").
final class Authenticator: Sendable {
    private struct TokenKey: Hashable {
        var realm: String
        var service: String
        var scopes: [String]
        var user: String
    }

    private struct LookupKey: Hashable {
        var registry: String
        /// `nil` means the registry as a whole.
        var repository: String?
    }

    private struct Token {
        var header: String
        /// Monotonic nanoseconds.
        var expiry: UInt64
    }

    private struct State {
        /// The challenges that an origin sent last.
        var challenges: [String: Challenge] = [:]
        var tokens: [TokenKey: Token] = [:]
        /// Looked up once per endpoint and repository: a helper program may be slow.
        var lookups: [LookupKey: CredentialLookup] = [:]
        /// Problems that were reported already.
        var told: Set<String> = []
    }

    /// What a token server answers.
    private struct Grant: Decodable {
        var token: String?
        var accessToken: String?
        var expiresIn: Double?

        enum CodingKeys: String, CodingKey {
            case token
            case accessToken = "access_token"
            case expiresIn = "expires_in"
        }
    }

    private let store: CredentialStore
    private let warn: @Sendable (String) -> Void
    private let state = Mutex(State())

    init(_ store: CredentialStore, warn: @escaping @Sendable (String) -> Void) {
        self.store = store
        self.warn = warn
    }

    /// The `Authorization` header that an endpoint is known to need for these scopes; `nil` when it would take a
    /// request to get it.
    func knownHeader(for endpoint: Endpoint, scopes: [String]) -> String? {
        guard let challenge = state.withLock({ $0.challenges[endpoint.base.origin] }) else { return nil }
        let credentials = lookup(endpoint, Self.repository(of: scopes)).credentials
        if challenge.scheme == "basic" { return credentials.map(Self.basic) }
        let key = tokenKey(challenge, scopes: scopes, credentials: credentials)
        return state.withLock { state in
            guard let token = state.tokens[key], token.expiry > Exchange.now() else { return nil }
            return token.header
        }
    }

    /// A header that answers a 401's challenges; `nil` where nothing can.
    ///
    /// `fetch` asks a token server (and checks that it may be asked).
    func header(
        answering challenges: [Challenge], for endpoint: Endpoint, scopes: [String],
        fetch: (HTTPRequest) throws(RequestFailure) -> HTTPAnswer
    ) throws(RequestFailure) -> String? {
        let lookup = lookup(endpoint, Self.repository(of: scopes))
        if let challenge = challenges.first(where: { $0.scheme == "bearer" && $0.parameters["realm"] != nil }) {
            state.withLock { $0.challenges[endpoint.base.origin] = challenge }
            return try token(challenge, endpoint: endpoint, scopes: scopes, lookup: lookup, fetch: fetch)
        }
        guard let challenge = challenges.first(where: { $0.scheme == "basic" }) else { return nil }
        state.withLock { $0.challenges[endpoint.base.origin] = challenge }
        return lookup.credentials.flatMap { $0.isIdentityToken ? nil : Self.basic($0) }
    }

    /// Removes the token that an endpoint has just refused.
    func forget(_ header: String) {
        state.withLock { state in state.tokens = state.tokens.filter { $0.value.header != header } }
    }

    /// Forgets all tokens and credentials, because the files changed.
    func forgetAll() {
        state.withLock { state in
            state.tokens.removeAll()
            state.lookups.removeAll()
        }
    }

    /// Why credentials that should be there could not be read; `nil` where others were found.
    func problem(for endpoint: Endpoint, repository: String?) -> ShaleError? {
        let key = LookupKey(registry: endpoint.credentialKey, repository: repository)
        guard let found = state.withLock({ $0.lookups[key] }), found.credentials == nil else { return nil }
        return found.problem
    }

    func hasCredentials(for endpoint: Endpoint, repository: String?) -> Bool {
        lookup(endpoint, repository).credentials != nil
    }

    private func lookup(_ endpoint: Endpoint, _ repository: String?) -> CredentialLookup {
        let key = LookupKey(registry: endpoint.credentialKey, repository: repository)
        if let known = state.withLock({ $0.lookups[key] }) { return known }
        let found = store.lookup(key.registry, repository: repository)
        state.withLock { $0.lookups[key] = found }
        for problem in found.problems { tell(problem) }
        return found
    }

    /// Reports once that a file or helper for credentials is skipped.
    func tell(_ problem: ShaleError) {
        let text = "\(problem): passed over"
        if state.withLock({ $0.told.insert(text).inserted }) { warn(text) }
    }

    /// The repository that scopes are about: `team/app` of `repository:team/app:pull`.
    private static func repository(of scopes: [String]) -> String? {
        for scope in scopes where scope.hasPrefix("repository:") {
            let name = scope.dropFirst("repository:".count)
            return String(name.lastIndex(of: ":").map { name[..<$0] } ?? name)
        }
        return nil
    }

    private func token(
        _ challenge: Challenge, endpoint: Endpoint, scopes: [String], lookup: CredentialLookup,
        fetch: (HTTPRequest) throws(RequestFailure) -> HTTPAnswer
    ) throws(RequestFailure) -> String? {
        let key = tokenKey(challenge, scopes: scopes, credentials: lookup.credentials)
        let request: HTTPRequest
        do throws(ShaleError) {
            let demanded = challenge.parameters["scope"]?.split(separator: " ").map(String.init) ?? []
            let extra = demanded.filter { !scopes.contains($0) }.prefix(8)
            request = try Self.tokenRequest(
                key, scopes: key.scopes + extra, base: endpoint.base, credentials: lookup.credentials)
        } catch {
            throw .final(error)
        }
        let answer = try fetch(request)
        guard let grant = try? JSONDecoder().decode(Grant.self, from: answer.body),
            let token = [grant.token, grant.accessToken].compactMap({ $0 }).first(where: { !$0.isEmpty }),
            token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else {
            throw .transport(
                TransportFailure(.malformed, url: request.url, detail: "the token server sent no token"))
        }
        // The specification's minimum is 60 seconds; a token is renewed a little before it expires.
        let lifetime = min(max(grant.expiresIn ?? 60, 60), 86_400) - 10
        let header = "Bearer \(token)"
        let expiry = Exchange.now() &+ UInt64(lifetime * 1e9)
        state.withLock { state in
            if state.tokens.count > 256 { state.tokens.removeAll() }
            state.tokens[key] = Token(header: header, expiry: expiry)
        }
        return header
    }

    private func tokenKey(_ challenge: Challenge, scopes: [String], credentials: Credentials?) -> TokenKey {
        TokenKey(
            realm: challenge.parameters["realm"] ?? "", service: challenge.parameters["service"] ?? "",
            scopes: scopes.sorted(), user: credentials?.username ?? "")
    }

    private static func tokenRequest(
        _ key: TokenKey, scopes: [String], base: WebURL, credentials: Credentials?
    ) throws(ShaleError) -> HTTPRequest {
        let realm = try base.resolving(key.realm)
        var query = key.service.isEmpty ? [] : ["service=\(WebURL.escape(key.service))"]
        let scopes = scopes.map { WebURL.escape($0, keeping: ":/,") }
        if let credentials, credentials.isIdentityToken {
            var request = HTTPRequest(method: "POST", url: realm)
            query += [
                "grant_type=refresh_token", "client_id=shale",
                "refresh_token=\(WebURL.escape(credentials.password))", "scope=\(scopes.joined(separator: "%20"))",
            ]
            request.headers.append("Content-Type", "application/x-www-form-urlencoded")
            request.body = .data(Data(query.joined(separator: "&").utf8))
            return request
        }
        query += scopes.map { "scope=\($0)" }
        if let credentials { query.append("account=\(WebURL.escape(credentials.username))") }
        let joint = realm.description.contains("?") ? "&" : "?"
        var request = HTTPRequest(url: try WebURL(realm.description + joint + query.joined(separator: "&")))
        if let credentials { request.headers.append("Authorization", basic(credentials)) }
        return request
    }

    static func basic(_ credentials: Credentials) -> String {
        "Basic " + Data("\(credentials.username):\(credentials.password)".utf8).base64EncodedString()
    }
}
