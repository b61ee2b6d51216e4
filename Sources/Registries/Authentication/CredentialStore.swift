package import Basics
import FoundationEssentials
import Glibc

/// The credential files of docker and podman, and the helper programs they name.
///
/// Looked at in this order: `$REGISTRY_AUTH_FILE`, docker's `config.json` (`credHelpers`, `credsStore`, `auths`),
/// podman's `auth.json` (containers-auth.json(5)). New credentials go where docker puts them.
package struct CredentialStore: Sendable {
    private let dockerConfig: String
    private let explicitFile: String?
    private let podmanFiles: [String]
    private let given: [String: Credentials]
    /// The environment in which helper programs are looked up and started; `nil` for the process's own.
    private let environment: [String: String]?

    /// The places that the environment names (`DOCKER_CONFIG`, `REGISTRY_AUTH_FILE`, `XDG_RUNTIME_DIR`, `HOME`).
    package init(environment: [String: String]? = nil) {
        let value = { (name: String) -> String? in
            let text = environment.map { $0[name] } ?? getenv(name).map { String(cString: $0) }
            return text.flatMap { $0.isEmpty ? nil : $0 }
        }
        let home = value("HOME") ?? "/root"
        dockerConfig = (value("DOCKER_CONFIG") ?? "\(home)/.docker") + "/config.json"
        explicitFile = value("REGISTRY_AUTH_FILE")
        let configHome = value("XDG_CONFIG_HOME") ?? "\(home)/.config"
        let runtime = value("XDG_RUNTIME_DIR") ?? "/run/containers/\(geteuid())"
        podmanFiles = ["\(runtime)/containers/auth.json", "\(configHome)/containers/auth.json"]
        given = [:]
        self.environment = environment
    }

    /// Only these credentials, for these registries; no file is read.
    package init(only credentials: [String: Credentials]) {
        dockerConfig = ""
        explicitFile = nil
        podmanFiles = []
        given = credentials
        environment = nil
    }

    private var files: [String] { (explicitFile.map { [$0] } ?? []) + [dockerConfig] + podmanFiles }

    /// Finds credentials for a registry (`docker.io`, `quay.io`, `localhost:5000`), or for one repository of it
    /// (`team/app`); never throws.
    ///
    /// The first file that has some counts, and in it the longest key. What cannot be read is skipped.
    package func lookup(_ domain: String, repository: String? = nil) -> CredentialLookup {
        if dockerConfig.isEmpty { return CredentialLookup(credentials: given[domain]) }
        var lookup = CredentialLookup()
        for path in files {
            do throws(ShaleError) {
                guard let file = try CredentialFile.read(path) else { continue }
                lookup.credentials = file.filed(for: domain, repository: repository)
                if lookup.credentials == nil, let name = file.helper(for: domain) {
                    lookup.credentials = try helper(name).get(CredentialFile.dockerKey(domain))
                }
                if lookup.credentials != nil { break }
            } catch {
                lookup.problems.append(error)
            }
        }
        return lookup
    }

    /// Stores credentials: in the helper that `config.json` names for the registry, else in that file (mode 0600).
    ///
    /// Returns where they are now, for people: a path or a helper's name. Throws `invalid` when the file is not JSON,
    /// `unavailable` when the helper fails, and what writing the file throws.
    @discardableResult
    package func store(_ credentials: Credentials, for domain: String) throws(ShaleError) -> String {
        var file = try CredentialFile.read(dockerConfig) ?? CredentialFile()
        let key = CredentialFile.dockerKey(domain)
        if let name = file.helper(for: domain) {
            try helper(name).store(credentials, server: key)
            return "docker-credential-\(name)"
        }
        file.set(credentials, for: key)
        try file.write(dockerConfig)
        return dockerConfig
    }

    /// Removes a registry's credentials from every place; false where there were none.
    ///
    /// Podman's files at their default places may belong to another user: `told` is called with each that cannot be
    /// read. Throws `invalid` when a file is not JSON, `unavailable` when a helper fails, and what writing a file
    /// throws.
    package func erase(_ domain: String, told: (ShaleError) -> Void = { _ in }) throws(ShaleError) -> Bool {
        var found = false
        for path in files {
            let read: CredentialFile?
            do throws(ShaleError) {
                read = try CredentialFile.read(path)
            } catch {
                guard podmanFiles.contains(path) else { throw error }
                told(error)
                continue
            }
            guard var file = read else { continue }
            if let name = file.helper(for: domain) {
                let helper = helper(name)
                if try helper.get(CredentialFile.dockerKey(domain)) != nil {
                    try helper.erase(CredentialFile.dockerKey(domain))
                    found = true
                }
            }
            if file.remove(domain) {
                try file.write(path)
                found = true
            }
        }
        return found
    }

    private func helper(_ name: String) -> CredentialHelper {
        CredentialHelper(name, environment: environment ?? ProcessInfo.processInfo.environment)
    }
}
