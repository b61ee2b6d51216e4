import Basics
import FoundationEssentials
import Layers
import Linux
import OCI
import Registries
import Stores
import Synchronization
import TestSupport

@testable import Images

/// The images of a home of one test's own.
struct ImageFixture {
    let folder = TemporaryDirectory()
    let images: ImageEngine

    /// A home of its own, or one that is there.
    init(home: String? = nil, _ change: (inout RegistryConfiguration) -> Void = { _ in }) throws {
        var configuration = RegistryConfiguration(credentials: CredentialStore(only: [:]))
        configuration.retries.unit = 0.01
        configuration.stallTimeout = 2
        configuration.connectTimeout = 2
        change(&configuration)
        let store = try Store(home: home ?? folder.path + "/home", form: .current)
        images = ImageEngine(store: store, registry: RegistryClient(configuration), settings: EngineSettings())
    }

    var store: Store { images.store }
    var home: String { folder.path + "/home" }

    @discardableResult
    func prune(_ request: PruneRequest = PruneRequest()) throws(ShaleError) -> PruneReport {
        var report = PruneReport()
        try images.prune(request, into: &report)
        return report
    }

    /// Names of blobs in the store.
    var blobs: [String] { get throws { try store.blobs.all().map(\.hex) } }

    /// Unfinished things that no living process needs: nothing but what may be taken up again.
    var partials: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: home + "/ingest")) ?? []).filter {
            $0.hasSuffix(".partial")
        }
    }

    /// A file's text in an image, as all its layers together show it.
    func text(_ path: String, in image: Image) throws -> String? {
        var layers: [RootDirectory] = []
        for layer in LayerStore.stack(of: image.config).reversed() {
            layers.append(try store.layers.directory(layer.diffID, on: layer.parentChain))
        }
        return try MergedTree(layers: layers, form: images.form).contents(of: path).map {
            String(decoding: $0, as: UTF8.self)
        }
    }
}

/// A registry whose every document a test writes itself.
final class StaticRegistry: Sendable {
    struct Content: Sendable {
        var type: String
        var bytes: [UInt8]
    }

    let server: MisbehavingServer

    init(tags: [String] = []) throws {
        let table = Table()
        let delivery = Deliveries()
        self.table = table
        deliveries = delivery
        server = try MisbehavingServer { request in
            if request.path == "/v2/" { return .json("{}") }
            if request.path.hasSuffix("/tags/list") {
                let names = tags.map { "\"\($0)\"" }.joined(separator: ",")
                return .json(#"{"name":"x","tags":[\#(names)]}"#)
            }
            guard let content = table[request.path] else {
                return .error(
                    404, request.path.contains("/blobs/") ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN", "manifest unknown")
            }
            if request.path.contains("/blobs/") {
                return .blob(content.bytes, for: request, delivery: delivery.of(request))
            }
            return .init(headers: [("Content-Type", content.type)], body: content.bytes)
        }
    }

    private let table: Table
    private let deliveries: Deliveries

    private final class Table: Sendable {
        private let contents = Mutex<[String: Content]>([:])
        subscript(path: String) -> Content? {
            get { contents.withLock { $0[path] } }
            set { contents.withLock { $0[path] = newValue } }
        }
    }

    private final class Deliveries: Sendable {
        private let rule = Mutex<(@Sendable (MisbehavingServer.Request) -> MisbehavingServer.Delivery)?>(nil)
        func of(_ request: MisbehavingServer.Request) -> MisbehavingServer.Delivery {
            rule.withLock { $0 }?(request) ?? .whole
        }
        func set(_ body: @escaping @Sendable (MisbehavingServer.Request) -> MisbehavingServer.Delivery) {
            rule.withLock { $0 = body }
        }
    }

    var host: String { server.host }
    func reference(_ text: String) throws -> Reference { try Reference(parsing: "\(host)/\(text)") }

    /// How blobs are sent from now on.
    func deliver(_ rule: @escaping @Sendable (MisbehavingServer.Request) -> MisbehavingServer.Delivery) {
        deliveries.set(rule)
    }

    /// Serves bytes as a blob, under their own digest or another.
    @discardableResult
    func blob(_ bytes: [UInt8], type: String, in name: String = "app", as digest: Digest? = nil) -> Descriptor {
        let digest = digest ?? Digest.of(bytes)
        table["/v2/\(name)/blobs/\(digest)"] = Content(type: "application/octet-stream", bytes: bytes)
        return Descriptor(mediaType: type, digest: digest, size: Int64(bytes.count))
    }

    /// Serves a manifest or index by its digest and a tag.
    @discardableResult
    func manifest(_ bytes: [UInt8], type: String, tag: String? = nil, in name: String = "app") -> Descriptor {
        let digest = Digest.of(bytes)
        table["/v2/\(name)/manifests/\(digest)"] = Content(type: type, bytes: bytes)
        if let tag { table["/v2/\(name)/manifests/\(tag)"] = Content(type: type, bytes: bytes) }
        return Descriptor(mediaType: type, digest: digest, size: Int64(bytes.count))
    }

    /// Serves an image of plain layers; the change may make it lie.
    @discardableResult
    func image(
        _ layers: [[UInt8]], tag: String?, platform: Platform = .host, in name: String = "app",
        types: [String]? = nil, diffIDs: [Digest]? = nil,
        _ change: (inout Manifest, inout ImageConfig) -> Void = { _, _ in }
    ) throws -> Descriptor {
        let descriptors = layers.enumerated().map {
            blob($0.element, type: types?[$0.offset] ?? MediaType.ociLayer, in: name)
        }
        var config = ImageConfig(platform: platform)
        config.rootfs = RootFS(diffIDs: diffIDs ?? layers.map { Digest.of($0) })
        config.created = Timestamp(seconds: 1_700_000_000)
        var container = ContainerConfig()
        container.cmd = ["sh"]
        config.config = container
        config.history = layers.indices.map {
            History(created: Timestamp(seconds: 1_700_000_000), createdBy: "COPY layer \($0)")
        }
        var manifest = Manifest(
            config: Descriptor(mediaType: MediaType.ociConfig, digest: Digest.of([]), size: 0), layers: descriptors)
        change(&manifest, &config)
        let bytes = Array(try OCIDocument.encode(config))
        manifest.config = blob(bytes, type: manifest.config.mediaType, in: name)
        return self.manifest(
            Array(try OCIDocument.encode(manifest)), type: MediaType.ociManifest, tag: tag, in: name)
    }
}
