import Basics
import FoundationEssentials
import Images
import Layers
import Linux
import OCI
import Registries
import Stores
import TestSupport

@testable import Explorer

/// A store of one test's own, and images made of layers written here, entry by entry.
struct ExplorerFixture {
    let folder = TemporaryDirectory()
    let store: Store

    let images: ImageEngine

    init() throws {
        store = try Store(home: folder.path + "/home", form: .current)
        let registry = RegistryClient(RegistryConfiguration(credentials: CredentialStore(only: [:])))
        images = ImageEngine(store: store, registry: registry, settings: EngineSettings())
    }

    /// One layer: what made it, and its entries; without entries it is a step that made none.
    struct Step {
        var createdBy: String
        var entries: [TestEntry]?

        init(_ createdBy: String, _ entries: [TestEntry]? = nil) {
            self.createdBy = createdBy
            self.entries = entries
        }
    }

    @discardableResult
    func image(_ name: String, _ steps: [Step], config container: ContainerConfig? = nil) throws -> Image {
        var config = ImageConfig()
        config.created = Timestamp(seconds: 1_700_000_000)
        config.config = container ?? ContainerConfig()
        config.history = []
        var layers: [Descriptor] = []
        for step in steps {
            config.history?.append(
                History(created: config.created, createdBy: step.createdBy, emptyLayer: step.entries == nil))
            guard let entries = step.entries else { continue }
            let tar = TestTar.bytes(entries)
            let digest = try store.blobs.put(tar)
            layers.append(Descriptor(mediaType: MediaType.ociLayer, digest: digest, size: Int64(tar.count)))
            try unpack(tar, digest, below: config)
            config.rootfs.diffIDs.append(digest)
        }
        return try store.images.add(
            config: config, layers: layers, references: [try Reference(parsing: name).withDefaultTag])
    }

    private func unpack(_ tar: [UInt8], _ digest: Digest, below config: ImageConfig) throws {
        let chain = Digest.chainID(config.rootfs.diffIDs)
        if store.layers.has(digest, on: chain) { return }
        let staging = try store.layers.beginUnpack()
        let layers = store.layers
        let stack = LayerStore.stack(of: config)
        let unpacker = LayerUnpacker(into: try staging.root(), form: store.form) { () throws(ShaleError) in
            var found: [RootDirectory] = []
            for layer in stack.reversed() { found.append(try layers.directory(layer.diffID, on: layer.parentChain)) }
            return found
        }
        let unpacked = try unpacker.unpack(BytesSource(tar), subject: "layer", cancellation: Cancellation())
        try store.layers.commit(
            staging, diffID: digest, index: unpacked.index.encoded(),
            size: LayerSize(tar: unpacked.size, content: unpacked.contentBytes),
            dependingOn: unpacked.dependsOnLower ? chain : nil)
    }

    func container(_ name: String, of image: Image, _ files: [(path: String, text: String)] = []) throws {
        var record = ContainerRecord(
            image: image, imageName: image.references.first?.familiar ?? "", config: image.containerConfig, path: "sh",
            arguments: [])
        record.name = name
        let made = try store.containers.create(record)
        let upper = store.containers.folder(made.id).upper
        for file in files {
            let target = upper + file.path
            try FileManager.default.createDirectory(atPath: target.parentPath, withIntermediateDirectories: true)
            try Data(file.text.utf8).write(to: URL(filePath: target))
        }
    }

    var finder: PlaceFinder {
        let store = store
        return PlaceFinder(
            images: images, container: { text throws(ShaleError) in try store.container(meantBy: text) },
            image: { text throws(ShaleError) in try store.images.find(text) },
            own: { record throws(ShaleError) in try Self.own(record, store) })
    }

