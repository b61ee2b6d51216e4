import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Ctrl-C at the real prompt while something takes long.
@Suite(.serialized)
struct InterruptTests {
    /// A registry with an image of two layers, one of which trickles in.
    private static func slowRegistry() throws -> MisbehavingServer {
        let quick = SmallImage.tar([.init("quick", "here at once\n")])
        let slow = SmallImage.tar([.init("slow", [UInt8](repeating: 7, count: 1 << 20))])
        let layers = try [quick, slow].map { (bytes: $0, digest: "sha256:" + (try Peers.sha256($0))) }
        let config = Array(
            """
            {"architecture":"amd64","os":"linux","config":{"Cmd":["/bin/true"]},"rootfs":{"type":"layers",\
            "diff_ids":["\(layers[0].digest)","\(layers[1].digest)"]}}
            """.utf8)
        let configDigest = "sha256:" + (try Peers.sha256(config))
        let descriptors = layers.map {
            #"{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"\#($0.digest)","size":\#($0.bytes.count)}"#
        }
        let type = "application/vnd.oci.image.manifest.v1+json"
        let manifest = """
            {"schemaVersion":2,"mediaType":"\(type)","config":{"mediaType":"application/vnd.oci.image.config.v1+json",\
            "digest":"\(configDigest)","size":\(config.count)},"layers":[\(descriptors.joined(separator: ","))]}
            """
        return try MisbehavingServer { request in
            if request.path.contains("/manifests/") {
                return .json(manifest, headers: [("Content-Type", type)])
            }
            if request.path.hasSuffix(configDigest) { return .blob(config, for: request) }
            if request.path.hasSuffix(layers[0].digest) { return .blob(quick, for: request) }
            if request.path.hasSuffix(layers[1].digest) {
                return .blob(slow, for: request, delivery: .drip(bytes: 4096, milliseconds: 200))
            }
            return .json("{}")
        }
    }

    @Test func aPullStopsAndKeepsWhatItFinished() throws {
        let server = try Self.slowRegistry()
        let scene = try PromptScene(environment: ["SHALE_MIRROR": "docker.io=\(server.url)"])
        let terminal = try scene.prompt()
        try terminal.send("pull slow\r")
        try terminal.waitFor("the quick layer") { $0.text.contains("Pull complete") }
        try terminal.send("\u{3}")
        #expect(try terminal.expect(terminal.prompt).contains("kept: what has arrived"))
        #expect(try terminal.run("!echo still here").contains("still here"))
        #expect(try !terminal.run("images").contains("slow"))
        // What was whole is not asked for again.
        try terminal.send("pull slow\r")
        try terminal.waitFor("the kept layer") { $0.text.contains("Already exists") }
        try terminal.send("\u{3}")
        try terminal.expect(terminal.prompt)
        try scene.home.run(["system", "check"])
        try scene.leave(terminal)
    }

    /// A copy that takes long shows how far it is, and a Ctrl-C in the middle of one file ends it.
    @Test(arguments: [("COPY big /", "COPY big: Hashing"), ("build .", "COPY big: Hashing")])
    func aLongCopyIsShownAndStops(line: String, shown: String) throws {
        let scene = try PromptScene()
        try scene.home.write("FROM busybox\nCOPY big /\n", to: "Dockerfile")
        _ = try scene.home.sh("truncate -s 200G big")
        let terminal = try scene.prompt()
        let base = try terminal.run("FROM busybox")
        #expect(base.contains("  busybox  ") && base.contains(" layers\n"))
        try terminal.send(line + "\r")
        try terminal.waitFor("the progress") { screen in
            screen.lines.contains { $0.hasPrefix(shown) } && screen.lines.contains { $0.hasSuffix(" left") }
        }
        let start = time(nil)
        try terminal.send("\u{3}")
        let told = try terminal.expect(terminal.prompt)
        #expect(told.contains("interrupted; kept: "), "\(told)")
        #expect(time(nil) - start < 20)
        #expect(try terminal.run("steps").split(separator: "\n").count <= 3)
        try scene.home.run(["system", "check"])
        try scene.leave(terminal)
    }

    @Test func aBuildStopsAndKeepsItsFinishedSteps() throws {
        let scene = try PromptScene()
        try scene.home.write("FROM busybox\nRUN touch /kept\nRUN sleep 600\n", to: "Dockerfile")
        let terminal = try scene.prompt()
        try terminal.send("build .\r")
        try terminal.expect("Step 3/3")
        try terminal.expect("Running in")
        let start = time(nil)
        try terminal.send("\u{3}")
        try terminal.expect(terminal.prompt)
        #expect(time(nil) - start < 120)
        #expect(try terminal.run("ps -q").split(separator: "\n").count <= 1)
        try terminal.send("build .\r")
        try terminal.expect("Using cache")
        try terminal.expect("Running in")
        try terminal.send("\u{3}")
        try terminal.expect(terminal.prompt)
        try scene.leave(terminal)
    }

    /// The first Ctrl-C is the container's own to deal with, a second one kills it.
    @Test func aRunningContainerGetsTheKey() throws {
        let scene = try PromptScene()
        try scene.home.write(
            "trap 'echo caught; exit 4' INT\necho ready\nwhile true; do sleep 0.1; done\n", to: "polite")
        let terminal = try scene.prompt()
        try terminal.send("run --rm -v ./polite:/polite busybox sh /polite\r")
        try terminal.expect("ready\r\n")
        try terminal.send("\u{3}")
        #expect(try terminal.expect(terminal.prompt).contains("caught"))
        // One that does not hear it at any moment: busybox's sh does, until it waits for its child.
        try terminal.send("run --rm busybox sh -c 'trap \"\" INT; echo ready; sleep 600'\r")
        try terminal.expect("ready\r\n")
        try terminal.send("\u{3}")
        try terminal.expect("^C")
        try terminal.expect("still running; press Ctrl-C again to kill it")
        try terminal.send("\u{3}")
        try terminal.expect(terminal.prompt)
        #expect(try terminal.run("ps -a --format 'left: {{.ID}}'").components(of: "left: ").count == 2)
        try scene.leave(terminal)
    }

    @Test func aHostCommandGetsTheKeyAlone() throws {
        let scene = try PromptScene()
        let terminal = try scene.prompt()
        try terminal.send("!echo ready; exec sleep 600\r")
        try terminal.expect("ready\r\n")
        try terminal.send("\u{3}")
        try terminal.expect(terminal.prompt)
        #expect(try terminal.run("version").contains("shale 0."))
        try scene.leave(terminal)
    }
}
