import Testing

@testable import Shell

struct ExitStatusTests {
    @Test func verbsThatStartContainersKeepDockersStatus() {
        let engine = ShaleErrorSample.engine
        #expect(engine.status(of: "run") == 125)
        #expect(engine.status(of: "images") == 1)
        #expect(ShaleErrorSample.usage.status(of: "run") == 64)
        #expect(ShaleErrorSample.notFound.status(of: "exec") == 127)
    }
}
