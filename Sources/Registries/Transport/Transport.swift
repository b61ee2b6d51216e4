import Basics
import CCurl
import Diagnostics
import FoundationEssentials
import Glibc
import Logging
import Synchronization

/// Requests over libcurl: a pool of handles, each with its own kept connections; any number of threads may send.
final class Transport: Sendable {
    /// Seconds.
    struct Timeouts: Sendable {
        var connect = 10.0
        /// No byte in either direction for this long.
        var stall = 30.0
    }

    let timeouts: Timeouts
    let userAgent: String
    private let idle = Mutex<[CurlHandle]>([])
    private let mostIdle = 8

    init(timeouts: Timeouts, userAgent: String) {
        self.timeouts = timeouts
        self.userAgent = userAgent
    }

    /// Sends one request and waits for its answer, whatever its status; redirects are not followed here.
    ///
    /// A success's body goes to `sink` piece by piece (libcurl gives up to 16 KiB at a time, uncopied), or into the
    /// answer, bounded by the request's limit.
    func send(
        _ request: HTTPRequest, cancellation: Cancellation, sink: BodySink? = nil
    ) throws(RequestFailure) -> HTTPAnswer {
        if cancellation.isCancelled { throw .transport(TransportFailure(.cancelled, url: request.url)) }
        let handle: CurlHandle
        do throws(ShaleError) {
            handle = try borrow(for: request.url.origin)
        } catch {
            throw .final(error)
        }
        defer { giveBack(handle) }
        handle.lastOrigin = request.url.origin

        return try perform(request, on: handle, sink: sink, cancellation: cancellation)
    }

    private func perform(
        _ request: HTTPRequest, on handle: CurlHandle, sink: BodySink?, cancellation: Cancellation
    ) throws(RequestFailure) -> HTTPAnswer {
        var source: BodySource?
        if case .stream(_, let make) = request.body { source = make() }
        let exchange = Exchange(
            limit: request.limit, sink: sink, source: source, cancellation: cancellation,
            stallTimeout: timeouts.stall)
        let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        var lines: UnsafeMutablePointer<curl_slist>?
        shale_curl_easy_reset(handle.easy)
        defer {
            shale_curl_easy_reset(handle.easy)
            shale_curl_list_free(lines)
            errorText.deallocate()
        }
        lines = prepare(request, on: handle.easy, errorText: errorText)

        let begin = SteadyTime.now()
        let code = withExtendedLifetime(exchange) {
            let context = Unmanaged.passUnretained(exchange).toOpaque()
            shale_curl_set_header(handle.easy, headerCallback, context)
            shale_curl_set_write(handle.easy, bodyCallback, context)
            shale_curl_set_read(handle.easy, sourceCallback, context)
            return shale_curl_perform(handle.easy, handle.multi, 100, proceedCallback, context)
        }
        note(request, exchange, code, since: begin)
        if exchange.hasEnough { return HTTPAnswer(head: exchange.head, body: exchange.body, url: request.url) }
        if let stop = exchange.stop { throw failure(for: stop, request: request) }
        // A refusal counts even when its text breaks off (docker-registry does so after a bad range), or when it came
        // while the request's body was still being sent.
        let isCutRefusal =
            exchange.head.status >= 400 && [CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR].contains(code)
        guard code == CURLE_OK || isCutRefusal else {
            let said = String(cString: errorText)
            throw .transport(
                TransportFailure(
                    code: code, words: said.isEmpty ? String(cString: shale_curl_error_words(code)) : said,
                    systemError: Int32(truncatingIfNeeded: shale_curl_get_long(handle.easy, CURLINFO_OS_ERRNO)),
                    url: request.url))
        }
        return HTTPAnswer(head: exchange.head, body: exchange.body, url: request.url)
    }

