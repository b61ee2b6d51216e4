import FoundationEssentials
import Synchronization

/// A registry in memory that knows the referrers API: what Debian's `docker-registry` does not.
package final class ReferrersRegistry: Sendable {
    package enum Conditions: Sendable {
        case ignored
        /// `If-Match` and `If-None-Match` of a manifest are looked at.
        case known
    }

    private struct Manifest {
        var type: String
        var bytes: [UInt8]
    }

    private struct State {
        var blobs: [String: [UInt8]] = [:]
        /// By repository, and then by digest or tag.
        var manifests: [String: [String: Manifest]] = [:]
        /// By the subject's digest: descriptors as text, with their artifact types.
        var referrers: [String: [(type: String, text: String)]] = [:]
        var uploads: [String: [UInt8]] = [:]
        /// Requests by method and kind of thing, as `GET blobs`.
        var counts: [String: Int] = [:]
        var sent = 0
    }

    private let state = Mutex(State())
    private let serving = Mutex<MisbehavingServer?>(nil)
    private let hasAPI: Bool
    private let conditions: Conditions
    /// What a test changes about an answer.
    private let change: @Sendable (MisbehavingServer.Request, MisbehavingServer.Answer) -> MisbehavingServer.Answer

    package init(
        hasAPI: Bool = true, conditions: Conditions = .ignored,
        change: @escaping @Sendable (MisbehavingServer.Request, MisbehavingServer.Answer) -> MisbehavingServer.Answer =
            {
                $1
            }
    ) throws {
        self.hasAPI = hasAPI
        self.conditions = conditions
        self.change = change
        let server = try MisbehavingServer { [weak self] request in
            guard let self else { return .closed }
            return self.change(request, self.answer(request))
        }
        serving.withLock { $0 = server }
    }

    private var server: MisbehavingServer? { serving.withLock { $0 } }
    /// Where it listens, as `127.0.0.1:PORT`.
    package var host: String { server?.host ?? "" }
    package var requests: [MisbehavingServer.Request] { server?.requests ?? [] }
    /// How many bytes of blobs were sent.
    package var sentBytes: Int { state.withLock(\.sent) }

    /// How often something was asked: `GET blobs`, `PUT manifests`.
    package func count(_ what: String) -> Int { state.withLock { $0.counts[what] ?? 0 } }
    /// A manifest's bytes, by tag or digest.
    package func manifest(_ repository: String, _ name: String) -> [UInt8]? {
        state.withLock { $0.manifests[repository]?[name]?.bytes }
    }

    /// A blob's bytes, by its digest.
    package func blob(_ digest: String) -> [UInt8]? { state.withLock { $0.blobs[digest] } }

    /// Puts bytes there as a manifest, whatever they are.
    package func put(_ bytes: [UInt8], type: String, in repository: String, as names: [String]) {
        state.withLock { state in
            for name in names { state.manifests[repository, default: [:]][name] = Manifest(type: type, bytes: bytes) }
        }
    }

    /// Lists a descriptor as one that hangs on a manifest.
    package func hang(_ text: String, type: String, on subject: String) {
        state.withLock { $0.referrers[subject, default: []].append((type, text)) }
    }

    package func put(blob bytes: [UInt8]) throws -> String {
        let digest = "sha256:" + (try Peers.sha256(bytes))
        state.withLock { $0.blobs[digest] = bytes }
        return digest
    }

    private func answer(_ request: MisbehavingServer.Request) -> MisbehavingServer.Answer {
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.first == "v2", parts.count > 3 else { return .json("{}") }
        let last = parts[parts.count - 1]
        let isUpload = request.path.contains("/blobs/uploads")
        let kind = isUpload ? "uploads" : parts[parts.count - 2]
        let repository = parts.dropFirst().prefix { !["blobs", "manifests", "referrers", "tags"].contains($0) }
            .joined(separator: "/")
        state.withLock { $0.counts["\(request.method) \(kind)", default: 0] += 1 }
        switch kind {
        case "uploads": return upload(request, last, repository)
        case "blobs":
            guard let bytes = state.withLock({ $0.blobs[last] }) else { return .error(404, "BLOB_UNKNOWN", "no blob") }
            if request.method == "GET" { state.withLock { $0.sent += bytes.count } }
            guard request.method == "GET" else {
                return .init(headers: [("Content-Length", "\(bytes.count)")], body: [])
            }
            return .blob(bytes, for: request)
        case "manifests" where request.method == "PUT": return take(request, last, repository)
        case "manifests":
            guard let found = state.withLock({ $0.manifests[repository]?[last] }) else {
                return .error(404, "MANIFEST_UNKNOWN", "manifest unknown")
            }
            let digest = "sha256:" + ((try? Peers.sha256(found.bytes)) ?? "")
            return .init(
                headers: [
                    ("Content-Type", found.type), ("Docker-Content-Digest", digest), ("ETag", "\"\(digest)\""),
                    ("Content-Length", "\(found.bytes.count)"),
                ], body: found.bytes)
        case "referrers" where hasAPI: return referrers(request, last)
        default: return .error(404, "NOT_FOUND", "not here")
        }
    }

    private func upload(
        _ request: MisbehavingServer.Request, _ last: String, _ repository: String
    ) -> MisbehavingServer.Answer {
        switch request.method {
        case "POST":
            let id = "u\(request.number)"
            state.withLock { $0.uploads[id] = [] }
            return .init(202, headers: [("Location", "/v2/\(repository)/blobs/uploads/\(id)")])
        case "PATCH":
            let count = state.withLock { state -> Int in
                state.uploads[last, default: []] += request.body
                return state.uploads[last]?.count ?? 0
            }
            return .init(202, headers: [("Location", request.path), ("Range", "0-\(max(0, count - 1))")])
        default:
            let bytes = state.withLock { ($0.uploads.removeValue(forKey: last) ?? []) + request.body }
            let digest = "sha256:" + ((try? Peers.sha256(bytes)) ?? "")
            guard request.query.contains(digest) || request.query.contains(String(digest.dropFirst(7))) else {
                return .error(400, "DIGEST_INVALID", "another digest")
            }
            state.withLock { $0.blobs[digest] = bytes }
            return .init(201, headers: [("Location", "/v2/\(repository)/blobs/\(digest)")])
        }
    }

    private func take(
        _ request: MisbehavingServer.Request, _ name: String, _ repository: String
    ) -> MisbehavingServer.Answer {
        let digest = "sha256:" + ((try? Peers.sha256(request.body)) ?? "")
        let type = request.headers["content-type"] ?? ""
        let text = String(decoding: request.body, as: UTF8.self)
        let subject = hasAPI ? Self.member("digest", of: text, behind: "\"subject\":{") : nil
        let isTaken = state.withLock { state -> Bool in
            if conditions == .known {
                let there = state.manifests[repository]?[name]
                let mark = there.map { "\"sha256:\((try? Peers.sha256($0.bytes)) ?? "")\"" }
                if request.headers["if-none-match"] == "*", there != nil { return false }
                if let wanted = request.headers["if-match"], wanted != mark { return false }
            }
            let manifest = Manifest(type: type, bytes: request.body)
            state.manifests[repository, default: [:]][name] = manifest
            state.manifests[repository, default: [:]][digest] = manifest
            if let subject {
                let kind = Self.member("artifactType", of: text, behind: "{") ?? ""
                let entry =
                    #"{"mediaType":"\#(type)","digest":"\#(digest)","size":\#(request.body.count),"artifactType":"\#(kind)"}"#
                if state.referrers[subject]?.contains(where: { $0.text == entry }) != true {
                    state.referrers[subject, default: []].append((kind, entry))
                }
            }
            return true
        }
        guard isTaken else { return .error(412, "PRECONDITION_FAILED", "it is another by now") }
        return .init(
            201, headers: [("Docker-Content-Digest", digest)] + (subject.map { [("OCI-Subject", $0)] } ?? []))
    }

    /// One entry a page.
    private func referrers(_ request: MisbehavingServer.Request, _ subject: String) -> MisbehavingServer.Answer {
        let page =
            request.query.split(separator: "&").first { $0.hasPrefix("page=") }.flatMap { Int($0.dropFirst(5)) } ?? 0
        let all = state.withLock { $0.referrers[subject] ?? [] }
        let shown = page < all.count ? all[page].text : ""
        let next = page + 1 < all.count ? [("Link", "<\(request.path)?page=\(page + 1)>; rel=\"next\"")] : []
        let text = #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[\#(shown)]}"#
        return .init(
            headers: [("Content-Type", "application/vnd.oci.image.index.v1+json")] + next, body: Array(text.utf8))
    }

    /// The value of a member that is a text, behind some other text.
    private static func member(_ name: String, of text: String, behind mark: String) -> String? {
        guard let start = text.firstRange(of: mark) else { return nil }
        let rest = text[start.upperBound...]
        guard let found = rest.firstRange(of: "\"\(name)\":\"") else { return nil }
        return String(rest[found.upperBound...].prefix { $0 != "\"" })
    }
}
