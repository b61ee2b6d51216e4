import Basics
import FoundationEssentials
import OCI
import Synchronization
import TestSupport
import Testing

@testable import Registries

/// Uploads to registries that lack something, break off, forget or are full.
@Suite struct PushMisbehaviourTests {
    private static let bytes = (0..<250_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 997) }
    private static let blob = Descriptor(
        mediaType: MediaType.ociLayer, digest: Digest.of(bytes), size: Int64(bytes.count))

    /// A registry of one blob at a time, and what is wrong with it.
    final class Registry: Sendable {
        enum Fault: Sendable, CaseIterable {
            case none, noChunks, noChunksByNotFound, forgetsOnce, cutsOnce, closesWithServerErrorOnce, takesHalf
            case wantsLargeChunks, refusesLargeBodies, isOutOfStepOnce, answersNotItsStateOnce
        }

        private struct State {
            var bytes: [UInt8] = []
            var session = 0
            var hasFailed = false
            var blob: [UInt8]?
        }

        private let state = Mutex(State())
        private let fault: Fault
        init(_ fault: Fault) { self.fault = fault }

        var blob: [UInt8]? { state.withLock { $0.blob } }

        func answer(_ request: MisbehavingServer.Request) -> MisbehavingServer.Answer {
            state.withLock { state in answer(request, &state) }
        }

        private func answer(_ request: MisbehavingServer.Request, _ state: inout State) -> MisbehavingServer.Answer {
            let place = [("Location", "/up/\(state.session)"), ("Range", "0-\(max(0, state.bytes.count - 1))")]
            switch request.method {
            case "POST":
                state.session += 1
                state.bytes = []
                var headers = [("Location", "/up/\(state.session)")]
                if fault == .wantsLargeChunks { headers.append(("OCI-Chunk-Min-Length", "120000")) }
                return Answer(202, headers: headers)
            case _ where request.path != "/up/\(state.session)":
                return .error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
            case "GET": return Answer(204, headers: place)
            case "PATCH": return patch(request, &state)
            case "PUT": return close(request, &state)
            default: return .error(404, "BLOB_UNKNOWN", "blob unknown")
            }
        }

        private func patch(_ request: MisbehavingServer.Request, _ state: inout State) -> MisbehavingServer.Answer {
            let isFirst = !state.hasFailed && !state.bytes.isEmpty
            switch fault {
            case .noChunks: return .error(405, "UNSUPPORTED", "chunked uploads are not supported")
            case .noChunksByNotFound: return Answer(404)
            case .refusesLargeBodies where request.body.count > 1 << 17: return Answer(413)
            case .wantsLargeChunks
            where request.body.count < 120_000 && state.bytes.count + request.body.count < 250_000:
                return .error(416, "BLOB_UPLOAD_INVALID", "too small a chunk")
            case .forgetsOnce where isFirst:
                (state.hasFailed, state.session) = (true, state.session + 100)
                return .error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
            case .cutsOnce where isFirst:
                state.hasFailed = true
                // Half of it arrived before the connection broke.
                state.bytes += request.body.prefix(request.body.count / 2)
                return .closed
            case .isOutOfStepOnce where isFirst:
                state.hasFailed = true
                state.bytes.removeLast(1000)
                return .error(416, "BLOB_UPLOAD_INVALID", "out of order")
            case .answersNotItsStateOnce where isFirst:
                (state.hasFailed, state.session) = (true, state.session + 100)
                return .closed
            default: break
            }
            guard request.headers["content-range"]?.hasPrefix("\(state.bytes.count)-") == true else {
                return .error(416, "BLOB_UPLOAD_INVALID", "out of order")
            }
            let taken = fault == .takesHalf ? max(1, request.body.count / 2) : request.body.count
            state.bytes += request.body.prefix(taken)
            return Answer(
                202, headers: [("Location", "/up/\(state.session)"), ("Range", "0-\(state.bytes.count - 1)")])
        }

        private func close(_ request: MisbehavingServer.Request, _ state: inout State) -> MisbehavingServer.Answer {
            if fault == .refusesLargeBodies, request.body.count > 1 << 17 { return Answer(413) }
            if fault == .closesWithServerErrorOnce, !state.hasFailed {
                state.hasFailed = true
                return Answer(503)
            }
            let all = state.bytes + request.body
            guard request.query.contains("digest=\(Digest.of(all))") else {
                return .error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            }
            state.blob = all
            return Answer(201)
        }
    }

    /// One way is refused, then the other, then the first again: that has an end.
    @Test func aRegistryThatRefusesEveryWayIsNotAskedForEver() throws {
        let server = try MisbehavingServer { request in
            switch request.method {
            case "POST": Answer(202, headers: [("Location", "/up/1")])
            case "PATCH": .error(400, "BLOB_UPLOAD_INVALID", "no chunks")
            case "PUT": Answer(413)
            default: Answer(404)
            }
        }
        #expect(throws: ShaleError.self) {
            try plainClient().upload(
                Self.bytes, Self.blob, to: Reference(parsing: "\(server.host)/a/b"), chunkSize: 100_000)
        }
        #expect(server.requests.count < 60, "\(server.requests.count) requests")
    }

    @Test func anUploadThatIsNotGoneOnWithIsCancelledThere() throws {
        let server = try MisbehavingServer { request in
            switch request.method {
            case "POST": Answer(202, headers: [("Location", "/up/1?state=x")])
            case "DELETE": Answer(204)
            default: .error(403, "DENIED", "no more room for you")
            }
        }
        #expect(throws: ShaleError.self) {
            try plainClient().upload(Self.bytes, Self.blob, to: Reference(parsing: "\(server.host)/a/b"))
        }
        let last = try #require(server.requests.last)
        #expect(last.method == "DELETE" && last.path == "/up/1" && last.query == "state=x", "\(last)")
    }

    @Test(arguments: Registry.Fault.allCases, [nil, 100_000, 200_000] as [Int64?])
    func theBlobArrivesWhateverHappens(_ fault: Registry.Fault, chunk: Int64?) throws {
        let registry = Registry(fault)
        let server = try MisbehavingServer { registry.answer($0) }
        var bytes = Self.bytes
        var blob = Self.blob
        if fault == .refusesLargeBodies {
            // Chunks are made smaller down to a mebibyte: what is refused above that is sent in such.
            bytes = Array(bytes.prefix(1 << 17))
            blob = Descriptor(mediaType: blob.mediaType, digest: Digest.of(bytes), size: Int64(bytes.count))
        }
        try plainClient().upload(bytes, blob, to: Reference(parsing: "\(server.host)/a/b"), chunkSize: chunk)
        #expect(registry.blob == bytes)
    }

    @Test(arguments: [
        (500, "", "received unexpected HTTP status: 500 Internal Server Error", 5),
        (507, "", "received unexpected HTTP status: 507", 5),
        (429, "TOOMANYREQUESTS", "toomanyrequests: slow down", 1),
        (401, "UNAUTHORIZED", "unauthorized: slow down", 1), (403, "DENIED", "denied: slow down", 1),
        (403, "", "denied: requested access to the resource is denied", 1),
        (400, "DIGEST_INVALID", "digest invalid: slow down", 1),
    ]) func whatARegistrySaysAtTheEndIsTold(_ status: Int, _ code: String, _ words: String, _ attempts: Int) throws {
        let server = try MisbehavingServer { request in
            guard request.method == "PUT" else { return Answer(202, headers: [("Location", "/up/1")]) }
            if code.isEmpty { return Answer(status) }
            return .error(status, code, "slow down", headers: [("Retry-After", "7")])
        }
        let error = #expect(throws: ShaleError.self) {
            try plainClient().upload(Self.bytes, Self.blob, to: Reference(parsing: "\(server.host)/a/b"))
        }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(server.requests.filter { $0.method == "PUT" }.count == attempts)
        if status == 429 { #expect(error?.hint?.contains("wait 7 seconds") == true) }
    }

    @Test func aServerThatIsGoneIsAskedAgain() throws {
        let count = Mutex(0)
        let registry = Registry(.none)
        let server = try MisbehavingServer { request in
            let number = count.withLock { count in
                count += 1
                return count
            }
            return number <= 2 ? .closed : registry.answer(request)
        }
        try plainClient().upload(Self.bytes, Self.blob, to: Reference(parsing: "\(server.host)/a/b"))
        #expect(registry.blob == Self.bytes)
    }

    @Test(arguments: [405, 400, 501]) func aRegistryThatDoesNotDeleteIsNamed(_ status: Int) throws {
        let server = try MisbehavingServer { _ in .error(status, "UNSUPPORTED", "The operation is unsupported.") }
        let error = #expect(throws: ShaleError.self) {
            try plainClient().deleteManifest(Self.blob.digest, in: Reference(parsing: "\(server.host)/a/b"))
        }
        #expect(error?.code == .unsupported)
        #expect(
            error?.description
                == "\(server.host) does not delete images: unsupported: The operation is unsupported.")
    }
}
