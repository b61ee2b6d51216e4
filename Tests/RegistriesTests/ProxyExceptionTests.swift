import Testing

@testable import Registries

@Suite struct ProxyExceptionTests {
    /// The rows of names and of IPv4 were tried with curl 7.88.
    @Test(
        arguments: [
            ("*", "a.example", true), ("", "a.example", false), ("example.com", "example.com", true),
            ("example.com", "EXAMPLE.com.", true), ("example.com", "a.example.com", true),
            (".example.com", "a.example.com", true), ("example.com", "anexample.com", false),
            ("b.example, a.example", "a.example", true), ("b.example a.example", "a.example", true),
            ("10.0.0.0/8", "10.9.8.7", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.64.0.0/10", "10.127.0.1", true),
            ("10.64.0.0/10", "10.128.0.1", false), ("10.1.2.3", "10.1.2.3", true), ("10.1.2.3", "10.1.2.33", false),
            ("10.0.0.0/33", "10.0.0.0", false), ("10.0.0.0/x", "10.0.0.0", true), ("fd00::/8", "[fd12::1]", true),
            ("fd00::/8", "[fe80::1]", false), ("fd00::1", "[fd00::1]", true), ("10.0.0.0/8", "a.10.0.0.0", false),
        ] as [(String, String, Bool)])
    func hosts(_ text: String, _ host: String, _ isPassed: Bool) {
        #expect(ProxyExceptions(text).contains(host) == isPassed)
    }
}
