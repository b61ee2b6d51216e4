import Basics
import FoundationEssentials
import Glibc
import OCI
import Synchronization
import TestSupport
import Testing

@testable import Registries

typealias Answer = MisbehavingServer.Answer
typealias Request = MisbehavingServer.Request

private let manifestText =
    #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"#
    + #""application/vnd.oci.image.config.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8"#
    + #"310c060f61caaff8a","size":2},"layers":[]}"#

private let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 / 251) }
private let descriptor = Descriptor(
    mediaType: MediaType.ociLayer, digest: Digest.of(content), size: Int64(content.count))

/// Fetches the blob from a server; the bytes as they came.
private func fetch(
    _ server: MisbehavingServer, offset: Int64 = 0, client: RegistryClient = plainClient(),
    retrying: (RetryNotice) -> Void = { _ in }
) throws(ShaleError) -> [UInt8] {
    var bytes: [UInt8] = []
    try client.blob(
        descriptor, in: try Reference(parsing: "\(server.host)/a/b"), offset: offset, retrying: retrying
    ) { bytes += $0 }
    return bytes
}

@Suite struct BrokenTransferTests {
    /// How the first two answers break; the third is whole.
    @Test(arguments: [
        (true, [MisbehavingServer.Delivery.cutAfter(70_000), .cutAfter(1)]),
        (false, [.cutAfter(70_000), .cutAfter(90_000)]),
        (true, [.closed, .cutAfter(199_999)]),
        (true, [.hangAfter(5000)]),
        (false, [.silence]),
        (true, [.chunked(1000)]),
        (true, [.unframed]),
    ]) func everyByteComesOnce(ranges: Bool, deliveries: [MisbehavingServer.Delivery]) throws {
        let server = try MisbehavingServer { request in
            let delivery = request.number < deliveries.count ? deliveries[request.number] : .whole
            return .blob(content, for: request, ranges: ranges, delivery: delivery)
        }
        let client = plainClient { $0.stallTimeout = 0.6 }
        #expect(try fetch(server, client: client) == content)
        #expect(try fetch(server, offset: 1234, client: client) == Array(content[1234...]))
    }

    @Test func aResumedTransferAsksForTheRestOnly() throws {
        let server = try MisbehavingServer { request in
            .blob(content, for: request, delivery: request.number == 0 ? .cutAfter(50_000) : .whole)
        }
        var notices: [RetryNotice] = []
        #expect(try fetch(server, retrying: { notices.append($0) }) == content)
        #expect(server.requests.map { $0.headers["range"] } == [nil, "bytes=50000-"])
        #expect(notices.map(\.line) == ["Retrying in 1 second"])
        #expect(notices.first?.attempt == 2)
    }

