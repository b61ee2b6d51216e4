import FoundationEssentials
import TestSupport
import Testing

/// What undo can bring back after something was removed, and what letting go of it means.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct HoldingTests {
    private func run(_ lines: String, in shale: ShaleHome) throws -> (output: String, errors: String, status: Int32) {
        let outcome = try shale.run(["-c", lines], expecting: nil)
        return (outcome.text, outcome.errors, outcome.status)
    }

    @Test func aRemovedImageIsOutOfSightAndComesBack() throws {
        let shale = ShaleHome()
        let removed = try run("FROM busybox\nRUN echo hi > /a\ntag @ foo\nrmi foo\nimages -aq | wc -l", in: shale)
        #expect(removed.output.contains("Untagged: foo:latest\nDeleted: sha256:"), "\(removed.errors)")
        // Busybox, and the four steps that it was built in.
        let left = try run("images -q", in: shale)
        #expect(left.output.split(separator: "\n").count == 1, "\(left.output)")
        // The session still stands on it.
        #expect(try run("run --rm @ cat /a", in: shale).output == "hi\n")
        let pruned = try run("prune -f\nsystem check", in: shale)
        #expect(pruned.status == 0, "\(pruned.errors)")
        let back = try run("undo\nrun --rm foo cat /a", in: shale)
        #expect(back.output.hasPrefix("took back: rmi foo  (foo:latest none -> "), "\(back.errors)")
        #expect(back.output.hasSuffix("\nhi\n"))
    }

    @Test func aRemovedContainerComesBackWithItsChanges() throws {
        let shale = ShaleHome()
        let made = try run("run --name web -v /data busybox sh -c 'echo x > /x; echo d > /data/d'\nps -aq", in: shale)
        let back = try run("rm web\nps -aq\nundo\nps -aq\ndiff web\nstart -a web\nexport web | tar xO x", in: shale)
        #expect(back.status == 0, "\(back.errors)")
        #expect(back.output.contains("took back: rm web  (container web is back)\n\(made.output)"))
        #expect(back.output.contains("A /x\n"))
        let taken = try run("rm web\nrun --name web busybox true\nundo", in: shale)
        #expect(taken.status == 1)
        #expect(taken.errors.contains("the name web is taken by container"), "\(taken.errors)")
        let after = try run("rename web other\nundo\nps -a --format '{{.Names}}'\nsystem check", in: shale)
        #expect(after.output.contains("web"), "\(after.errors)")
        #expect(after.output.contains("other"))
        let volume = try run("run --rm --volumes-from web busybox cat /data/d", in: shale)
        #expect(volume.output == "d\n", "\(volume.errors)")
        let again = try run("redo\nps -a --format '{{.Names}}'", in: shale)
        #expect(again.output == "made again: rm web  (container web is gone)\nother\n", "\(again.errors)")
    }

    @Test func lettingGoIsToldBeforeAndAfter() throws {
        let shale = ShaleHome()
        _ = try run("run --name box busybox sh -c 'echo hi > /hi'\nrm box", in: shale)
        _ = try run("FROM busybox\nRUN echo one > /one\nRUN echo two > /two\ntag @ foo\nrmi foo\nundo 3", in: shale)
        let told = try run("prune --dry-run", in: shale)
        #expect(told.output.contains("Held for undo: 1 image, 1 container, "), "\(told.output)")
        #expect(told.output.contains("(prune --history lets go of it)\nTotal reclaimable space:"))
        #expect(try run("df", in: shale).output.contains("Held for undo   2         0         "))
        // Pruning by itself takes nothing of it.
        #expect(try run("prune -f\nredo\nundo\nrun --rm @ cat /one", in: shale).output.hasSuffix("\none\n"))
        let gone = try run("prune -f --history", in: shale)
        #expect(gone.output.contains("Let go of: "), "\(gone.output)")
        #expect(!(try run("prune --dry-run", in: shale).output.contains("Held")))
        let redone = try run("redo", in: shale)
        #expect(redone.status == 1)
        #expect(redone.errors.contains("has been pruned"), "\(redone.errors)")
        #expect(try run("timeline", in: shale).output.contains("(pruned)"))
        #expect(try run("run --rm @ cat /one\nsystem check", in: shale).output == "one\nthe store is whole\n")
    }

    @Test func aLimitLeavesTheNewestStates() throws {
        let shale = ShaleHome()
        _ = try run("FROM busybox\nRUN echo one > /one\nRUN echo two > /two\nENV A=b\nundo 3", in: shale)
        let told = try run("prune --dry-run --history", in: shale)
        #expect(told.output.contains("Would let go of what undo could bring back: 3 images, "), "\(told.output)")
        _ = try run("set undo.limit 1\nprune -f", in: shale)
        // The newest state is that of ENV; those below it are beyond the limit.
        let beyond = try run("redo", in: shale)
        #expect(beyond.status == 1)
        #expect(beyond.errors.contains("has been pruned"), "\(beyond.errors)")
        #expect(try run("RUN echo on > /on\nrun --rm @ cat /on\nsystem check", in: shale).status == 0)
    }

    @Test func damagedNotesOfWhatIsHeldAreMended() throws {
        let shale = ShaleHome()
        _ = try run("FROM busybox\nRUN echo one > /one\ntag @ foo\nrmi foo\nundo", in: shale)
        try "nonsense".write(toFile: "\(shale.home)/held.json", atomically: false, encoding: .utf8)
        let check = try run("system check", in: shale)
        #expect(check.status == 1)
        #expect(check.output.contains("held.json is damaged"), "\(check.output)\(check.errors)")
        _ = try run("system check --repair", in: shale)
        #expect(try run("system check\nrun --rm foo cat /one", in: shale).output == "the store is whole\none\n")
    }

    @Test func undoStopsInFrontOfWhatCannotBeTakenBack() throws {
        let shale = ShaleHome()
        let made = try run("tag busybox one\nrun --name box busybox true\nrm box\ntag busybox two", in: shale)
        #expect(made.status == 0, "\(made.errors)")
        let outcome = try run("run --name box busybox true\nundo 3", in: shale)
        #expect(outcome.status == 1)
        #expect(outcome.output.hasSuffix("took back: tag busybox two  (two:latest \(id(outcome)) -> none)\n"))
        #expect(outcome.errors.contains("state 3 (rm box) cannot be taken back: the name box is taken"))
        #expect(try run("images -q one", in: shale).output.isEmpty == false)
    }

    private func id(_ outcome: (output: String, errors: String, status: Int32)) -> String {
        outcome.output.split(separator: " ").dropLast(2).last.map(String.init) ?? ""
    }

    @Test func aNameThatAnotherSessionMovedIsLeft() throws {
        let shale = ShaleHome()
        _ = try run("FROM busybox\nRUN touch /a\ntag busybox name", in: shale)
        try shale.run(["-S", "other", "-c", "FROM busybox\nRUN touch /b\ntag @ name"])
        let outcome = try run("undo", in: shale)
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("it was moved meanwhile"), "\(outcome.errors)")
        let jumped = try run("goto 2\nrun --rm name ls /b", in: shale)
        #expect(jumped.output.hasSuffix("/b\n"))
        #expect(jumped.errors.contains("left as it is"), "\(jumped.errors)")
    }

    @Test func formerValuesOfANameAreUsedEverywhere() throws {
        let shale = ShaleHome()
        let outcome = try run(
            """
            FROM busybox
            RUN echo one > /v
            tag @ app
            RUN echo two > /v
            tag @ app
            cat app:/v
            cat app@{1}:/v
            run --rm app@{1} cat /v
            diff app@{1} app
            tag app@{1} old
            cat old:/v
            rmi app
            cat app@{1}:/v
            inspect -f '{{.Id}}' app@{1}
            history -q app@{2}
            """, in: shale)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.output.contains("two\none\none\nC /v\none\nUntagged: app:latest"), "\(outcome.output)")
        let beyond = try run("cat app@{9}:/v", in: shale)
        #expect(beyond.status == 1)
        #expect(beyond.errors.contains("has changed 3 times in this session"), "\(beyond.errors)")
        #expect(beyond.errors.contains("hint: reflog app"))
    }

    @Test func whatACommandBroughtIsTakenBackWithItsName() throws {
        let shale = ShaleHome()
        let outcome = try run(
            """
            run --name box busybox touch /a
            commit box
            images -q | wc -l
            undo
            images -q | wc -l
            redo
            images -q | wc -l
            rmi $img
            undo
            images -q | wc -l
            """, in: shale)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let counts = outcome.output.split(separator: "\n").map(String.init).filter { $0.count == 1 }
        #expect(counts == ["2", "1", "2", "2"], "\(outcome.output)")
    }
}
