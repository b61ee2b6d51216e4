import TestSupport
import Testing

/// `recipe diff` shows two recipes side by side: lines, packages, files, settings, size.
@Suite("recipe diff", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RecipeDiffTests {
    /// A status file of dpkg with one package.
    private static func status(_ version: String) -> String {
        "mkdir -p /var/lib/dpkg && printf 'Package: tool\\nStatus: install ok installed\\nVersion: \(version)\\n' "
            + "> /var/lib/dpkg/status"
    }

    private func home() throws -> ShaleHome {
        let home = ShaleHome()
        let session = """
            FROM busybox
            RUN \(Self.status("1.0"))
            RUN echo one > /one
            tag @ app:1
            FROM busybox
            RUN \(Self.status("2.0"))
            ENV API_TOKEN=abcdefghij12345
            RUN echo two > /two
            tag @ app:2

            """
        try home.run([], input: Array(session.utf8))
        return home
    }

    @Test func linesPackagesFilesAndSettings() throws {
        let text = try home().run(["recipe", "diff", "app:1", "app:2"]).text
        let expected = [
            "--- app:1\n+++ app:2\n@@ -1,3 +1,5 @@\n FROM busybox\n-RUN ", "\n-RUN echo one > /one\n",
            "\n+RUN echo two > /two\n", "\npackages: 0 added, 0 removed, 1 changed\n  ~ dpkg tool 1.0 -> 2.0\n",
            "\nfiles: 1 added, 1 removed, 1 changed\n  - /one\n  + /two\n  ~ /var/lib/dpkg/status  (content)\n",
            "\nsettings: 1 added, 0 removed, 0 changed\n  + Env.API_TOKEN: ***\n", "\nsize: ",
        ]
        for piece in expected { #expect(text.contains(piece), "\(piece)\n\(text)") }
        #expect(!text.contains("abcdefghij12345"), "\(text)")
    }

    @Test func asJSON() throws {
        let text = try home().run(["recipe", "diff", "--format", "json", "app:1", "app:2"]).text
        #expect(text.split(separator: "\n").count == 1)
        #expect(text.contains(#"{"change":"~","name":"dpkg tool","old":"1.0","new":"2.0"}"#), "\(text)")
        #expect(text.contains(#"{"change":"-","path":"/one","reasons":[]}"#), "\(text)")
        #expect(!text.contains("abcdefghij12345"), "\(text)")
    }

    @Test func pointsOfTheSessionAndEqualThings() throws {
        let home = try home()
        let text = try home.run(["recipe", "diff", "@~1", "@"]).text
        #expect(text.hasPrefix("--- @~1\n+++ @\n"), "\(text)")
        let files = "packages: no difference\nfiles: 1 added, 0 removed, 0 changed\n"
        #expect(text.contains("\n+RUN echo two > /two\n" + files), "\(text)")
        let same = try home.run(["recipe", "diff", "app:2", "@"]).text
        #expect(
            same.hasPrefix("lines: no difference\npackages: no difference\nfiles: no difference\n"), "\(same)")
    }

    @Test func aDockerfileIsBuiltForIt() throws {
        let home = try home()
        try home.write("FROM busybox\nCOPY file /copied\n", to: "made/Dockerfile")
        try home.write("content\n", to: "made/file")
        let before = try home.run(["images", "-aq"]).text
        for word in ["made", "./made/Dockerfile", "made/Dockerfile"] {
            let text = try home.run(["recipe", "diff", "app:1", word]).text
            #expect(text.contains("\n+COPY file /copied\n") && text.contains("\n  + /copied\n"), "\(text)")
        }
        #expect(try home.run(["images", "-aq"]).text == before)
        let alone = try home.run(["recipe", "diff", "--lines", "app:1", "made"])
        #expect(alone.text.hasSuffix("\n+COPY file /copied\n"), "\(alone)")
    }

    @Test func aDockerfileThatCannotBeBuiltStillHasItsLines() throws {
        let home = try home()
        try home.write("FROM busybox\nRUN exit 3\n", to: "Bad")
        let outcome = try home.run(["recipe", "diff", "app:1", "Bad"], expecting: 1)
        #expect(outcome.text.hasSuffix("\n+RUN exit 3\n"), "\(outcome)")
        #expect(outcome.errors.contains("returned a non-zero code: 3"), "\(outcome)")
    }

    @Test func badInput() throws {
        let home = try home()
        let refused: [([String], Int32, String)] = [
            (["app:1"], 64, "recipe diff takes two"), (["app:1", "nothing-of-the-name"], 1, "No such object"),
            (["app:1", "./nothing"], 1, "./nothing: "), (["--to", "md", "app:1", "app:2"], 64, "has no --to"),
            (["--format", "xml", "app:1", "app:2"], 64, "--format is json"), (["@~99", "@"], 1, "@~99"),
        ]
        for (words, status, reason) in refused {
            let outcome = try home.run(["recipe", "diff"] + words, expecting: status)
            #expect(outcome.errors.contains(reason), "\(words) \(outcome)")
        }
    }

    @Test(arguments: ["diff @~2 @", "explain 3", "drift app:1"])
    func helpHasItsExamples(_ line: String) throws {
        let word = line.prefix { $0 != " " }
        let text = try ShaleHome().run(["help", "recipe", String(word)]).text
        #expect(text.contains("\nEXAMPLES:\n") && text.contains("\n  recipe \(line)\n"), "\(text)")
    }

    @Test func anUnreadablePackageDatabaseIsTold() throws {
        let home = ShaleHome()
        let session = """
            FROM busybox
            RUN mkdir -p /var/lib/rpm && echo broken > /var/lib/rpm/rpmdb.sqlite
            tag @ odd

            """
        try home.run([], input: Array(session.utf8))
        let outcome = try home.run(["recipe", "diff", "busybox", "odd"])
        #expect(outcome.errors.contains("odd: /var/lib/rpm/rpmdb.sqlite: not a database"), "\(outcome)")
    }
}
