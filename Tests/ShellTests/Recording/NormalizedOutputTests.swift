import Testing

@testable import Shell

/// What counts as equal in a replay, and what does not.
struct NormalizedOutputTests {
    /// A terminal ends its lines otherwise, and draws over what is there.
    @Test func whatATerminalShowed() {
        #expect(ShownText.lines("a  b\r\nc\r\n\r\n") == ["a  b", "c", ""])
        #expect(ShownText.lines("10%\r20%\r\ndone\r\r\n") == ["20%", "done"])
        #expect(ShownText.lines("\u{1b}[1mbold\u{1b}[0m\r\n") == ["bold"])
    }

    static let id = String(repeating: "0123456789abcdef", count: 4)

    @Test(arguments: [
        (" ---> 8324ed65eef3", " ---> ed0d6c12b597  busybox  2.02MB in 1 layer"),
        (" ---> 8324ed65eef3  a:1  2MB in 3 layers", " ---> ed0d6c12b597  a:1  3.1MB in 4 layers"),
        (" ---> 8324ed65eef3  +1 ~0 -0  3B", " ---> ed0d6c12b597  +1 ~0 -0  12.5kB"),
        (" ---> 8324ed65eef3  +1 ~0 -0  3B  (cached)", " ---> 8324ed65eef3  +1 ~0 -0  3B"),
        (
            "foo   latest   8324ed65eef3   Less than a second ago   1.98MB",
            "foo  latest  000000000000  3 weeks ago  2 GB"
        ),
        ("Exited (0) About an hour ago   box", "Exited (0) 12 seconds ago         box"),
        ("Up About a minute", "Up 3 minutes"), ("\"Id\": \"sha256:\(id)\",", "\"Id\": \"\(id)\","),
        ("\"2026-11-26T11:13:43.327882435Z\"", "\"2025-01-02T03:04:05Z\""),
        ("2026-11-26 11:13:43 +0000 UTC", "2024-02-29 00:00:00 +0000 UTC"),
        ("1   RUN x   8324ed65eef3   0B   250ms   yes", "1   RUN x   8324ed65eef3   0B   1.2s"),
        ("Status: Downloaded newer image for a:1", "Status: Image is up to date for a:1"),
        ("8324ed65eef3   busybox   quiet_lovelace", "8324ed65eef3   busybox   bold_turing3"),
        ("it took 3ms.", "it took 4.5s."),
    ])
    func whatDiffersFromRunToRunIsEqual(left: String, right: String) {
        #expect(NormalizedOutput.equal(left) == NormalizedOutput.equal(right))
    }

    @Test(arguments: [
        ("Exited (0) 3 seconds ago", "Exited (1) 3 seconds ago"), ("+1 ~0 -0", "+2 ~0 -0"), ("A /a", "A /b"),
        ("foo:1", "foo:2"), ("took back: RUN touch /a", "took back: RUN touch /b"), ("8324ed65eef", "ed0d6c12b59"),
        ("my_box", "my_cat"), ("4 lines", "5 lines"), ("  indented", "indented"), ("1.2.3", "1.2.4"),
    ])
    func whatIsSaidIsNot(left: String, right: String) {
        #expect(NormalizedOutput.equal(left) != NormalizedOutput.equal(right))
    }

    @Test func aCachedStepSaysNothingOfWhatItsCommandPrinted() {
        let fresh = ["hello", " ---> 8324ed65eef3  +1 ~0 -0  3B", "      A /b"]
        let cached = NormalizedOutput([" ---> ed0d6c12b597  +1 ~0 -0  3B  (cached)", "      A /b"])
        let left = NormalizedOutput(fresh, comparedWith: cached)
        #expect(left.lines.map(\.equal) == cached.lines.map(\.equal))
    }

    @Test func progressIsPassedOver() {
        let lines = ["8324ed65eef3: Pulling fs layer", "8324ed65eef3: Pull complete", " ---> Running in 0123456789ab"]
        #expect(NormalizedOutput(lines).lines.isEmpty)
        #expect(NormalizedOutput(["8324ed65eef3: something else"]).lines.count == 1)
    }
}

/// Words that only a session can resolve.
struct WorkingImageNamesTests {
    @Test(arguments: ["@", "@~3", "app@{1}", "app:v2@{0}:/etc", "@#2", "@:/etc", "a/b@{10}#1"])
    func namesOfASession(text: String) { #expect(WorkingImageNames.Word(text) != nil) }

    @Test(arguments: ["app", "@~", "@~x", "me@host", "@home", "app@sha256:00", "@{1}", "app@{}", "app@{1}x", "a@{-1}"])
    func otherWords(text: String) { #expect(WorkingImageNames.Word(text) == nil) }
}
