import TestSupport
import Testing

/// Sessions through the built program: what a person sees of undo, redo, states and rewriting.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct SessionTests {
    /// Runs lines as one script; answers its output and status.
    private func run(_ lines: String, in shale: ShaleHome) throws -> (output: String, errors: String, status: Int32) {
        let outcome = try shale.run(["-c", lines], expecting: nil)
        return (outcome.text, outcome.errors, outcome.status)
    }

    @Test func stepsUndoRedoAndRecipe() throws {
        let shale = ShaleHome()
        let first = try run("FROM busybox\nRUN touch /a\nRUN echo hi > /b\nENV A=b\nrecipe", in: shale)
        #expect(first.status == 0, "\(first.errors)")
        let recipe = "FROM busybox\nRUN touch /a\nRUN echo hi > /b\nENV A=b\n"
        #expect(first.output.hasSuffix(recipe))
        #expect(first.output.contains("A /b"))
        let back = try run("undo 2\nrecipe", in: shale)
        #expect(back.output.hasSuffix("FROM busybox\nRUN touch /a\n"))
        #expect(back.output.contains("took back: ENV A=b"))
        let forth = try run("redo 2\nrecipe", in: shale)
        #expect(forth.output.hasSuffix(recipe))
        let beyond = try run("undo 9", in: shale)
        #expect(beyond.status == 1)
        #expect(beyond.errors.contains("only 4 to undo"))
        let image = try run("run --rm @ cat /b", in: shale)
        #expect(image.output == "hi\n", "\(image.errors)")
    }

    @Test func aFailedStepChangesNothing() throws {
        let shale = ShaleHome()
        let outcome = try run("FROM busybox\nRUN touch /a && exit 3", in: shale)
        #expect(outcome.status == 3)
        #expect(outcome.errors.contains("returned a non-zero code: 3"))
        #expect(outcome.errors.contains("hint: enter "))
        let after = try run("recipe\nps -a | grep -c Exited", in: shale)
        #expect(after.output == "FROM busybox\n1\n")
    }

    @Test func namesAreTakenBack() throws {
        let shale = ShaleHome()
        let outcome = try run(
            "tag busybox one:1\nrmi one:1\nundo\nimages -q one\nundo\nimages -q one | wc -l", in: shale)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.hasSuffix("\n0\n"))
        let removed = try run("rmi busybox\nimages -q | wc -l\nundo\nrun --rm busybox echo back", in: shale)
        #expect(removed.output.hasSuffix("back\n"), "\(removed.errors)")
    }

    /// What a base left for its heirs is carried out by `FROM` at the prompt as a build does, and told as steps in the recipe.
    @Test func triggersOfTheBaseAreCarriedOut() throws {
        let shale = ShaleHome()
        let outcome = try run(
            """
            FROM busybox
            ONBUILD RUN echo heir > /heir
            ONBUILD ENV KEPT=yes
            tag @ parent
            FROM parent
            RUN echo $KEPT > /own
            run --rm @ cat /heir /own
            inspect -f '{{json .Config.OnBuild}}' @
            recipe
            recipe verify
            undo 2
            recipe
            edit 1 ONBUILD RUN echo "an heir" > /heir
            recipe
            """, in: shale)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("# Executing 2 build triggers\nRUN echo heir > /heir\n ---> "))
        #expect(outcome.output.contains("heir\nyes\nnull\n"))
        #expect(
            outcome.output.contains(
                "FROM busybox\nRUN echo heir > /heir\nENV KEPT=yes\nRUN echo $KEPT > /own\n"))
        #expect(outcome.output.contains("again: same files, same config"))
        #expect(outcome.output.contains("FROM busybox\nONBUILD RUN echo heir > /heir\nONBUILD ENV KEPT=yes\n"))
        #expect(outcome.output.contains("ONBUILD RUN echo \"an heir\" > /heir\nONBUILD ENV"))
    }

    @Test func stepsAreRewrittenForkedAndKept() throws {
        let shale = ShaleHome()
        let outcome = try run(
            """
            FROM busybox
            RUN touch /a
            RUN touch /b
            RUN touch /c
            edit 2 RUN touch /B
            drop 1
            move 1 2
            recipe
            undo 3
            recipe
            fork 3 other
            recipe
            session switch default
            goto 2
            recipe
            """, in: shale)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("FROM busybox\nRUN touch /c\nRUN touch /B\n"))
        #expect(outcome.output.contains("FROM busybox\nRUN touch /a\nRUN touch /b\nRUN touch /c\n"))
        #expect(outcome.output.contains("now in session other\nFROM busybox\nRUN touch /a\nRUN touch /b\n"))
        #expect(outcome.output.hasSuffix("FROM busybox\nRUN touch /a\n"))
        let pruned = try run("prune -f\nrecipe\nrun --rm @ ls /a", in: shale)
        #expect(pruned.output.hasSuffix("FROM busybox\nRUN touch /a\n/a\n"), "\(pruned.errors)")
        let check = try run("system check", in: shale)
        #expect(check.status == 0, "\(check.output)")
    }

    @Test(arguments: [
        ("nonsense", Int32(64), "unknown command: nonsense"), ("pull --nonsense x", 64, "--nonsense"),
        ("steps", 1, "no working image yet"), ("goto 7", 1, "no state 7"), ("set nonsense 1", 64, "no setting"),
        ("redo", 1, "nothing to redo"), ("session switch nonsense", 1, "no session"),
        ("RUN true", 1, "no working image yet"),
        ("FROM", 1, "FROM requires either one or three arguments"), ("echo 'unclosed", 64, "unterminated quote"),
        ("x = $nonsense", 64, "no such variable"), ("images > /nonsense/file", 1, "no such file or directory"),
    ])
    func mistakesAreOneClearLine(line: String, status: Int32, words: String) throws {
        let outcome = try run(line, in: ShaleHome())
        #expect(outcome.status == status, "\(outcome.errors)")
        let complaint = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("-c:1:") }
        #expect(complaint.count == 1 && complaint[0].contains(words), "\(outcome.errors)")
    }
}
