import TestSupport
import Testing

/// `recipe --minimal` leaves out what does not change the image, as builds prove.
@Suite("minimal recipe", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct MinimalRecipeTests {
    private func minimal(_ session: String, _ words: [String] = ["recipe", "--minimal"]) throws -> Peer.Outcome {
        let home = ShaleHome()
        try home.write("a big file\n", to: "package")
        try home.run([], input: Array(session.utf8))
        let before = try home.run(["images", "-aq"]).text
        let outcome = try home.run(words)
        #expect(try home.run(["images", "-aq"]).text == before)
        #expect(try home.run(["ps", "-aq"]).text.isEmpty)
        return outcome
    }

    @Test(arguments: [
        // Without effect: a setting that is replaced, and a time.
        ("FROM busybox\nENV A=1\nRUN touch /etc/group\nENV A=2\n", "FROM busybox\nENV A=2\n"),
        // Two that undo each other.
        ("FROM busybox\nRUN echo a > /a\nRUN echo b > /b\nRUN rm /a\n", "FROM busybox\nRUN echo b > /b\n"),
        // The second needs what the first made: they are joined.
        (
            "FROM busybox\nRUN echo a > /a\nRUN cp /a /b && rm /a\n",
            "FROM busybox\nRUN echo a > /a && cp /a /b && rm /a\n"
        ),
        // Nothing to leave out.
        ("FROM busybox\nRUN echo a > /a\nUSER 1000\n", "FROM busybox\nRUN echo a > /a\nUSER 1000\n"),
    ])
    func whatDoesNotCountGoes(_ session: String, _ expected: String) throws {
        let outcome = try minimal(session)
        #expect(outcome.text == expected, "\(outcome)")
    }

    @Test func aFileThatIsRemovedAgainNeverEnters() throws {
        let session = "FROM busybox\nCOPY package /package\nRUN cp /package /installed\nRUN rm /package\n"
        let outcome = try minimal(session)
        #expect(outcome.text.contains("RUN --mount=type=bind,source=package,target=/package cp /package /installed\n"))
        #expect(!outcome.text.contains("RUN rm") && !outcome.text.contains("COPY"), "\(outcome)")
        #expect(outcome.errors.contains("saves 2 layers, 11B"), "\(outcome)")
    }

    @Test func aProposalThatFailsIsLeftOutWithItsReason() throws {
        let outcome = try minimal(
            "FROM busybox\nRUN mkdir /tmp/x\nWORKDIR /tmp/x\nRUN rmdir /tmp/x && touch /y\nWORKDIR /\n")
        #expect(outcome.errors.contains("not done: drop line 2 "), "\(outcome)")
    }

    @Test func theMinimalRecipeIsSavedAndVerified() throws {
        let session = "FROM busybox\nRUN echo a > /a\nRUN echo b > /b\nRUN rm /a\n"
        let verified = try minimal(session, ["recipe", "verify", "--minimal"])
        #expect(verified.text.contains("same files, same config"), "\(verified)")
        let saved = try minimal(session, ["recipe", "save", "--minimal", "saved"])
        #expect(saved.text == "saved/Dockerfile\n", "\(saved)")
    }

    @Test func whatDiffersInEveryBuildDoesNotCount() throws {
        let outcome = try minimal(
            "FROM busybox\nRUN touch /etc/group\nRUN cat /proc/sys/kernel/random/uuid > /x\n")
        #expect(outcome.text == "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /x\n", "\(outcome)")
        #expect(outcome.errors.contains("/x differ in every build"), "\(outcome)")
    }

    @Test func badInput() throws {
        let home = ShaleHome()
        try home.run([], input: Array("FROM busybox\nRUN echo a > /a\n".utf8))
        let refused: [([String], String)] = [
            (["--minimal", "-i"], "asks at a terminal"), (["-i"], "-i is for --minimal"),
            (["plan", "--minimal", "x"], "has no --minimal"),
        ]
        for (words, reason) in refused {
            let outcome = try home.run(["recipe"] + words, expecting: 64)
            #expect(outcome.errors.contains(reason), "\(words) \(outcome)")
        }
    }

    @Test func everyChangeIsAskedForAtATerminal() throws {
        let home = ShaleHome()
        let session = "FROM busybox\nENV A=1\nRUN touch /etc/group\nENV A=2\n"
        try home.run([], input: Array(session.utf8))
        let terminal = try home.terminal(["recipe", "--minimal", "-i"])
        var asked = ""
        for answer in ["n", "y"] {
            asked += try terminal.expect("[y/N]")
            try terminal.send(answer + "\n")
        }
        #expect(asked.contains("drop line 3 (RUN touch /etc/group)? It saves 1 layer, "), "\(asked)")
        let text = try terminal.expect("ENV A=2")
        #expect(text.contains("FROM busybox") && text.contains("RUN touch /etc/group"), "\(text)")
        #expect(try terminal.waitForExit() == 0)
    }

    @Test func aFileOfRandomContentStays() throws {
        let home = ShaleHome()
        let session =
            "FROM busybox\nRUN mkdir -p /tmp; head -c 16 /dev/urandom > /secret; touch /tmp/x\nRUN rm /tmp/x\n"
        try home.run([], input: Array(session.utf8))
        let recipe = try home.run(["recipe", "--minimal"]).text
        #expect(recipe.contains("> /secret"), "\(recipe)")
    }

    @Test func theAuthorStays() throws {
        let home = ShaleHome()
        try home.run([], input: Array("FROM busybox\nMAINTAINER someone\nRUN echo x > /x\n".utf8))
        #expect(try home.run(["recipe", "--minimal"]).text.contains("MAINTAINER someone\n"))
    }
}
