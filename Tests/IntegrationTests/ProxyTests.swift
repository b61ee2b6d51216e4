import TestSupport
import Testing

/// A proxy that is not there is named, not the registry behind it.
@Suite("proxies", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct ProxyTests {
    @Test("an error names the variable of a proxy that refuses") func refused() throws {
        let bench = ShaleHome()
        let proxy = "http://127.0.0.1:\(try LoopbackPort.free())"
        let environment = ["HTTPS_PROXY": proxy, "NO_PROXY": ""]
        let said = try bench.run(["tags", "registry.example.invalid/a"], environment: environment, expecting: nil)
        #expect(said.status == 1)
        #expect(
            said.errors.contains(
                "hint: is the proxy of HTTPS_PROXY running? NO_PROXY=registry.example.invalid goes without it"),
            "\(said)")
        // Ranges of addresses count, as for curl.
        let address = try Peer("hostname").run(["-I"]).text.split(separator: " ").first.map(String.init) ?? ""
        let port = try LoopbackPort.free()
        if address.contains(".") {
            for (range, isPassed) in [("\(address)/8", true), ("203.0.113.0/24", false)] {
                let ranged = ["HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": range]
                let said = try bench.run(["tags", "\(address):\(port)/a"], environment: ranged, expecting: nil)
                #expect(said.status == 1 && said.errors.contains("is the proxy of") != isPassed, "\(range): \(said)")
            }
        }
        // This machine is never asked through a proxy.
        let own = try bench.run(
            ["tags", "localhost:\(try LoopbackPort.free())/a"], environment: environment, expecting: nil)
        #expect(own.errors.contains("nothing listens there"), "\(own)")
    }
}
