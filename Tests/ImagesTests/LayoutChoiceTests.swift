import OCI
import Testing

@testable import Images

/// Which entry of a layout a tag means, whoever wrote the layout.
@Suite struct LayoutChoiceTests {
    private static func entry(_ name: String?, image: String? = nil, _ byte: String) -> Descriptor {
        var notes: [String: String] = [:]
        notes[Annotation.refName] = name
        notes[Annotation.imageName] = image
        return Descriptor(
            mediaType: MediaType.ociManifest, digest: Digest.of(byte.utf8), size: 1,
            annotations: notes.isEmpty ? nil : notes)
    }

    private static let index = Index(manifests: [
        entry("1", "a"), entry("docker.io/library/app:1", "b"), entry("docker.io/library/app:latest", "c"),
        entry("2", image: "docker.io/library/web:2", "d"), entry("localhost:5000/x/app:3", "e"), entry(nil, "f"),
    ])

    @Test(
        arguments: [
            // The very text goes before a whole name, and that before the tag of one.
            ("1", ["a"]), ("app:1", ["b"]), ("app", ["c"]), ("docker.io/library/app", ["c"]), ("web:2", ["d"]),
            ("2", ["d"]), ("3", ["e"]), ("latest", ["c"]), ("localhost:5000/x/app:3", ["e"]), ("x/app:3", []),
            ("nope", []), ("\(Digest.of("f".utf8))", ["f"]), ("A:B:C", []),
        ] as [(String, [String])])
    func tags(_ text: String, _ wanted: [String]) {
        #expect(LayoutChoice.tag(text).entries(of: Self.index).map(\.digest) == wanted.map { Digest.of($0.utf8) })
    }

    @Test func othersAreAll() {
        #expect(LayoutChoice.only.entries(of: Self.index).count == 6)
        #expect(LayoutChoice.digest(Digest.of("b".utf8)).entries(of: Self.index) == [Self.index.manifests[1]])
    }
}
