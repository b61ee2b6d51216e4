import Basics
import OCI
import TestSupport
import Testing

@testable import Registries

@Suite struct ChallengeTests {
    @Test(
        arguments: [
            ("", []),
            ("Basic", [Challenge(scheme: "basic", parameters: [:])]),
            ("BASIC realm=\"a b\"", [Challenge(scheme: "basic", parameters: ["realm": "a b"])]),
            (
                "Bearer realm=\"https://a/t\",service=s , Basic Realm=x",
                [
                    Challenge(scheme: "bearer", parameters: ["realm": "https://a/t", "service": "s"]),
                    Challenge(scheme: "basic", parameters: ["realm": "x"]),
                ]
            ),
            (
                "Bearer realm=https://a/t?x=1,service=s",
                [
                    Challenge(scheme: "bearer", parameters: ["realm": "https://a/t?x=1", "service": "s"])
                ]
            ),
            ("Bearer realm=\"open", [Challenge(scheme: "bearer", parameters: ["realm": "open"])]),
            ("Bearer a=\"x\\", [Challenge(scheme: "bearer", parameters: ["a": "x\\"])]),
            (",,= \"\u{0}", []),
            (
                "Negotiate abc==, Basic realm=x",
                [
                    Challenge(scheme: "negotiate", parameters: ["abc": "="]),
                    Challenge(scheme: "basic", parameters: ["realm": "x"]),
                ]
            ),
        ] as [(String, [Challenge])]) func parses(field: String, challenges: [Challenge])
    {
        #expect(Challenge.parse(field) == challenges)
    }
}

@Suite struct ConfigurationTests {
    @Test(arguments: [
        ("docker.io=http://127.0.0.1:5000", ["docker.io": "http://127.0.0.1:5000"]),
        ("docker.io=127.0.0.1:5000/", ["docker.io": "http://127.0.0.1:5000"]),
        ("quay.io=mirror.example:443/quay", ["quay.io": "https://mirror.example/quay"]),
        (
            "index.docker.io=http://a,quay.io=https://b:1  ghcr.io=http://c",
            ["docker.io": "http://a", "quay.io": "https://b:1", "ghcr.io": "http://c"]
        ),
        ("", [:]),
    ]) func mirrorsAreRead(text: String, mirrors: [String: String]) throws {
        let read = try RegistryConfiguration.mirrors(parsing: text)
        #expect(read.mapValues { $0.hasSuffix("/") ? String($0.dropLast()) : $0 } == mirrors)
    }

    @Test(arguments: ["docker.io", "=http://a", "a=ftp://b", "a=http://u:p@b", "a=http://", "a=http://b?c=d", "a=b c"])
    func badMirrorsAreRefused(text: String) {
        let error = #expect(throws: ShaleError.self) { try RegistryConfiguration.mirrors(parsing: text) }
        #expect(error?.code == .invalid)
    }

    @Test(arguments: [
        ("http://Localhost:80/a?b=c#d", "http://localhost/a?b=c", true),
        ("https://[::1]:5000", "https://[::1]:5000/", true),
        ("https://127.0.0.300/", "https://127.0.0.300/", false),
        ("https://127.0.0.1.example.com/", "https://127.0.0.1.example.com/", false),
        ("http://127.8.9.1/", "http://127.8.9.1/", true),
    ]) func addressesAreTakenApart(text: String, whole: String, isLoopback: Bool) throws {
        let url = try WebURL(text)
        #expect(url.description == whole)
        #expect(url.isLoopback == isLoopback)
    }

    @Test(arguments: ["", "x", "ftp://a/", "file:///etc/passwd", "http://a b/", "http://a\u{0}b/", "http://a:99999/"])
    func otherAddressesAreRefused(text: String) {
        #expect(throws: ShaleError.self) { try WebURL(text) }
    }

    @Test func whatIsAskedOfAPersonTellsNoSecret() {
        let credentials = Credentials(username: "me\u{1b}", password: "sesame")
        #expect("\(credentials)" == #"user me\e"#)
    }
}

@Suite struct ListTests {
    @Test func newestTagsComeFirst() {
        #expect(
            TagOrder.newestFirst(["latest", "1.9", "1.10", "v2.0", "2.0-rc1", "18.04", "edge", "1"])
                == ["18.04", "v2.0", "2.0-rc1", "1.10", "1.9", "1", "edge", "latest"])
        #expect(TagOrder.byVersion(["b", "1.10", "1.9", "a"]) == ["1.9", "1.10", "a", "b"])
        #expect(TagOrder.newestFirst(["99999999999999999999999", "1"]) == ["1", "99999999999999999999999"])
    }

    @Test func whatIsNearStandsBeforeWhatIsNew() {
        let suggestions = TagSuggestions(nearest: ["22.04"], newest: ["24.04", "22.04"], total: 9)
        #expect(suggestions.best() == ["22.04", "24.04"])
        #expect(suggestions.best(1) == ["22.04"])
    }

    @Test(
        arguments: [
            ("bytes 500-1499/2048", 500, 1499, 2048), ("bytes 0-0/*", 0, 0, nil), ("Bytes 1-2/3", 1, 2, 3),
        ] as [(String, Int64, Int64, Int64?)])
    func rangesAreRead(text: String, first: Int64, last: Int64, total: Int64?) {
        let range = ContentRange(text)
        #expect(range?.first == first && range?.last == last && range?.total == total)
    }

    @Test(arguments: [
        "", "bytes", "bytes */10", "bytes 5-1/10", "bytes 0-10/10", "lines 0-1/2", "bytes -1-2/3",
        "bytes 0-99999999999999999999/*",
    ]) func otherRangesAreNone(text: String) { #expect(ContentRange(text) == nil) }

    @Test func rateLimitsAreRead() {
        var headers = HTTPHeaders()
        headers.append("RateLimit-Limit", "100;w=21600")
        headers.append("ratelimit-remaining", "76;w=21600")
        headers.append("Docker-RateLimit-Source", "192.0.2.1")
        let limit = RateLimit(headers)
        #expect(limit?.limit == 100 && limit?.remaining == 76 && limit?.window == 21_600)
        #expect(RateLimit(HTTPHeaders([("ratelimit-limit", "x")])) == nil)
    }
}
