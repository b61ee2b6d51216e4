import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

@testable import Registries

struct ReferrersTests {
    static let subject = Digest.of("subject".utf8)

    static func entry(_ name: String, type: String) -> Descriptor {
        var entry = Descriptor(
            mediaType: MediaType.ociManifest, digest: Digest.of(name.utf8), size: Int64(name.utf8.count),
            annotations: ["name": name])
        entry.artifactType = type
        return entry
    }

    static func index(_ entries: [Descriptor], headers: [(String, String)] = []) -> Answer {
        Answer(
            headers: [("Content-Type", MediaType.ociIndex)] + headers,
            body: Array(Index(manifests: entries).document.text().utf8))
    }

    private let one = entry("one", type: "application/vnd.example.a")
    private let two = entry("two", type: "application/vnd.example.b")

    @Test func everyPageIsReadAndTheTypeIsAskedFor() throws {
        let (one, two) = (one, two)
        let server = try MisbehavingServer { request in
            request.query.contains("page=2")
                ? Self.index([two])
                : Self.index([one], headers: [("Link", "<\(request.path)?page=2>; rel=\"next\"")])
        }
        let name = try Reference(parsing: "\(server.host)/a/b")
        let all = try plainClient().referrers(of: Self.subject, in: name)
        #expect(all == Referrers(descriptors: [one, two], isByTag: false))
        #expect(server.requests[0].headers["accept"] == MediaType.ociIndex)
        // This registry does not filter.
        let some = try plainClient().referrers(of: Self.subject, in: name, type: "application/vnd.example.b")
        #expect(some.descriptors == [two])
        #expect(server.requests[2].target.hasSuffix("?artifactType=application%2Fvnd.example.b"))
    }

    @Test(arguments: [404, 400, 405, 501, 200]) func aTagStandsInForTheAPI(status: Int) throws {
        let one = one
        let tag = Self.subject.referrersTag
        #expect(tag == "sha256-\(Self.subject.hex)")
        let server = try MisbehavingServer { request in
            if request.path.hasSuffix("/manifests/\(tag)") { return Self.index([one]) }
            return Answer(status, headers: [("Content-Type", "text/html")], body: Array("<html>".utf8))
        }
        let name = try Reference(parsing: "\(server.host)/a/b:tag")
        #expect(
            try plainClient().referrers(of: Self.subject, in: name) == Referrers(descriptors: [one], isByTag: true))
    }

    @Test func nothingHangsThere() throws {
        let server = try MisbehavingServer { _ in .error(404, "MANIFEST_UNKNOWN", "manifest unknown") }
        let name = try Reference(parsing: "\(server.host)/a/b")
        #expect(try plainClient().referrers(of: Self.subject, in: name).descriptors.isEmpty)
    }

    @Test func answersThatCannotBe() throws {
        let entry = one.document.text()
        let texts = [
            "{", "[]", #"{"schemaVersion":2}"#, #"{"schemaVersion":2,"manifests":[{"size":1}]}"#,
            #"{"schemaVersion":2,"manifests":[\#(entry)],"layers":[]}"#,
        ]
        for text in texts {
            let server = try MisbehavingServer { _ in
                Answer(headers: [("Content-Type", MediaType.ociIndex)], body: Array(text.utf8))
            }
            let name = try Reference(parsing: "\(server.host)/a/b")
            let error = #expect(throws: ShaleError.self) {
                try plainClient().referrers(of: Self.subject, in: name)
            }
            #expect(error?.code == .corrupt, "\(text): \(String(describing: error))")
        }
        // Pages without end, and a next page elsewhere.
        for link in ["?page=", "http://192.0.2.1/"] {
            let one = one
            let server = try MisbehavingServer { request in
                Self.index([one], headers: [("Link", "<\(link)\(request.number)>; rel=next")])
            }
            let name = try Reference(parsing: "\(server.host)/a/b")
            #expect(throws: ShaleError.self) { try plainClient().referrers(of: Self.subject, in: name) }
        }
        let refused = try MisbehavingServer { _ in .error(401, "UNAUTHORIZED", "who are you") }
        let name = try Reference(parsing: "\(refused.host)/a/b")
        let error = #expect(throws: ShaleError.self) { try plainClient().referrers(of: Self.subject, in: name) }
        #expect(error?.code == .unauthorized)
    }
}

/// Artifacts that are put there, and found from their subject.
struct ArtifactTests {
    private static let subject = Descriptor(
        mediaType: MediaType.ociManifest, digest: ReferrersTests.subject, size: 7)