    private static func own(_ record: ContainerRecord, _ store: Store) throws(ShaleError) -> ContainerLayer {
        let path = store.containers.folder(record.id).upper
        let upper = try translating(path) { try RootDirectory(hostPath: path) }
        return ContainerLayer(record, root: upper) { () throws(ShaleError) in
            let image = try store.images.image(manifest: record.manifest)
            var lowers: [RootDirectory] = []
            for layer in LayerStore.stack(of: image.config).reversed() {
                lowers.append(try store.layers.directory(layer.diffID, on: layer.parentChain))
            }
            return try ChangeFinder(upper: upper, lowers: lowers, form: store.form).changes()
        }
    }

    func view(_ place: String) throws -> PlaceView { try finder.view(try Place(parsing: place)) }
    func layers(_ name: String) throws -> ImageLayers { try finder.layers(name) }

    /// The text of the file a place names.
    func text(_ place: String) throws -> String {
        let parsed = try Place(parsing: place)
        let view = try finder.view(parsed)
        let file = try view.open(try view.require(parsed.path))
        return String(decoding: try file.readAll(), as: UTF8.self)
    }

    /// The names in the directory a place names, whiteouts in parentheses.
    func names(_ place: String) throws -> [String] {
        let parsed = try Place(parsing: place)
        let view = try finder.view(parsed)
        return try view.children(of: try view.require(parsed.path)).map {
            $0.kind == .whiteout ? "(\($0.name))" : $0.name
        }
    }
}

/// One member of a layer's tar.
struct TestEntry {
    var path: String
    var type: Unicode.Scalar = "0"
    var content: [UInt8] = []
    var link = ""
    var mode = 0o644
    var time = 1_700_000_000

    static func file(_ path: String, _ text: String, mode: Int = 0o644) -> TestEntry {
        TestEntry(path: path, content: Array(text.utf8), mode: mode)
    }
    /// A file of so many bytes.
    static func file(_ path: String, bytes: Int, of filling: Unicode.Scalar = "x") -> TestEntry {
        TestEntry(path: path, content: [UInt8](repeating: UInt8(ascii: filling), count: bytes))
    }
    static func directory(_ path: String, mode: Int = 0o755) -> TestEntry {
        TestEntry(path: path, type: "5", mode: mode)
    }
    static func symlink(_ path: String, to target: String) -> TestEntry {
        TestEntry(path: path, type: "2", link: target, mode: 0o777)
    }
    static func hardLink(_ path: String, to target: String) -> TestEntry {
        TestEntry(path: path, type: "1", link: target)
    }
    /// A mark that the layer deletes a path.
    static func deletion(_ path: String) -> TestEntry {
        let parent = path.contains("/") ? String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) : ""
        return TestEntry(path: parent + ".wh." + path.lastPathComponent, mode: 0)
    }
    /// A mark that a directory hides what lower layers have in it.
    static func opaque(_ directory: String) -> TestEntry { TestEntry(path: directory + "/.wh..wh..opq", mode: 0) }
}

/// Tars of whatever entries a test wants.
enum TestTar {
    static func bytes(_ entries: [TestEntry]) -> [UInt8] {
        var bytes: [UInt8] = []
        for entry in entries {
            bytes += header(entry) + entry.content
            bytes += [UInt8](repeating: 0, count: (512 - entry.content.count % 512) % 512)
        }
        return bytes + [UInt8](repeating: 0, count: 1024)
    }

    private static func header(_ entry: TestEntry) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { block[offset + index] = byte }
        }
        func octal(_ value: Int, _ width: Int) -> String {
            let digits = String(value, radix: 8)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        put(entry.path, at: 0)
        put(octal(entry.mode, 7), at: 100)
        put(octal(0, 7), at: 108)
        put(octal(0, 7), at: 116)
        put(octal(entry.content.count, 11), at: 124)
        put(octal(entry.time, 11), at: 136)
        put("        ", at: 148)
        block[156] = UInt8(ascii: entry.type)
        put(entry.link, at: 157)
        put("ustar\u{0}00", at: 257)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6), at: 148)
        block[154] = 0
        block[155] = 0x20
        return block
    }
}

/// What a body throws, as text: `message: cause | hint`.
func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as ShaleError {
        return error.description + (error.hint.map { " | \($0)" } ?? "")
    } catch {
        return "\(error)"
    }
}
