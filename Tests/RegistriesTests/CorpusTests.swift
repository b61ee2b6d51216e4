import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

@testable import Registries

@Suite(.enabled(if: Corpus.isPresent, "\(Corpus.absent)")) struct CorpusTests {
    @Test func authChallenges() throws {
        let rows = try Corpus.rows("registry-http/auth-challenges.json")
        var passed = 0
        for row in rows {
            let expected = (row["expect"]?.array ?? []).map { challenge in
                Challenge(
                    scheme: challenge["scheme"]?.string ?? "",
                    parameters: (challenge["params"]?.object ?? [:]).compactMapValues(\.string))
            }
            let isRight = Challenge.parse(row["header"]?.string ?? "") == expected
            #expect(isRight, "\(row["id"]?.string ?? "")")
            passed += isRight ? 1 : 0
        }
        Corpus.score("registry-http/auth-challenges", passed, of: rows.count)
        #expect(passed == 7)
    }

    /// Every recorded answer is given again by a server, and read as what it was.
    @Test func transcripts() throws {
        let rows = try Corpus.rows("registry-http/transcripts.json")
        var passed = 0
        for row in rows {
            let id = row["id"]?.string ?? ""
            do {
                try Self.replay(row, id: id)
                passed += 1
            } catch {
                Issue.record("\(id): \(error)")
            }
        }
        Corpus.score("registry-http/transcripts", passed, of: rows.count)
        #expect(passed == 25)
    }

    private struct Mismatch: Error, CustomStringConvertible {
        var description: String
    }

    private static func require(_ condition: Bool, _ what: String) throws {
        if !condition { throw Mismatch(description: what) }
    }

    private static func replay(_ row: JSONValue, id: String) throws {
        let request = row["request"] ?? .null
        let response = row["response"] ?? .null
        let method = request["method"]?.string ?? "GET"
        let target = request["path"]?.string ?? "/"
        let status = response["status"]?.int ?? 0
        let headers = (response["headers"]?.array ?? []).compactMap { field -> (String, String)? in
            guard let pair = field.strings, pair.count == 2 else { return nil }
            return (pair[0], pair[1])
        }
        let body = response["body"]?.string.map { Array($0.utf8) }
        let isCutShort = id == "blob-range-beyond"
        let server = try MisbehavingServer { _ in
            let bytes = body ?? [UInt8](repeating: 7, count: response["body_bytes"]?.int ?? 0)
            return Answer(status, headers: headers, body: bytes, delivery: isCutShort ? .cutAfter(bytes.count) : .whole)
        }
        let client = plainClient()
        let endpoint = try #require(try client.book.endpoints(for: server.host).first)
        var call = RegistryClient.Call(method: method, target: .path(target))
        for (name, value) in request["headers"]?.object ?? [:] { call.headers.append(name, value.string ?? "") }
        do throws(RequestFailure) {
            let answer = try client.make(call, at: endpoint, cancellation: Cancellation())
            try check(answer.head.status == status && status < 400, "status \(answer.head.status)")
            for (name, value) in headers {
                try check(answer.head.headers.all(name).contains(value), "header \(name)")
            }
            if let body { try check(Array(answer.body) == body, "body") }
            try check(response["body_bytes"]?.int ?? answer.body.count == answer.body.count, "length")
        } catch {
            guard case .answer(let refused) = error else { throw Mismatch(description: "\(error)") }
            try require(refused.status == status && status >= 400, "status \(refused.status)")
            let words = (body.map { String(decoding: $0, as: UTF8.self) } ?? "")
            for entry in refused.entries {
                try require(words.contains(entry.code) && words.contains(entry.message), "entry \(entry)")
            }
            try require(refused.entries.isEmpty != words.contains("errors"), "entries")
        }
        try require(server.requests.map(\.target) == [target], "asked \(server.requests.map(\.target))")
        try meaning[id]?(client, server.host)
    }

    private static func check(_ condition: Bool, _ what: String) throws(RequestFailure) {
        if !condition { throw .final(ShaleError(.corrupt, what)) }
    }

    /// What the same answers mean to those who call the client.
    private static var meaning: [String: (RegistryClient, String) throws -> Void] {
        let name = { (host: String) in try Reference(parsing: "\(host)/library/busybox:latest") }
        let code = { (expected: ShaleError.Code, body: () throws -> Void) in
            do {
                try body()
            } catch let error as ShaleError {
                try require(error.code == expected, "\(error.code) \(error)")
                return
            }
            throw Mismatch(description: "no error")
        }
        let config = "e6b6e2a2e9890805bdd63fb71685cdb634799841658ec83d4ddb8ee9f7d0619e"
        let blob = { (hex: String, size: Int64) in
            Descriptor(mediaType: MediaType.dockerConfig, digest: try Digest(parsing: "sha256:\(hex)"), size: size)
        }
        return [
            "manifest-tag-oci-only": { client, host in
                try code(.unsupported) { _ = try client.resolve(name(host)) }
            },
            "manifest-digest": { client, host in
                let fetched = try client.resolve(name(host))
                try require(fetched.descriptor.size == 528, "size")
                try require(fetched.mediaType == MediaType.dockerManifest, "type")
            },
            "manifest-head": { client, host in
                try require(client.head(name(host)).size == 528, "head")
            },
            "manifest-unknown-tag": { client, host in
                try code(.notFound) { _ = try client.resolve(name(host)) }
            },
            "manifest-bad-digest": { client, host in
                try code(.unavailable) { _ = try client.resolve(name(host)) }
            },
            "config-blob": { client, host in
                try require(client.blobData(blob(config, 1463), in: name(host)).count == 1463, "config")
            },
            "blob-head": { client, host in
                try require(
                    client.hasBlob(blob(config, 1_068_994), in: name(host)), "blob-head")
            },
            "blob-unknown-head": { client, host in
                try require(!client.hasBlob(blob(config, 1), in: name(host)), "blob-unknown-head")
            },
            "tags-n": { client, host in
                try require(client.tags(name(host)) == ["latest", "glibc"], "tags")
            },
            "tags-unknown-repo": { client, host in try code(.notFound) { _ = try client.tags(name(host)) } },
            "catalog": { client, host in
                try require(client.catalog(host, limit: 1) == ["library/bldargtest"], "catalog")
            },
            "mount": { client, host in
                let digest = try blob(config, 1).digest
                try require(
                    client.mountBlob(digest, from: name(host), to: name(host)) == .mounted, "mount")
            },
            "manifest-put-missing-blobs": { client, host in
                try code(.invalid) { try client.putManifest(Data("{}".utf8), mediaType: "x", as: name(host)) }
            },
        ]
    }
}
