import OCI
import TestSupport
import Testing

/// Verbs that ask a registry, and bring nothing.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RegistryVerbTests {
    private static func digest(_ letter: String) -> String { "sha256:" + String(repeating: letter, count: 64) }

    private static func entry(_ letter: String, _ platform: String, more: String = "") -> String {
        #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(digest(letter))","size":3,"platform":\#(platform)\#(more)}"#
    }

    @Test func anIndexSaysWhatItOffers() throws {
        let registry = try ReferrersRegistry()
        let attestation =
            #","annotations":{"vnd.docker.reference.type":"attestation-manifest","#
            + #""vnd.docker.reference.digest":"\#(Self.digest("a"))"}"#
        let entries = [
            Self.entry("a", #"{"os":"linux","architecture":"amd64"}"#),
            Self.entry("b", #"{"os":"linux","architecture":"arm","variant":"v7"}"#),
            Self.entry("c", #"{"os":"unknown","architecture":"unknown"}"#, more: attestation),
            Self.entry("d", #"{"os":"unknown","architecture":"unknown"}"#),
            Self.entry("e", #"{"os":"windows","architecture":"amd64","os.version":"10.0\u001b[2J"}"#),
        ]
        let index =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entries.joined(separator: ","))]}"#
        registry.put(Array(index.utf8), type: MediaType.ociIndex, in: "a/b", as: ["1"])
        let shale = ShaleHome()
        let table = try shale.run(["platforms", "\(registry.host)/a/b:1"]).text
        let rows = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        #expect(
            rows == [
                ["PLATFORM", "KIND", "DIGEST"], ["*", "linux/amd64", "image", Self.digest("a")],
                ["linux/arm/v7", "image", Self.digest("b")],
                ["unknown/unknown", "attestation", "of", "linux/amd64", Self.digest("c")],
                ["unknown/unknown", "attestation", Self.digest("d")],
                ["windows/amd64", "10.0\\e[2J", "image", Self.digest("e")],
            ], "\(table)")
        let json = try shale.run(["platforms", "--format", "json", "\(registry.host)/a/b:1"]).text
        #expect(json.contains(#""Of":"\#(Self.digest("a"))","Platform":"unknown/unknown""#), "\(json)")
        let none = try shale.run(["pull", "--platform", "linux/s390x", "\(registry.host)/a/b:1"], expecting: 1).errors
        #expect(none.contains("no matching manifest for linux/s390x") && !none.contains("unknown"), "\(none)")
        #expect(registry.count("GET blobs") == 0)
        let missing = try shale.run(["platforms", "\(registry.host)/a/b:2"], expecting: 1).errors
        #expect(missing.contains("manifest for \(registry.host)/a/b:2 not found"))
    }

    @Test func theLimitIsWhatTheHeadersSay() throws {
        let registry = try ReferrersRegistry(change: { request, answer in
            var answer = answer
            guard !request.path.hasPrefix("/v2/free/") else { return answer }
            answer.headers += [
                ("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "7;w=21600"),
                ("docker-ratelimit-source", "192.0.2.1\u{1b}[2J"),
            ]
            return answer
        })
        let index = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[]}"#
        for name in ["limited/a", "free/a", "ratelimitpreview/test"] {
            registry.put(Array(index.utf8), type: MediaType.ociIndex, in: name, as: ["latest"])
        }
        let shale = ShaleHome()
        let said = try shale.run(["ratelimit", "\(registry.host)/limited/a"]).text
        #expect(
            said == "\(registry.host): 7 of 100 pulls left, window 6 h, counted by 192.0.2.1\\e[2J\n", "\(said)")
        #expect(registry.count("GET manifests") == 0)
        let json = try shale.run(["ratelimit", "--format", "json", "\(registry.host)/limited/a"]).text
        #expect(json.hasPrefix(#"{"registry":"\#(registry.host)","limit":100,"remaining":7,"window":21600,"#))
        // An answer that refuses says it, too.
        #expect(try shale.run(["ratelimit", "\(registry.host)/limited/none"]).text.contains("7 of 100"))
        #expect(try shale.run(["ratelimit", "\(registry.host)/free/a"]).text == "\(registry.host) names no limit\n")
        let words = try shale.run(["ratelimit", registry.host], expecting: 64).errors
        #expect(words.contains("hint: ratelimit \(registry.host)/REPOSITORY:TAG"))
        try shale.run(["-c", "tag busybox \(registry.host)/limited/b\npush --no-recipe \(registry.host)/limited/b"])
        #expect(try shale.run(["ratelimit", registry.host]).text.contains("7 of 100"))
        let pulled = try shale.run(["pull", "-q", "\(registry.host)/limited/b"]).errors
        #expect(pulled.contains("allows 7 more of 100 pulls"), "\(pulled)")
        let mirrored = ShaleHome(["SHALE_MIRROR": "docker.io=http://\(registry.host)"])
        let mirror = try mirrored.run(["ratelimit"]).text
        #expect(
            mirror.hasPrefix("docker.io: 7 of 100 pulls left")
                && mirror.hasSuffix("(says the mirror \(registry.host))\n"))
    }
}
