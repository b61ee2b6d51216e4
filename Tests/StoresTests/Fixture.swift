import Basics
import FoundationEssentials
import Linux
import OCI
import Stores
import TestSupport

/// A store in a directory of its own, and small images to put in it.
final class Fixture {
    let directory = TemporaryDirectory()
    let store: Store

    var home: String { directory.path + "/home" }

    init() throws { store = try Store(home: directory.path + "/home", form: .current) }

    /// The same home as another process would open it.
    func another() throws -> Store { try Store(home: home, form: .current) }

    /// An image of one layer for each text, each layer unpacked and kept as a blob.
    @discardableResult
    func image(
        _ texts: [String], names: [String] = [], command: String = "sh", parent: Digest? = nil, created: Int64 = 1000
    ) throws -> Image {
        var config = ImageConfig()
        config.created = Timestamp(seconds: created)
        config.config = ContainerConfig()
        config.config?.cmd = [command]
        var layers: [Descriptor] = []
        config.history = []
        for text in texts {
            let bytes = Array("layer \(text)".utf8)
            let digest = try store.blobs.put(bytes)
            layers.append(Descriptor(mediaType: MediaType.ociLayer, digest: digest, size: Int64(bytes.count)))
            config.rootfs.diffIDs.append(digest)
            config.history?.append(History(created: config.created, createdBy: text))
            try unpack(digest, text)
        }
        return try store.images.add(
            config: config, layers: layers, parent: parent, references: try names.map { try Reference(parsing: $0) })
    }

    func unpack(_ digest: Digest, _ text: String) throws {
        let staging = try store.layers.beginUnpack()
        let file = try staging.root().open("file", 0o101, mode: 0o644)
        try file.write(Array(text.utf8))
        try store.layers.commit(
            staging, diffID: digest, index: Array("index".utf8), size: LayerSize(tar: 1024, content: Int64(text.count)))
    }

    func container(of image: Image, name: String = "") throws -> ContainerRecord {
        var record = ContainerRecord(
            image: image, imageName: image.references.first?.familiar ?? image.id.short,
            config: image.containerConfig, path: "sh", arguments: [])
        record.name = name
        return try store.containers.create(record)
    }

    /// Whether ext4 puts the directories in one apart from each other; `nil` where the file system is another.
    func spreads(_ folder: String) throws -> Bool? {
        guard try Peer("stat").run(["-f", "-c", "%T", folder]).text.hasPrefix("ext2/ext3") else { return nil }
        return try Peer("lsattr").run(["-d", folder]).text.prefix { $0 != " " }.contains("T")
    }

    func reference(_ text: String) throws -> Reference { try Reference(parsing: text) }

    func write(_ text: String, to path: String) throws {
        try WholeFile.replace(path, with: Array(text.utf8))
    }

    func text(of path: String) throws -> String { String(decoding: try WholeFile.read(path), as: UTF8.self) }
}

/// The message of what a body throws.
func message(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return (error as? ShaleError)?.description ?? "\(error)"
    }
}

func code(_ body: () throws -> Void) -> ShaleError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? ShaleError)?.code
    }
}
