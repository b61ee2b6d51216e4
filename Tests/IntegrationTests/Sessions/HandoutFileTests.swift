import TestSupport
import Testing

/// `test`: a handout is run, and compared with what stands there.
struct HandoutFileTests {
    private static let fine = """
        # A handout

        ```console
        shale> FROM busybox
         ---> 000000000000
        shale> RUN echo hi > /note
         ---> 111111111111  +1 ~0 -0  3B
              A /note
        shale> cat @:/note
        hi

        ```

        ```console
        $ shale ls @:/note
        note
        ```

        ```sh
        $ not shale's
        ```

        """

    /// What is written passes, in a home of its own that is gone afterwards.
    @Test(arguments: ShaleHome.Account.all) func passes(user: ShaleHome.Account) throws {
        let shale = try ShaleHome(as: user)
        try shale.write(Self.fine, to: "h.md")
        let temporary = ["TMPDIR": shale.work]
        let first = try shale.run(["test", "h.md", "--update"], environment: temporary).text
        let outcome = try shale.run(["test", "h.md"], environment: temporary).text
        #expect(outcome.contains("h.md: 2 blocks, 4 lines, all as written"), "\(first)\(outcome)")
        #expect(try shale.run(["steps"], expecting: nil).errors.contains("no working image"))
        #expect(try shale.sh("ls").text == "h.md\n")
    }

    /// What differs is shown as a diff of its block, and written with --update, nothing else.
    @Test func differences() throws {
        let shale = ShaleHome()
        let text =
            "Before.\n\n```console\n$ images -q nosuch\nsomething\n```\n\nBetween.\n\n```console\n$ ref busybox\n```\n"
        try shale.write(text, to: "h.md")
        let told = try shale.run(["test", "h.md"], expecting: 1).text
        #expect(told.contains("h.md:4: block 1 prints something else:") && told.contains("\n-something\n"), "\(told)")
        #expect(told.contains("h.md: 2 of 2 blocks"))
        #expect(try shale.text("h.md") == text)
        try shale.run(["test", "h.md", "--update"])
        let now = try shale.text("h.md")
        #expect(
            now.hasPrefix("Before.\n\n```console\n$ images -q nosuch\n```\n\nBetween.\n\n```console\n$ ref busybox\n"),
            "\(now)")
        #expect(try shale.run(["test", "h.md"]).text.contains("all as written"))
    }

    /// A line that hangs is stopped and named, with its container.
    @Test(arguments: ["run busybox sleep 1000", "!sleep 1000", "run -d busybox sleep 1000; wait $ctr"])
    func aHangingBlockIsNamed(line: String) throws {
        let shale = ShaleHome()
        try shale.write("```console\n$ ref busybox\n```\n\n```console\n$ \(line)\n```\n", to: "h.md")
        let outcome = try shale.run(["test", "h.md", "--timeout", "3", "--allow-host"], expecting: 1, within: 60)
        #expect(outcome.text.contains("h.md:6: block 2 was stopped"), "\(outcome)")
    }

    /// A program that a line leaves behind holds the line's output, and is said; it does not hold up the test.
    @Test(arguments: [
        "!sleep 30 & echo on", "!setsid sleep 30 & echo on", "version | (cat > /dev/null; sleep 30 & echo on)",
    ])
    func aProgramLeftBehind(line: String) throws {
        let shale = ShaleHome()
        try shale.write("```console\n$ \(line)\non\n$ ref busybox\n```\n", to: "h.md")
        let start = ContinuousClock.now
        let outcome = try shale.run(["test", "h.md", "--allow-host", "--update"], within: 60)
        #expect(ContinuousClock.now - start < .seconds(20))
        let told = outcome.text + outcome.errors
        #expect(told.contains("h.md:2: block 1: a program that this line started still held its output"), "\(told)")
        #expect(try shale.text("h.md").hasPrefix("```console\n$ \(line)\non\n$ ref busybox\n"))
    }

    /// What is recorded here passes there, here-documents too.
    @Test func aRecordedHandoutPasses() throws {
        let shale = ShaleHome()
        let lines = [
            "record --md h.md", "FROM busybox", "RUN echo one > /one && echo shown", "ls @:/one",
            "tag @ app", "layers app", "images", "run --name box app cat /one", "diff box", "enter <<'END'",
            "touch /two",
            "END", "undo", "record off",
        ]
        try shale.run(["--keep-going", "-c", lines.joined(separator: "\n")], expecting: nil)
        let there = ShaleHome()
        try there.write(try shale.text("h.md"), to: "h.md")
        let outcome = try there.run(["test", "h.md"], expecting: nil)
        let written = try shale.text("h.md")
        #expect(outcome.status == 0, "\(outcome.text)\(written)")
        // And it replays.
        try there.run(["replay", "h.md", "--until", "3"])
        #expect(try there.run(["steps"]).text.contains("echo one"))
    }

    @Test(arguments: [
        (["test", "none.md"], 66, "none.md"), (["test", "empty.md"], 1, "no console block"),
        (["test", "h.md", "--timeout", "0"], 64, "above zero"), (["test", "s.shale", "--update"], 1, "for handouts"),
    ])
    func wrongUse(words: [String], status: Int32, told: String) throws {
        let shale = ShaleHome()
        try shale.write("# Nothing\n", to: "empty.md")
        try shale.write("```console\n$ ref a\n```\n", to: "h.md")
        try shale.write("ref a\n", to: "s.shale")
        #expect(try shale.run(words, expecting: status).errors.contains(told))
    }

    /// A stranger's handout does nothing outside before one has read it.
    @Test(arguments: [
        "!touch out", "touch out", "images > out", "images | tee out", "x = !touch out", "ref $(touch out)",
        "run -v $PWD:/x busybox true", "run -itv /:/x busybox true",
        "run --mount type=bind,source=/,target=/x busybox true",
        "save -o out busybox", "push localhost:1/x", "recipe -o out", "trace run --privileged busybox true",
        "layers --html out busybox", "build -o out .", "cp a:/x out", "docker save -o out busybox",
        "set pager 'touch out'",
    ])
    func reachingOutIsRefused(line: String) throws {
        let shale = ShaleHome()
        try shale.write("```console\n$ ref busybox\n$ \(line)\n```\n", to: "h.md")
        let outcome = try shale.run(["test", "h.md"], expecting: 1)
        #expect(outcome.text.contains("h.md:3: ") && outcome.text.contains("--allow-host"), "\(outcome)")
        #expect(!shale.exists("out"))
    }

    /// Windows line ends stay.
    @Test func lineEndsStay() throws {
        let shale = ShaleHome()
        try shale.write("```console\r\n$ ref a\r\n```\r\n", to: "h.md")
        try shale.run(["test", "h.md", "--update"])
        let text = try shale.text("h.md")
        #expect(text.hasPrefix("```console\r\n$ ref a\r\nPART ") && text.hasSuffix("\r\n```\r\n"), "\(text)")
    }

    /// A recorded script is tested the same way.
    @Test func aScript() throws {
        let shale = ShaleHome()
        try shale.run(["-c", "record s.shale --output\nref busybox\nrecord off"])
        #expect(try shale.run(["test", "s.shale"]).text.contains("all as recorded"))
    }
}
