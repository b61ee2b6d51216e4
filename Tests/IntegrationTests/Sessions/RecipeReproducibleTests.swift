import FoundationEssentials
import TestSupport
import Testing

/// `recipe --reproducible`: a recipe whose builds give one digest, in any home, or what still differs.
@Suite("reproducible recipes", .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct RecipeReproducibleTests {
    /// The digest of the image that a saved recipe makes in a home.
    private static func built(_ folder: String, in shale: ShaleHome) throws -> String {
        try shale.run(["build", "-q", "--no-cache", "-t", "made", folder])
        return try shale.run(["inspect", "--format", "{{.Id}}", "made"]).text
    }

    @Test(.enabled(if: AptRepository.isPossible, "\(AptRepository.impossible)"))
    func whatAptLogsIsMended() throws {
        let repository = try AptRepository()
        try repository.change("hello=1.0/greeting", "greeting=2:3.0-1")
        let shale = ShaleHome()
        try repository.makeImage(in: shale)
        try shale.run([
            "-c",
            "FROM debian:test\nRUN apt-get update && apt-get install -y hello\nRUN date > /dev/null; touch /later",
        ])
        let run = try shale.run(["recipe", "save", "saved", "--pin", "--reproducible"])
        #expect(run.errors.contains("two builds gave one image, in 2 rounds: sha256:"), "\(run.errors)")
        let text = try shale.text("saved/Dockerfile")
        #expect(text.contains("\n# log: apt logs the time and the output of every run\n"), "\(text)")
        #expect(text.contains("install -y hello=1.0 && "), "\(text)")
        #expect(text.contains("\nARG SOURCE_DATE_EPOCH\n"), "\(text)")
        // What is not as it was has a known cause, and is counted.
        #expect(run.errors.contains(" paths are not as in the original (known causes: "), "\(run.errors)")
        #expect(!run.errors.contains("\n  /"), "\(run.errors)")
        // The second home knows nothing of the first one, and the clock has gone on.
        let other = ShaleHome()
        let folder = shale.work + "/saved"
        #expect(try Self.built(folder, in: shale) == Self.built(folder, in: other))
    }

    @Test func aRecipeThatIsReproducibleAlreadyIsKept() throws {
        let shale = ShaleHome()
        try shale.run(["-c", "FROM busybox\nRUN date > /dev/null; echo x > /x\nENV A=b"])
        let run = try shale.run(["recipe", "--reproducible"])
        #expect(run.errors.contains("two builds gave one image, in one round: sha256:"), "\(run.errors)")
        let lines = run.text.split(separator: "\n")
        #expect(lines.first == "# the moment of the original: no time that is written is later")
        #expect(lines[1].hasPrefix("ARG SOURCE_DATE_EPOCH="))
        #expect(
            lines[2...].joined(separator: "\n")
                == "FROM busybox\nARG SOURCE_DATE_EPOCH\nRUN date > /dev/null; echo x > /x\nENV A=b")
    }

    @Test func whatStaysDifferentIsNamedWithItsStep() throws {
        let shale = ShaleHome()
        try shale.run([
            "-c",
            "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /etc/machine-id\nRUN cat /proc/sys/kernel/random/uuid > /x",
        ])
        let run = try shale.run(["recipe", "--reproducible"], expecting: 1)
        #expect(run.errors.contains("two builds still differ"), "\(run.errors)")
        #expect(
            run.errors.contains("  /x: content (line 7: RUN cat /proc/sys/kernel/random/uuid > /x)"), "\(run.errors)")
        #expect(run.text.contains("> /etc/machine-id && truncate -s 0 /etc/machine-id\n"), "\(run.text)")
    }

    @Test func aChangeWithWhichAStepFailsIsTakenBack() throws {
        let shale = ShaleHome(["XDG_CONFIG_HOME": "own"])
        try shale.write(
            "path: /x\nkind: random\ncause: we know\nsource: us\nmend: exit 7\n", to: "own/shale/differences.rules")
        try shale.run(["-c", "FROM busybox\nRUN cat /proc/sys/kernel/random/uuid > /x"])
        let run = try shale.run(["recipe", "--reproducible"], expecting: 1)
        #expect(run.errors.contains("recipe: 'exit 7' is left out of 'RUN cat /proc"), "\(run.errors)")
        #expect(run.text.hasSuffix("\nRUN cat /proc/sys/kernel/random/uuid > /x\n"), "\(run.text)")
        #expect(try shale.run(["system", "check"]).text.hasSuffix("the store is whole\n"))
        #expect(try shale.run(["images", "-q"]).text.split(separator: "\n").count == 2)
    }

    @Test func aMomentInTheDockerfileCounts() throws {
        let shale = ShaleHome()
        try shale.write(
            "ARG SOURCE_DATE_EPOCH=1000000000\nFROM busybox\nRUN echo x > /x\nCOPY f /f\n", to: "c/Dockerfile")
        try shale.write("f\n", to: "c/f")
        try shale.run(["build", "-q", "-t", "a", "c"])
        #expect(try shale.run(["inspect", "--format", "{{.Created}}", "a"]).text.hasPrefix("2001-09-09T01:46:40"))
        #expect(try shale.run(["stat", "a:/f"]).text.contains("2001-09-09T01:46:40"))
        // The cache does not give a layer with other times.
        try shale.run(["build", "-q", "-t", "b", "--build-arg", "SOURCE_DATE_EPOCH=1100000000", "c"])
        #expect(try shale.run(["stat", "b:/x"]).text.contains("2004-11-09T11:33:20"))
        let wrong = try shale.run(["build", "--build-arg", "SOURCE_DATE_EPOCH=soon", "c"], expecting: 64)
        #expect(wrong.errors.contains("SOURCE_DATE_EPOCH is \"soon\", not a number of seconds"), "\(wrong.errors)")
    }
}
