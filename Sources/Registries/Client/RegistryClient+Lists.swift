package import Basics
import FoundationEssentials
package import OCI

extension RegistryClient {
    /// The largest size of one page, in bytes.
    private static let largestPage = 32 << 20
    private static let mostPages = 1000
    private static let mostBytes = 256 << 20
    /// After so many pages in a row without a new name the list is refused: the server would never end it.
    private static let mostIdlePages = 3

    private struct TagPage: Decodable { var tags: [String]? }
    private struct CatalogPage: Decodable { var repositories: [String]? }

    /// All tags of a repository, from all pages, in the registry's order.
    ///
    /// With `passingMirrors` the registry itself is asked. Throws `notFound` when the registry does not know the
    /// repository, and what the requests throw.
    package func tags(
        _ repository: Reference, passingMirrors: Bool = false, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> [String] {
        let purpose = passingMirrors ? Purpose.ownTags(repository) : .tags(repository)
        let names = try ask(repository.domain, for: purpose, cancellation: cancellation) {
            (endpoint: Endpoint) throws(RequestFailure) in
            try self.pages(
                "/v2/\(repository.path)/tags/list?n=1000", scopes: [repository.pullScope], at: endpoint,
                cancellation: cancellation, naming: "tags of \(repository.familiarName)"
            ) { answer, what throws(ShaleError) in try Self.page(TagPage.self, answer, what).tags ?? [] }
        }
        return names.filter { Reference.isTag($0) }
    }

    /// The repositories that a registry lists.
    ///
    /// Reading stops after `limit` names for which `matching` is true.
    ///
    /// Throws `unauthorized` when the registry does not list its repositories, and what the requests throw.
    package func catalog(
        _ domain: String, limit: Int = .max, cancellation: Cancellation = Cancellation(),
        matching: (String) -> Bool = { _ in true }
    ) throws(ShaleError) -> [String] {
        try withoutActuallyEscaping(matching) { (matching) throws(ShaleError) in
            try ask(domain, for: .catalog(domain), cancellation: cancellation) {
                (endpoint: Endpoint) throws(RequestFailure) in
                try self.catalog(at: endpoint, limit: limit, cancellation: cancellation, matching: matching)
            }
        }
    }

    func catalog(
        at endpoint: Endpoint, limit: Int, cancellation: Cancellation, matching: @escaping (String) -> Bool
    ) throws(RequestFailure) -> [String] {
        let names = try pages(
            "/v2/_catalog?n=1000", scopes: ["registry:catalog:*"], at: endpoint, cancellation: cancellation,
            naming: "catalog of \(endpoint.domain)", limit: limit, matching: matching
        ) { answer, what throws(ShaleError) in try Self.page(CatalogPage.self, answer, what).repositories ?? [] }
        return Array(names.prefix(limit))
    }

    /// Reads pages as long as `Link: <…>; rel="next"` names another (RFC 8288).
    func pages<Item: Hashable>(
        _ path: String, scopes: [String], headers: HTTPHeaders = HTTPHeaders(), at endpoint: Endpoint,
        cancellation: Cancellation, naming what: String, limit: Int = .max, matching: (Item) -> Bool = { _ in true },
        _ read: (HTTPAnswer, String) throws(ShaleError) -> [Item]
    ) throws(RequestFailure) -> [Item] {
        var found: [Item] = []
        var known: Set<Item> = []
        var (bytes, idle) = (0, 0)
        var seen: Set<WebURL> = []
        var call = Call(target: .path(path), scopes: scopes, headers: headers, limit: Self.largestPage)
        for _ in 0..<Self.mostPages {
            let answer = try make(call, at: endpoint, cancellation: cancellation)
            let items: [Item]
            do throws(ShaleError) { items = try read(answer, what) } catch { throw .final(error) }
            let before = known.count
            for item in items where known.insert(item).inserted && matching(item) { found.append(item) }
            idle = known.count == before ? idle + 1 : 0
            bytes += answer.body.count
            guard bytes <= Self.mostBytes else {
                throw .final(ShaleError(.invalid, what, cause: "the list is larger than \(Self.mostBytes >> 20) MiB"))
            }
            guard found.count < limit, let next = Self.nextPage(of: answer) else { return found }
            guard next.origin == answer.url.origin else {
                throw .final(ShaleError(.denied, what, cause: "the next page is on another host"))
            }
            guard seen.insert(next).inserted else { return found }
            guard idle < Self.mostIdlePages else {
                throw .final(
                    ShaleError(.invalid, what, cause: "the registry names page after page, and nothing new on them"))
            }
            call.target = .address(next)
        }
        throw .final(ShaleError(.invalid, what, cause: "the list has more than \(Self.mostPages) pages"))
    }

    private static func page<Page: Decodable>(
        _ type: Page.Type, _ answer: HTTPAnswer, _ what: String
    ) throws(ShaleError) -> Page {
        guard let page = try? JSONDecoder().decode(type, from: answer.body) else {
            throw ShaleError(.corrupt, what, cause: "the answer is not valid JSON")
        }
        return page
    }

    private static func nextPage(of answer: HTTPAnswer) -> WebURL? {
        for field in answer.head.headers.all("link") {
            for link in field.split(separator: ",") {
                let parts = link.split(separator: ";").map(\.trimmingBlanks)
                guard let target = parts.first, target.hasPrefix("<"), target.hasSuffix(">"),
                    parts.dropFirst().contains(where: { $0 == "rel=\"next\"" || $0 == "rel=next" })
                else { continue }
                return try? answer.url.resolving(String(target.dropFirst().dropLast()))
            }
        }
        return nil
    }
}

/// Tags that exist, to show after a request for a tag that does not.
package struct TagSuggestions: Sendable, Equatable {
    /// Tags spelt like the missing one, nearest first.
    package var nearest: [String]
    /// The newest by their version numbers, newest first; registries do not say when a tag was made.
    package var newest: [String]
    /// How many there are.
    package var total: Int

    /// Up to `limit` tags to show: first the nearest, then the newest.
    package func best(_ limit: Int = 5) -> [String] {
        Array((nearest + newest.filter { !nearest.contains($0) }).prefix(limit))
    }
}

extension RegistryClient {
    /// The tags of a reference's repository that come nearest to its own tag.
    ///
    /// Throws what listing the tags throws.
    package func suggestions(
        for reference: Reference, limit: Int = 5, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> TagSuggestions {
        // In a registry without the referrers API, the list of an image's referrers is a tag too.
        let tags = try tags(reference.repository, cancellation: cancellation).filter { !Digest.isReferrersTag($0) }
        let wanted = reference.tag ?? Reference.defaultTag
        return TagSuggestions(
            nearest: Suggestion.nearest(to: wanted, among: tags, limit: limit),
            newest: Array(TagOrder.newestFirst(tags).prefix(limit)), total: tags.count)
    }
}
