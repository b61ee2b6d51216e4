import Basics
import CCurl

/// libcurl, which makes every request; loaded at the first one.
enum CurlLibrary {
    static func load() throws(ShaleError) {
        guard let words = shale_curl_load() else { return }
        throw ShaleError(
            .unsupported, "libcurl.so.4 cannot be loaded", cause: String(cString: words),
            hint: "apt-get install libcurl4")
    }
}

/// One easy handle with the connections it keeps; used by one thread at a time.
///
/// `@unchecked Sendable`: the pool hands each out to one request only.
final class CurlHandle: @unchecked Sendable {
    let easy: UnsafeMutableRawPointer
    let multi: UnsafeMutableRawPointer
    /// The origin it last spoke to, for which it may hold a connection.
    var lastOrigin = ""

    init() throws(ShaleError) {
        guard let easy = shale_curl_easy_new() else { throw Self.outOfMemory }
        guard let multi = shale_curl_multi_new() else {
            shale_curl_easy_free(easy)
            throw Self.outOfMemory
        }
        self.easy = easy
        self.multi = multi
    }

    deinit {
        shale_curl_easy_free(easy)
        shale_curl_multi_free(multi)
    }

    private static let outOfMemory = ShaleError(.io, "libcurl", cause: "cannot allocate memory")
}
