import OCI
import Testing

/// Which entry of an index a platform takes, by containerd's rules.
@Suite struct PlatformOrderTests {
    @Test(
        arguments: [
            ("linux/arm", ["arm/v5", "arm/v6", "arm/v7"], "arm/v7"), ("linux/arm", ["arm/v6", "arm/v5"], "arm/v6"),
            ("linux/arm/v7", ["arm/v5", "arm/v6"], "arm/v6"),
            ("linux/arm/v6", ["arm/v5", "arm/v7", "arm/v6"], "arm/v6"),
            ("linux/arm/v6", ["arm/v5"], "arm/v5"), ("linux/arm/v5", ["arm/v6", "arm/v7"], nil),
            ("linux/arm/v8", ["arm/v7"], "arm/v7"), ("linux/arm/v7", ["arm"], "arm"), ("linux/arm/v6", ["arm"], nil),
            ("linux/arm/7", ["arm/6", "arm/7"], "arm/7"), ("linux/armhf", ["arm/v6", "arm/v7"], "arm/v7"),
            ("linux/armel", ["arm/v7", "arm/v6"], "arm/v6"), ("linux/arm/strange", ["arm/strange"], "arm/strange"),
            ("linux/arm64", ["arm64/v8"], "arm64/v8"), ("linux/arm64/v8", ["arm64"], "arm64"),
            ("linux/arm64", ["arm/v7", "arm64"], "arm64"), ("linux/arm64", ["arm/v6", "arm/v7"], "arm/v7"),
            ("linux/arm64/v9", ["arm64", "arm64/v9"], "arm64/v9"), ("linux/arm64", ["arm64/v9"], nil),
            ("linux/aarch64", ["arm64"], "arm64"), ("linux/amd64", ["amd64/v3", "amd64"], "amd64"),
            ("linux/amd64", ["amd64/v3"], nil), ("linux/amd64", ["amd64/v1"], "amd64/v1"),
            ("linux/amd64/v3", ["amd64", "amd64/v2"], "amd64/v2"), ("linux/amd64/v3", ["amd64", "amd64/v4"], "amd64"),
            ("linux/amd64", ["386", "amd64"], "amd64"), ("linux/amd64", ["386"], "386"), ("linux/386", ["amd64"], nil),
            ("linux/x86_64", ["amd64"], "amd64"), ("linux/s390x", ["amd64", "s390x"], "s390x"),
            ("linux/amd64/v99999999999999999999", ["amd64"], "amd64"),
            ("linux/arm/v-9223372036854775808", ["arm"], nil),
        ] as [(String, [String], String?)])
    func theBestEntryIsTaken(_ wish: String, _ offered: [String], _ expected: String?) throws {
        let index = Index(
            manifests: offered.enumerated().map { number, text in
                let parts = text.split(separator: "/").map(String.init)
                var entry = Descriptor(
                    mediaType: MediaType.ociManifest, digest: Digest.of(Array(text.utf8)), size: Int64(number))
                entry.platform = Platform(
                    os: "linux", architecture: parts[0], variant: parts.count > 1 ? parts[1] : nil)
                return entry
            })
        let taken = index.manifest(for: try Platform(parsing: wish)).map { offered[Int($0.size)] }
        #expect(taken == expected)
    }

    @Test func whatNamesNoPlatformIsTakenWhereNothingElseFits() throws {
        func entry(_ name: String, _ platform: Platform?, _ annotations: [String: String]? = nil) -> Descriptor {
            var entry = Descriptor(mediaType: MediaType.ociManifest, digest: Digest.of(Array(name.utf8)), size: 1)
            entry.platform = platform
            entry.annotations = annotations
            return entry
        }
        let bare = entry("bare", nil)
        let attestation = entry("attestation", nil, ["vnd.docker.reference.type": "attestation-manifest"])
        let arm = entry("arm", Platform(os: "linux", architecture: "arm", variant: "v7"))
        let amd = entry("amd", Platform(os: "linux", architecture: "amd64"))
        let wish = Platform(os: "linux", architecture: "amd64")
        #expect(Index(manifests: [attestation, bare, arm, amd]).manifest(for: wish) == amd)
        #expect(Index(manifests: [attestation, arm, bare]).manifest(for: wish) == bare)
        #expect(Index(manifests: [attestation, arm]).manifest(for: wish) == nil)
    }

    /// Configs often leave the variant out; the index said it.
    @Test(arguments: [
        ("linux/arm/v6", "arm", true), ("linux/arm/v6", "arm/v7", false), ("linux/arm", "arm/v6", true),
        ("linux/amd64", "amd64/v3", true), ("linux/amd64/v2", "amd64/v3", false), ("linux/amd64", "arm64", false),
        ("linux/arm64/v8", "arm64", true),
    ])
    func aConfigWithoutVariantServesAny(_ wish: String, _ image: String, _ expected: Bool) throws {
        #expect(PlatformOrder(try Platform(parsing: wish)).accepts(try Platform(parsing: "linux/" + image)) == expected)
    }
}
