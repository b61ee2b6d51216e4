package import Basics
import FoundationEssentials
package import OCI

/// What hangs on a manifest in a registry.
package struct Referrers: Sendable, Equatable {
    package var descriptors: [Descriptor]
    /// Whether the registry has no referrers API, and a tag with a list stands in for it.
    package var isByTag: Bool
}

extension RegistryClient {
    /// The manifests whose `subject` is this one, all pages (distribution specification v1.1, "Listing Referrers").
    ///
    /// With `type` only those of that artifact type; a registry need not filter, so the answer is filtered here, too.
    /// Where a registry has no such API (404) the index under the tag `sha256-<hex>` is the list. Throws what the
    /// requests throw; a subject that nothing hangs on, or that is not there, is no error.
    package func referrers(
        of subject: Digest, in repository: Reference, type: String? = nil, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> Referrers {
        let isWanted = { (descriptor: Descriptor) in type == nil || descriptor.artifactType == type }
        if let listed = try listedReferrers(of: subject, in: repository, type: type, cancellation) {
            return Referrers(descriptors: listed.filter(isWanted), isByTag: false)
        }
        let index = try referrersIndex(of: subject, in: repository, cancellation)
        return Referrers(descriptors: (index?.manifests ?? []).filter(isWanted), isByTag: true)
    }

    /// What the API answers; `nil` where there is none.
    private func listedReferrers(
        of subject: Digest, in repository: Reference, type: String?, _ cancellation: Cancellation
    ) throws(ShaleError) -> [Descriptor]? {
        let query = type.map { "?artifactType=\(WebURL.escape($0))" } ?? ""
        var headers = HTTPHeaders()
        headers.append("Accept", MediaType.ociIndex)
        do throws(ShaleError) {
            return try ask(
                repository.domain, for: .manifest(repository.with(digest: subject)), cancellation: cancellation
            ) { (endpoint: Endpoint) throws(RequestFailure) in
                do throws(RequestFailure) {
                    return try self.pages(
                        "/v2/\(repository.path)/referrers/\(subject)\(query)", scopes: [repository.pullScope],
                        headers: headers, at: endpoint, cancellation: cancellation, naming: "referrers of \(subject)"
                    ) { answer, what throws(ShaleError) in
                        // A web server's page for addresses it does not know may be a success, too.
                        guard answer.head.contentType == MediaType.ociIndex else {
                            throw ShaleError(.notFound, what, cause: "the answer is no index")
                        }
                        return try OCIDocument.read(Index.self, from: answer.body, naming: what).manifests
                    }
                } catch {
                    // Registries from before the API call its address wrong in more than one way.
                    if case .answer(let refused) = error, [400, 405, 501].contains(refused.status) {
                        throw .final(ShaleError(.notFound, "referrers of \(subject)"))
                    }
                    throw error
                }
            }
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    /// The list under the tag that stands in for the API; `nil` where there is no such tag.
    private func referrersIndex(
        of subject: Digest, in repository: Reference, _ cancellation: Cancellation
    ) throws(ShaleError) -> Index? {
        let name = repository.repository.with(tag: subject.referrersTag)
        let fetched: FetchedManifest
        do throws(ShaleError) {
            fetched = try resolve(name, cancellation: cancellation)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        // Whatever else has that name is no list of referrers.
        guard MediaType.isIndex(fetched.mediaType) else { return nil }
        return try OCIDocument.read(Index.self, from: fetched.document, naming: "referrers of \(subject)")
    }
}

extension Digest {
    /// The tag of the list of what hangs on a manifest, for registries without the API (distribution specification
    /// v1.1, "Referrers Tag Schema").
    package var referrersTag: String { "\(algorithm)-\(hex.prefix(64))" }

    /// Whether a tag has the form of such a list's, which nobody asks for by its name.
    static func isReferrersTag(_ tag: String) -> Bool {
        guard let dash = tag.firstIndex(of: "-") else { return false }
        return (try? Digest(parsing: "\(tag[..<dash]):\(tag[tag.index(after: dash)...])")) != nil
    }
}