    private static func artifact(_ number: Int) -> Artifact {
        Artifact(
            type: "application/vnd.example.a", blobs: [], subject: subject, annotations: ["number": String(number)])
    }

    private static func put(_ number: Int, in name: Reference, by client: RegistryClient) throws -> Descriptor {
        try client.sendBytes(Artifact.emptyConfigBytes, Artifact.emptyConfig, to: name)
        return try client.putArtifact(artifact(number), as: name)
    }

    @Test func aRegistryWithTheAPIListsItItself() throws {
        let registry = try ReferrersRegistry()
        let name = try Reference(parsing: "\(registry.host)/a/b")
        let client = plainClient()
        let put = try (0..<3).map { try Self.put($0, in: name, by: client) }
        let found = try client.referrers(of: Self.subject.digest, in: name)
        #expect(!found.isByTag)
        #expect(found.descriptors.map(\.digest) == put.map(\.digest))
        #expect(found.descriptors.allSatisfy { $0.artifactType == "application/vnd.example.a" })
        #expect(registry.manifest("a/b", Self.subject.digest.referrersTag) == nil)
        #expect(registry.count("PUT uploads") == 1)
    }

    @Test(arguments: [ReferrersRegistry.Conditions.ignored, .known])
    func withoutItTheTagListsEveryWritersEntry(conditions: ReferrersRegistry.Conditions) async throws {
        let registry = try ReferrersRegistry(hasAPI: false, conditions: conditions)
        let name = try Reference(parsing: "\(registry.host)/a/b")
        let digests = try await Self.putAtOnce(6, in: name)
        let found = try plainClient().referrers(of: Self.subject.digest, in: name)
        #expect(found.isByTag)
        #expect(Set(found.descriptors.map(\.digest)) == digests && found.descriptors.count == digests.count)
        #expect(found.descriptors.first?.annotations?["number"] != nil)
    }

    @Test(.enabled(if: RegistryServer.isPresent, "\(RegistryServer.absent)"))
    func debiansRegistryKeepsAll() async throws {
        let server = try RegistryServer()
        let name = try Reference(parsing: "\(server.host)/a/b")
        let digests = try await Self.putAtOnce(4, in: name)
        let found = try plainClient().referrers(of: Self.subject.digest, in: name)
        #expect(found.isByTag && Set(found.descriptors.map(\.digest)) == digests)
        let digest = try #require(digests.first)
        let seen = try Peers.skopeo.run(["inspect", "--raw", "--tls-verify=false", "docker://\(name)@\(digest)"]).text
        #expect(seen.contains(#""artifactType":"application/vnd.example.a""#) && seen.contains(MediaType.ociEmpty))
    }

    /// Several clients at once, each with an artifact of its own.
    private static func putAtOnce(_ count: Int, in name: Reference) async throws -> Set<Digest> {
        try await withThrowingTaskGroup(of: Digest.self) { group in
            for number in 0..<count {
                // Longer pauses than elsewhere: the clients wait for each other's writing.
                let client = plainClient { $0.retries.unit = 3 }
                group.addTask { try put(number, in: name, by: client).digest }
            }
            return try await group.reduce(into: []) { $0.insert($1) }
        }
    }

    @Test func whatIsNoListIsLeftAsItIs() throws {
        let registry = try ReferrersRegistry(hasAPI: false)
        let bytes = Array(Artifact(type: "application/vnd.other", blobs: []).manifest.document.text().utf8)
        registry.put(bytes, type: MediaType.ociManifest, in: "a/b", as: [Self.subject.digest.referrersTag])
        let name = try Reference(parsing: "\(registry.host)/a/b")
        let error = #expect(throws: ShaleError.self) { try Self.put(1, in: name, by: plainClient()) }
        #expect(error?.code == .conflict)
        #expect(registry.manifest("a/b", Self.subject.digest.referrersTag) == bytes)
    }

    @Test func otherWritersWordsOfTheirEntriesStay() throws {
        let registry = try ReferrersRegistry(hasAPI: false)
        let other = ReferrersTests.entry("one", type: "application/vnd.example.b").document.text().dropLast()
        let list =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(other),"data":"b25l"}],"x":1}"#
        registry.put(Array(list.utf8), type: MediaType.ociIndex, in: "a/b", as: [Self.subject.digest.referrersTag])
        let name = try Reference(parsing: "\(registry.host)/a/b")
        _ = try Self.put(1, in: name, by: plainClient())
        let now = try String(
            decoding: #require(registry.manifest("a/b", Self.subject.digest.referrersTag)), as: UTF8.self)
        #expect(now.contains(#""data":"b25l""#) && now.hasSuffix(#""x":1}"#), "\(now)")
    }
}