    @Test func noProgramInheritsAConnection() throws {
        let server = try MisbehavingServer { request in .blob(content, for: request) }
        let client = plainClient()
        _ = try fetch(server, client: client)
        let links = (3..<16_384).compactMap { number -> Int32? in
            let file = Int32(number)
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let isPeer = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(file, $0, &length) == 0 }
            }
            let isOurs = isPeer && address.sin_family == AF_INET && UInt16(bigEndian: address.sin_port) == server.port
            return isOurs ? file : nil
        }
        #expect(!links.isEmpty)
        for link in links { #expect(fcntl(link, F_GETFD) & FD_CLOEXEC != 0) }
        withExtendedLifetime(client) {}
    }

    @Test func fiveAttemptsThenAnError() throws {
        let server = try MisbehavingServer { _ in .closed }
        let error = #expect(throws: ShaleError.self) { try fetch(server) }
        #expect(error?.code == .unavailable)
        #expect(server.requests.count == 5)
    }

    @Test func busyServersAreAskedAgainAndRefusalsAreNot() throws {
        for (status, count) in [(503, 5), (500, 5), (404, 1), (403, 1), (401, 1), (429, 1), (400, 1)] {
            let server = try MisbehavingServer { _ in Answer(status) }
            #expect(throws: ShaleError.self) { try fetch(server) }
            #expect(server.requests.count == count, "status \(status)")
        }
    }

    @Test func aServerThatRefusesRangesIsReadFromTheStart() throws {
        let server = try MisbehavingServer { request in
            if request.headers["range"] != nil { return Answer(416) }
            return .blob(content, for: request, delivery: request.number == 0 ? .cutAfter(1000) : .whole)
        }
        #expect(try fetch(server) == content)
    }

    @Test func liesAboutSizesAndRangesAreCorrupt() throws {
        let lies: [@Sendable (Request) -> Answer] = [
            { _ in Answer(body: content + [0]) },
            { _ in Answer(body: content.dropLast()) },
            { _ in Answer(body: content + [0], delivery: .chunked(8192)) },
            { _ in Answer(body: []) },
            { _ in Answer(206, headers: [("Content-Range", "bytes 500-199999/200000")], body: Array(content[500...])) },
            { _ in Answer(206, body: content) },
            { _ in Answer(206, headers: [("Content-Range", "bytes 0-9/10")], body: Array(content[..<10])) },
        ]
        for (number, lie) in lies.enumerated() {
            let server = try MisbehavingServer(lie)
            let error = #expect(throws: ShaleError.self, "lie \(number)") { try fetch(server) }
            #expect(error?.code == .corrupt, "lie \(number): \(String(describing: error))")
            #expect(server.requests.count == 1)
        }
        let server = try MisbehavingServer { _ in Answer(body: [UInt8](repeating: 7, count: content.count)) }
        let error = #expect(throws: ShaleError.self) {
            try plainClient().blobData(descriptor, in: Reference(parsing: "\(server.host)/a/b"))
        }
        #expect(error?.code == .corrupt)
    }

    @Test func aCancelledTransferStopsAtOnce() throws {
        let server = try MisbehavingServer { request in .blob(content, for: request, delivery: .hangAfter(1000)) }
        let cancellation = Cancellation()
        let client = plainClient { $0.stallTimeout = 30 }
        let start = Date()
        PosixThread.start {
            while server.requests.isEmpty { usleep(1000) }
            cancellation.cancel()
        }
        let error = #expect(throws: ShaleError.self) {
            try client.blob(
                descriptor, in: Reference(parsing: "\(server.host)/a/b"), cancellation: cancellation
            ) { _ in }
        }
        #expect(error?.code == .cancelled)
        #expect(Date().timeIntervalSince(start) < 5)
    }

    @Test func aSlowDripIsNoStall() throws {
        let small = Array(content[..<2000])
        let server = try MisbehavingServer { _ in Answer(body: small, delivery: .drip(bytes: 100, milliseconds: 60)) }
        let client = plainClient { $0.stallTimeout = 0.5 }
        let blob = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of(small), size: 2000)
        #expect(try client.blobData(blob, in: Reference(parsing: "\(server.host)/a/b")) == Data(small))
    }

    /// One byte now and then would keep a pull alive for ever.
    @Test func aTrickleIsAStall() throws {
        let small = Array(content[..<2000])
        let server = try MisbehavingServer { _ in Answer(body: small, delivery: .drip(bytes: 1, milliseconds: 50)) }
        let client = plainClient { $0.stallTimeout = 0.5 }
        let blob = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of(small), size: 2000)
        let error = #expect(throws: ShaleError.self) {
            try client.blobData(blob, in: Reference(parsing: "\(server.host)/a/b"))
        }
        #expect(
            error?.description.contains("the server stopped sending, or nearly") == true, "\(String(describing: error))"
        )
    }

    @Test func theTakersErrorComesBackAsItIs() throws {
        let server = try MisbehavingServer { request in .blob(content, for: request) }
        let error = #expect(throws: ShaleError.self) {
            try plainClient().blob(descriptor, in: Reference(parsing: "\(server.host)/a/b")) {
                (_) throws(ShaleError) in throw ShaleError(.noSpace, "disk", cause: "no space left on device")
            }
        }
        #expect(error?.description == "disk: no space left on device")
        #expect(server.requests.count == 1)
    }
}

