import FoundationEssentials
import OCI
import TestSupport
import Testing

/// `build --squash`, `--call outline|targets` and `--push` with its files.
@Suite(.enabled(if: ShaleHome.isPresent, Comment(rawValue: ShaleHome.absent)))
struct CalledBuildTests {
    private static func context(_ shale: ShaleHome, _ dockerfile: String) throws -> String {
        let folder = shale.folder.path + "/context"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(dockerfile.utf8).write(to: URL(filePath: folder + "/Dockerfile"))
        return folder
    }

    private static let stages = """
        # VERSION which busybox to begin with
        ARG VERSION=latest
        ARG UNUSED=x
        # builder makes the program
        FROM busybox:${VERSION} AS builder
        # FLAGS go to the compiler
        ARG FLAGS="-O2"
        RUN --mount=type=secret,id=token,required=true --mount=type=ssh true
        FROM busybox AS tests
        ARG ONLY_HERE=1
        RUN true
        FROM busybox
        ARG VERSION
        COPY --from=builder /bin/true /true
        """

    @Test func anOutlineSaysWhatABuildTakes() throws {
        let shale = ShaleHome()
        let folder = try Self.context(shale, Self.stages)
        let text = try shale.run(["build", "--call", "outline", "--build-arg", "FLAGS=-O3", folder]).text
        #expect(
            text == """
                BUILD ARG   VALUE     DESCRIPTION
                VERSION     latest    which busybox to begin with
                FLAGS       -O3       go to the compiler

                SECRET    REQUIRED
                token     true

                SSH       REQUIRED
                default


                """, "\(text)")
        let stage = try shale.run(["build", "--call=outline", "--target", "tests", folder]).text
        #expect(
            stage == "TARGET:   tests\n\nBUILD ARG   VALUE     DESCRIPTION\nONLY_HERE   1\n\n", "\(stage)")
        let named = try shale.run(["build", "--call=outline,format=json", "--target", "builder", folder]).text
        for part in [
            #""name": "builder""#, #""description": "makes the program""#, #""name": "token""#, #""required": true"#,
            #""line": 2"#, #""sources": ["#,
        ] { #expect(named.contains(part), "\(part): \(named)") }
        #expect(try shale.run(["images", "-q"]).text.split(separator: "\n").count == 1, "nothing is built")
        let wrong = try shale.run(["build", "--call", "invent", folder], expecting: 64).errors
        #expect(wrong.contains("--call invent: not one of build, check, outline, targets"), "\(wrong)")
    }

    @Test func targetsAreListed() throws {
        let shale = ShaleHome()
        let folder = try Self.context(shale, Self.stages)
        let text = try shale.run(["build", "--call", "targets", folder]).text
        #expect(
            text == """
                TARGET      DESCRIPTION
                builder     makes the program
                tests
                (default)

                """, "\(text)")
        let json = try shale.run(["build", "--call", "targets,format=json", folder]).text
        #expect(json.contains(#""base": "busybox:${VERSION}""#) && json.contains(#""default": true"#), "\(json)")
    }

    @Test func aSquashedBuildHasOneLayerOverItsBase() throws {
        let shale = ShaleHome()
        let folder = try Self.context(
            shale, "FROM busybox\nRUN echo secret > /a; echo b > /b\nENV C=d\nRUN rm /a; echo e > /e\n")
        let layers = ["inspect", "-f", "{{len .RootFS.Layers}}"]
        let below = try #require(Int(try shale.run(layers + ["busybox"]).text.dropLast()))
        let built = try shale.run(["build", "--squash", "-t", "app", folder])
        #expect(
            built.errors.contains("layers \(below + 1) to \(below + 2) of \(below + 2) become one:"), "\(built.errors)")
        #expect(try shale.run(layers + ["app"]).text == "\(below + 1)\n")
        #expect(
            try shale.run(["run", "--rm", "app", "sh", "-c", "ls /a; cat /b /e; echo $C"], expecting: 0).text
                == "b\ne\nd\n")
        let id = try shale.run(["inspect", "-f", "{{.Id}}", "app"]).text
        #expect(try shale.run(["build", "-q", "--squash", folder]).text == id)
        #expect(try shale.run(["recipe", "verify", "app"]).text.hasSuffix(" again: same files, same config\n"))
        // One layer is one already.
        let small = try Self.context(shale, "FROM busybox\nRUN echo x > /x\n")
        let plain = try shale.run(["build", "-q", small]).text
        #expect(try shale.run(["build", "-q", "--squash", small]).text == plain)
        #expect(try shale.run(["build", "--squash", "--step", small], expecting: 64).errors.contains("every layer"))
    }

    @Test func aQuietPushWritesItsFiles() throws {
        let registry = try ReferrersRegistry()
        let shale = ShaleHome()
        let folder = try Self.context(shale, "FROM busybox\nRUN echo x > /x\n")
        let name = "\(registry.host)/a/app:1"
        let files = ["--metadata-file", "meta.json", "--iidfile", "id"]
        let told = try shale.run(["build", "-q", "--push", "-t", name] + files + [folder])
        let id = try shale.run(["inspect", "-f", "{{.Id}}", name]).text
        #expect(told.text == id, "\(told.text)")
        let pushed = Digest.of(try #require(registry.manifest("a/app", "1"))).description
        let meta = try shale.text("meta.json")
        #expect(meta.contains(#""containerimage.digest": "\#(pushed)""#), "\(meta)")
        #expect(meta.contains(#""image.name": "\#(name)""#), "\(meta)")
        #expect(try shale.text("id") + "\n" == id)
    }

    @Test func memoryNodesThatAreNotThereAreRefused() throws {
        let shale = ShaleHome()
        let folder = try Self.context(shale, "FROM busybox\nRUN true\n")
        let said = try shale.run(["build", "--cpuset-mems", "900", folder], expecting: 1).errors
        #expect(said.contains("requested memory nodes are not available - requested 900, available: 0"), "\(said)")
        let run = try shale.run(["run", "--rm", "--cpuset-mems", "x", "busybox", "true"], expecting: 125).errors
        #expect(run.contains("invalid value \"x\" for cpuset mems"), "\(run)")
        try shale.run(["create", "--name", "one", "--cpuset-mems", "0", "busybox", "true"])
        let kept = try shale.run(["inspect", "-f", "{{.HostConfig.CpusetMems}}", "one"]).text
        // Where no group can hold it, it is told and not kept.
        #expect(kept == "0\n" || kept == "\n", "\(kept)")
        try shale.run(["build", "-q", "--resource", "cpuset-mems=0", folder])
    }
}
