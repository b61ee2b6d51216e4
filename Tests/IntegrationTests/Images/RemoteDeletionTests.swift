import TestSupport
import Testing

/// `delete --remote` and `referrers` ask the registry itself, and only what there is.
@Suite(.enabled(if: ShaleHome.isPresent && RegistryServer.isPresent, "needs docker-registry"))
struct RemoteDeletionTests {
    @Test func aMirrorIsNotAskedToDelete() throws {
        let server = try RegistryServer()
        let mirror = try MisbehavingServer { _ in .closed }
        let name = "\(server.host)/class/app:1"
        let shale = ShaleHome(["SHALE_MIRROR": "\(server.host)=\(mirror.url)"])
        try shale.run(["-c", "FROM busybox\nRUN echo x > /x\ntag @ \(name)"])
        try shale.run(["push", "--no-recipe", name])
        let before = mirror.requests.count
        let told = try shale.run(["delete", "--remote", "-f", name]).text
        #expect(told.contains("Untagged: \(name)\nDeleted: "), "\(told)")
        #expect(mirror.requests.count == before, "\(mirror.requests.map(\.path))")
    }
}

/// What cosign hung on images before it used `subject`.
@Suite(.enabled(if: ShaleHome.isPresent, Comment(rawValue: ShaleHome.absent)))
struct OldSignatureTests {
    @Test func tagsOfOldSignaturesAreListed() throws {
        let registry = try ReferrersRegistry()
        let name = "\(registry.host)/a/app:1"
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN echo x > /x\ntag @ \(name)"])
        try shale.run(["push", "--no-recipe", name])
        #expect(try shale.run(["referrers", "-q", name]).text.isEmpty)
        let digest = "sha256:" + (try Peers.sha256(try #require(registry.manifest("a/app", "1"))))
        let empty = String(repeating: "a", count: 64)
        let signature = """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":\
            "application/vnd.oci.image.config.v1+json","digest":"sha256:\(empty)","size":2},"layers":[{"mediaType":\
            "application/vnd.dev.cosign.simplesigning.v1+json","digest":"sha256:\(empty)","size":2}]}
            """
        let tag = "sha256-\(digest.dropFirst(7)).sig"
        registry.put(
            Array(signature.utf8), type: "application/vnd.oci.image.manifest.v1+json", in: "a/app", as: [tag])
        let listed = try shale.run(["referrers", "--format", "{{.Type}} {{.Annotations}}", name]).text
        #expect(
            listed
                == "application/vnd.dev.cosign.simplesigning.v1+json org.opencontainers.image.ref.name=\(tag)\n",
            "\(listed)")
        #expect(try shale.run(["referrers", "-q", "--filter", "type=application/x", name]).text.isEmpty)
    }
}
