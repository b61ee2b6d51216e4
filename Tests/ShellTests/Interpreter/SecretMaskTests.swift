import Testing

@testable import Shell

struct SecretMaskTests {
    @Test(arguments: [
        ("login -u me --password hunter2 quay.io", "login -u me --password *** quay.io"),
        ("login -p hunter2", "login -p ***"),
        ("run -e DB_PASSWORD=x -e A=b busybox", "run -e DB_PASSWORD=*** -e A=b busybox"),
        ("build --secret id=x,src=f .", "build --secret *** ."),
        ("run -p 80:80 busybox", "run -p 80:80 busybox"),
        ("ENV API_TOKEN=abc", "ENV API_TOKEN=***"),
        ("images", "images"),
    ])
    func valuesThatAreNobodysBusiness(line: String, kept: String) {
        #expect(SecretMask.masked(line) == kept)
    }
}

struct ExitStatusTests {
    @Test func verbsThatStartContainersKeepDockersStatus() {
        let engine = ShaleErrorSample.engine
        #expect(engine.status(of: "run") == 125)
        #expect(engine.status(of: "images") == 1)
        #expect(ShaleErrorSample.usage.status(of: "run") == 64)
        #expect(ShaleErrorSample.notFound.status(of: "exec") == 127)
    }
}
