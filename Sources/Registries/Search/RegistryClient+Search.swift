package import Basics
import FoundationEssentials
import OCI

extension RegistryClient {
    private static let largestPage = 8 << 20
    /// The most pages of 100 results that are read because of filters.
    private static let mostPages = 20

    /// Looks for repositories: Docker Hub's v1 search API, quay.io's, and for any other registry its catalog.
    ///
    /// Where Docker Hub cannot be reached and a mirror stands in for it, the mirror's catalog answers. Throws
    /// `unsupported` when the registry has no search, `unavailable` when it cannot be reached, and `corrupt` when its
    /// answer cannot be read.
    package func search(
        _ query: SearchQuery, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> SearchAnswer {
        switch query.domain {
        case Reference.defaultDomain: return try searchHub(query, cancellation: cancellation)
        case "quay.io": return try searchQuay(query, cancellation: cancellation)
        default: return try searchCatalog(query, cancellation: cancellation)
        }
    }

    private func searchHub(_ query: SearchQuery, cancellation: Cancellation) throws(ShaleError) -> SearchAnswer {
        do throws(ShaleError) {
            return try searchHubAPI(query, cancellation: cancellation)
        } catch {
            guard [.unavailable, .timeout].contains(error.code), configuration.searchEndpoint == nil,
                let mirror = try book.endpoints(for: query.domain).first(where: \.isMirror)
            else { throw error }
            return try searchCatalog(query, at: mirror, cancellation: cancellation)
        }
    }

    // MARK: Docker Hub

    /// One page of the v1 search API.
    private struct HubPage: Decodable {
        struct Entry: Decodable {
            var name: String?
            var description: String?
            var starCount: Int?
            var isOfficial: Bool?
            var isAutomated: Bool?
            var pullCount: Int?

            enum CodingKeys: String, CodingKey {
                case name, description
                case starCount = "star_count"
                case isOfficial = "is_official"
                case isAutomated = "is_automated"
                case pullCount = "pull_count"
            }
        }
        var results: [Entry]?
        var numResults: Int?
        var numPages: Int?

        enum CodingKeys: String, CodingKey {
            case results
            case numResults = "num_results"
            case numPages = "num_pages"
        }
    }

    private func searchHubAPI(_ query: SearchQuery, cancellation: Cancellation) throws(ShaleError) -> SearchAnswer {
        // The API files the official images under their bare names.
        let term = query.term.hasPrefix("library/") ? String(query.term.dropFirst(8)) : query.term
        let address = configuration.searchEndpoint ?? "https://index.docker.io"
        let endpoint = try searchEndpoint(address, domain: query.domain)
        var results: [SearchResult] = []
        var total: Int?
        for page in 1...Self.mostPages {
            let path = "/v1/search?q=\(WebURL.escape(term))&n=\(query.limit)&page=\(page)"
            let answer: HubPage = try searchPage(
                path, at: endpoint, cancellation: cancellation)
            total = total ?? answer.numResults
            let entries = answer.results ?? []
            let found = entries.compactMap { entry -> SearchResult? in
                guard let name = entry.name, !name.isEmpty else { return nil }
                return SearchResult(
                    name: name.visible, description: Self.line(entry.description), stars: entry.starCount ?? 0,
                    isOfficial: entry.isOfficial ?? false, isAutomated: entry.isAutomated ?? false,
                    pulls: entry.pullCount)
            }
            results += found.filter(query.filter.accepts)
            let isLast = page >= answer.numPages ?? 1 || entries.isEmpty
            if isLast || results.count >= query.limit || query.filter == SearchFilter() { break }
        }
        return SearchAnswer(
            results: Array(results.prefix(query.limit)), method: "Docker Hub's search at \(endpoint.base.origin)",
            total: total)
    }

    // MARK: quay.io

    private struct QuayPage: Decodable {
        struct Namespace: Decodable { var name: String? }
        struct Entry: Decodable {
            var kind: String?
            var namespace: Namespace?
            var name: String?
            var description: String?
            var stars: Int?
        }
        var results: [Entry]?
        var hasAdditional: Bool?

        enum CodingKeys: String, CodingKey {
            case results
            case hasAdditional = "has_additional"
        }
    }

    private func searchQuay(_ query: SearchQuery, cancellation: Cancellation) throws(ShaleError) -> SearchAnswer {
        let address = configuration.mirrors[query.domain] ?? "https://\(query.domain)"
        let endpoint = try searchEndpoint(address, domain: query.domain)
        var results: [SearchResult] = []
        for page in 1...Self.mostPages {
            let path = "/api/v1/find/repositories?query=\(WebURL.escape(query.term))&page=\(page)"
            let answer: QuayPage
            do throws(ShaleError) {
                answer = try searchPage(path, at: endpoint, cancellation: cancellation)
            } catch {
                // A mirror of quay.io is a plain registry.
                guard configuration.mirrors[query.domain] != nil, error.code != .cancelled else { throw error }
                return try searchCatalog(query, cancellation: cancellation)
            }
            let found = (answer.results ?? []).compactMap { entry -> SearchResult? in
                guard entry.kind ?? "repository" == "repository", let name = entry.name,
                    let namespace = entry.namespace?.name
                else { return nil }
                return SearchResult(
                    name: "\(query.domain)/\(namespace)/\(name)".visible, description: Self.line(entry.description),
                    stars: entry.stars ?? 0)
            }
            results += found.filter(query.filter.accepts)
            if answer.hasAdditional != true || results.count >= query.limit || found.isEmpty { break }
        }
        return SearchAnswer(
            results: Array(results.prefix(query.limit)), method: "quay's search at \(endpoint.base.origin)")
    }

    // MARK: Catalogs

    private func searchCatalog(_ query: SearchQuery, cancellation: Cancellation) throws(ShaleError) -> SearchAnswer {
        guard let endpoint = try servers(of: query.domain, for: .search(query.domain)).first else {
            throw ShaleError(.unavailable, "no registry was asked")
        }
        return try searchCatalog(query, at: endpoint, cancellation: cancellation)
    }

    private func searchCatalog(
        _ query: SearchQuery, at endpoint: Endpoint, cancellation: Cancellation
    ) throws(ShaleError) -> SearchAnswer {
        // A catalog has neither stars nor official images, so a filter for them leaves nothing.
        let blank = SearchResult(name: "")
        let names: [String]
        do throws(RequestFailure) {
            names =
                query.filter.accepts(blank)
                ? try catalog(at: endpoint, limit: query.limit, cancellation: cancellation) { name in
                    query.term.isEmpty || name.contains(query.term.lowercased())
                } : []
        } catch {
            return try searchExactName(query, at: endpoint, after: error, cancellation: cancellation)
        }
        return SearchAnswer(
            results: names.map { SearchResult(name: Self.familiarName($0, in: query.domain)) },
            method: "catalog of \(endpoint.base.origin), names that contain \"\(query.term.visible)\"")
    }

    /// A registry without a catalog can still say whether one repository exists.
    private func searchExactName(
        _ query: SearchQuery, at endpoint: Endpoint, after failure: RequestFailure, cancellation: Cancellation
    ) throws(ShaleError) -> SearchAnswer {
        let error = words(failure, at: endpoint, for: .catalog(endpoint.base.authority))
        guard case .answer(let answer) = failure, answer.status < 500, answer.status != 429,
            let reference = try? Reference(parsing: "\(query.domain)/\(query.term)"), reference.tag == nil
        else { throw error }
        let isThere = (try? tags(reference, cancellation: cancellation)).map { !$0.isEmpty } ?? false
        try cancellation.check()
        guard isThere else { throw error }
        return SearchAnswer(
            results: [SearchResult(name: reference.familiarName)],
            method: "tags of this very name at \(endpoint.base.origin), which lists no repositories", total: 1)
    }

    private static func familiarName(_ path: String, in domain: String) -> String {
        ((try? Reference(parsing: "\(domain)/\(path)"))?.familiarName ?? "\(domain)/\(path)").visible
    }

    // MARK: Pages

    private func searchEndpoint(_ address: String, domain: String) throws(ShaleError) -> Endpoint {
        let address = try RegistryConfiguration.mirrorAddress(address)
        let endpoint = try Endpoint(
            domain: domain, address: address, isMirror: true,
            verifiesPeer: try !book.isInsecure(WebURL(address)))
        guard configuration.mayAsk(isLoopback: endpoint.base.isLoopback) else {
            throw ShaleError(
                .unavailable, "offline: no search", cause: "\(endpoint.base.origin) is not asked",
                hint: "set offline off")
        }
        return endpoint
    }

    private func searchPage<Page: Decodable>(
        _ path: String, at endpoint: Endpoint, cancellation: Cancellation
    ) throws(ShaleError) -> Page {
        let purpose = Purpose.search(endpoint.base.authority)
        let answer: HTTPAnswer
        do throws(RequestFailure) {
            answer = try make(
                Call(target: .path(path), limit: Self.largestPage), at: endpoint, cancellation: cancellation)
        } catch {
            if case .answer(let refused) = error, refused.status == 404 {
                // Docker's words for a registry without the search API.
                throw ShaleError(
                    .unsupported, "\(endpoint.base.origin) has no search", cause: "Unexpected status code 404")
            }
            throw words(error, at: endpoint, for: purpose)
        }
        do {
            return try JSONDecoder().decode(Page.self, from: answer.body)
        } catch {
            throw ShaleError(
                .corrupt, "\(endpoint.base.origin): the search's answer", cause: "not the JSON that was expected")
        }
    }

    /// A description as one line, without control characters for the terminal.
    static func line(_ text: String?) -> String {
        let spaced = (text ?? "").unicodeScalars.map { $0 == "\n" || $0 == "\r" || $0 == "\t" ? " " : Character($0) }
        return String(spaced).visible
    }
}
