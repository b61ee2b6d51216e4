import Basics
import FoundationEssentials
import Glibc
import OCI
import TestSupport
import Testing

/// Where an index of several platforms goes, and what is refused of it.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct PlatformOutputTests {
    private static let platforms = "linux/amd64,linux/arm64"

    /// A context that makes an image of one file without starting a program.
    private static func context() throws -> TemporaryDirectory {
        let context = TemporaryDirectory()
        try Data("FROM scratch\nARG TARGETARCH\nENV ARCH=$TARGETARCH\nCOPY said /said-$TARGETARCH\n".utf8)
            .write(to: URL(filePath: context.path + "/Dockerfile"))
        try Data("hello\n".utf8).write(to: URL(filePath: context.path + "/said"))
        return context
    }

    private static func isWhole(_ shale: ShaleHome) throws -> Bool {
        try shale.run(["system", "check"]).text.hasSuffix("the store is whole\n")
    }

    private static func document(_ path: String) throws -> JSONDocument {
        try JSONDocument(parsing: Data(contentsOf: URL(filePath: path)), naming: path)
    }

    @Test(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
    func aBuildPushesItsIndexAndOnePlatformOfIt() throws {
        let (server, shale, context) = (try RegistryServer(), ShaleHome(), try Self.context())
        let name = "\(server.host)/class/multi:1"
        let metadata = shale.work + "/metadata.json"
        try shale.run(
            [
                "build", "-q", "--platform", Self.platforms, "-t", name, "--push", "--metadata-file", metadata,
                context.path,
            ])
        let raw = try Peers.skopeo.run(["inspect", "--raw", "--tls-verify=false", "docker://\(name)"]).output
        let index = try OCIDocument.read(Index.self, from: raw, naming: "index")
        #expect(index.manifests.map { $0.platform?.description } == ["linux/amd64", "linux/arm64"])
        #expect(try Self.document(metadata)["containerimage.digest"]?.string == Digest.of(raw).description)

        try shale.run(["tag", name, "\(server.host)/class/arm:1"])
        try shale.run(["push", "--platform", "linux/arm64", "\(server.host)/class/arm:1"])
        let single = try Peers.skopeo.run([
            "inspect", "--config", "--tls-verify=false", "docker://\(server.host)/class/arm:1",
        ]).text
        #expect(
            single.filter { $0 != " " }.contains(#""architecture":"arm64""#) && single.contains("ARCH=arm64"),
            "\(single)")
        let missing = try shale.run(["push", "--platform", "linux/s390x", name], expecting: 1).errors
        #expect(missing.contains("linux/s390x") && missing.contains("hint: "), "\(missing)")

        // Of a pulled index a platform that is no image by itself cannot be removed alone.
        let other = ShaleHome()
        try other.run(["pull", "-q", "--platform", "all", name])
        let id = try #require(try other.run(["platforms", "--format", "{{.ID}}", name]).lines.last)
        for text in [id, String(id.dropFirst(7).prefix(12))] {
            let errors = try other.run(["rmi", text], expecting: 1).errors
            #expect(errors.contains("it is one of the platforms of \(name)\nhint: rmi \(name)"), "\(errors)")
        }
        #expect(try other.run(["cat", "--platform", "linux/arm64", "\(name):/said-arm64"]).text == "hello\n")
        try other.run(["rmi", name])
        #expect(try Self.isWhole(other) && Self.isWhole(shale))
    }

    @Test(.enabled(if: Peers.skopeo.isPresent, "needs skopeo"))
    func outputsHaveEveryPlatform() throws {
        let (shale, context) = (ShaleHome(), try Self.context())
        let build = ["build", "-q", "--platform", Self.platforms]
        try shale.run(build + ["-o", "type=oci,dest=\(shale.work)/o.tar", context.path])
        let raw = try Peers.skopeo.run(["inspect", "--raw", "oci-archive:\(shale.work)/o.tar"]).output
        #expect(try OCIDocument.read(Index.self, from: raw, naming: "index").manifests.count == 2)
        let metadata = shale.work + "/metadata.json"
        try shale.run(
            build + ["-o", "type=local,dest=\(shale.work)/out", "--metadata-file", metadata, context.path])
        for architecture in ["amd64", "arm64"] {
            #expect(shale.exists("out/linux_\(architecture)/said-\(architecture)"))
        }
        #expect(try Self.document(metadata)["containerimage.digest"]?.string == Digest.of(raw).description)
        try shale.run(build + ["-o", "type=tar,dest=\(shale.work)/all.tar", context.path])
        let names = try Peer("tar").run(["-tf", shale.work + "/all.tar"]).lines
        #expect(
            names.map { $0.hasSuffix("/") ? String($0.dropLast()) : $0 } == [
                "linux_amd64", "linux_amd64/said-amd64", "linux_arm64", "linux_arm64/said-arm64",
            ], "\(names)")
    }

    @Test(arguments: ["", ",mode=max"])
    func aSharedCacheHasTheStepsOfEveryPlatform(_ mode: String) throws {
        let (maker, shale, context) = (ShaleHome(), ShaleHome(), try Self.context())
        let cache = maker.work + "/cache"
        let build = ["build", "--platform", Self.platforms]
        let made = try maker.run(build + ["--cache-to", "type=local,dest=\(cache)\(mode)", context.path])
        // ARG, ENV and COPY, for each platform.
        #expect(made.errors.contains(": 6 steps written"), "\(made.errors)")
        let found = try shale.run(build + ["--cache-from", "type=local,src=\(cache)", context.path])
        #expect(found.text.split(separator: "\n").count { $0.contains("Using cache") } == 6, "\(found.text)")
        #expect(try Self.isWhole(shale))
    }

    /// A step for a processor that nothing here emulates is taken from the local cache.
    @Test func aRunIsTakenFromTheLocalCache() throws {
        let (shale, context) = (ShaleHome(), TemporaryDirectory())
        let file = URL(filePath: context.path + "/Dockerfile")
        let build = ["build", "--platform", "linux/sparc64"]
        let base = "FROM scratch\nENV A=1\n"
        func image(_ text: String) throws -> String {
            try Data(text.utf8).write(to: file)
            return try shale.run(build + ["-q", context.path]).lines.first ?? ""
        }
        let (parent, child) = (try image(base), try image(base + "ENV B=2\n"))
        // The record that a machine with an emulator writes.
        let key = Digest.of("\(parent)\n/bin/sh -c true\n".utf8)
        let record =
            #"{"image":"\#(child)","parent":"\#(parent)","instruction":"RUN true","createdBy":"/bin/sh -c true","#
            + #""summary":{"added":0,"changed":0,"deleted":0,"bytes":0,"firstPaths":[]},"made":"2026-01-01T00:00:00Z"}"#
        try Data(record.utf8).write(to: URL(filePath: "\(shale.home)/cache/build/\(key.hex)"))
        try Data((base + "RUN true\n").utf8).write(to: file)
        let found = try shale.run(build + [context.path])
        let short = try Digest(parsing: child).short
        #expect(
            found.text.hasSuffix(" ---> Using cache\n ---> \(short)\nSuccessfully built \(short)\n"), "\(found.text)")
        let anew = try shale.run(build + ["--no-cache", context.path], expecting: 1)
        #expect(anew.errors.contains("runs nothing for linux/sparc64") && !anew.text.contains("Step"))
    }

    @Test(.enabled(if: ShaleHome.isRoot && Peers.umoci.isPresent && Peers.podman.isPresent, "needs root"))
    func othersReadAHomeWithAnIndex() throws {
        let (shale, context) = (ShaleHome(), try Self.context())
        // A path is a part of podman's name for it, which has no capital letters.
        let slash = try #require(shale.home.lastIndex(of: "/"))
        let (parent, folder) = (String(shale.home[..<slash]), shale.home[slash...].dropFirst())
        try shale.run(["build", "-q", "--platform", Self.platforms, "-t", "multi:1", context.path])
        let listed = try Peers.umoci.run(["list", "--layout", shale.home]).lines
        #expect(listed.contains("docker.io/library/multi:1"))
        let roots = shale.work + "/podman"
        let podman = Peer(
            "podman", leading: ["--root", roots, "--runroot", roots + "-run", "--storage-driver", "vfs"])
        for architecture in ["arm64", "amd64"] {
            let id = try podman.run(
                ["pull", "-q", "--arch", architecture, "oci:\(folder):docker.io/library/multi:1"], in: parent
            ).text.prefix { $0 != "\n" }
            let said = try podman.run(["inspect", "-f", "{{.Architecture}} {{.Config.Env}}", String(id)]).text
            #expect(said.hasPrefix("\(architecture) ") && said.contains("ARCH=\(architecture)"), "\(said)")
        }
    }

    /// A shared cache may have the step, so that nothing is refused before it was asked.
    @Test func aRunIsRefusedOnceItIsNotInTheSharedCache() throws {
        let (shale, context) = (ShaleHome(), TemporaryDirectory())
        let build = ["build", "--platform", "linux/sparc64"]
        try Data("FROM scratch\nCOPY Dockerfile /\nRUN echo far\n".utf8)
            .write(to: URL(filePath: context.path + "/Dockerfile"))
        let early = try shale.run(build + [context.path], expecting: 1)
        #expect(early.errors.contains("this machine runs nothing for linux/sparc64") && !early.text.contains("Step"))
        let late = try shale.run(
            build + ["--cache-from", "type=local,src=\(shale.work)/none", context.path], expecting: 1)
        #expect(late.errors.contains("this machine runs nothing for linux/sparc64") && late.text.contains("Step 3/3"))
        // A trigger of the base's is a RUN that no plan of the file shows.
        try shale.run(
            ["build", "-q", "--platform", "linux/sparc64", "-t", "base", "-"],
            input: Array("FROM scratch\nENV A=1\nONBUILD RUN echo far\n".utf8))
        let trigger = try shale.run(
            build + ["-"], input: Array("FROM base\nENV B=1\n".utf8), expecting: 1)
        #expect(trigger.errors.contains("this machine runs nothing for linux/sparc64"), "\(trigger.errors)")
    }

    @Test func whatIsHereForAnotherPlatformIsTold() throws {
        let errors = try ShaleHome().run(
            ["--offline", "run", "--platform", "linux/sparc64", "busybox", "true"], expecting: 125
        ).errors
        #expect(errors.contains("hint: platforms busybox:latest   (it is here for linux/"), "\(errors)")
    }

    @Test("a full disk under an index", .enabled(if: ShaleHome.isRoot && RegistryServer.isPresent, "needs root"))
    func fullDisk() throws {
        let (server, maker, context) = (try RegistryServer(), ShaleHome(), try Self.context())
        try Data((0..<3_000_000).map { _ in UInt8.random(in: 0...255) })
            .write(to: URL(filePath: context.path + "/said"))
        let name = "\(server.host)/class/large:1"
        try maker.run(["build", "-q", "--platform", Self.platforms, "-t", name, "--push", context.path])
        let folder = TemporaryDirectory()
        let disk = folder.path + "/disk"
        mkdir(disk, 0o755)
        try Peer("mount").run(["-t", "tmpfs", "-o", "size=12m", "tmpfs", disk])
        defer { _ = try? Peer("umount").run(["-l", disk], expecting: nil) }
        let shale = try ShaleHome(as: .same, home: disk + "/home")
        try shale.run(["images"])
        let errors = try shale.run(["pull", "-q", "--platform", "all", name], expecting: 1).errors
        #expect(errors.contains("no space left on device"), "\(errors)")
        #expect(try Self.isWhole(shale))
        #expect(try !shale.run(["images"]).text.contains("large"))
        // One platform has room.
        try shale.run(["prune", "-f"])
        try shale.run(["pull", "-q", "--platform", "linux/arm64", name])
        #expect(try shale.run(["platforms", name]).text.contains("linux/arm64"))
    }
}
