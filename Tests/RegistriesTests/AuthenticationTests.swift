import Basics
import FoundationEssentials
import Glibc
import OCI
import Synchronization
import TestSupport
import Testing

@testable import Registries

private let layoutConfig = Array("{}".utf8)

@Suite(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
struct RealAuthenticationTests {
    @Test func basicCredentialsAreAskedForAndUsed() throws {
        let registry = try FilledRegistry(.basic, names: ["team/app:1"])
        let host = registry.server.host
        let reference = try Reference(parsing: "\(host)/team/app:1")
        let anonymous = #expect(throws: ShaleError.self) { try plainClient().resolve(reference) }
        #expect(anonymous?.code == .unauthorized)
        #expect(
            anonymous?.description
                == "pull access denied for \(host)/team/app, repository does not exist or may require 'docker login': "
                + "unauthorized: authentication required")
        #expect(anonymous?.hint == "login \(host)")
        let wrong = plainClient {
            $0.credentials = CredentialStore(only: [host: Credentials(username: "tester", password: "wrong")])
        }
        #expect(throws: ShaleError.self) { try wrong.resolve(reference) }
        let right = plainClient {
            $0.credentials = CredentialStore(
                only: [host: Credentials(username: RegistryServer.user, password: RegistryServer.password)])
        }
        let manifest = try OCIDocument.read(
            Manifest.self, from: right.resolve(reference).bytes, naming: "manifest")
        #expect(Int64(try right.blobData(manifest.config, in: reference).count) == manifest.config.size)
    }

    @Test func loginChecksKeepsAndForgets() throws {
        let server = try RegistryServer(.basic)
        let home = TemporaryDirectory()
        let environment = ["HOME": home.path, "DOCKER_CONFIG": home.path + "/docker"]
        let client = plainClient { $0.credentials = CredentialStore(environment: environment) }
        let wrong = Credentials(username: "tester", password: "wrong")
        let error = #expect(throws: ShaleError.self) { try client.logIn(wrong, to: server.host) }
        #expect(error?.code == .unauthorized)
        let file = home.path + "/docker/config.json"
        #expect(access(file, F_OK) != 0)
        let right = Credentials(username: RegistryServer.user, password: RegistryServer.password)
        #expect(try client.logIn(right, to: server.host) == file)
        var status = stat()
        #expect(stat(file, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(try client.catalog(server.host).isEmpty)
        // skopeo reads what shale wrote.
        try Peers.skopeo.run(
            ["list-tags", "--tls-verify=false", "docker://\(server.host)/no/such"],
            environment: ["REGISTRY_AUTH_FILE": file, "HOME": home.path], expecting: 1)
        #expect(try client.logOut(of: server.host))
        #expect(try !client.logOut(of: server.host))
        #expect(throws: ShaleError.self) { try client.catalog(server.host) }
    }

    @Test(.enabled(if: Peers.openssl.isPresent, "needs openssl"))
    func tokensAreFetchedKeptAndScoped() throws {
        let tokens = try TokenServer(accounts: ["tester": "sesame"])
        let server = try RegistryServer(tokens.access)
        let client = plainClient {
            $0.credentials = CredentialStore(
                only: [server.host: Credentials(username: "tester", password: "sesame")])
        }
        let name = try Reference(parsing: "\(server.host)/team/app:1")
        let config = Descriptor(
            mediaType: MediaType.ociConfig, digest: Digest.of(layoutConfig), size: Int64(layoutConfig.count))
        try client.upload(layoutConfig, config, to: name)
        let manifest = try OCIDocument.encode(Manifest(config: config, layers: []))
        try client.putManifest(manifest, mediaType: MediaType.ociManifest, as: name)
        let pushes = tokens.requests.count
        #expect(pushes == 1)
        #expect(tokens.requests[0].query.contains("scope=repository:team/app:pull,push"))
        #expect(tokens.requests[0].query.contains("service=shale%20tests"))

        let reader = plainClient {
            $0.credentials = CredentialStore(
                only: [server.host: Credentials(username: "tester", password: "sesame")])
        }
        #expect(try reader.resolve(name).bytes == manifest)
        #expect(try reader.blobData(config, in: name) == Data(layoutConfig))
        #expect(try reader.tags(name.repository) == ["1"])
        // One token served all three.
        #expect(tokens.requests.count == pushes + 1)

        tokens.become(.stingy)
        let stranger = plainClient {
            $0.credentials = CredentialStore(
                only: [server.host: Credentials(username: "tester", password: "sesame")])
        }
        let denied = #expect(throws: ShaleError.self) { try stranger.resolve(name) }
        #expect(
            denied?.description.hasPrefix("pull access denied for \(server.host)/team/app, repository does not exist")
                == true)
        let anonymous = #expect(throws: ShaleError.self) { try plainClient().resolve(name) }
        #expect(anonymous?.description.hasSuffix("unauthorized: incorrect username or password") == true)
    }
}

