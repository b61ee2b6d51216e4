import TestSupport
import Testing

/// `recipe explain`: what each line brings, and by trying, which later lines need it.
@Suite("recipe explain", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RecipeExplainTests {
    private static let session = """
        FROM busybox
        RUN mkdir /data && echo one > /data/one
        ENV WHO=world
        RUN cat /data/one > /copy
        RUN echo "hello $WHO" > /greeting
        RUN echo alone > /alone
        tag @ app

        """

    private func home(_ session: String = session) throws -> ShaleHome {
        let home = ShaleHome()
        try home.run([], input: Array(session.utf8))
        return home
    }

    @Test func eachLineHasItsFacts() throws {
        let text = try home().run(["recipe", "explain"]).text
        let expected = [
            "line 1  FROM busybox\n  files +",
            "line 2  RUN mkdir /data && echo one > /data/one\n"
                + "  files +2 ~0 -0, 4B: + /data, + /data/one\n  typed 20",
            "line 3  ENV WHO=world\n  settings: + Env WHO\n", "line 6  RUN echo alone > /alone\n  files +1 ~0 -0, 6B: ",
            "'recipe explain LINE' builds it without a line",
        ]
        for piece in expected { #expect(text.contains(piece), "\(piece)\n\(text)") }
    }

    @Test(arguments: [
        ("2", ["only it brings: /data", "line 4 needs it (RUN cat /data/one > /copy): without it: "]),
        ("3", ["line 5 needs it (RUN echo \"hello $WHO\" > /greeting): without it, these differ: /greeting\n"]),
        ("4", ["only it brings: /copy\n", "no later line needs it"]),
        ("6", ["only it brings: /alone\n", "no later line needs it"]), ("1", ["every line after it needs it"]),
    ])
    func oneLineIsTried(_ line: String, _ expected: [String]) throws {
        let home = try home()
        let before = try home.run(["images", "-aq"]).text
        let text = try home.run(["recipe", "explain", line, "app"]).text
        for piece in expected { #expect(text.contains(piece), "\(piece)\n\(text)") }
        #expect(text.hasPrefix("line \(line)  "), "\(text)")
        #expect(try home.run(["images", "-aq"]).text == before)
        #expect(try home.run(["ps", "-aq"]).text.isEmpty)
    }

    @Test func whatDiffersInEveryBuildIsNotItsDoing() throws {
        let home = try home(
            "FROM busybox\nRUN echo a > /a\nRUN cat /proc/sys/kernel/random/uuid > /x\nRUN echo b > /b\ntag @ app\n")
        let text = try home.run(["recipe", "explain", "2", "app"]).text
        #expect(text.contains("only it brings: /a\n") && text.contains("no later line needs it"), "\(text)")
    }

    @Test func whatWasTypedInAContainerIsTold() throws {
        let home = try home("run --name web busybox sh -c 'echo x > /x'\nexit\n")
        let text = try home.run(["recipe", "explain", "web"]).text
        #expect(text.contains(" in container web: sh -c 'echo x > /x'\n"), "\(text)")
        #expect(text.contains("  files +1 ~0 -0, 2B: + /x\n"), "\(text)")
    }

    @Test func asJSON() throws {
        let home = try home()
        let lines = try home.run(["recipe", "explain", "--format", "json", "app"]).text.split(separator: "\n")
        #expect(lines.count == 6)
        let third = #"{"line":3,"endLine":3,"instructions":["ENV WHO=world"],"added":0,"#
        #expect(lines[2].hasPrefix(third), "\(lines[2])")
        let one = try home.run(["recipe", "explain", "--format", "json", "2", "app"]).text
        #expect(one.contains(#""onlyFromIt":["/data"#) && one.contains(#""neededBy":[{"line":4,"#), "\(one)")
    }

    @Test func badInput() throws {
        let home = try home()
        let refused: [([String], Int32, String)] = [
            (["99", "app"], 1, "there is no line 99: the recipe has 6 lines"), (["0", "app"], 64, "counted from 1"),
            (["1", "app", "app"], 64, "takes a line"), (["nothing-here"], 1, "No such object"),
            (["--minimal", "app"], 64, "as it is"), (["99999999999999999999", "app"], 64, "counted from 1"),
        ]
        for (words, status, reason) in refused {
            let outcome = try home.run(["recipe", "explain"] + words, expecting: status)
            #expect(outcome.errors.contains(reason), "\(words) \(outcome)")
        }
        let base = try home.run(["recipe", "explain", "busybox"]).text
        #expect(base.contains("'dockerfile busybox' reads its layers"), "\(base)")
    }
}
