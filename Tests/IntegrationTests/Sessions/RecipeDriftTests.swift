import TestSupport
import Testing

/// `recipe drift`: what an unpinned build would make differently today.
@Suite("recipe drift", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RecipeDriftTests {
    /// Pushes a base whose package has a version.
    private func push(_ version: String, from home: ShaleHome, to name: String) throws {
        let session = """
            FROM busybox
            RUN mkdir -p /var/lib/dpkg && printf 'Package: tool\\nStatus: install ok installed\\nVersion: \(version)\\n' \
            > /var/lib/dpkg/status && echo \(version) > /version
            tag @ \(name)
            push \(name)

            """
        try home.run([], input: Array(session.utf8))
    }

    @Test(.enabled(if: RegistryServer.isPresent, "\(RegistryServer.absent)"))
    func aBaseThatMoved() throws {
        let registry = try RegistryServer()
        let base = "\(registry.host)/base:1"
        let maker = ShaleHome()
        try push("1.0", from: maker, to: base)
        let home = ShaleHome()
        try home.run([], input: Array("FROM \(base)\nRUN cat /version > /used\ntag @ app\n".utf8))
        try home.write("FROM \(base)\nRUN cat /version > /used\n", to: "saved/Dockerfile")
        let same = try home.run(["recipe", "drift", "app"]).text
        #expect(same.contains("base \(base): sha256:") && same.contains("nothing would be different today"), "\(same)")
        try push("2.0", from: maker, to: base)
        let (before, used) = (try home.run(["images", "-aq"]).text, try home.run(["inspect", base]).text)
        for word in ["app", "saved", "./saved/Dockerfile"] {
            let text = try home.run(["recipe", "drift", word], expecting: 1).text
            for piece in [
                "base \(base): sha256:", " -> sha256:", "  ~ dpkg tool 1.0 -> 2.0\n", "  ~ /used  (content)\n",
            ] { #expect(text.contains(piece), "\(piece)\n\(text)") }
        }
        let json = try home.run(["recipe", "drift", "--format", "json", "app"], expecting: 1).text
        #expect(json.contains(#""state":"moved""#) && json.contains(#""old":"1.0","new":"2.0""#), "\(json)")
        // Names here did not move, and nothing is left of the build.
        #expect(try home.run(["images", "-aq"]).text == before)
        #expect(try home.run(["inspect", base]).text == used)
        try home.run(["pull", base])
        #expect(try home.run(["recipe", "drift", "app"], expecting: 1).text.contains("~ dpkg tool 1.0 -> 2.0"))
        registry.stop()
        let offline = try home.run(["recipe", "drift", "app"], expecting: 1)
        #expect(offline.errors.contains("base \(base): its registry cannot be asked what it is today"), "\(offline)")
        #expect(offline.errors.split(separator: "\n").count { !$0.hasPrefix("hint:") } == 1, "\(offline)")
    }

    @Test func withoutARegistryTheBaseIsTakenAsItIs() throws {
        let home = ShaleHome()
        try home.run([], input: Array("FROM busybox\nRUN echo a > /a\ntag @ app\n".utf8))
        let text = try home.run(["recipe", "drift", "app"]).text
        #expect(
            text == "base busybox:latest: not from a registry, taken as it is here\nnothing would be different today\n")
    }

    @Test func whatDiffersInEveryBuildIsTold() throws {
        let home = ShaleHome()
        let session = """
            FROM busybox
            RUN mkdir -p /var/log && cat /proc/sys/kernel/random/uuid > /var/log/x
            tag @ logged
            RUN cat /proc/sys/kernel/random/uuid > /x
            tag @ random

            """
        try home.run([], input: Array(session.utf8))
        let logged = try home.run(["recipe", "drift", "logged"]).text
        #expect(
            logged.hasSuffix("today\n1 more differ in every build (log): 'recipe verify' names them\n"), "\(logged)")
        let random = try home.run(["recipe", "drift", "random"], expecting: 1).text
        #expect(random.contains("  ~ /x  (content)\n"), "\(random)")
    }

    @Test func badInput() throws {
        let home = ShaleHome()
        try home.write("FROM busybox\n", to: "Dockerfile")
        try home.write("FROM 127.0.0.1:1/none:1\n", to: "Away")
        let refused: [([String], Int32, String)] = [
            (["a", "b"], 64, "takes one"), (["./nothing"], 1, "./nothing: "), (["nothing"], 1, "No such object"),
            (["Away"], 1, "base 127.0.0.1:1/none:1"), (["--output", "x", "Dockerfile"], 64, "has no --output"),
        ]
        for (words, status, reason) in refused {
            let outcome = try home.run(["recipe", "drift"] + words, expecting: status)
            #expect(outcome.errors.contains(reason), "\(words) \(outcome)")
        }
        #expect(try home.run(["recipe", "drift", "Dockerfile"]).text.contains("nothing would be different"))
    }
}
