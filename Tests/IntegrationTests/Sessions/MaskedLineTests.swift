import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Secrets that were typed: nowhere on the disk in the clear but where the image itself has them, and never replaced by
/// their mask when a line runs again.
@Suite("masked lines", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct MaskedLineTests {
    private func journal(_ shale: ShaleHome) throws -> String {
        try String(contentsOfFile: "\(shale.home)/sessions/default/journal", encoding: .utf8)
    }

    @Test func theJournalHasNoSecretAndStepsAreStillCarriedOutAgain() throws {
        let shale = ShaleHome()
        let typed = """
            FROM busybox
            ENV DB_PASSWORD=canary31
            RUN echo one > /one
            RUN true --token canary05; echo "$DB_PASSWORD" > /two
            ARG API_TOKEN=canary18
            RUN echo "$API_TOKEN" > /three
            enter
            export MY_TOKEN=canary77
            exit

            """
        let made = try shale.run([], input: Array(typed.utf8))
        #expect(!made.text.contains("canary77"), "\(made.text)")
        #expect(try !journal(shale).contains("canary"))
        #expect(try !shale.run(["steps", "--no-trunc"]).text.contains("canary"))
        #expect(try !shale.run(["history"]).text.contains("canary"))
        #expect(try !shale.run(["recipe"]).text.contains("canary"))
        // An earlier step changed: those with secrets are carried out as they were.
        let edited = try shale.run(["edit", "2", "RUN", "echo", "changed", ">", "/one"], expecting: nil)
        #expect(edited.status == 0 && !(edited.text + edited.errors).contains("canary"), "\(edited.errors)")
        #expect(try shale.run(["cat", "@:/one", "@:/two", "@:/three"]).text == "changed\ncanary31\ncanary18\n")
        try shale.run(["undo"])
        #expect(try shale.run(["cat", "@:/one"]).text == "one\n")
        try shale.run(["redo"])
        #expect(try shale.run(["run", "--rm", "@", "sh", "-c", "echo $MY_TOKEN"]).text == "canary77\n")
        #expect(try !journal(shale).contains("canary"))
        // Where the record is gone it is said, and the way on works.
        for name in try FileManager.default.contentsOfDirectory(atPath: "\(shale.home)/provenance") {
            unlink("\(shale.home)/provenance/\(name)")
        }
        let lost = try shale.run(["drop", "2"], expecting: nil)
        #expect(lost.status != 0 && lost.errors.contains("its secret is not known any more"), "\(lost.errors)")
        #expect(lost.errors.contains("edit 2 INSTRUCTION"), "\(lost.errors)")
    }

    @Test func aMaskedLineStopsOrTakesItsValue() throws {
        let shale = ShaleHome()
        let script = """
            #!/usr/bin/env shale
            FROM busybox
            ENV DB_PASSWORD=***
            enter <<'END'
            export MY_TOKEN=***
            echo "$MY_TOKEN" > /t
            END
            RUN echo "$DB_PASSWORD" > /p; curl -u me:*** x || true

            """
        let path = "\(shale.work)/r.shale"
        try Data(script.utf8).write(to: URL(filePath: path))
        let stopped = try shale.run(["replay", path], expecting: nil)
        #expect(stopped.status != 0 && stopped.errors.contains("line 3"), "\(stopped.errors)")
        #expect(stopped.errors.contains("--var DB_PASSWORD=VALUE"), "\(stopped.errors)")
        // Before the first line ran.
        #expect(try shale.run(["cat", "@:/p"], expecting: nil).status != 0)
        let given = ["--var", "DB_PASSWORD=a b'c", "--var", "MY_TOKEN=tok77abc", "--var", "password=x"]
        let replayed = try shale.run(["replay", path] + given, expecting: nil)
        #expect(replayed.status == 0, "\(replayed.errors)")
        #expect(try shale.run(["cat", "@:/p", "@:/t"]).text == "a b'c\ntok77abc\n")
        #expect(try !journal(shale).contains("tok77abc"))
        // A script stops at the line itself.
        let run = try shale.run([path], expecting: nil)
        #expect(run.status != 0 && run.errors.contains("DB_PASSWORD was masked"), "\(run.errors)")
        let typed = try shale.run(
            [], input: Array("FROM busybox\nenter\nexport MY_TOKEN=***\nexit\n".utf8), expecting: nil)
        #expect(typed.status != 0 && typed.errors.contains("MY_TOKEN was masked"), "\(typed.errors)")
        #expect(try shale.run(["run", "--rm", "@", "sh", "-c", "echo \"[$MY_TOKEN]\""]).text == "[]\n")
    }

    @Test func aDockerfileWithAMaskStops() throws {
        let shale = ShaleHome()
        let path = "\(shale.work)/Dockerfile"
        try Data("FROM busybox\nRUN echo --token *** > /t\n".utf8).write(to: URL(filePath: path))
        #expect(try shale.run(["replay", path], expecting: nil).errors.contains("token was masked"))
        try shale.run(["replay", path, "--var", "token=abc123"])
        #expect(try shale.run(["cat", "@:/t"]).text == "--token abc123\n")
    }
}
