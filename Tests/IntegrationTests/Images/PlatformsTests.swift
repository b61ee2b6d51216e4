import Basics
import FoundationEssentials
import OCI
import TestSupport
import Testing

/// Names that stand for several platforms, at the command line.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct PlatformsTests {
    private static let platforms = "linux/amd64,linux/arm64,linux/s390x"
    private static let dockerfile = """
        FROM --platform=$BUILDPLATFORM busybox AS tools
        ARG TARGETPLATFORM
        ARG TARGETARCH
        RUN echo "$TARGETPLATFORM $TARGETARCH" > /said
        FROM scratch
        ARG TARGETARCH
        ENV ARCH=$TARGETARCH
        COPY --from=tools /said /said
        """

    /// A home with an index of three platforms, built here without an emulator.
    private static func built(_ options: [String] = []) throws -> ShaleHome {
        let shale = ShaleHome()
        let context = TemporaryDirectory()
        try Data(dockerfile.utf8).write(to: URL(filePath: context.path + "/Dockerfile"))
        try shale.run(["build", "--platform", platforms, "-t", "multi:1"] + options + [context.path])
        return shale
    }

    private static func isWhole(_ shale: ShaleHome) throws -> Bool {
        try shale.run(["system", "check"]).text.hasSuffix("the store is whole\n")
    }

    @Test func aBuildForSeveralPlatformsMakesOneIndex() throws {
        let shale = try Self.built()
        for architecture in ["amd64", "arm64", "s390x"] {
            let platform = ["--platform", "linux/\(architecture)"]
            #expect(
                try shale.run(["cat"] + platform + ["multi:1:/said"]).text == "linux/\(architecture) \(architecture)\n")
            let format = "{{.Architecture}} {{json .Config.Env}}"
            let said = try shale.run(["inspect", "-f", format] + platform + ["multi:1"]).text
            #expect(said.hasPrefix("\(architecture) ") && said.contains("ARCH=\(architecture)"), "\(said)")
        }
        let table = try shale.run(["platforms", "multi:1"]).text
        #expect(table.split(separator: "\n").count { $0.contains(" image ") && $0.contains(" yes ") } == 3, "\(table)")
        let tree = try shale.run(["images", "--tree", "multi"]).text
        #expect(tree.contains("├─ linux/amd64") && tree.contains("└─ linux/s390x"), "\(tree)")
        try shale.run(["prune", "-f"])
        // No member of the index is listed beside it, as an image without a name.
        let members = try shale.run(["platforms", "--format", "{{.ID}}", "multi:1"]).text.split(separator: "\n")
        let nameless = try shale.run(["images", "--no-trunc", "-q", "--filter", "dangling=true"]).text
        #expect(members.count == 3 && !members.contains { nameless.contains($0) }, "\(nameless)")
        #expect(try shale.run(["cat", "--platform", "linux/s390x", "multi:1:/said"]).text.hasPrefix("linux/s390x"))
        #expect(try Self.isWhole(shale))
        try shale.run(["rmi", "multi:1"])
        let rest = try shale.run(["images", "-a", "--no-trunc", "-q"]).text
        #expect(!members.contains { rest.contains($0) }, "\(rest)")
        try shale.run(["undo"])
        #expect(try shale.run(["cat", "--platform", "linux/arm64", "multi:1:/said"]).text == "linux/arm64 arm64\n")
        #expect(try Self.isWhole(shale))
    }

    /// The index without a name notes an image that the index with the name has too, so the image stays listed.
    @Test func aRemovedIndexWithoutANameComesBack() throws {
        let shale = ShaleHome()
        let context = TemporaryDirectory()
        try Data("FROM scratch\nCOPY Dockerfile /\n".utf8).write(to: URL(filePath: context.path + "/Dockerfile"))
        func build(_ platforms: String) throws -> String {
            try shale.run(["build", "-q", "--platform", platforms, "-t", "multi:1", context.path]).lines.first ?? ""
        }
        let old = try build("linux/amd64,linux/arm64")
        _ = try build("linux/amd64,linux/s390x")
        let short = try Digest(parsing: old).short
        func isListed() throws -> Bool { try shale.run(["images", "--tree"]).text.contains(short) }
        #expect(try isListed())
        try shale.run(["rmi", old])
        #expect(try !isListed())
        try shale.run(["undo"])
        #expect(try isListed())
        let inspect = ["inspect", "-f", "{{.Architecture}}", "--platform", "linux/arm64", old]
        #expect(try shale.run(inspect).text == "arm64\n")
        try shale.run(["redo"])
        #expect(try !isListed())
        #expect(try Self.isWhole(shale))
    }

    @Test func aRunForAnotherProcessorIsRefusedBeforeAnythingStarts() throws {
        let shale = ShaleHome()
        let context = TemporaryDirectory()
        // No emulator runs it anywhere.
        try Data("FROM busybox AS a\nRUN echo here\nFROM scratch\nCOPY --from=a / /\nRUN echo far\n".utf8)
            .write(to: URL(filePath: context.path + "/Dockerfile"))
        let run = try shale.run(["build", "--platform", "linux/amd64,linux/sparc64", context.path], expecting: 1)
        #expect(run.errors.contains("RUN echo here: this machine runs nothing for linux/sparc64"), "\(run.errors)")
        #expect(!run.text.contains("Step"))
    }

    @Test(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
    func anIndexTravels() throws {
        let server = try RegistryServer()
        let shale = try Self.built()
        let name = "\(server.host)/class/multi:1"
        try shale.run(["tag", "multi:1", name])
        let pushed = try shale.run(["push", name]).text
        let raw = try Peers.skopeo.run(["inspect", "--raw", "--tls-verify=false", "docker://\(name)"])
        #expect(pushed.contains("digest: \(Digest.of(raw.output))"), "\(pushed)")
        let other = ShaleHome()
        try other.run(["pull", "--platform", "all", name])
        let home = try Peers.skopeo.run(["inspect", "--raw", "oci:\(other.home):\(name)"])
        #expect(home.output == raw.output)
        #expect(try other.run(["cat", "--platform", "linux/s390x", "\(name):/said"]).text == "linux/s390x s390x\n")
        #expect(try Self.isWhole(other))
        try other.run(["undo"])
        #expect(try !other.run(["images"]).text.contains("multi"))
        try other.run(["redo"])
        #expect(try other.run(["platforms", name]).text.contains("linux/s390x"))
        #expect(try Self.isWhole(other))
        // A session with it goes round as well.
        let third = ShaleHome()
        let file = TemporaryDirectory()
        try other.run(["session", "export", file.path + "/s.tar"])
        try third.run(["session", "import", file.path + "/s.tar", "copied"])
        #expect(try third.run(["cat", "--platform", "linux/arm64", "\(name):/said"]).text == "linux/arm64 arm64\n")
        #expect(try Self.isWhole(third))
    }

    @Test func onlyAttestationsAreNoImage() throws {
        let registry = try ReferrersRegistry()
        let entry =
            #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(Digest.of("x".utf8))","size":1,"#
            + #""platform":{"os":"unknown","architecture":"unknown"}}"#
        let index = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entry)]}"#
        registry.put(Array(index.utf8), type: MediaType.ociIndex, in: "a/b", as: ["1"])
        let shale = ShaleHome()
        for options in [[], ["--platform", "linux/amd64"], ["--platform", "unknown/unknown"]] {
            let errors = try shale.run(["pull"] + options + ["\(registry.host)/a/b:1"], expecting: 1).errors
            #expect(errors.contains("no matching manifest for "), "\(errors)")
        }
        #expect(try Self.isWhole(shale))
    }
}
