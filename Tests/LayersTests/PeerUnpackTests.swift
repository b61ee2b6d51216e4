import Basics
import Glibc
import Layers
import Linux
import OCI
import TestSupport
import Testing

@Suite("our layers in others' hands")
struct PeerUnpackTests {
    private static let base = TarBytes.archive([
        .init(name: "etc", type: "5", mode: 0o755), .init(name: "etc/passwd", content: Array("root".utf8)),
        .init(name: "etc/gone"), .init(name: "d", type: "5", mode: 0o755), .init(name: "d/low", content: [1]),
        .init(name: "d/same", content: [2]), .init(name: "t", type: "5", mode: 0o755), .init(name: "t/in"),
        .init(name: "whole", type: "5", mode: 0o755), .init(name: "whole/x"),
    ])

    @Test(
        "umoci makes the tree of them that the kernel's overlay showed",
        .enabled(if: Peers.umoci.isPresent && OverlayMount.isPossible, "needs umoci and overlay mounts"))
    func umoci() throws {
        var stack = LayerStack()
        try stack.push(Self.base)
        let mount = try OverlayMount(lowers: [stack.outside + "/layer0"])
        let long = String(repeating: "n", count: 120)
        try mount.run(
            """
            echo more >> etc/passwd; rm etc/gone; rm -r d; mkdir d; echo n > d/new; rm -r t; ln -s etc t; rm -r whole
            mkdir -m 1777 tmp; mkfifo tmp/p; echo x > one; ln one tmp/two; chmod 4711 one; echo y > \(long); touch é
            mkdir -p deep/\(long)/\(long); touch -d @77 deep/\(long)/\(long)/f
            """)
        let upper = try RootDirectory(hostPath: mount.upperPath)
        let changes = try ChangeFinder(upper: upper, lowers: stack.roots, form: .current).changes()
        var bytes: [UInt8] = []
        _ = try LayerWriter.write(changes: changes, upper: upper) { chunk throws(ShaleError) in
            bytes.append(contentsOf: chunk)
        }
        let packed = try Peer("gzip").run(["-c"], input: bytes).output

        let image = TemporaryDirectory()
        try Self.writeImage(image.path, layers: [(Self.base, Self.base), (bytes, packed)])
        let rootless = OverlayForm.current == .user ? ["--rootless"] : []
        try Peers.umoci.run(["raw", "unpack"] + rootless + ["--image", "\(image.path):t", image.path + "/rootfs"])
        let theirs = MergedTree(layers: [try RootDirectory(hostPath: image.path + "/rootfs")])
        let kernel = MergedTree(layers: [try RootDirectory(hostPath: mount.merged)])
        let differences = try FileTreeComparison(theirs, kernel).differences().filter { $0.path != "/" }
        #expect(differences.isEmpty, "\(differences)")
    }

    /// An OCI image layout with one image, `t`; each layer as its tar and as its blob.
    private static func writeImage(_ path: String, layers: [(tar: [UInt8], blob: [UInt8])]) throws {
        let root = try RootDirectory(hostPath: path)
        try root.makeDirectories("blobs/sha256")
        func blob(_ bytes: [UInt8]) throws -> String {
            let digest = Digest.of(bytes)
            try root.open("blobs/sha256/\(digest.hex)", O_CREAT | O_WRONLY, mode: 0o644).write(bytes)
            return "\"digest\":\"\(digest)\",\"size\":\(bytes.count)"
        }
        let diffIDs = layers.map { "\"\(Digest.of($0.tar))\"" }.joined(separator: ",")
        let config = try blob(
            Array(
                "{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\(diffIDs)]}}"
                    .utf8))
        let type = "application/vnd.oci.image"
        let descriptors = try layers.map { layer in
            let suffix = Compression.detect(layer.blob) == .gzip ? "+gzip" : ""
            return "{\"mediaType\":\"\(type).layer.v1.tar\(suffix)\",\(try blob(layer.blob))}"
        }
        let manifest = try blob(
            Array(
                "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"\(type).config.v1+json\",\(config)},\"layers\":[\(descriptors.joined(separator: ","))]}"
                    .utf8))
        let name = "\"annotations\":{\"org.opencontainers.image.ref.name\":\"t\"}"
        for (file, text) in [
            ("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}"),
            (
                "index.json",
                "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"\(type).manifest.v1+json\",\(manifest),\(name)}]}"
            ),
        ] {
            try root.open(file, O_CREAT | O_WRONLY, mode: 0o644).write(Array(text.utf8))
        }
    }
}
