import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

@testable import Registries

/// The rows of the distribution specification's conformance list that a client can show, on a real registry.
@Suite(
    .enabled(if: Corpus.isPresent, "\(Corpus.absent)"),
    .enabled(if: RegistryServer.isPresent, "\(RegistryServer.absent)"))
struct ConformanceTests {
    /// One repository of a registry of its own, with one blob and one image in it.
    private struct Subject {
        let server: RegistryServer
        let client = plainClient()
        let name: Reference
        let bytes = (0..<2048).map { UInt8(truncatingIfNeeded: $0 &* 13) }
        let empty = Array("{}".utf8)

        var blob: Descriptor {
            Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of(bytes), size: Int64(bytes.count))
        }
        var config: Descriptor {
            Descriptor(mediaType: MediaType.ociConfig, digest: Digest.of(empty), size: Int64(empty.count))
        }
        var manifest: Data {
            get throws { try OCIDocument.encode(Manifest(config: config, layers: [blob])) }
        }

        init() throws {
            server = try RegistryServer()
            name = try Reference(parsing: "\(server.host)/con/formance:one")
            try client.upload(bytes, blob, to: name)
            try client.upload(empty, config, to: name)
            try client.putManifest(manifest, mediaType: MediaType.ociManifest, as: name)
        }

        func other(_ path: String) throws -> Reference { try Reference(parsing: "\(server.host)/\(path)") }

        /// Pushes a document and reads it back, byte for byte.
        func survives(_ document: Data, _ type: String, as reference: Reference? = nil) throws -> Bool {
            let target = reference ?? name.with(tag: "other")
            let digest = try client.putManifest(document, mediaType: type, as: target)
            let fetched = try client.resolve(target)
            return fetched.bytes == document && fetched.mediaType == type && fetched.descriptor.digest == digest
        }

        func json(_ text: String) throws -> Data {
            var text = text
            for (mark, value) in [("CONFIG", config), ("LAYER", blob)] {
                let encoded = String(decoding: try OCIDocument.encode(value), as: UTF8.self)
                text = text.split(separator: mark, omittingEmptySubsequences: false).joined(separator: encoded)
            }
            return Data(text.utf8)
        }

