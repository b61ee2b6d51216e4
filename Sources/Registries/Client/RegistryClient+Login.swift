package import Basics

extension RegistryClient {
    /// Checks credentials with a registry and keeps them; tells where (`~/.docker/config.json`, or a helper's name).
    ///
    /// Throws `unauthorized` when the registry refuses them; nothing is kept then.
    @discardableResult
    package func logIn(
        _ credentials: Credentials, to domain: String, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> String {
        let domain = RegistryConfiguration.domain(domain)
        var trial = configuration
        trial.credentials = CredentialStore(only: [domain: credentials])
        // The registry itself is asked, because a mirror may accept every password.
        trial.mirrors = [:]
        let client = RegistryClient(trial)
        _ = try client.ask(domain, for: .login(domain), cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            try client.make(Call(target: .path("/v2/")), at: endpoint, cancellation: cancellation)
        }
        let place = try configuration.credentials.store(credentials, for: domain)
        authenticator.forgetAll()
        return place
    }

    /// Removes a registry's credentials; false where there were none.
    ///
    /// Throws what `CredentialStore.erase` throws.
    package func logOut(of domain: String) throws(ShaleError) -> Bool {
        defer { authenticator.forgetAll() }
        return try configuration.credentials.erase(
            RegistryConfiguration.domain(domain), told: { authenticator.tell($0) })
    }
}
