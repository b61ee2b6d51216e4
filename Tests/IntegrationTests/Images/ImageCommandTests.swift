import Basics
import FoundationEssentials
import Glibc
import OCI
import TestSupport
import Testing

/// A registry that stands in for Docker Hub and quay.io, as the chapter names its images.
private struct StandIn {
    let server: RegistryServer

    init(size: Int = 2000) throws {
        server = try RegistryServer()
        let archive = server.folder.path + "/image.tar"
        let noise = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
        try SmallImage.writeDockerArchive(
            archive, layers: [[.init("etc/hello", "hello\n")], [.init("data", noise)]])
        for name in ["library/ubuntu:18.04", "library/ubuntu:22.04", "nordstrom/hello-world:2.0"] {
            try server.fill("docker-archive:\(archive)", as: name)
        }
    }

    func shale() -> ShaleHome {
        ShaleHome(["SHALE_MIRROR": "docker.io=\(server.url),quay.io=\(server.url)"])
    }
}

@Suite(
    .enabled(
        if: ShaleHome.isPresent && RegistryServer.isPresent && Peers.skopeo.isPresent,
        "needs the built shale, docker-registry and skopeo"))
struct ImageCommandTests {
    @Test func theChaptersImagesComeAndAreNamed() throws {
        let standIn = try StandIn()
        defer { standIn.server.stop() }
        let shale = standIn.shale()
        let pulled = try shale.run(["pull", "ubuntu:22.04"]).text.split(separator: "\n").map(String.init)
        #expect(pulled.first == "22.04: Pulling from library/ubuntu")
        #expect(pulled.last == "docker.io/library/ubuntu:22.04")
        #expect(pulled.dropLast().last == "Status: Downloaded newer image for ubuntu:22.04")
        #expect(try shale.run(["pull", "-q", "ubuntu:22.04"]).text == "docker.io/library/ubuntu:22.04\n")
        #expect(try shale.run(["tag", "ubuntu:22.04", "ubuntu:jammy_jellyfish"]).text == "")
        try shale.run(["tag", "ubuntu:22.04", "fav_distro:jammy_jellyfish"])
        let names = try shale.run(["images", "--format", "{{.Repository}}:{{.Tag}}", "ubuntu"]).text
        #expect(names == "ubuntu:22.04\nubuntu:jammy_jellyfish\n")
        let header = try shale.run(["images"]).text.split(separator: "\n").first.map { $0.split(separator: " ") }
        #expect(header == ["REPOSITORY", "TAG", "IMAGE", "ID", "CREATED", "SIZE"])
        #expect(
            try shale.run(["rmi", "ubuntu:jammy_jellyfish", "fav_distro:jammy_jellyfish"]).text
                == "Untagged: ubuntu:jammy_jellyfish\nUntagged: fav_distro:jammy_jellyfish\n")
        let last = try shale.run(["rmi", "ubuntu:22.04"]).text
        #expect(last.hasPrefix("Untagged: ubuntu:22.04\nUntagged: ubuntu@sha256:"))
        #expect(last.contains("\nDeleted: sha256:"))
    }

    /// Commands that fail, with their exit status and what is said.
    static let failures: [(arguments: [String], status: Int32, words: String)] = [
        (
            ["pull", "quay.io/nordstrom/hello-world"], 1,
            "manifest for quay.io/nordstrom/hello-world:latest not found: manifest unknown: manifest unknown\n"
                + "hint: pull quay.io/nordstrom/hello-world:2.0"
        ),
        (["pull", "UPPERCASE"], 1, "invalid reference format: repository name (library/UPPERCASE) must be lowercase"),
        (["pull", "-a", "ubuntu:22.04"], 64, "tag can't be used with --all-tags/-a"),
        (["pull"], 64, ""), (["images", "--nosuch"], 64, "--nosuch"),
        (["images", "-f", "FOO=123"], 1, "Invalid filter 'foo'"),
        (["tag", "foo", "bar"], 1, "No such image: foo:latest"),
        (["tag", "one"], 64, ""), (["rmi", "nosuch"], 1, "No such image: nosuch:latest"),
        (["inspect", "nosuch"], 1, "No such object: nosuch"),
        (["inspect", "--type", "image", "nosuch"], 1, "No such image: nosuch"),
        (["history", "nosuch"], 1, "No such image: nosuch:latest"),
        (["save", "nosuch", "-o", "x.tar"], 1, "No such image: nosuch:latest"),
        (["load", "-i", "nosuch.tar"], 1, "open nosuch.tar: no such file or directory"),
        (["load"], 1, "requested load from stdin, but stdin is empty"),
        (["import", "nosuch.tar"], 1, "open nosuch.tar: no such file or directory"),
        (["search", "--limit", "101", "x"], 1, "limit 101 is outside the range of [1, 100]"),
    ]

    @Test func failuresSayWhatDockerSays() throws {
        let standIn = try StandIn()
        defer { standIn.server.stop() }
        let shale = standIn.shale()
        for row in Self.failures {
            let outcome = try shale.run(row.arguments, expecting: nil)
            #expect(outcome.status == row.status, "\(row.arguments): \(outcome.errors)")
            #expect(outcome.errors.contains(row.words), "\(row.arguments): \(outcome.errors)")
        }
    }

    @Test func archivesGoThroughPipes() throws {
        let standIn = try StandIn()
        defer { standIn.server.stop() }
        let shale = standIn.shale()
        try shale.run(["pull", "-q", "ubuntu:22.04"])
        let id = try shale.run(["images", "-q", "--no-trunc", "ubuntu"]).text
        let archive = try shale.run(["save", "ubuntu:22.04"]).output
        try shale.run(["rmi", "ubuntu:22.04"])
        #expect(try shale.run(["load"], input: archive).text == "Loaded image: ubuntu:22.04\n")
        #expect(try shale.run(["images", "-q", "--no-trunc", "ubuntu"]).text == id)
        let tree = try shale.run(["export", "ubuntu:22.04"]).output
        let options = ["-c", "CMD [\"cat\",\"/etc/hello\"]", "-m", "by hand", "-", "again:1"]
        let made = try shale.run(["import"] + options, input: tree).text
        #expect(made.hasPrefix("sha256:"))
        #expect(
            try shale.run(["inspect", "-f", "{{json .Config.Cmd}} {{len .RootFS.Layers}}", "again:1"]).text
                == "[\"cat\",\"/etc/hello\"] 1\n")
        #expect(try shale.run(["history", "--format", "{{.CreatedBy}}|{{.Comment}}", "again:1"]).text == "|by hand\n")
    }

    /// Whatever the moment, a killed pull leaves a home that the next one finishes.
    @Test func aKilledPullIsFinishedByTheNext() throws {
        let standIn = try StandIn(size: 6_000_000)
        let shale = standIn.shale()
        // The first start makes the first image; it is not what is tested here.
        try shale.run(["images"])
        for delay in stride(from: UInt32(5_000), to: 200_000, by: 20_000) {
            let child = try shale.start(["pull", "ubuntu:18.04"])
            usleep(delay)
            child.stop(SIGKILL)
        }
        try shale.run(["pull", "-q", "ubuntu:18.04"])
        #expect(try shale.run(["export", "ubuntu:18.04"]).output.count > 6_000_000)
        let leftovers = try FileManager.default.contentsOfDirectory(atPath: shale.home + "/ingest")
        #expect(leftovers.isEmpty)
        let raw = try Peers.skopeo.run([
            "inspect", "--raw", "docker://\(standIn.server.host)/library/ubuntu:18.04", "--tls-verify=false",
        ])
        #expect(FileManager.default.fileExists(atPath: shale.home + "/blobs/sha256/\(Digest.of(raw.output).hex)"))
    }
}
