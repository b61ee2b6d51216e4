import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

@testable import Registries

@Suite(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
struct PushTests {
    private static let bytes = (0..<250_000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 / 997) }
    private static let blob = Descriptor(
        mediaType: MediaType.ociLayer, digest: Digest.of(bytes), size: Int64(bytes.count))

    @Test(arguments: [nil, 100_000, 1_000_000] as [Int64?]) func blobsGoUpWholeAndInChunks(chunk: Int64?) throws {
        let server = try RegistryServer()
        let client = plainClient()
        let name = try Reference(parsing: "\(server.host)/team/app:1")
        #expect(try !client.hasBlob(Self.blob, in: name))
        try client.upload(Self.bytes, Self.blob, to: name, chunkSize: chunk)
        #expect(try client.hasBlob(Self.blob, in: name))
        #expect(try client.blobData(Self.blob, in: name) == Data(Self.bytes))
    }

    @Test func anImageGoesUpAndSkopeoReadsIt() throws {
        let server = try RegistryServer()
        let client = plainClient()
        let name = try Reference(parsing: "\(server.host)/team/app:1")
        let layer = SmallImage.tar([.init("hello", "hello\n")])
        let layerDescriptor = Descriptor(
            mediaType: MediaType.ociLayer, digest: Digest.of(layer), size: Int64(layer.count))
        let config = Array(
            #"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["\#(layerDescriptor.digest)"]}}"#
                .utf8)
        let configDescriptor = Descriptor(
            mediaType: MediaType.ociConfig, digest: Digest.of(config), size: Int64(config.count))
        try client.upload(layer, layerDescriptor, to: name)
        try client.upload(config, configDescriptor, to: name)
        let manifest = try OCIDocument.encode(Manifest(config: configDescriptor, layers: [layerDescriptor]))
        let digest = try client.putManifest(manifest, mediaType: MediaType.ociManifest, as: name)
        #expect(try client.resolve(name).descriptor.digest == digest)
        let seen = try Peers.skopeo.run(["inspect", "--tls-verify=false", "docker://\(name)"]).text
        #expect(seen.contains(layerDescriptor.digest.description) && seen.contains(digest.description))

        let other = try Reference(parsing: "\(server.host)/team/other:1")
        #expect(try client.mountBlob(layerDescriptor.digest, from: name, to: other) == .mounted)
        guard case .upload(let session) = try client.mountBlob(Self.blob.digest, from: name, to: other) else {
            Issue.record("a blob nobody has was mounted")
            return
        }
        try client.upload(Self.bytes, Self.blob, to: other, session: session)
        #expect(try client.hasBlob(Self.blob, in: other))
    }

    @Test func whatTheRegistryRefusesIsSaid() throws {
        let server = try RegistryServer()
        let client = plainClient()
        let name = try Reference(parsing: "\(server.host)/team/app:1")
        var wrong = Self.blob
        wrong.digest = Digest.of("other".utf8)
        let digest = #expect(throws: ShaleError.self) { try client.upload(Self.bytes, wrong, to: name) }
        #expect(digest?.description.contains("digest invalid") == true, "\(String(describing: digest))")
        let manifest = try OCIDocument.encode(Manifest(config: Self.blob, layers: []))
        let missing = #expect(throws: ShaleError.self) {
            try client.putManifest(manifest, mediaType: MediaType.ociManifest, as: name)
        }
        #expect(missing?.description.contains("blob unknown") == true, "\(String(describing: missing))")
        let short = #expect(throws: ShaleError.self) {
            try client.upload(Array(Self.bytes.dropLast()), Self.blob, to: name)
        }
        #expect(short?.code == .corrupt)
    }

    @Test func aBrokenUploadGoesOn() throws {
        let received = Received()
        let server = try MisbehavingServer { request in
            switch request.method {
            case "POST": return Answer(202, headers: [("Location", "/up?state=a")])
            case "PATCH":
                if request.number == 2 { return .closed }
                let total = received.append(request.body)
                return Answer(202, headers: [("Location", "/up?state=b"), ("Range", "0-\(total - 1)")])
            case "GET":
                return Answer(204, headers: [("Location", "/up?state=c"), ("Range", "0-\(received.count - 1)")])
            default: return Answer(201, headers: [("Location", "/v2/a/b/blobs/x")])
            }
        }
        let name = try Reference(parsing: "\(server.host)/a/b")
        try plainClient().upload(Self.bytes, Self.blob, to: name, chunkSize: 100_000)
        #expect(received.bytes == Self.bytes)
        #expect(
            server.requests.map { $0.headers["content-range"] ?? $0.method }
                == ["POST", "0-99999", "100000-199999", "GET", "100000-199999", "200000-249999", "PUT"])
        #expect(server.requests.last?.target == "/up?state=b&digest=\(Self.blob.digest)")
    }

    /// Bytes a scripted registry has taken.
    private final class Received: @unchecked Sendable {
        // The server answers one request after the other.
        private(set) var bytes: [UInt8] = []
        var count: Int { bytes.count }
        func append(_ more: [UInt8]) -> Int {
            bytes += more
            return bytes.count
        }
    }
}
