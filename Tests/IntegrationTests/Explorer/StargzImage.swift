import FoundationEssentials
import TestSupport

/// An image of two eStargz layers in a registry, written by hand after stargz-snapshotter's `docs/estargz.md`.
///
/// Every file's bytes are a gzip member of their own; the last member but one is a tar with `stargz.index.json`; a footer
/// of 51 bytes says where that begins; the descriptor says what digest the JSON has.
struct StargzImage {
    /// 4 MB that do not pack well.
    static let large: [UInt8] = {
        var state: UInt64 = 1
        return (0..<4_000_000).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }()

    private struct Layer {
        var blob: [UInt8] = []
        var tar: [UInt8] = []
        var table: [String] = []
    }

    /// Puts it into a registry under a name.
    static func push(to registry: RegistryServer, as name: String) throws {
        let layers = [
            try layer([
                .init("etc/", ""), .init("etc/os-release", "PRETTY_NAME=star\n"), .init("etc/gone", "gone\n"),
                .init("usr/", ""), .init("usr/large", large), .link("usr/other", to: "usr/large", isHard: true),
                .link("lnk", to: "etc"),
            ]),
            try layer([.init("etc/", ""), .init("etc/.wh.gone", ""), .init("etc/new", "new\n")]),
        ]
        let diffIDs = try layers.map { "\"sha256:\(try Peers.sha256($0.tar))\"" }.joined(separator: ",")
        let config = Array(
            """
            {"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":[\(diffIDs)]},\
            "history":[{"created_by":"COPY one /"},{"created_by":"COPY two /"}]}
            """.utf8)
        let descriptors = try layers.map { layer in
            """
            {"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"\(try put(layer.blob, registry, name))",\
            "size":\(layer.blob.count),"annotations":{"containerd.io/snapshot/stargz/toc.digest":\
            "sha256:\(try Peers.sha256(json(layer)))"}}
            """
        }
        let manifest = """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":\
            "application/vnd.oci.image.config.v1+json","digest":"\(try put(config, registry, name))",\
            "size":\(config.count)},"layers":[\(descriptors.joined(separator: ","))]}
            """
        try curl(
            ["-X", "PUT", "-H", "Content-Type: application/vnd.oci.image.manifest.v1+json", "--data-binary", "@-"],
            "\(registry.url)/v2/\(name)/manifests/1", input: Array(manifest.utf8))
    }

    private static func json(_ layer: Layer) -> [UInt8] {
        Array("{\"version\":1,\"entries\":[\(layer.table.joined(separator: ","))]}".utf8)
    }

    private static func layer(_ files: [SmallImage.File]) throws -> Layer {
        var layer = Layer()
        for file in files {
            // A tar's end is two empty blocks: each member's part comes without.
            let whole = Array(SmallImage.tar([file]).dropLast(1024))
            let kind = ["1": "hardlink", "2": "symlink"][file.type ?? ""] ?? (file.path.hasSuffix("/") ? "dir" : "reg")
            var facts = "\"name\":\"\(file.path)\",\"type\":\"\(kind)\",\"mode\":\(file.mode)"
            facts += ",\"modtime\":\"2023-11-14T22:13:20Z\""
            if !file.link.isEmpty { facts += ",\"linkName\":\"\(file.link)\"" }
            layer.tar += whole
            layer.blob += try packed(Array(whole[..<512]))
            if !file.content.isEmpty {
                let digest = try Peers.sha256(file.content)
                facts += ",\"size\":\(file.content.count),\"offset\":\(layer.blob.count)"
                facts += ",\"digest\":\"sha256:\(digest)\",\"chunkDigest\":\"sha256:\(digest)\""
                layer.blob += try packed(Array(whole[512...]))
            }
            layer.table.append("{\(facts)}")
        }
        let start = String(layer.blob.count, radix: 16)
        let table = SmallImage.tar([.init("stargz.index.json", json(layer))])
        layer.tar += table
        layer.blob += try packed(table)
        let place = String(repeating: "0", count: 16 - start.count) + start + "STARGZ"
        layer.blob += [0x1F, 0x8B, 8, 4, 0, 0, 0, 0, 0, 0xFF, 26, 0, 0x53, 0x47, 22, 0] + Array(place.utf8)
        layer.blob += [1, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0]
        return layer
    }

    private static func packed(_ bytes: [UInt8]) throws -> [UInt8] {
        try Peer("gzip").run(["-n", "-1"], input: bytes).output
    }

    private static func put(_ bytes: [UInt8], _ registry: RegistryServer, _ name: String) throws -> String {
        let digest = "sha256:\(try Peers.sha256(bytes))"
        let begun = try curl(["-i", "-X", "POST"], "\(registry.url)/v2/\(name)/blobs/uploads/")
        let location = begun.split(whereSeparator: \.isNewline).first { $0.lowercased().hasPrefix("location:") }
        guard let location = location?.dropFirst("location:".count).trimmingPrefix(" ") else {
            throw PeerError(text: "no place to upload to: \(begun)")
        }
        try curl(
            ["-X", "PUT", "-H", "Content-Type: application/octet-stream", "--data-binary", "@-"],
            "\(location)\(location.contains("?") ? "&" : "?")digest=\(digest)", input: bytes)
        return digest
    }

    @discardableResult
    private static func curl(_ options: [String], _ url: String, input: [UInt8] = []) throws -> String {
        try Peer("curl").run(["-sS", "--fail"] + options + [url], input: input).text
    }
}
