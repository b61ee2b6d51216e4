import Basics
import FoundationEssentials

/// An answer with a status other than success, with its body decoded (distribution specification, "Error Codes").
struct ErrorAnswer: Sendable {
    struct Entry: Sendable, Decodable {
        /// The kind of failure, as `MANIFEST_UNKNOWN`.
        var code: String
        var message: String

        private enum CodingKeys: String, CodingKey { case code, message }

        init(code: String, message: String) {
            self.code = code
            self.message = message
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            code = try container.decodeIfPresent(String.self, forKey: .code) ?? "UNKNOWN"
            message = (try? container.decodeIfPresent(String.self, forKey: .message)) ?? ""
        }

        /// As docker prints it: `manifest unknown: manifest unknown`.
        var words: String {
            let name = code.lowercased().split(separator: "_").joined(separator: " ")
            return (message.isEmpty ? name : "\(name): \(message)").visible
        }
    }

    private struct Body: Decodable {
        var errors: [Entry]?
        /// The form that some registries send with 401 and 429.
        var details: String?
        /// The form that token servers send.
        var message: String?
    }

    let status: Int
    let url: WebURL
    let method: String
    let entries: [Entry]
    let retryAfter: String?
    /// Whether a TLS server was spoken to in plain http.
    let wantsTLS: Bool
    let challenges: [Challenge]

    init(_ answer: HTTPAnswer, method: String) {
        status = answer.head.status
        url = answer.url
        self.method = method
        retryAfter = answer.head.headers["retry-after"]
        challenges = answer.head.headers.all("www-authenticate").flatMap(Challenge.parse)
        let text = String(decoding: answer.body.prefix(4096), as: UTF8.self)
        wantsTLS = status == 400 && answer.url.isPlain && text.contains("HTTP request") && text.contains("HTTPS")
        entries = Self.scopeRefusal(challenges) + Self.decode(answer)
    }

    /// A bearer challenge may say itself why the token was not enough (RFC 6750, section 3.1).
    private static func scopeRefusal(_ challenges: [Challenge]) -> [Entry] {
        challenges.compactMap { challenge in
            guard challenge.scheme == "bearer" else { return nil }
            let said = challenge.parameters["error_description"] ?? ""
            switch challenge.parameters["error"] {
            case "insufficient_scope":
                return Entry(
                    code: "DENIED", message: said.isEmpty ? "requested access to the resource is denied" : said)
            case "invalid_token":
                return Entry(code: "UNAUTHORIZED", message: said.isEmpty ? "authentication required" : said)
            default: return nil
            }
        }
    }

    private static func decode(_ answer: HTTPAnswer) -> [Entry] {
        guard let body = try? JSONDecoder().decode(Body.self, from: answer.body) else { return [] }
        if let errors = body.errors, !errors.isEmpty { return Array(errors.prefix(8)) }
        guard let said = body.details ?? body.message, !said.isEmpty else { return [] }
        switch answer.head.status {
        case 401: return [Entry(code: "UNAUTHORIZED", message: said)]
        case 429: return [Entry(code: "TOOMANYREQUESTS", message: said)]
        default: return [Entry(code: "UNKNOWN", message: said)]
        }
    }

    func has(_ code: String) -> Bool { entries.contains { $0.code == code } }

    /// Like docker: a request is repeated unless the registry refused it or has no such thing.
    var isTransient: Bool { status >= 500 || status == 408 }

    /// Whether the server is only overloaded or restarting.
    var isBusy: Bool { [408, 502, 503, 504].contains(status) }

    /// The server's first error message, or the meaning of the status.
    var words: String { entries.first?.words ?? "received unexpected HTTP status: \(Self.statusLine(status))" }

    static func statusLine(_ status: Int) -> String {
        let reasons = [
            400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
            406: "Not Acceptable", 408: "Request Timeout", 409: "Conflict", 411: "Length Required",
            413: "Request Entity Too Large", 415: "Unsupported Media Type", 416: "Requested Range Not Satisfiable",
            429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
            503: "Service Unavailable", 504: "Gateway Timeout",
        ]
        return reasons[status].map { "\(status) \($0)" } ?? "\(status)"
    }
}
