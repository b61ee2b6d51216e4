import Glibc
import TestSupport
import Testing

/// `build --step` and `replay --step` from a pipe: one stepper, buildg's view of the file.
@Suite("stepping", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct SteppingTests {
    private static let dockerfile =
        "FROM busybox AS tools\nRUN echo tool > /tool\n\n# the image\nFROM busybox\nARG V=1\nCOPY --from=tools /tool /\n"
        + "RUN echo $V > /v && cat /missing\nCMD [\"sh\"]\n"

    private let home = ShaleHome()
    private let context: ContextFolder

    init() throws { context = try ContextFolder(["Dockerfile": Self.dockerfile]) }

    /// Steps through the Dockerfile with these commands.
    private func step(_ commands: [String], _ options: [String] = [], expecting status: Int32? = 0) throws
        -> Peer.Outcome
    {
        let input = Array((commands.joined(separator: "\n") + "\n").utf8)
        return try home.run(["build", "--step"] + options + ["."], input: input, in: context.path, expecting: status)
    }

    @Test func theFileIsShownAsBuildgShowsIt() throws {
        let run = try step(["break 7", "next", "list --all", "exit"])
        let first =
            "Filename: \"Dockerfile\"\n =>   1| FROM busybox AS tools\n      2| RUN echo tool > /tool\n      3| \n"
        #expect(run.text.contains(first))
        let all =
            "      1| FROM busybox AS tools\n =>   2| RUN echo tool > /tool\n      3| \n      4| # the image\n"
            + "      5| FROM busybox\n      6| ARG V=1\n*     7| COPY --from=tools /tool /\n"
        #expect(run.text.contains(all))
        #expect(run.errors.contains("left before step 2 of 7"))
    }

    @Test func breakpointsStopAtLinesInstructionsAndFailures() throws {
        let run = try step(
            ["break 7", "break RUN", "breakpoints", "continue", "continue", "clear RUN", "continue", "exit"],
            expecting: 1)
        #expect(
            run.text.contains(
                "on-fail    breaks on fail\n0          line: Dockerfile:7\n1          instruction: RUN\n"))
        #expect(
            run.errors.contains(
                "Breakpoint[1]: reached line: Dockerfile:2\nBreakpoint[0]: reached line: Dockerfile:7\n"))
        #expect(run.errors.contains("returned a non-zero code: 1\n    Dockerfile:8: RUN echo $V > /v"))
        #expect(run.errors.contains("hint: enter "))
        // Without the breakpoint a failure ends it, with the command's own status.
        let ended = try step(["clear on-fail", "continue", "next"], expecting: 1)
        #expect(!ended.errors.contains("hint: enter "))
    }

    @Test func breakpointsStayWithTheirInstructions() throws {
        let run = try step(
            [
                "break 6", "break 7", "break 8", "next", "RUN echo typed > /typed", "retry RUN false", "breakpoints",
                "edit 7 ''", "breakpoints", "continue", "continue", "edit 8 RUN false", "continue", "diff", "reload",
                "exit",
            ])
        #expect(
            run.text.contains("0          line: Dockerfile:7\n1          line: Dockerfile:8\n2 "), "\(run.text)")
        #expect(run.text.contains("fail\n1          line: Dockerfile:7\n2          line: Dockerfile:8\n"))
        #expect(run.errors.contains("line 7 is gone\n"), "\(run.errors)")
        #expect(
            run.errors.contains(
                "Breakpoint[1]: reached line: Dockerfile:7\nBreakpoint[2]: reached line: Dockerfile:8\n"))
        #expect(
            run.errors.contains(
                "the failed instruction changed no file\nback before line 2; what follows is carried out again\n"),
            "\(run.errors)")
        #expect(
            run.text.hasSuffix(
                "\n =>   2| RUN echo tool > /tool\n      3| \n      4| # the image\n      5| FROM busybox\n"))
    }

    @Test func aFailedStepIsEnteredMendedAndSaved() throws {
        let run = try step(
            [
                "continue", "enter cat /v", "enter", "cat /tool", "echo lost > /lost", "exit", "enter ls /lost",
                "rollback", "enter ls /v", "retry 'RUN echo mended > /v'", "back", "list", "edit 6 ARG V=2", "continue",
                "save mended", "exit",
            ], ["-t", "stepped"])
        #expect(run.text.contains("\n1\ntool\n/lost\n"))
        #expect(run.errors.contains("ls: /v: No such file or directory"))
        #expect(run.errors.contains("line 8 is now: RUN echo mended > /v"))
        #expect(run.errors.contains("back before line 6; what follows is carried out again"))
        #expect(run.text.contains("Successfully tagged stepped:latest"))
        #expect(try home.run(["run", "--rm", "stepped", "cat", "/v"]).text == "mended\n")
        let saved = try home.run(["build", "-q", "-f", "mended", "."], in: context.path)
        #expect(try home.run(["inspect", "-f", "{{.Id}}", "stepped"]).lines.first.map { $0 + "\n" } == saved.text)
        // Neither the entered container nor an image of it is left.
        #expect(try home.run(["ps", "-aq"]).lines.count == 1)
    }

    @Test func goingBackTakesNothingFromTheCache() throws {
        let run = try step(["next", "next", "back 2", "next", "next", "list", "exit"])
        let output = run.text
        #expect(output.contains(" ---> Using cache"))
        #expect(
            output.hasSuffix(
                " =>   5| FROM busybox\n      6| ARG V=1\n      7| COPY --from=tools /tool /\n      8| RUN echo $V > /v && cat /missing\n"
            ))
    }

    @Test func instructionsAndShalesOwnLinesAreTyped() throws {
        let run = try step([
            "next", "RUN echo typed > /typed", "images -q busybox", "nonsense", "break 99", "edit 3 FOO x", "clear 9",
            "retry", "exit",
        ])
        #expect(run.text.contains("A /typed"))
        #expect(run.text.contains(" =>   3| RUN echo tool > /tool"))
        for words in [
            "unknown command: nonsense", "no instruction at or below line 99", "breakpoint \"9\" not found",
            "unknown instruction: FOO",
        ] { #expect(run.errors.contains(words), "\(words) in \(run.errors)") }
    }

    @Test func theStateIsLookedInto() throws {
        let run = try step(
            [
                "ls /", "nxt", "next", "next", "cat /tool", "ls -l /tool | wc -l", "diff", "nonsense", "break CMD",
                "continue", "cat /v", "diff", "ls -A 0 -B 0", "grep 1 @:/v", "back", "ls /tool", "exit",
            ])
        #expect(run.errors.contains("there is no image yet to look into\nhint: next\n"))
        #expect(run.errors.contains("unknown command: nxt\nhint: next\n"))
        #expect(run.errors.contains("unknown command: nonsense\nhint: one of: next, continue, back, "))
        #expect(run.text.contains("\ntool\n1\nA /tool\n"), "\(run.text)")
        // The failed container's own.
        #expect(
            run.text.contains("\n1\nA /v\nFilename: \"Dockerfile\"\n =>   8| RUN echo $V > /v && cat /missing\n1\n"),
            "\(run.text)")
        #expect(run.errors.contains(":/tool: no such file or directory"), "\(run.errors)")
        #expect(try step(["help", "exit"]).text.contains("ls, cat, tree, find, stat, du, grep … /PATH\n"))
    }

    @Test func aReplayIsSteppedAlike() throws {
        try context.write(Array("FROM busybox\nRUN echo 1 > /one\nRUN false\nsteps\n".utf8), to: "session.shale")
        let commands = ["next", "next", "back", "next", "continue", "enter cat /one", "retry RUN true", "continue"]
        let input = Array((commands.joined(separator: "\n") + "\n").utf8)
        let run = try home.run(["replay", "--step", "session.shale"], input: input, in: context.path)
        #expect(run.text.contains(" =>   3| RUN false\n"))
        #expect(run.errors.contains("session.shale:3: "))
        #expect(run.errors.contains("line 3 is now: RUN true"))
        #expect(run.text.contains("RUN echo 1 > /one") && run.text.contains("RUN true"))
        #expect(!run.text.split(separator: "\n").suffix(4).contains { $0.contains("RUN false") })
    }
}
