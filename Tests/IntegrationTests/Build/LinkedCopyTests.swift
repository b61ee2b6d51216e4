import FoundationEssentials
import TestSupport
import Testing

/// `COPY --link`: a layer that knows nothing of those below it.
@Suite("linked copies", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct LinkedCopyTests {
    private let home = ShaleHome()

    /// Builds a Dockerfile beside a file `f`, and answers the run.
    private func build(_ text: String, _ options: [String] = [], expecting status: Int32 = 0) throws -> Peer.Outcome {
        let context = try ContextFolder(["Dockerfile": text, "f": "linked\n"])
        return try home.run(["build"] + options + ["."], in: context.path, expecting: status)
    }

    private func layers(of image: String) throws -> [String] {
        let text = try home.run(["inspect", "-f", "{{json .RootFS.Layers}}", image]).text
        return try JSONDecoder().decode([String].self, from: Data(text.utf8))
    }

    @Test func anEarlierStepMayChangeBelowIt() throws {
        let rest = "COPY --link f /d/e/f\nENV A=1\nCOPY --link --chown=1000:1000 f /mine\nRUN cat /d/e/f\n"
        _ = try build("FROM busybox\nRUN echo 1 > /one\n" + rest, ["-t", "first"])
        let run = try build("FROM busybox\nRUN echo 2 > /two\n" + rest, ["-t", "second"])
        let told = run.text.split(separator: "\n").map(String.init)
        func isCached(_ step: Int) throws -> Bool {
            let place = try #require(told.firstIndex { $0.hasPrefix("Step \(step)/6 ") })
            return told[place + 1] == " ---> Using cache"
        }
        #expect(try (1...6).map(isCached) == [false, false, true, false, true, false], "\(run.text)")
        let (first, second) = (try layers(of: "first"), try layers(of: "second"))
        #expect(first.suffix(2) == second.suffix(2) && first != second && first.count == second.count)
        let why = try home.run(["why-cache", "3"]).text
        #expect(why.contains("  parent any: a linked copy does not depend on it\n"), "\(why)")
        #expect(why.contains("found    it was carried out "))
        // What was made of the first base is found again, to the last step.
        let again = try build("FROM busybox\nRUN echo 1 > /one\n" + rest, ["-t", "third"])
        #expect(again.text.split(separator: "\n").filter { $0 == " ---> Using cache" }.count == 5)
        #expect(try home.run(["system", "check"], expecting: nil).status == 0)
        #expect(try home.run(["recipe", "verify", "second"], expecting: nil).status == 0)
        // The images that had it may go: the layer stays as long as one holds it.
        try home.run(["rmi", "-f", "first", "third"])
        try home.run(["prune", "-f"])
        #expect(try home.run(["run", "--rm", "second", "stat", "-c", "%u", "/mine"]).text == "1000\n")
    }

    @Test func nothingBelowIsLookedAt() throws {
        let base = "FROM busybox\nRUN mkdir -m 1777 /real && ln -s real /link && echo old > /real/old\n"
        let look = "RUN ls -ld /link | cut -c1-10; ls /real; cat /link/f\n"
        let linked = try build(base + "COPY --link f /link/\n" + look)
        #expect(linked.text.contains("\ndrwxr-xr-x\nold\nlinked\n"), "\(linked.text)")
        let plain = try build(base + "COPY f /link/\n" + look)
        #expect(plain.text.contains("\nlrwxrwxrwx\nf\nold\nlinked\n"), "\(plain.text)")
        // The same layer on nothing at all.
        _ = try build("FROM scratch\nCOPY --link f /link/\n", ["-t", "alone"])
        _ = try build(base + "COPY --link f /link/\n", ["-t", "above"])
        #expect(try layers(of: "alone") == Array(layers(of: "above").suffix(1)))
        let named = try build("FROM busybox\nCOPY --link --chown=daemon f /\n", expecting: 1)
        #expect(named.errors.contains("--link reads no /etc/passwd, so --chown=daemon needs numbers"))
        #expect(named.errors.contains("hint: "))
    }

    @Test func aChangedFileIsAMiss() throws {
        let context = try ContextFolder(["Dockerfile": "FROM busybox\nCOPY --link f /d/\n", "f": "one\n"])
        try home.run(["build", "."], in: context.path)
        try context.write(Array("FROM busybox\nENV A=1\nCOPY --link f /d/\n".utf8), to: "Dockerfile")
        try context.write(Array("two!\n".utf8), to: "f")
        let run = try home.run(["build", "-t", "t", "."], in: context.path)
        #expect(!run.text.contains("Using cache"))
        #expect(try home.run(["why-cache", "3"], expecting: nil).text.contains("missed   content of f changed\n"))
        #expect(try home.run(["run", "--rm", "t", "cat", "/d/f"]).text == "two!\n")
    }
}
