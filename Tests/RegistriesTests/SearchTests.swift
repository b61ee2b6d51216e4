import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

@testable import Registries

@Suite struct SearchTests {
    private static let hub = """
        {"num_results":2593,"num_pages":2,"page":1,"page_size":25,"query":"hello","results":[
        {"name":"hello-world","description":"Hello World!\\n(an example)","star_count":1988,"is_official":true,\
        "is_automated":false,"is_trusted":false},
        {"name":"kitematic/hello-world-nginx","description":"A light\\u001b[31mweight nginx","star_count":153,\
        "is_official":false,"is_automated":false},
        {"name":"tutum/hello-world","description":null,"star_count":90,"is_official":false,"is_automated":true}]}
        """

    private static func hubServer() throws -> MisbehavingServer {
        try MisbehavingServer { request in
            request.path == "/v1/search" ? .json(hub) : Answer(404)
        }
    }

    @Test func dockerHubsAPIGivesFiveColumns() throws {
        let server = try Self.hubServer()
        let client = plainClient { $0.searchEndpoint = server.url }
        let answer = try client.search(SearchQuery("hello world"))
        #expect(
            answer.results == [
                SearchResult(
                    name: "hello-world", description: "Hello World! (an example)", stars: 1988, isOfficial: true),
                SearchResult(
                    name: "kitematic/hello-world-nginx", description: #"A light\e[31mweight nginx"#, stars: 153),
                SearchResult(name: "tutum/hello-world", stars: 90, isAutomated: true),
            ])
        #expect(answer.total == 2593)
        #expect(answer.method == "Docker Hub's search at \(server.url)")
        #expect(server.requests.map(\.target) == ["/v1/search?q=hello%20world&n=25&page=1"])
    }

    @Test(arguments: [
        (["stars=100"], ["hello-world", "kitematic/hello-world-nginx"]),
        (["is-official=true"], ["hello-world"]),
        (["is-official=false", "stars=100"], ["kitematic/hello-world-nginx"]),
        (["is-automated=true"], ["tutum/hello-world"]),
    ]) func filters(conditions: [String], names: [String]) throws {
        let server = try Self.hubServer()
        let client = plainClient { $0.searchEndpoint = server.url }
        let answer = try client.search(SearchQuery("hello", limit: 3, filter: SearchFilter(conditions)))
        #expect(Array(answer.results.map(\.name).prefix(names.count)) == names)
        #expect(Set(answer.results.map(\.name)) == Set(names))
    }

    @Test(arguments: [
        ("stars=a", "invalid filter 'stars=a'"), ("is-official=a", "invalid filter 'is-official=[a]'"),
        ("is-automated=a", "invalid filter 'is-automated=[a]'"), ("foo=1", "invalid filter 'foo'"),
        ("stars", "bad format of filter (expected name=value)"),
    ]) func badFiltersAreRefusedInDockersWords(condition: String, words: String) {
        let error = #expect(throws: ShaleError.self) { try SearchFilter([condition]) }
        #expect(error?.description == words)
    }

    @Test(arguments: [-1, 101]) func limitsAreRefusedInDockersWords(limit: Int) {
        let error = #expect(throws: ShaleError.self) { try SearchQuery("x", limit: limit) }
        #expect(error?.description == "limit \(limit) is outside the range of [1, 100]")
    }

    @Test(arguments: [
        ("hello", "docker.io", "hello"), ("quay.io/hello", "quay.io", "hello"),
        ("localhost:5000/", "localhost:5000", ""), ("nordstrom/hello", "docker.io", "nordstrom/hello"),
        ("docker.io/hello", "docker.io", "hello"), ("quay.io", "docker.io", "quay.io"),
    ]) func termsMayBeginWithAHost(text: String, domain: String, term: String) throws {
        let query = try SearchQuery(text)
        #expect(query.domain == domain && query.term == term && query.limit == 25)
    }

    @Test func schemesAreRefused() {
        let error = #expect(throws: ShaleError.self) { try SearchQuery("https://quay.io/hello") }
        #expect(
            error?.description
                == "invalid repository name: repository name (https://quay.io/hello) should not have a scheme")
    }

    @Test func quaysAPIIsRead() throws {
        let server = try MisbehavingServer { request in
            let page = request.query.hasSuffix("page=1") ? 1 : 2
            return .json(
                """
                {"results":[{"kind":"repository","namespace":{"name":"nordstrom"},"name":"hello-world-\(page)",\
                "description":"demo","stars":3}],"has_additional":\(page == 1),"page":\(page),"page_size":1}
                """)
        }
        let client = plainClient { $0.mirrors = ["quay.io": server.url] }
        let answer = try client.search(SearchQuery("quay.io/hello"))
        #expect(answer.results.map(\.name) == ["quay.io/nordstrom/hello-world-1", "quay.io/nordstrom/hello-world-2"])
        #expect(answer.results.first?.stars == 3)
        #expect(answer.method == "quay's search at \(server.url)")
    }

    @Test(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
    func otherRegistriesAreSearchedByCatalog() throws {
        let registry = try FilledRegistry(names: ["library/ubuntu:1", "team/hello:1", "hello-world:1"])
        let host = registry.server.host
        let answer = try plainClient().search(SearchQuery("\(host)/hello"))
        #expect(answer.results.map(\.name).sorted() == ["\(host)/hello-world", "\(host)/team/hello"])
        #expect(answer.method == "catalog of http://\(host), names that contain \"hello\"")
        let mirrored = plainClient {
            $0.mirrors = ["docker.io": registry.server.url]
            $0.offline = true
        }
        #expect(try mirrored.search(SearchQuery("ubu")).results.map(\.name) == ["ubuntu"])
        let filtered = try plainClient().search(SearchQuery("\(host)/hello", filter: SearchFilter(["stars=1"])))
        #expect(filtered.results.isEmpty)
    }

    @Test(arguments: [
        (SearchOrder.stars, "bcad"), (.pulls, "abcd"), (.name, "abcd"),
    ]) func resultsAreSorted(order: SearchOrder, expected: String) {
        let answer = SearchAnswer(
            results: [
                SearchResult(name: "c", stars: 5, pulls: 1), SearchResult(name: "a", stars: 5, pulls: 9),
                SearchResult(name: "d", stars: 1), SearchResult(name: "b", stars: 7, pulls: 3),
            ], method: "")
        #expect(answer.results(by: order).map(\.name).joined() == (order == .pulls ? "abcd" : expected))
    }

    @Test func aRegistryThatListsNothingStillKnowsOneName() throws {
        let server = try MisbehavingServer { request in
            request.path == "/v2/team/app/tags/list" ? .json(#"{"tags":["1"]}"#) : .error(401, "UNAUTHORIZED", "no")
        }
        let answer = try plainClient().search(SearchQuery("\(server.host)/team/app"))
        #expect(answer.results.map(\.name) == ["\(server.host)/team/app"])
        let error = #expect(throws: ShaleError.self) { try plainClient().search(SearchQuery("\(server.host)/other")) }
        #expect(error?.message == "\(server.host) does not list its repositories")
    }

    @Test func aServerWithoutTheAPISaysSo() throws {
        let server = try MisbehavingServer { _ in Answer(404) }
        let client = plainClient { $0.searchEndpoint = server.url }
        let error = #expect(throws: ShaleError.self) { try client.search(SearchQuery("x")) }
        #expect(error?.description == "\(server.url) has no search: Unexpected status code 404")
    }
}