    /// A line in the log for each request, and a piece of a trace.
    private func note(_ request: HTTPRequest, _ exchange: Exchange, _ code: CURLcode, since begin: UInt64) {
        Observer.tell(
            Observer.Span(
                .registry, "\(request.method) \(request.url.loggable)", begin: begin, end: SteadyTime.now(),
                lane: Observer.lane))
        Logger.registry.info(
            "request",
            metadata: [
                "method": "\(request.method)", "url": "\(request.url.loggable)", "status": "\(exchange.head.status)",
                "bytes": "\(exchange.received)", "ms": "\(Milliseconds.text(since: begin))",
                "end": "\(code == CURLE_OK ? "whole" : String(cString: shale_curl_error_words(code)))",
            ])
    }

    private func failure(for stop: Exchange.Stop, request: HTTPRequest) -> RequestFailure {
        switch stop {
        case .sink(let error): .final(error)
        case .tooLarge: .transport(TransportFailure(.tooLarge, url: request.url, detail: "\(request.limit) bytes"))
        case .stalled:
            .transport(
                TransportFailure(.stalled, url: request.url, detail: "no byte for \(Self.seconds(timeouts.stall))"))
        case .tooSlow(let bytes):
            .transport(
                TransportFailure(
                    .stalled, url: request.url,
                    detail: "\(bytes) byte\(bytes == 1 ? "" : "s") in \(Self.seconds(timeouts.stall))"))
        case .cancelled: .transport(TransportFailure(.cancelled, url: request.url))
        }
    }

    private static func seconds(_ value: Double) -> String {
        value == 1 ? "1 second" : Int64(exactly: value).map { "\($0) seconds" } ?? "\(value) seconds"
    }

