import FoundationEssentials
import Synchronization

/// A token server for `docker-registry`, as distribution's token specification wants one; openssl signs.
package final class TokenServer: Sendable {
    package static let service = "shale tests"
    package static let issuer = "token server of the tests"

    /// What a request for a token is answered with instead of a good token.
    package enum Mood: Sendable {
        case honest
        /// A token that allows nothing.
        case stingy
        case refusing
    }

    private struct State {
        var mood = Mood.honest
        var expiresIn = 300
    }

    private let folder = TemporaryDirectory()
    private let state = Mutex(State())
    /// Who may have a token; `nil` lets everyone.
    private let accounts: [String: String]?
    private let server = Mutex<MisbehavingServer?>(nil)
    private let certificate: String
    /// The certificate that `docker-registry` trusts, a PEM file.
    package var certificatePath: String { folder.path + "/cert.pem" }

    package init(accounts: [String: String]? = nil) throws {
        self.accounts = accounts
        try TestCertificate.make(in: folder.path, name: "token.test")
        let lines = String(
            decoding: try Data(contentsOf: URL(filePath: folder.path + "/cert.pem")), as: UTF8.self
        ).split(separator: "\n")
        certificate = lines.filter { !$0.hasPrefix("-----") }.joined()
        let running = try MisbehavingServer { [weak self] request in
            self?.answer(request) ?? .closed
        }
        server.withLock { $0 = running }
    }

    package var realm: String { (server.withLock { $0?.url } ?? "") + "/token" }
    /// Every request for a token so far.
    package var requests: [MisbehavingServer.Request] { server.withLock { $0?.requests ?? [] } }

    package func become(_ mood: Mood) { state.withLock { $0.mood = mood } }

    /// How to start a registry that trusts this server.
    package var access: RegistryServer.Access {
        .token(realm: realm, service: Self.service, issuer: Self.issuer, certificate: certificatePath)
    }

    private func answer(_ request: MisbehavingServer.Request) -> MisbehavingServer.Answer {
        let mood = state.withLock(\.mood)
        let parameters = Self.parameters(request)
        if case .refusing = mood { return .error(401, "UNAUTHORIZED", "incorrect username or password") }
        if let accounts {
            let given = request.headers["authorization"].flatMap { text in
                Data(base64Encoded: String(text.dropFirst("Basic ".count))).map { String(decoding: $0, as: UTF8.self) }
            }
            guard accounts.contains(where: { "\($0.key):\($0.value)" == given }) else {
                return .error(401, "UNAUTHORIZED", "incorrect username or password")
            }
        }
        var access: [String] = []
        if case .honest = mood {
            access = parameters.filter { $0.name == "scope" }.flatMap { $0.value.split(separator: " ") }.map { scope in
                let parts = scope.split(separator: ":", omittingEmptySubsequences: false)
                let actions = parts.last?.split(separator: ",").map { "\"\($0)\"" }.joined(separator: ",") ?? ""
                let name = parts.dropFirst().dropLast().joined(separator: ":")
                return #"{"type":"\#(parts.first ?? "")","name":"\#(name)","actions":[\#(actions)]}"#
            }
        }
        guard let token = try? sign(access: access) else { return Answer(500) }
        return .json(#"{"token":"\#(token)","expires_in":300,"issued_at":"2024-01-01T00:00:00Z"}"#)
    }

    private typealias Answer = MisbehavingServer.Answer

    private static func parameters(_ request: MisbehavingServer.Request) -> [(name: String, value: String)] {
        request.query.split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                Self.decoded)
            return (name: halves[0], value: halves.count > 1 ? halves[1] : "")
        }
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            if byte == UInt8(ascii: "%"), let value = UInt8(digits, radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A JSON web token, RS256 with the certificate in its header.
    private func sign(access: [String]) throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        let header = #"{"typ":"JWT","alg":"RS256","x5c":["\#(certificate)"]}"#
        let claims = """
            {"iss":"\(Self.issuer)","sub":"tester","aud":"\(Self.service)","exp":\(now + 300),"nbf":\(now - 60),\
            "iat":\(now),"jti":"\(UInt64.random(in: 0 ... .max))","access":[\(access.joined(separator: ","))]}
            """
        let signed = Self.base64url(Data(header.utf8)) + "." + Self.base64url(Data(claims.utf8))
        let signature = try Peers.openssl.run(
            ["dgst", "-sha256", "-sign", folder.path + "/key.pem"], input: Array(signed.utf8)
        ).output
        return signed + "." + Self.base64url(Data(signature))
    }

    private static func base64url(_ data: Data) -> String {
        String(
            data.base64EncodedString().compactMap { character in
                switch character {
                case "+": "-"
                case "/": "_"
                case "=": nil
                default: character
                }
            })
    }
}

/// Keys and certificates for one test, made by openssl.
package enum TestCertificate {
    /// Writes `key.pem` and a self-signed `cert.pem` for a name (and 127.0.0.1) into a folder.
    package static func make(in folder: String, name: String) throws {
        try Peers.openssl.run([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=\(name)", "-addext",
            "subjectAltName=DNS:\(name),DNS:localhost,IP:127.0.0.1", "-keyout", folder + "/key.pem", "-out",
            folder + "/cert.pem",
        ])
    }
}