@Suite struct ScriptedAuthenticationTests {
    @Test func aRefusedTokenIsReplacedOnce() throws {
        let server = try MisbehavingServer { request in
            if request.path == "/token" { return .json(#"{"access_token":"t\#(request.number)","expires_in":3600}"#) }
            let isGood = request.headers["authorization"] == "Bearer t4"
            return isGood
                ? .json(#"{"tags":["x"]}"#)
                : Answer(401, headers: [("WWW-Authenticate", "Bearer realm=\"/token\",service=\"s\"")])
        }
        let client = plainClient()
        let name = try Reference(parsing: "\(server.host)/a/b")
        // 401, token t1, 401: refused.
        #expect(throws: ShaleError.self) { try client.tags(name) }
        // The known token, 401, token t4, answered.
        #expect(try client.tags(name) == ["x"])
        #expect(server.requests.count == 6)
    }

    /// Redirects: where the second server is, and whether it may see what the first was sent.
    @Test func authorizationStaysWithItsHost() throws {
        let bytes = Array("layer".utf8)
        let other = try MisbehavingServer { request in .blob(bytes, for: request) }
        let elsewhere = other.url
        let server = try MisbehavingServer { request in
            guard request.headers["authorization"] != nil else {
                return Answer(401, headers: [("WWW-Authenticate", "Basic realm=\"x\"")])
            }
            if request.path == "/here" { return .blob(bytes, for: request) }
            let near = request.path.hasSuffix(Digest.of(bytes).description) && request.path.contains("/near/")
            return Answer(307, headers: [("Location", near ? "/here" : elsewhere + "/there?sig=1")])
        }
        let client = plainClient {
            $0.credentials = CredentialStore(only: [server.host: Credentials(username: "u", password: "p")])
        }
        let blob = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of(bytes), size: Int64(bytes.count))
        for name in ["near/a", "far/a"] {
            let reference = try Reference(parsing: "\(server.host)/\(name)")
            #expect(try client.blobData(blob, in: reference) == Data(bytes))
        }
        #expect(other.requests.count == 1)
        #expect(other.requests[0].headers["authorization"] == nil)
        #expect(server.requests.contains { $0.path == "/here" && $0.headers["authorization"] != nil })
    }

    /// What another host asks for, behind a redirect or an upload's address, is not the registry's question.
    @Test func anotherHostGetsNoToken() throws {
        let other = try MisbehavingServer { request in
            let realm = "Bearer realm=\"http://\(request.headers["host"] ?? "")/token\",service=\"x\""
            return request.path == "/token"
                ? .json(#"{"token":"t"}"#) : Answer(401, headers: [("WWW-Authenticate", realm)])
        }
        let elsewhere = other.url
        let server = try MisbehavingServer { request in
            switch request.method {
            case "POST": Answer(202, headers: [("Location", elsewhere + "/upload")])
            case "HEAD": Answer(404)
            default: Answer(307, headers: [("Location", elsewhere + "/there")])
            }
        }
        let client = plainClient {
            $0.credentials = CredentialStore(only: [server.host: Credentials(username: "u", password: "p")])
        }
        let bytes = Array("layer".utf8)
        let blob = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of(bytes), size: Int64(bytes.count))
        let reference = try Reference(parsing: "\(server.host)/a/b")
        let pulled = #expect(throws: ShaleError.self) { try client.blobData(blob, in: reference) }
        #expect(pulled?.code == .unauthorized, "\(pulled as Any)")
        #expect(throws: ShaleError.self) {
            try client.uploadBlob(blob, to: reference) { offset, buffer throws(ShaleError) in
                let rest = bytes.dropFirst(Int(offset)).prefix(buffer.count)
                buffer.copyBytes(from: rest)
                return rest.count
            }
        }
        #expect(other.requests.contains { $0.method == "PUT" })
        #expect(!other.requests.contains { $0.path == "/token" || $0.headers["authorization"] != nil })
    }

    @Test func plainHTTPElsewhereIsRefused() throws {
        let server = try MisbehavingServer { _ in Answer(302, headers: [("Location", "http://far.invalid/x")]) }
        let error = #expect(throws: ShaleError.self) {
            try plainClient().resolve(Reference(parsing: "\(server.host)/a/b"))
        }
        #expect(error?.code == .denied)
        #expect(error?.message.contains("plain http") == true)
        let realm = try MisbehavingServer { _ in
            Answer(401, headers: [("WWW-Authenticate", "Bearer realm=\"http://far.invalid/token\"")])
        }
        let second = #expect(throws: ShaleError.self) {
            try plainClient().resolve(Reference(parsing: "\(realm.host)/a/b"))
        }
        #expect(second?.code == .denied)
    }

    @Test func tokenServersMayTalkNonsense() throws {
        for body in ["", "{}", #"{"token":""}"#, #"{"token":"a\r\nX-Evil: 1"}"#, "[1]"] {
            let server = try MisbehavingServer { request in
                request.path == "/token"
                    ? Answer(body: Array(body.utf8))
                    : Answer(401, headers: [("WWW-Authenticate", "Bearer realm=\"/token\"")])
            }
            let error = #expect(throws: ShaleError.self) {
                try plainClient().resolve(Reference(parsing: "\(server.host)/a/b"))
            }
            #expect(error?.code == .corrupt, "\(body)")
        }
    }

    @Test func anIdentityTokenIsTradedForAnAccessToken() throws {
        let server = try MisbehavingServer { request in
            if request.path == "/token" {
                let body = String(decoding: request.body, as: UTF8.self)
                let isGood =
                    request.method == "POST" && body.contains("refresh_token=se%2Fcret")
                    && body.contains("grant_type=refresh_token") && body.contains("scope=repository:a/b:pull")
                return isGood ? .json(#"{"access_token":"good"}"#) : Answer(401)
            }
            return request.headers["authorization"] == "Bearer good"
                ? .json(#"{"tags":["x"]}"#)
                : Answer(401, headers: [("WWW-Authenticate", "Bearer realm=\"/token\"")])
        }
        let client = plainClient {
            $0.credentials = CredentialStore(
                only: [server.host: Credentials(username: "", password: "se/cret", isIdentityToken: true)])
        }
        #expect(try client.tags(Reference(parsing: "\(server.host)/a/b")) == ["x"])
    }
}

@Suite struct CredentialStoreTests {
    private static let pair = Data("user:pass:word".utf8).base64EncodedString()

    @Test(
        arguments: [
            (#"{"auths":{"quay.io":{"auth":"PAIR"}}}"#, "quay.io", "user"),
            (#"{"auths":{"https://quay.io":{"auth":"PAIR"}}}"#, "quay.io", "user"),
            (#"{"auths":{"https://quay.io/v2/":{"auth":"PAIR"}}}"#, "quay.io", "user"),
            (#"{"auths":{"https://index.docker.io/v1/":{"auth":"PAIR"}}}"#, "docker.io", "user"),
            (#"{"auths":{"docker.io":{"auth":"PAIR"}}}"#, "docker.io", "user"),
            (#"{"auths":{"localhost:5000":{"auth":"PAIR"}}}"#, "localhost:5000", "user"),
            (#"{"auths":{"localhost:5000":{"auth":"PAIR"}}}"#, "localhost", nil),
            (#"{"auths":{"quay.io":{"username":"me","password":"x"}}}"#, "quay.io", "me"),
            (#"{"auths":{"quay.io":{"identitytoken":"tok"}}}"#, "quay.io", ""),
            (#"{"auths":{"quay.io":{}}}"#, "quay.io", nil),
            (#"{"auths":{"quay.io":{"auth":"!!"}}}"#, "quay.io", nil),
            (#"{"auths":{"quay.io/team":{"auth":"PAIR"}}}"#, "quay.io", nil),
            (#"{"auths":[]}"#, "quay.io", nil),
            ("", "quay.io", nil),
        ] as [(String, String, String?)]) func readsFiles(text: String, domain: String, user: String?) throws
    {
        let home = TemporaryDirectory()
        let content = text.split(separator: "PAIR", omittingEmptySubsequences: false).joined(separator: Self.pair)
        try Data(content.utf8).write(to: URL(filePath: home.path + "/config.json"))
        let found = CredentialStore(environment: ["HOME": home.path, "DOCKER_CONFIG": home.path]).lookup(domain)
        #expect(found.credentials?.username == user)
        if user == "user" { #expect(found.credentials?.password == "pass:word") }
        #expect(found.problem == nil)
    }

    /// containers-auth.json(5): the longest key that is there counts.
    @Test(
        arguments: [
            ("quay.io", "team/app", "app"), ("quay.io", "team/other", "team"), ("quay.io", "teams/app", "host"),
            ("quay.io", nil, "host"), ("quay.io", "team/app/deep", "app"), ("quay.io", "team/empty", "team"),
            ("localhost:5000", "x/y", "local"), ("localhost:5000", "z", nil), ("localhost:5000", nil, nil),
            ("docker.io", "library/busybox", "hub-library"), ("docker.io", "me/app", "hub"), ("gcr.io", "a/b", "gcr"),
        ] as [(String, String?, String?)])
    func theLongestKeyCounts(_ domain: String, _ repository: String?, _ user: String?) throws {
        let home = TemporaryDirectory()
        let keys = [
            "quay.io": "host", "quay.io/team": "team", "quay.io/team/app": "app", "localhost:5000/x": "local",
            "https://index.docker.io/v1/": "hub", "docker.io/library": "hub-library", "https://gcr.io/v0/": "gcr",
            "/quay.io/team/app": "wrong", "": "wrong",
        ]
        let entries = keys.map { key, user in
            "\"\(key)\":{\"auth\":\"\(Data("\(user):secret".utf8).base64EncodedString())\"}"
        }
        let text = "{\"auths\":{\"quay.io/team/empty\":{},\(entries.joined(separator: ","))}}"
        try Data(text.utf8).write(to: URL(filePath: home.path + "/config.json"))
        let store = CredentialStore(environment: ["HOME": home.path, "DOCKER_CONFIG": home.path])
        #expect(store.lookup(domain, repository: repository).credentials?.username == user)
    }

    @Test func eachRepositoryIsAskedWithItsOwn() throws {
        let server = try MisbehavingServer { request in
            request.headers["authorization"] != nil
                ? .json(#"{"tags":["x"]}"#) : Answer(401, headers: [("WWW-Authenticate", "Basic realm=\"x\"")])
        }
        let home = TemporaryDirectory()
        let entry = { (user: String) in "{\"auth\":\"\(Data("\(user):p".utf8).base64EncodedString())\"}" }
        let text = "{\"auths\":{\"\(server.host)/a\":\(entry("a")),\"\(server.host)\":\(entry("all"))}}"
        try Data(text.utf8).write(to: URL(filePath: home.path + "/config.json"))
        let client = plainClient {
            $0.credentials = CredentialStore(environment: ["HOME": home.path, "DOCKER_CONFIG": home.path])
        }
        for name in ["a/app", "b/app", "a/app"] { _ = try client.tags(Reference(parsing: "\(server.host)/\(name)")) }
        let users = server.requests.compactMap { $0.headers["authorization"] }
        let expected = ["a:p", "all:p", "a:p"].map { "Basic " + Data($0.utf8).base64EncodedString() }
        #expect(users.last == expected[2] && Set(users) == Set(expected), "\(users)")
    }

    /// A file that is another user's, or broken, is told once, and no request fails for it.
    @Test func whatCannotBeReadIsToldOnceAndPassedOver() throws {
        let server = try MisbehavingServer { request in
            request.path.contains("/open/") || request.headers["authorization"] != nil
                ? .json(#"{"tags":["x"]}"#) : Answer(401, headers: [("WWW-Authenticate", "Basic realm=\"x\"")])
        }
        let home = TemporaryDirectory()
        let folder = home.path + "/run/containers"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("{".utf8).write(to: URL(filePath: folder + "/auth.json"))
        mkdir(home.path + "/.config", 0o700)
        mkdir(home.path + "/.config/containers", 0o700)
        // A folder in the file's place cannot be read by root, either.
        mkdir(home.path + "/.docker", 0o700)
        mkdir(home.path + "/.docker/config.json", 0o700)
        let pair = Data("me:p".utf8).base64EncodedString()
        let path = home.path + "/.config/containers/auth.json"
        let heard = Mutex<[String]>([])
        let client = plainClient {
            $0.credentials = CredentialStore(environment: ["HOME": home.path, "XDG_RUNTIME_DIR": home.path + "/run"])
            $0.warn = { text in heard.withLock { $0.append(text) } }
        }
        // Nothing is looked for where nothing is demanded.
        #expect(try client.tags(Reference(parsing: "\(server.host)/open/x")) == ["x"])
        #expect(heard.withLock { $0 }.isEmpty)
        let closed = try Reference(parsing: "\(server.host)/closed/x")
        let refused = #expect(throws: ShaleError.self) { try client.tags(closed) }
        #expect(refused?.code == .unauthorized)
        #expect(throws: ShaleError.self) { try client.tags(Reference(parsing: "\(server.host)/closed/y")) }
        let told = heard.withLock { $0 }
        #expect(told.count == 2 && told.allSatisfy { $0.hasSuffix(": passed over") }, "\(told)")
        // What another place has is used all the same.
        try Data("{\"auths\":{\"\(server.host)\":{\"auth\":\"\(pair)\"}}}".utf8).write(to: URL(filePath: path))
        let second = plainClient {
            $0.credentials = CredentialStore(environment: ["HOME": home.path, "XDG_RUNTIME_DIR": home.path + "/run"])
        }
        #expect(try second.tags(closed) == ["x"])
    }

    @Test func aBrokenFileIsNamedAndNotFatal() throws {
        let home = TemporaryDirectory()
        try Data("{".utf8).write(to: URL(filePath: home.path + "/config.json"))
        let found = CredentialStore(environment: ["HOME": home.path, "DOCKER_CONFIG": home.path]).lookup("quay.io")
        #expect(found.credentials == nil)
        #expect(found.problem?.description == "\(home.path)/config.json: not valid JSON")
    }

    @Test func podmansFilesAreReadToo() throws {
        let home = TemporaryDirectory()
        mkdir(home.path + "/containers", 0o700)
        try Data(#"{"auths":{"quay.io":{"auth":"\#(Self.pair)"}}}"#.utf8).write(
            to: URL(filePath: home.path + "/containers/auth.json"))
        let store = CredentialStore(environment: ["HOME": home.path, "XDG_RUNTIME_DIR": home.path])
        #expect(store.lookup("quay.io").credentials?.username == "user")
        let explicit = CredentialStore(
            environment: ["HOME": "/nonexistent", "REGISTRY_AUTH_FILE": home.path + "/containers/auth.json"])
        #expect(explicit.lookup("quay.io").credentials?.username == "user")
    }

    @Test func storingKeepsWhatElseIsInTheFile() throws {
        let home = TemporaryDirectory()
        let path = home.path + "/config.json"
        try Data(#"{"psFormat":"table","auths":{"quay.io":{"auth":"\#(Self.pair)"}}}"#.utf8).write(
            to: URL(filePath: path))
        let store = CredentialStore(environment: ["HOME": home.path, "DOCKER_CONFIG": home.path])
        try store.store(Credentials(username: "hub", password: "s3"), for: "docker.io")
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        #expect(text.contains("psFormat") && text.contains("https://index.docker.io/v1/"))
        #expect(store.lookup("docker.io").credentials == Credentials(username: "hub", password: "s3"))
        #expect(store.lookup("quay.io").credentials?.username == "user")
        #expect(try store.erase("docker.io"))
        #expect(store.lookup("docker.io").credentials == nil)
    }

    @Test func helpersAreAsked() throws {
        let home = TemporaryDirectory()
        let script = """
            #!/bin/sh
            read -r input
            case "$1" in
            get) if [ "$input" = quay.io ]; then echo '{"ServerURL":"quay.io","Username":"h","Secret":"s"}';
                 elif [ "$input" = broken ]; then echo 'no keychain here'; exit 1;
                 else echo 'credentials not found in native keychain'; exit 1; fi;;
            store) echo "$input" > "\(home.path)/stored";;
            erase) echo "$input" > "\(home.path)/erased";;
            esac
            """
        let program = "/docker-credential-shaletest"
        try Data(script.utf8).write(to: URL(filePath: home.path + program))
        chmod(home.path + program, 0o755)
        try Data(
            #"{"credHelpers":{"quay.io":"shaletest","other":"shaletest","broken":"shaletest","gone":"nosuchhelper"}}"#
                .utf8
        ).write(to: URL(filePath: home.path + "/config.json"))
        let path = getenv("PATH").map { String(cString: $0) } ?? "/bin"
        let store = CredentialStore(
            environment: ["HOME": home.path, "DOCKER_CONFIG": home.path, "PATH": home.path + ":" + path])
        #expect(store.lookup("quay.io").credentials == Credentials(username: "h", password: "s"))
        #expect(store.lookup("other").credentials == nil && store.lookup("other").problem == nil)
        #expect(
            store.lookup("broken").problem?.description
                == "credential helper docker-credential-shaletest get: no keychain here")
        #expect(store.lookup("gone").problem != nil)
        #expect(
            try store.store(Credentials(username: "a", password: "b"), for: "quay.io") == "docker-credential-shaletest")
        let stored = String(decoding: try Data(contentsOf: URL(filePath: home.path + "/stored")), as: UTF8.self)
        #expect(stored.contains(#""Secret":"b""#))
        #expect(try store.erase("quay.io"))
        #expect(access(home.path + "/erased", F_OK) == 0)
    }
}

@Suite(.enabled(if: RegistryServer.isPresent && Peers.openssl.isPresent, "needs docker-registry and openssl"))
struct TLSTests {
    @Test func certificatesAreChecked() throws {
        let folder = TemporaryDirectory()
        try TestCertificate.make(in: folder.path, name: "localhost")
        let server = try RegistryServer(
            tls: (certificate: folder.path + "/cert.pem", key: folder.path + "/key.pem"))
        let host = "localhost:\(server.port)"
        let name = try Reference(parsing: "\(host)/a/b")
        // A plain request first, as to every loopback host; the server asks for TLS.
        let error = #expect(throws: ShaleError.self) { try plainClient().tags(name) }
        #expect(
            error?.description.hasPrefix("Get \"https://\(host)/v2/\": tls: ") == true, "\(String(describing: error))")
        #expect(error?.hint == "if you trust it: set registry.insecure \(host)")
        let careless = plainClient { $0.insecure = [host] }
        #expect(try careless.catalog(host).isEmpty)
        mkdir(folder.path + "/" + host, 0o700)
        try FileManager.default.copyItem(
            atPath: folder.path + "/cert.pem", toPath: folder.path + "/\(host)/ca.crt")
        let trusting = plainClient { $0.certificateFolders = ["/nowhere", folder.path] }
        #expect(try trusting.catalog(host).isEmpty)
    }
}

@Suite(.enabled(if: RegistryServer.isPresent && Peers.openssl.isPresent, "needs docker-registry and openssl"))
struct HostCertificateTests {
    @Test func aClientsCertificateIsShown() throws {
        let folder = TemporaryDirectory()
        try TestCertificate.make(in: folder.path, name: "localhost")
        let (certificate, key) = (folder.path + "/cert.pem", folder.path + "/key.pem")
        let server = try RegistryServer(tls: (certificate, key), clientAuthority: certificate)
        let host = "localhost:\(server.port)"
        let own = "\(folder.path)/podman/\(host)"
        try FileManager.default.createDirectory(atPath: own, withIntermediateDirectories: true)
        let client = { plainClient { $0.certificateFolders = [folder.path + "/docker", folder.path + "/podman"] } }
        let copy = { (from: String, to: String) in
            try FileManager.default.copyItem(atPath: from, toPath: "\(own)/\(to)")
        }
        try copy(certificate, "ca.crt")
        #expect(throws: ShaleError.self) { try client().catalog(host) }
        try copy(certificate, "client.cert")
        let lonely = #expect(throws: ShaleError.self) { try client().catalog(host) }
        #expect(
            lonely?.message == "missing key client.key for client certificate client.cert. "
                + "CA certificates must use the extension .crt")
        try copy(key, "client.key")
        #expect(try client().catalog(host).isEmpty)
        try FileManager.default.removeItem(atPath: own + "/client.cert")
        let keyAlone = #expect(throws: ShaleError.self) { try client().catalog(host) }
        #expect(keyAlone?.message == "missing client certificate client.cert for key client.key")
    }
}

extension RegistryClient {
    /// Uploads bytes in memory.
    func upload(
        _ bytes: [UInt8], _ descriptor: Descriptor, to name: Reference, session: UploadSession? = nil,
        chunkSize: Int64? = nil
    ) throws(ShaleError) {
        try uploadBlob(descriptor, to: name, session: session, chunkSize: chunkSize) { offset, buffer in
            let part = bytes.dropFirst(Int(offset)).prefix(buffer.count)
            buffer.copyBytes(from: part)
            return part.count
        }
    }
}

@Suite struct SchemeTests {
    /// 0.0.0.0 reaches this machine on Linux and is no loopback address: it stands for a host on the network.
    @Test func plainHTTPIsForLoopbackAndNamedHostsOnly() throws {
        let server = try MisbehavingServer { request in
            request.target.hasPrefix("/v2/") ? .json(#"{"tags":["x"]}"#) : .closed
        }
        let name = try Reference(parsing: "0.0.0.0:\(server.port)/a/b")
        let error = #expect(throws: ShaleError.self) { try plainClient().tags(name) }
        #expect(error?.hint == "if you trust it: set registry.insecure 0.0.0.0:\(server.port)")
        #expect(server.requests.isEmpty)
        let careless = plainClient { $0.insecure = ["0.0.0.0:\(server.port)"] }
        #expect(try careless.tags(name) == ["x"])
        #expect(try careless.tags(name) == ["x"])
        let mirrored = plainClient { $0.mirrors = ["docker.io": "http://0.0.0.0:\(server.port)"] }
        #expect(try mirrored.tags(Reference(parsing: "a/b")) == ["x"])
    }

    @Test func offlineAsksOnlyThisMachine() throws {
        let server = try MisbehavingServer { _ in .json(#"{"tags":["x"]}"#) }
        let client = plainClient {
            $0.offline = true
            $0.mirrors = ["docker.io": "http://0.0.0.0:\(server.port)"]
        }
        #expect(try client.tags(Reference(parsing: "\(server.host)/a/b")) == ["x"])
        let error = #expect(throws: ShaleError.self) { try client.tags(Reference(parsing: "a/b")) }
        #expect(error?.code == .unavailable)
        #expect(server.requests.count == 1)
        #expect(throws: ShaleError.self) { try client.search(SearchQuery("x")) }
    }
}