    /// Sets a handle up for one request; the list of header lines returned is the caller's to free.
    private func prepare(
        _ request: HTTPRequest, on easy: UnsafeMutableRawPointer, errorText: UnsafeMutablePointer<CChar>
    ) -> UnsafeMutablePointer<curl_slist>? {
        shale_curl_set_error_buffer(easy, errorText)
        shale_curl_set_string(easy, CURLOPT_URL, request.url.description)
        if shale_curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https") != CURLE_OK {
            // Before libcurl 7.85: CURLPROTO_HTTP | CURLPROTO_HTTPS.
            shale_curl_set_long(easy, CURLOPT_PROTOCOLS, 3)
        }
        shale_curl_set_string(easy, CURLOPT_USERAGENT, userAgent)
        shale_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        shale_curl_set_long(easy, CURLOPT_BUFFERSIZE, 512 << 10)
        shale_curl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, 512 << 10)
        shale_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(min(max(timeouts.connect, 0.01), 86_400) * 1000))
        shale_curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1)
        shale_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 0)
        shale_curl_set_long(easy, CURLOPT_SSL_VERIFYPEER, request.verifiesPeer ? 1 : 0)
        shale_curl_set_long(easy, CURLOPT_SSL_VERIFYHOST, request.verifiesPeer ? 2 : 0)
        setCertificates(request.certificates, on: easy)
        setProxy(request.url, on: easy)
        var headers = request.headers
        setMethod(request, on: easy, headers: &headers)
        var lines: UnsafeMutablePointer<curl_slist>?
        for field in headers.fields {
            // A line break in a value would begin another header.
            let value = field.value.unicodeScalars.contains { $0.value < 0x20 && $0 != "\t" } ? "" : field.value
            let line = value.isEmpty ? "\(field.name):" : "\(field.name): \(value)"
            if let longer = shale_curl_list_append(lines, line) { lines = longer }
        }
        shale_curl_set_list(easy, CURLOPT_HTTPHEADER, lines)
        return lines
    }

    private func setMethod(
        _ request: HTTPRequest, on easy: UnsafeMutableRawPointer, headers: inout HTTPHeaders
    ) {
        switch request.body {
        case .none where request.method == "HEAD":
            shale_curl_set_long(easy, CURLOPT_NOBODY, 1)
        case .none where request.method == "GET":
            shale_curl_set_long(easy, CURLOPT_HTTPGET, 1)
        case .none where request.method == "DELETE":
            break
        case .none:
            shale_curl_set_long(easy, CURLOPT_POST, 1)
            shale_curl_set_body(easy, "", 0)
            headers.append("Content-Type", "")
        case .data(let data):
            shale_curl_set_long(easy, CURLOPT_POST, 1)
            let bytes = Array(data)
            bytes.withUnsafeBytes { bytes in
                if let base = bytes.baseAddress { shale_curl_set_body(easy, base, Int64(bytes.count)) }
            }
            if data.isEmpty { shale_curl_set_body(easy, "", 0) }
            headers.append("Expect", "")
        case .stream(let length, _):
            shale_curl_set_long(easy, CURLOPT_UPLOAD, 1)
            shale_curl_set_offset(easy, CURLOPT_INFILESIZE_LARGE, length)
            headers.append("Expect", "")
        }
        if request.method != "GET", request.method != "HEAD" {
            shale_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, request.method)
        }
    }

    private func setCertificates(_ own: HostCertificates?, on easy: UnsafeMutableRawPointer) {
        if let file = Self.environment("SSL_CERT_FILE") { shale_curl_set_string(easy, CURLOPT_CAINFO, file) }
        guard let own else { return }
        own.authorities.withUnsafeBytes { bytes in
            // The system's folder of authorities stays trusted.
            if let base = bytes.baseAddress, !bytes.isEmpty {
                shale_curl_set_blob(easy, CURLOPT_CAINFO_BLOB, base, bytes.count)
            }
        }
        guard let client = own.client else { return }
        shale_curl_set_string(easy, CURLOPT_SSLCERT, client.certificate)
        shale_curl_set_string(easy, CURLOPT_SSLKEY, client.key)
    }

    /// The proxies of the environment, by Go's rules: capitals count too, and this machine is never proxied.
    private func setProxy(_ url: WebURL, on easy: UnsafeMutableRawPointer) {
        if url.isLoopback {
            shale_curl_set_string(easy, CURLOPT_NOPROXY, "*")
        } else if url.isPlain, Self.environment("http_proxy") == nil, let proxy = Self.environment("HTTP_PROXY") {
            shale_curl_set_string(easy, CURLOPT_PROXY, proxy)
        }
    }

    /// The variable that names the proxy of an address, where one does and this machine is not meant.
    static func proxyVariable(for url: WebURL) -> String? {
        if url.isLoopback { return nil }
        // In libcurl's order of the two.
        let exceptions = environment("no_proxy") ?? environment("NO_PROXY")
        if let exceptions, ProxyExceptions(exceptions).contains(url.host) { return nil }
        let own = url.isPlain ? ["http_proxy", "HTTP_PROXY"] : ["https_proxy", "HTTPS_PROXY"]
        return (own + ["all_proxy", "ALL_PROXY"]).first { environment($0) != nil }
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private func borrow(for origin: String) throws(ShaleError) -> CurlHandle {
        try CurlLibrary.load()
        let kept = idle.withLock { idle -> CurlHandle? in
            if let index = idle.lastIndex(where: { $0.lastOrigin == origin }) { return idle.remove(at: index) }
            return idle.count >= mostIdle ? idle.removeFirst() : nil
        }
        if let kept { return kept }
        return try CurlHandle()
    }

    private func giveBack(_ handle: CurlHandle) {
        idle.withLock { idle in
            if idle.count < mostIdle { idle.append(handle) }
        }
    }
}

private func exchange(_ context: UnsafeMutableRawPointer?) -> Exchange? {
    context.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
}

private let headerCallback: shale_curl_data_function = { bytes, size, count, context in
    let length = size &* count
    guard let exchange = exchange(context) else { return 0 }
    return exchange.takeHeader(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
}

private let bodyCallback: shale_curl_data_function = { bytes, size, count, context in
    let length = size &* count
    guard let exchange = exchange(context) else { return 0 }
    return exchange.takeBody(UnsafeRawBufferPointer(start: bytes, count: length)) ? length : 0
}

private let sourceCallback: shale_curl_data_function = { bytes, size, count, context in
    guard let exchange = exchange(context) else { return Int(CURL_READFUNC_ABORT) }
    return exchange.giveBody(UnsafeMutableRawBufferPointer(start: bytes, count: size &* count))
        ?? Int(CURL_READFUNC_ABORT)
}

private let proceedCallback: @convention(c) (UnsafeMutableRawPointer?) -> Bool = { context in
    exchange(context)?.proceeds() ?? false
}
