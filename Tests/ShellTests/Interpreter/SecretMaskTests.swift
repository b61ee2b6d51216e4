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
        ("login -u me -p hunter2 quay.io", "login -u me -p *** quay.io"),
        ("sudo docker login --password hunter2", "sudo docker login --password ***"),
        ("login --password=hunter2", "login --password=***"), ("login -phunter2", "login -p***"),
        ("login --password-stdin", "login --password-stdin"),
        ("build --secret id=a,src=b -t x .", "build --secret *** -t x ."),
        ("run -e API_TOKEN=abc busybox", "run -e API_TOKEN=*** busybox"),
        ("run -e 'API_TOKEN=a b c' busybox", "run -e 'API_TOKEN=***' busybox"),
        ("run -e API_TOKEN=\"a b c\" busybox", "run -e API_TOKEN=*** busybox"),
        ("run --env=MY_SECRET=abc busybox", "run --env=MY_SECRET=*** busybox"),
        ("run -eDB_PASSWORD=abc busybox", "run -eDB_PASSWORD=*** busybox"),
        ("run -p 80:80 busybox", "run -p 80:80 busybox"), ("ENV SIGNING_KEY=abc A=b", "ENV SIGNING_KEY=*** A=b"),
        ("ENV DB_PASSWORD my pass word", "ENV DB_PASSWORD *** *** ***"),
        ("ENV MONKEY=banana KEYBOARD=us", "ENV MONKEY=banana KEYBOARD=us"),
        ("pull http://me:secret@host/image", "pull http://me:***@host/image"),
        ("build --build-arg=NPM_TOKEN=x .", "build --build-arg=NPM_TOKEN=*** ."),
        ("RUN <<EOF\nexport GH_TOKEN=abc\nEOF", "RUN <<EOF\nexport GH_TOKEN=***\nEOF"),
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
