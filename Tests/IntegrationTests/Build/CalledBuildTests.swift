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
        // Nothing to squash.
        let small = try Self.context(shale, "FROM busybox\nENV A=1\n")
        let plain = try shale.run(["build", "-q", small]).text
        #expect(try shale.run(["build", "-q", "--squash", small]).text == plain)
        #expect(try shale.run(["build", "--squash", "--step", small], expecting: 64).errors.contains("every layer"))
    }

    /// Last stages whose squashed image docker and shale are to make with the same layers and history.
    static let squashed: [(name: String, text: String)] = [
        (
            "stages",
            "FROM busybox AS first\nRUN mkdir /out && echo made > /out/file\nRUN rm /etc/group\n"
                + "FROM busybox AS second\nENV A=1\nRUN echo a > /a\nCOPY Dockerfile /hello\nFROM second\n"
                + "RUN echo b > /b && rm /a\nCOPY --from=first /out /out\nENV Z=2\nCMD [\"x\"]\n"
        ),
        ("scratch", "FROM scratch\nCOPY Dockerfile /h\nCOPY Dockerfile /g\n"),
        ("one", "FROM busybox\nCOPY Dockerfile /h\n"),
        ("nothing", "FROM busybox\nRUN echo a > /a\nRUN rm /a\n"),
    ]

    @Test(.enabled(if: DockerDaemon.isPossible, "\(DockerDaemon.impossible)"))
    func squashedLayersAndHistoryAreDockers() throws {
        let docker = try DockerDaemon(options: ["--experimental"])
        let shale = ShaleHome()
        try shale.run(["save", "-o", shale.work + "/busybox.tar", "busybox"])
        try docker.docker(["load", "-q", "-i", shale.work + "/busybox.tar"])
        for (name, text) in Self.squashed {
            let folder = try Self.context(shale, text)
            let classic = ["DOCKER_BUILDKIT": "0"]
            try docker.docker(
                ["build", "-q", "--squash", "--network", "host", "-t", name, folder], environment: classic)
            let built = try shale.run(["build", "--squash", "-t", name, folder])
            let history = ["history", "--no-trunc", "--format", "{{.Size}}|{{.CreatedBy}}|{{.Comment}}", name]
            let theirs = try docker.docker(history).lines.map(Self.withoutDigests)
            let ours = try shale.run(history).lines.map(Self.withoutDigests)
            #expect(ours == theirs, "\(name): \(built.errors)")
            let layers = ["inspect", "-f", "{{len .RootFS.Layers}}", name]
            #expect(try shale.run(layers).text == (try docker.docker(layers).text), "\(name)")
            #expect(try shale.run(["recipe", "verify", name]).text.hasSuffix(" again: same files, same config\n"))
        }
        #expect(try shale.run(["system", "check"]).text.hasSuffix("the store is whole\n"))
    }

    /// A line without the digests in it, which depend on times and on how each program hashes files.
    private static func withoutDigests(_ line: String) -> String {
        var rest = line[...]
        var result = ""
        while let start = rest.firstRange(of: ":")?.upperBound {
            result += rest[..<start]
            rest = rest[start...].drop { $0.isHexDigit }
        }
        return result + rest
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