        func refuses(_ body: () throws -> Void) -> Bool {
            do {
                try body()
                return false
            } catch {
                return error is ShaleError
            }
        }
    }

    private typealias Check = @Sendable (Subject) throws -> Bool

    @Test func rowsThatAClientCanShow() throws {
        let rows = try Corpus.rows("oci-spec/distribution-conformance.json")
        let subject = try Subject()
        var passed = 0
        for row in rows {
            let id = row["id"]?.string ?? ""
            if Self.notShown[id] != nil { continue }
            let isRight: Bool
            do {
                isRight =
                    row["kind"]?.string == "error_code"
                    ? try Self.decodes(row["code"]?.string ?? "", row["message"]?.string ?? "")
                    : try Self.checks[id]?(subject) ?? false
            } catch {
                Issue.record("\(id): \(error)")
                continue
            }
            #expect(isRight, "\(id)")
            passed += isRight ? 1 : 0
        }
        Corpus.score("oci-spec/distribution-conformance", passed, of: rows.count)
        print("  \(Self.notShown.count) rows are not a client's, or not this client's: see ConformanceTests")
        #expect(passed + Self.notShown.count == rows.count)
    }

    /// Every error code of the specification is read and shown in docker's words.
    private static func decodes(_ code: String, _ message: String) throws -> Bool {
        let server = try MisbehavingServer { _ in .error(400, code, message) }
        let words = code.lowercased().split(separator: "_").joined(separator: " ")
        do {
            _ = try plainClient().resolve(Reference(parsing: "\(server.host)/a/b"))
            return false
        } catch {
            return code == "TOOMANYREQUESTS"
                ? error.description == "toomanyrequests: \(message)"
                : error.description.hasSuffix("\(words): \(message)")
        }
    }

    private static let checks: [String: Check] = [
        "end-1": { !(try $0.client.catalog($0.server.host)).isEmpty },
        "end-2": { try $0.client.blobData($0.blob, in: $0.name) == Data($0.bytes) },
        "end-3": { try $0.client.resolve($0.name).bytes == $0.manifest && $0.client.head($0.name).size > 0 },
        "end-4a": { try $0.client.hasBlob($0.blob, in: $0.name) },
        "end-5": { subject in
            let target = try subject.other("chunks/one")
            try subject.client.upload(subject.bytes, subject.blob, to: target, chunkSize: 1000)
            return try subject.client.hasBlob(subject.blob, in: target)
        },
        "end-6": { try $0.client.hasBlob($0.blob, in: $0.name) },
        "end-7a": { try $0.survives($0.manifest, MediaType.ociManifest) },
        "end-8a": { try $0.client.tags($0.name).contains("one") },
        "end-11": { subject in
            try subject.client.mountBlob(subject.blob.digest, from: subject.name, to: subject.other("mounted/a"))
                == .mounted
        },
        "end-13": { try resumesAfterRefusal($0) },

        "ping": { subject in
            guard let endpoint = try subject.client.book.endpoints(for: subject.server.host).first else { return false }
            let answer = try subject.client.make(
                .init(target: .path("/v2/")), at: endpoint, cancellation: Cancellation())
            return answer.head.status == 200
        },
        "empty-tag-list": { subject in
            subject.refuses { _ = try subject.client.tags(subject.other("never/pushed")) }
        },
        "blob-get-missing": { subject in
            var missing = subject.blob
            missing.digest = Digest.of("missing".utf8)
            return subject.refuses { _ = try subject.client.blobData(missing, in: subject.name) }
        },
        "blob-post-put": { subject in
            let target = try subject.other("whole/one")
            try subject.client.upload(subject.bytes, subject.blob, to: target)
            return try subject.client.blobData(subject.blob, in: target) == Data(subject.bytes)
        },
        "blob-chunked-single": { subject in
            let target = try subject.other("chunks/single")
            try subject.client.upload(subject.bytes, subject.blob, to: target, chunkSize: 2048)
            return try subject.client.blobData(subject.blob, in: target) == Data(subject.bytes)
        },
        "blob-chunked-multi": { subject in
            let target = try subject.other("chunks/multi")
            try subject.client.upload(subject.bytes, subject.blob, to: target, chunkSize: 700)
            return try subject.client.blobData(subject.blob, in: target) == Data(subject.bytes)
        },
        "blob-mount": { subject in
            let target = try subject.other("mounted/b")
            return try subject.client.mountBlob(subject.blob.digest, from: subject.name, to: target) == .mounted
                && subject.client.hasBlob(subject.blob, in: target)
        },
        "blob-mount-missing": { subject in
            let outcome = try subject.client.mountBlob(
                Digest.of("missing".utf8), from: subject.name, to: subject.other("mounted/c"))
            return outcome != .mounted
        },
        "blob-head": { try $0.client.hasBlob($0.blob, in: $0.name) },
        "blob-range-500-": { subject in
            var bytes: [UInt8] = []
            try subject.client.blob(subject.blob, in: subject.name, offset: 500) { bytes += $0 }
            return bytes == Array(subject.bytes[500...])
        },
        "blob-range-beyond": { subject in
            subject.refuses { try subject.client.blob(subject.blob, in: subject.name, offset: 5000) { _ in } }
        },
        "blob-empty": { subject in
            let none = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of([]), size: 0)
            try subject.client.upload([], none, to: subject.name)
            return try subject.client.hasBlob(none, in: subject.name)
                && subject.client.blobData(none, in: subject.name).isEmpty
        },
        "blob-empty-json": { try $0.client.blobData($0.config, in: $0.name) == Data("{}".utf8) },
        "blob-bad-digest-put": { try refusesDigest($0, chunk: nil) },
        "blob-bad-digest-chunked": { try refusesDigest($0, chunk: 1000) },
        "image": { subject in
            let manifest = try subject.manifest
            let digest = Digest.of(manifest)
            return try subject.survives(manifest, MediaType.ociManifest, as: subject.name.with(tag: "by-tag"))
                && subject.survives(manifest, MediaType.ociManifest, as: subject.name.with(digest: digest))
                && subject.client.head(subject.name.with(digest: digest)).digest == digest
        },
        "image-uncompressed": { try $0.survives($0.manifest, MediaType.ociManifest) },
        "large-manifest": { subject in
            let padding = String(repeating: "x", count: 3_900_000)
            let document = try subject.json(
                #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":CONFIG,"layers":[],"annotations":{"a":"\#(padding)"}}"#
            )
            return try subject.survives(document, MediaType.ociManifest)
        },
        "index": { try $0.survives(indexDocument($0), MediaType.ociIndex) },
        "nested-index": { subject in
            let inner = try subject.client.putManifest(
                indexDocument(subject), mediaType: MediaType.ociIndex, as: subject.name.with(tag: "inner"))
            let entry = Descriptor(
                mediaType: MediaType.ociIndex, digest: inner, size: Int64(try indexDocument(subject).count))
            return try subject.survives(OCIDocument.encode(Index(manifests: [entry])), MediaType.ociIndex)
        },
        "empty-index": { try $0.survives(OCIDocument.encode(Index()), MediaType.ociIndex) },
        "artifact": { try $0.survives($0.json(artifact(#""layers":[LAYER]"#)), MediaType.ociManifest) },
        "artifact-without-layers": { subject in
            try subject.survives(subject.json(artifact(#""layers":[CONFIG]"#)), MediaType.ociManifest)
        },
        "data-field": { subject in
            let document = try subject.json(artifact(#""layers":[LAYER],"x-data":{"data":"e30="}"#))
            return try subject.survives(document, MediaType.ociManifest)
        },
        "custom-fields": { subject in
            try subject.survives(
                subject.json(artifact(#""layers":[LAYER],"org.example.other":[1, 2]"#)), MediaType.ociManifest)
        },
        "no-layers": { try $0.survives($0.json(artifact(#""layers":[]"#)), MediaType.ociManifest) },
        "bad-digest-image": { subject in
            let name = subject.name.with(digest: Digest.of("other".utf8))
            return subject.refuses {
                try subject.client.putManifest(subject.manifest, mediaType: MediaType.ociManifest, as: name)
            }
        },
        "end-9": { try removes($0) },
        "manifest-delete": { try removes($0) },
        "artifact-index": { subject in
            var index = try indexDocument(subject)
            index.removeLast()
            return try subject.survives(
                index + Data(#","artifactType":"application/vnd.example"}"#.utf8), MediaType.ociIndex)
        },
        "index-with-subject": { subject in
            var index = try indexDocument(subject)
            index.removeLast()
            return try subject.survives(
                index + Data(#","subject":\#(subjectOf(subject))}"#.utf8), MediaType.ociIndex)
        },
        "blob-chunked-out-of-order": { try recoversFromDisorder($0) },
        "blob-range-500-1499": { subject in
            try subject.client.part(500..<1500, of: subject.blob, in: subject.name) == Array(subject.bytes[500..<1500])
        },
        "sparse": { subject in
            let gone = Descriptor(mediaType: MediaType.ociManifest, digest: Digest.of("gone".utf8), size: 4)
            let index = try OCIDocument.encode(Index(manifests: [gone]))
            // A registry may take it or not: either way it is clear which.
            return try subject.refuses {
                try subject.client.putManifest(
                    index, mediaType: MediaType.ociIndex, as: subject.name.with(tag: "sparse"))
            } || subject.client.resolve(subject.name.with(tag: "sparse")).bytes == index
        },
        "manifest-put-invalid-digest": { (try? Reference(parsing: "\($0.name.name)@sha256:baddigeststring")) == nil },
        "manifest-get-invalid-digest": { (try? Reference(parsing: "\($0.name.name)@sha256:baddigeststring")) == nil },

        "tag-list": { try Set($0.client.tags($0.name)).isSuperset(of: ["one"]) },
        "tag-list-n": { _ in
            let server = try MisbehavingServer { request in
                request.query.contains("last=b")
                    ? .json(#"{"tags":["c"]}"#)
                    : .json(
                        #"{"tags":["a","b"]}"#,
                        headers: [("Link", "</v2/a/b/tags/list?n=2&last=b>; rel=\"next\"")])
            }
            return try plainClient().tags(Reference(parsing: "\(server.host)/a/b")) == ["a", "b", "c"]
        },
        "manifest-missing-digest": { subject in
            subject.refuses { _ = try subject.client.resolve(subject.name.with(digest: Digest.of("x".utf8))) }
        },
        "manifest-missing-tag": { subject in
            subject.refuses { _ = try subject.client.resolve(subject.name.with(tag: "nosuch")) }
        },

        "end-12a": { _ in try discovers(type: nil) },
        "end-12b": { _ in try discovers(type: "application/vnd.example.a") },
        "referrers": { _ in try discovers(type: nil) },
        // This registry does not filter, and does not say that it did.
        "referrers-filter": { _ in try discovers(type: "application/vnd.example.b") },
        "artifacts-with-subject": { _ in try discovers(type: nil) },
        "missing-subject": { _ in try discovers(type: nil) },
        "empty-referrers": { _ in
            let registry = try ReferrersRegistry()
            let found = try plainClient().referrers(
                of: Digest.of("none".utf8), in: Reference(parsing: "\(registry.host)/a/b"))
            return found.descriptors.isEmpty && !found.isByTag
        },

        "fact-0": { _ in (try? Reference(parsing: "localhost:1/a__b/c-d.e")) != nil },
        "fact-1": { _ in Reference.isTag(String(repeating: "a", count: 128)) && !Reference.isTag("-a") },
        "fact-2": { _ in (try? Reference(parsing: "localhost/" + String(repeating: "a", count: 300))) == nil },
        "fact-3": { _ in
            let text = #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
            let server = try MisbehavingServer { _ in
                Answer(headers: [("Content-Type", "\(MediaType.ociIndex); charset=utf-8")], body: Array(text.utf8))
            }
            let fetched = try plainClient().resolve(Reference(parsing: "\(server.host)/a/b"))
            return fetched.mediaType == MediaType.ociIndex
                && server.requests[0].headers["accept"]?.contains(MediaType.ociIndex) == true
        },
        "fact-4": { _ in try corrupt([("Content-Type", MediaType.dockerManifestList)]) },
        "fact-5": { _ in try corrupt([("Docker-Content-Digest", Digest.of("other".utf8).description)]) },
        "fact-6": { _ in
            let server = try MisbehavingServer { request in
                Answer(request.method == "PUT" ? 201 : 202, headers: [("Location", "/up")])
            }
            let bytes = [UInt8](repeating: 1, count: 10)
            let blob = Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of(bytes), size: 10)
            try plainClient().upload(bytes, blob, to: Reference(parsing: "\(server.host)/a/b"), chunkSize: 6)
            return server.requests.compactMap { $0.headers["content-range"] } == ["0-5", "6-9"]
        },
        "fact-7": { _ in try decodes("NAME_INVALID", "invalid repository name") },
    ]

    /// Puts two artifacts on a subject that is not there, in a registry with the API, and finds those of a type.
    private static func discovers(type: String?) throws -> Bool {
        let registry = try ReferrersRegistry()
        let name = try Reference(parsing: "\(registry.host)/a/b")
        let client = plainClient()
        let subject = Descriptor(mediaType: MediaType.ociManifest, digest: Digest.of("subject".utf8), size: 7)
        try client.sendBytes(Artifact.emptyConfigBytes, Artifact.emptyConfig, to: name)
        let types = ["application/vnd.example.a", "application/vnd.example.b"]
        for type in types { _ = try client.putArtifact(Artifact(type: type, blobs: [], subject: subject), as: name) }
        let found = try client.referrers(of: subject.digest, in: name, type: type)
        return !found.isByTag && found.descriptors.map(\.artifactType) == (type.map { [$0] } ?? types)
    }

    private static func corrupt(_ headers: [(String, String)]) throws -> Bool {
        let text = #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#
        let server = try MisbehavingServer { _ in Answer(headers: headers, body: Array(text.utf8)) }
        do throws(ShaleError) {
            _ = try plainClient().resolve(Reference(parsing: "\(server.host)/a/b"))
            return false
        } catch {
            return error.code == .corrupt
        }
    }

    private static func artifact(_ rest: String) -> String {
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","#
            + #""artifactType":"application/vnd.example","config":CONFIG,\#(rest)}"#
    }

    private static func indexDocument(_ subject: Subject) throws -> Data {
        let manifest = try subject.manifest
        let entries = ["amd64", "arm64"].map { architecture in
            Descriptor(
                mediaType: MediaType.ociManifest, digest: Digest.of(manifest), size: Int64(manifest.count),
                platform: Platform(os: "linux", architecture: architecture))
        }
        return try OCIDocument.encode(Index(manifests: entries))
    }

    private static func refusesDigest(_ subject: Subject, chunk: Int64?) throws -> Bool {
        var wrong = subject.blob
        wrong.digest = Digest.of("wrong".utf8)
        let name = try subject.other("wrong/digest")
        return subject.refuses { try subject.client.upload(subject.bytes, wrong, to: name, chunkSize: chunk) }
    }

    private static func subjectOf(_ subject: Subject) throws -> String {
        let bytes = try subject.manifest
        let descriptor = Descriptor(
            mediaType: MediaType.ociManifest, digest: Digest.of(bytes), size: Int64(bytes.count))
        return String(decoding: try OCIDocument.encode(descriptor), as: UTF8.self)
    }

    /// A manifest of its own is pushed and removed, and its tag with it.
    private static func removes(_ subject: Subject) throws -> Bool {
        let name = subject.name.with(tag: "short-lived")
        let document = try subject.json(artifact(#""layers":[CONFIG],"annotations":{"a":"short-lived"}"#))
        let digest = try subject.client.putManifest(document, mediaType: MediaType.ociManifest, as: name)
        try subject.client.deleteManifest(digest, in: name)
        return subject.refuses { _ = try subject.client.resolve(name) }
            && subject.refuses { _ = try subject.client.resolve(name.with(digest: digest)) }
            && subject.refuses { try subject.client.deleteManifest(digest, in: name) }
    }

    /// The registry has fewer bytes than was thought, says so, and is asked from where to go on.
    private static func recoversFromDisorder(_ subject: Subject) throws -> Bool {
        let server = try MisbehavingServer { request in
            switch (request.method, request.headers["content-range"]) {
            case ("PATCH", "1000-1999") where request.number == 2: Answer(416)
            case ("GET", _): Answer(204, headers: [("Location", "/up2"), ("Range", "0-499")])
            case ("PUT", _): Answer(201)
            default: Answer(202, headers: [("Location", "/up")])
            }
        }
        try plainClient().upload(
            subject.bytes, subject.blob, to: Reference(parsing: "\(server.host)/a/b"), chunkSize: 1000)
        return server.requests.compactMap { $0.headers["content-range"] }
            == ["0-999", "1000-1999", "500-1499", "1500-2047"]
    }

    /// A chunk is lost on the way; the registry is asked how much it has.
    private static func resumesAfterRefusal(_ subject: Subject) throws -> Bool {
        let server = try MisbehavingServer { request in
            switch (request.method, request.number) {
            case ("PATCH", 1): Answer(503)
            case ("GET", _): Answer(204, headers: [("Location", "/up2"), ("Range", "0-0")])
            case ("PUT", _): Answer(201)
            default: Answer(202, headers: [("Location", "/up")])
            }
        }
        try plainClient().upload(
            subject.bytes, subject.blob, to: Reference(parsing: "\(server.host)/a/b"), chunkSize: 1500)
        return server.requests.map { "\($0.method) \($0.path)" }.dropFirst(1)
            == ["PATCH /up", "GET /up", "PATCH /up2", "PATCH /up", "PUT /up"]
    }

    /// Rows that nothing here shows, and why.
    private static let notShown: [String: String] = {
        let deletion = "this client removes manifests alone, by digest"
        let single = "uploads begin with an empty POST"
        let server = "a server's own duty, no client request"
        return [
            "end-4b": single, "end-4c": single, "end-7b": "one tag a request", "end-8b": "pages are followed by Link",
            "end-10": deletion, "end-14": deletion, "blob-post-only": single,
            "blob-chunked-multi-put-chunk": "the closing PUT carries no chunk here",
            "blob-chunked-out-of-order-put-chunk": server,
            "blob-stream": "every length is known", "blob-mount-anonymous": "the source is always named",
            "blob-post-cancel": deletion,
            "blob-range-suffix": "only tails are asked for", "blob-range-over-end": "only tails are asked for",
            "blob-range-reversed": server, "blob-bad-digest-post": single, "blob-bad-digest-stream": single,
            "blob-sha512": "only sha256 names blobs in the store", "blob-delete": deletion,
            "nondistributable": "Debian's registry takes a layer's address only where it is told to",
            "tag-param": "one tag a request",
            "tag-list-last": "pages are followed by Link", "tag-delete": deletion,
        ]
    }()
}
