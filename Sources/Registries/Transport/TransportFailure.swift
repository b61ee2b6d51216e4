import Basics
import CCurl
import Glibc

/// A request that brought no whole answer.
struct TransportFailure: Error, Sendable {
    enum Kind: Sendable, Equatable {
        case noSuchHost, refused, unreachable, tls, connectTimeout, stalled, cutOff, tooLarge, malformed
        case cancelled
    }
    var kind: Kind
    var url: WebURL
    /// What libcurl or the system said.
    var detail: String

    /// Whether the same request may succeed a moment later.
    var isTransient: Bool {
        switch kind {
        case .noSuchHost, .refused, .unreachable, .connectTimeout, .stalled, .cutOff: true
        case .tls, .tooLarge, .malformed, .cancelled: false
        }
    }

    /// Whether the server was never reached, so that another one may be asked.
    var neverArrived: Bool {
        switch kind {
        case .noSuchHost, .refused, .unreachable, .connectTimeout, .tls: true
        case .stalled, .cutOff, .tooLarge, .malformed, .cancelled: false
        }
    }

    /// What went wrong, in docker's words (which are Go's).
    var words: String {
        switch kind {
        case .noSuchHost: "dial tcp: lookup \(url.host.visible): no such host"
        case .refused: "dial tcp \(url.host.visible):\(url.port): connect: connection refused"
        case .unreachable: "dial tcp \(url.host.visible):\(url.port): connect: \(detail.visible)"
        case .connectTimeout: "dial tcp \(url.host.visible):\(url.port): i/o timeout"
        case .tls: "tls: \(detail.visible)"
        case .stalled: "the server stopped sending, or nearly: \(detail.visible)"
        case .cutOff: "the connection broke off: \(detail.visible)"
        case .tooLarge: "the answer is larger than \(detail.visible)"
        case .malformed: "malformed answer: \(detail.visible)"
        case .cancelled: "interrupted"
        }
    }

    init(_ kind: Kind, url: WebURL, detail: String = "") {
        self.kind = kind
        self.url = url
        self.detail = detail
    }

    /// Reads a transfer's result code; `words` is libcurl's own text for it, `systemError` the errno beneath.
    init(code: CURLcode, words: String, systemError: Int32, url: WebURL) {
        self.url = url
        detail = words
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: kind = .noSuchHost
        case CURLE_COULDNT_CONNECT where systemError == ECONNREFUSED || systemError == 0: kind = .refused
        case CURLE_COULDNT_CONNECT:
            kind = .unreachable
            detail = strerror(systemError).map { String(cString: $0).lowercased() } ?? words
        case CURLE_OPERATION_TIMEDOUT: kind = .connectTimeout
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_USE_SSL_FAILED:
            kind = .tls
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_HTTP2,
            CURLE_HTTP2_STREAM, CURLE_AGAIN, CURLE_SEND_FAIL_REWIND:
            kind = .cutOff
        default: kind = .malformed
        }
    }
}

/// Why a request to one endpoint failed, before it is put into words for the person.
enum RequestFailure: Error, Sendable {
    case transport(TransportFailure)
    /// The server answered with a status that is no success.
    case answer(ErrorAnswer)
    /// Already in its final words (a body closure threw, a digest is wrong, interrupted).
    case final(ShaleError)

    var isTransient: Bool {
        switch self {
        case .transport(let failure): failure.isTransient
        case .answer(let answer): answer.isTransient
        case .final: false
        }
    }
}