@Suite struct HostileManifestTests {
    @Test(arguments: [
        (Answer(body: Array("not json".utf8)), ShaleError.Code.corrupt),
        (Answer(body: []), .corrupt),
        (Answer.json("[]"), .corrupt),
        (Answer.json("{}"), .unsupported),
        (Answer.json(#"{"schemaVersion":1}"#), .unsupported),
        (
            Answer.json(
                manifestText, headers: [("Docker-Content-Digest", "sha256:" + String(repeating: "0", count: 64))]),
            .corrupt
        ),
        (Answer(headers: [("Content-Type", MediaType.ociIndex)], body: Array(manifestText.utf8)), .corrupt),
        (Answer(body: [UInt8](repeating: 32, count: 5 << 20)), .corrupt),
        (Answer(body: [UInt8](repeating: 32, count: 5 << 20), delivery: .chunked(100_000)), .corrupt),
        (Answer(body: Array(manifestText.utf8), delivery: .cutAfter(10)), .unavailable),
        (Answer(delivery: .raw(Array("garbage\r\n\r\n".utf8))), .corrupt),
        (Answer(delivery: .raw(Array("HTTP/1.1 200 OK\r\n".utf8))), .corrupt),
        (Answer(302, headers: [("Location", "file:///etc/passwd")]), .invalid),
        (Answer(302, headers: [("Location", "/v2/a/b/manifests/latest")]), .corrupt),
        (Answer(302, headers: [("Location", "http://user:secret@127.0.0.1/")]), .invalid),
        (Answer.silence, .timeout),
    ]) func isRefused(answer: Answer, code: ShaleError.Code) throws {
        let server = try MisbehavingServer { _ in answer }
        let client = plainClient { $0.stallTimeout = 0.6 }
        let error = #expect(throws: ShaleError.self) { try client.resolve(Reference(parsing: "\(server.host)/a/b")) }
        #expect(error?.code == code, "\(String(describing: error))")
    }

    @Test func aManifestWithoutATypeIsTakenForWhatItIs() throws {
        let server = try MisbehavingServer { _ in Answer(body: Array(manifestText.utf8)) }
        let fetched = try plainClient().resolve(Reference(parsing: "\(server.host)/a/b"))
        #expect(fetched.mediaType == MediaType.ociManifest)
        #expect(fetched.descriptor.size == Int64(manifestText.utf8.count))
        let accepts = server.requests[0].headers["accept"] ?? ""
        for type in RegistryClient.manifestTypes { #expect(accepts.contains(type)) }
        #expect(server.requests[0].headers["user-agent"] == "shale/1")
    }

    @Test func aDigestThatIsAskedForMustCome() throws {
        let server = try MisbehavingServer { _ in .json(manifestText) }
        let other = Digest.of("other".utf8)
        let error = #expect(throws: ShaleError.self) {
            try plainClient().resolve(Reference(parsing: "\(server.host)/a/b@\(other)"))
        }
        #expect(error?.code == .corrupt)
    }

    @Test func endlessHeadersEnd() throws {
        let lines = (0..<1000).map { "X-\($0): y\r\n" }.joined()
        let server = try MisbehavingServer { _ in
            Answer(delivery: .raw(Array("HTTP/1.1 200 OK\r\n\(lines)\r\n".utf8)))
        }
        #expect(throws: ShaleError.self) { try plainClient().resolve(Reference(parsing: "\(server.host)/a/b")) }
    }

    /// A server that names yet another page on each page.
    @Test(arguments: [#"{"tags":["a"]}"#, #"{"tags":[]}"#])
    func pagesWithoutEndEnd(page: String) throws {
        let server = try MisbehavingServer { request in
            .json(page, headers: [("Link", "</v2/a/b/tags/list?last=\(request.number)>; rel=\"next\"")])
        }
        let error = #expect(throws: ShaleError.self) {
            try plainClient().tags(Reference(parsing: "\(server.host)/a/b"))
        }
        #expect(error?.cause == "the registry names page after page, and nothing new on them")
        let fresh = try MisbehavingServer { request in
            .json(
                #"{"tags":["a\#(request.number)"]}"#,
                headers: [("Link", "</v2/a/b/tags/list?last=\(request.number)>; rel=\"next\"")])
        }
        let other = #expect(throws: ShaleError.self) { try plainClient().tags(Reference(parsing: "\(fresh.host)/a/b")) }
        #expect(other?.cause == "the list has more than 1000 pages")
    }

    @Test(arguments: [
        ("7", "wait 7 seconds"), ("1", "wait 1 second"), ("-5", "wait a moment"), ("0", "wait a moment"),
        ("1000000000", "wait more than a day"), ("99999999999999999999", "wait more than a day"),
        ("Fri, 31 Dec 1999 23:59:59 GMT", "wait until Fri, 31 Dec 1999 23:59:59 GMT"),
    ])
    func howLongToWaitIsSaidSensibly(said: String, words: String) {
        #expect(RegistryClient.wait(said) == words)
    }

    @Test func pagesThatGoInCirclesOrElsewhereEnd() throws {
        let circle = try MisbehavingServer { request in
            .json(#"{"tags":["a\#(request.number)"]}"#, headers: [("Link", "</v2/a/b/tags/list?last=x>; rel=\"next\"")])
        }
        #expect(try plainClient().tags(Reference(parsing: "\(circle.host)/a/b")) == ["a0", "a1"])
        let away = try MisbehavingServer { _ in
            .json(#"{"tags":["a"]}"#, headers: [("Link", "<http://127.0.0.1:1/v2/>; rel=\"next\"")])
        }
        let error = #expect(throws: ShaleError.self) { try plainClient().tags(Reference(parsing: "\(away.host)/a/b")) }
        #expect(error?.code == .denied)
        let null = try MisbehavingServer { _ in .json(#"{"name":"a/b","tags":null}"#) }
        #expect(try plainClient().tags(Reference(parsing: "\(null.host)/a/b")).isEmpty)
    }
}

@Suite struct RefusalTests {
    @Test(arguments: [
        (
            Answer.error(404, "MANIFEST_UNKNOWN", "manifest unknown"),
            "manifest for HOST/a/b:latest not found: manifest unknown: manifest unknown"
        ),
        (Answer(404), "manifest for HOST/a/b:latest not found: manifest unknown: manifest unknown"),
        (
            Answer.error(404, "NAME_UNKNOWN", "repository name not known to registry"),
            "repository HOST/a/b not found: name unknown: repository name not known to registry"
        ),
        (
            Answer.error(403, "DENIED", "requested access to the resource is denied"),
            "pull access denied for HOST/a/b, repository does not exist or may require 'docker login': "
                + "denied: requested access to the resource is denied"
        ),
        (
            Answer(401, headers: [("WWW-Authenticate", #"Bearer realm="",error="insufficient_scope""#)]),
            "pull access denied for HOST/a/b, repository does not exist or may require 'docker login': "
                + "denied: requested access to the resource is denied"
        ),
        (
            Answer.json(#"{"details":"say who you are\u001b[2J"}"#, status: 401),
            "pull access denied for HOST/a/b, repository does not exist or may require 'docker login': "
                + #"unauthorized: say who you are\e[2J"#
        ),
        (
            Answer.error(429, "TOOMANYREQUESTS", "You have reached your pull rate limit."),
            "toomanyrequests: You have reached your pull rate limit."
        ),
        (
            Answer(500),
            "Get \"http://HOST/v2/a/b/manifests/latest\": received unexpected HTTP status: 500 Internal Server Error"
        ),
        (
            Answer.error(400, "NAME_INVALID", "invalid repository name"),
            "Get \"http://HOST/v2/a/b/manifests/latest\": name invalid: invalid repository name"
        ),
    ]) func readsLikeDocker(answer: Answer, words: String) throws {
        let server = try MisbehavingServer { _ in answer }
        let error = #expect(throws: ShaleError.self) {
            try plainClient().resolve(Reference(parsing: "\(server.host)/a/b").withDefaultTag)
        }
        let all = words.split(separator: "HOST", omittingEmptySubsequences: false).joined(separator: server.host)
        #expect(error?.description == all)
    }

    @Test func unreachableServersAreNamed() throws {
        let port = try LoopbackPort.free()
        let refused = #expect(throws: ShaleError.self) {
            try plainClient().resolve(Reference(parsing: "127.0.0.1:\(port)/a/b"))
        }
        #expect(
            refused?.description
                == "Get \"http://127.0.0.1:\(port)/v2/\": dial tcp 127.0.0.1:\(port): connect: connection refused")
        #expect(refused?.hint != nil)
        let lost = #expect(throws: ShaleError.self) {
            try plainClient().resolve(Reference(parsing: "nosuch.localhost.invalid/a/b"))
        }
        #expect(
            lost?.description
                == "Get \"https://nosuch.localhost.invalid/v2/\": dial tcp: lookup nosuch.localhost.invalid: no such host"
        )
    }

    @Test func retryAfterIsPassedOn() throws {
        let server = try MisbehavingServer { _ in
            .error(429, "TOOMANYREQUESTS", "slow down", headers: [("Retry-After", "7")])
        }
        let error = #expect(throws: ShaleError.self) {
            try plainClient().resolve(Reference(parsing: "\(server.host)/a/b"))
        }
        #expect(error?.hint?.hasPrefix("wait 7 seconds") == true)
        #expect(server.requests.count == 1)
    }
}

@Suite struct MirrorTests {
    /// A mirror that lacks the image, or fails, gives way to the registry behind it.
    @Test(arguments: [Answer(404), Answer(500), Answer(401), Answer.closed])
    func aMirrorThatFailsGivesWay(answer: Answer) throws {
        let mirror = try MisbehavingServer { _ in answer }
        let origin = try MisbehavingServer { _ in .json(manifestText) }
        let client = plainClient { $0.mirrors = [origin.host: mirror.url] }
        let fetched = try client.resolve(Reference(parsing: "\(origin.host)/a/b"))
        #expect(!fetched.isFromMirror)
        #expect(!mirror.requests.isEmpty)
    }

    @Test func aMirrorWithAPathIsAskedBelowIt() throws {
        let mirror = try MisbehavingServer { _ in .json(manifestText) }
        let client = plainClient { $0.mirrors = ["docker.io": mirror.url + "/hub/"] }
        _ = try client.resolve(Reference(parsing: "ubuntu"))
        #expect(mirror.requests.map(\.target) == ["/hub/v2/library/ubuntu/manifests/latest"])
    }

    @Test func whatTheMirrorSaysCountsWhenTheRegistryIsOutOfReach() throws {
        let mirror = try MisbehavingServer { _ in Answer(404) }
        let port = try LoopbackPort.free()
        let client = plainClient { $0.mirrors = ["127.0.0.1:\(port)": mirror.url] }
        let error = #expect(throws: ShaleError.self) { try client.resolve(Reference(parsing: "127.0.0.1:\(port)/a/b")) }
        #expect(error?.code == .notFound)
        #expect(error?.hint == "asked the mirror \(mirror.url); 127.0.0.1 cannot be reached")
        mirror.stop()
        let both = #expect(throws: ShaleError.self) { try client.resolve(Reference(parsing: "127.0.0.1:\(port)/a/b")) }
        #expect(both?.code == .unavailable)
        #expect(both?.hint?.hasPrefix("the mirror \(mirror.url) did not answer either: ") == true)
    }

    @Test func aBlobGoesOnAtTheRegistryWhereTheMirrorBrokeOff() throws {
        let mirror = try MisbehavingServer { request in .blob(content, for: request, delivery: .cutAfter(60_000)) }
        let origin = try MisbehavingServer { request in .blob(content, for: request) }
        let client = plainClient { $0.mirrors = [origin.host: mirror.url] }
        #expect(try fetch(origin, client: client) == content)
        #expect(origin.requests.map { $0.headers["range"] } == ["bytes=60000-"])
    }
}
