import Basics
import FoundationEssentials
import Glibc
import Linux

/// One `config.json` or `auth.json`, members it does not know kept as they are.
struct CredentialFile {
    private var document: JSONDocument = .object([])

    private static let hubKey = "https://index.docker.io/v1/"
    /// The largest file that is read, in bytes.
    private static let largest = 1 << 20

    init() {}

    /// The file, or `nil` where there is none.
    static func read(_ path: String) throws(ShaleError) -> CredentialFile? {
        guard let data = try contents(of: path) else { return nil }
        var file = CredentialFile()
        if data.isEmpty { return file }
        do throws(ShaleError) {
            file.document = try JSONDocument(parsing: data, naming: path)
        } catch {
            throw ShaleError(.invalid, path.visible, cause: "not valid JSON")
        }
        guard case .object = file.document else {
            throw ShaleError(.invalid, path.visible, cause: "not a JSON object")
        }
        return file
    }

    private static func contents(of path: String) throws(ShaleError) -> [UInt8]? {
        do throws(SystemCallError) {
            return try WholeFile.read(path, limit: largest)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            if error.errno == EFBIG { throw ShaleError(.invalid, path.visible, cause: "too large") }
            throw fault(path, error)
        }
    }

    /// Replaces the file in one step, readable by its owner alone; its folder is made when missing.
    func write(_ path: String) throws(ShaleError) {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex { mkdir(String(path[..<slash]), 0o700) }
        do throws(SystemCallError) {
            try UnnamedFile.write(
                Array((document.text(indent: 4) + "\n").utf8), to: path, mode: 0o600, followingLink: true)
        } catch {
            throw Self.fault(path, error)
        }
    }

    private static func fault(_ path: String, _ error: SystemCallError) -> ShaleError {
        let code: ShaleError.Code = [EACCES, EPERM, EROFS].contains(error.errno) ? .denied : .io
        return ShaleError(code, path.visible, cause: error.reason)
    }

    /// The key under which docker stores a registry.
    static func dockerKey(_ domain: String) -> String { domain == "docker.io" ? hubKey : domain }

    /// The helper program's name for a registry, if the file names one.
    func helper(for domain: String) -> String? {
        let helpers = document["credHelpers"]
        let keys = domain == "docker.io" ? [domain, "index.docker.io", Self.hubKey] : [domain]
        let names = keys.compactMap { helpers?[$0]?.string } + [document["credsStore"]?.string].compactMap { $0 }
        return names.first { !$0.isEmpty }
    }

    /// What the file itself holds for a repository of a registry, or for the registry without one.
    ///
    /// As containers-auth.json(5) has it, the longest key counts: of `quay.io/team/app`, `quay.io/team` and `quay.io`
    /// the first that is there and holds something.
    func filed(for domain: String, repository: String? = nil) -> Credentials? {
        guard case .object(let entries)? = document["auths"] else { return nil }
        var best: (credentials: Credentials, length: Int)?
        for entry in entries {
            let key = CredentialKey(entry.key)
            guard key.covers(domain, repository), key.path.utf8.count > best?.length ?? -1,
                let found = Self.decode(entry.value)
            else { continue }
            best = (found, key.path.utf8.count)
        }
        return best?.credentials
    }

    private static func decode(_ entry: JSONDocument) -> Credentials? {
        let user = { () -> (String, String)? in
            guard let text = entry["auth"]?.string, let data = Data(base64Encoded: text) else { return nil }
            let plain = String(decoding: data, as: UTF8.self)
            guard let colon = plain.firstIndex(of: ":") else { return nil }
            let password = plain[plain.index(after: colon)...].prefix { $0 != "\0" }
            return (String(plain[..<colon]), String(password))
        }()
        if let token = entry["identitytoken"]?.string, !token.isEmpty {
            return Credentials(username: user?.0 ?? "", password: token, isIdentityToken: true)
        }
        if let (name, password) = user, !name.isEmpty { return Credentials(username: name, password: password) }
        guard let name = entry["username"]?.string, let password = entry["password"]?.string, !name.isEmpty else {
            return nil
        }
        return Credentials(username: name, password: password)
    }

    mutating func set(_ credentials: Credentials, for key: String) {
        let pair = Data("\(credentials.username):\(credentials.isIdentityToken ? "" : credentials.password)".utf8)
        var entry: [JSONDocument.Member] = [.init("auth", .string(pair.base64EncodedString()))]
        if credentials.isIdentityToken { entry.append(.init("identitytoken", .string(credentials.password))) }
        update("auths") { auths in
            auths.removeAll { $0.key == key }
            auths.append(.init(key, .object(entry)))
        }
    }

    /// Removes every entry of a registry; false where there was none.
    mutating func remove(_ domain: String) -> Bool {
        var found = false
        guard case .object? = document["auths"] else { return false }
        update("auths") { auths in
            let before = auths.count
            auths.removeAll { CredentialKey($0.key).covers(domain, nil) }
            found = auths.count != before
        }
        return found
    }

    private mutating func update(_ key: String, _ change: (inout [JSONDocument.Member]) -> Void) {
        guard case .object(var members) = document else { return }
        var inner: [JSONDocument.Member] = []
        if case .object(let known)? = document[key] { inner = known }
        change(&inner)
        members.removeAll { $0.key == key }
        members.append(.init(key, .object(inner)))
        document = .object(members)
    }
}

/// A key of `auths`: a registry's host, or what is below a path in it.
struct CredentialKey {
    /// The registry by its one name.
    let domain: String
    /// `team/app`; empty for the whole registry.
    let path: String

    /// Reads `quay.io`, `https://quay.io/v2/` and `quay.io/team/app`.
    ///
    /// Behind a scheme, and in docker's `…/v1/`, a path is that of the API and not a repository's.
    init(_ key: String) {
        var rest = key[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        let hasScheme = rest.startIndex != key.startIndex
        let parts = rest.split(separator: "/", omittingEmptySubsequences: true)
        let host = rest.hasPrefix("/") ? "" : parts.first.map(String.init) ?? ""
        domain = RegistryConfiguration.domain(host)
        let path = parts.dropFirst().joined(separator: "/")
        self.path = hasScheme || path == "v1" || path == "v2" ? "" : path
    }

    /// Whether it stands for a repository, or for a whole registry where none is named.
    func covers(_ domain: String, _ repository: String?) -> Bool {
        guard self.domain == domain else { return false }
        if path.isEmpty { return true }
        guard let repository else { return false }
        return repository == path || repository.hasPrefix(path + "/")
    }
}
