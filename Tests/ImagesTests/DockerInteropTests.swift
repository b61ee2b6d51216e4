import Basics
import FoundationEssentials
import Layers
import OCI
import Stores
import TestSupport
import Testing

@testable import Images

@Suite(.enabled(if: DockerDaemon.isPossible, Comment(rawValue: DockerDaemon.impossible)))
struct DockerInteropTests {
    /// Members that tell of docker's own disk or clock.
    static let ownToDocker: Set<String> = ["GraphDriver", "Metadata", "Container", "ContainerConfig", "VirtualSize"]

    @Test func dockerAndShaleReadEachOthersArchives() throws {
        let daemon = try DockerDaemon()
        let fixture = try SaveLoadTests.filled(tag: "small:1")
        let image = try fixture.images.image(named: "small:1")
        for format in ArchiveFormat.allCases where format != .oci {
            let archive = try fixture.saved(["small:1"], format: format)
            let output = try daemon.docker(["load"], input: archive)
            #expect(output.text == "Loaded image: small:1\n", "\(format)")
            let id = try daemon.docker(["inspect", "-f", "{{.Id}}", "small:1"]).text
            #expect(id == "\(image.id)\n")
            if format == .docker { break }
            try daemon.docker(["rmi", "-f", "small:1"])
        }
        let document = try JSONDocument(
            parsing: daemon.docker(["inspect", "small:1"]).output, naming: "docker's inspect")
        compare(try fixture.images.document(of: image), with: document.array?.first ?? .null)
        let other = try ImageFixture()
        let loaded = try other.load(try daemon.docker(["save", "small:1"]).output)
        #expect(loaded.first?.image.id == image.id)
        #expect(try loaded.first.flatMap { try other.text("/etc/hello", in: $0.image) } == "hello\n")
    }

    @Test func dockerPullsWhatWasPushed() throws {
        let daemon = try DockerDaemon()
        let server = try RegistryServer()
        let fixture = try SaveLoadTests.filled(tag: "small:1")
        let image = try fixture.images.image(named: "small:1")
        // Debian's dockerd is older than docker's reading of zstd.
        for text in ["gzip", "gzip:9"] {
            let name = try Reference(parsing: "\(server.host)/team/small:\(text.split(separator: ":").joined())")
            _ = try fixture.images.tag("small:1", as: name)
            let pushed = try fixture.images.push(
                name, packing: Packing(parsing: text), RecordedOperation().context)
            let output = try daemon.docker(["pull", name.description])
            #expect(output.text.contains("Digest: \(pushed.manifest.digest)\n"), "\(text)")
            #expect(try daemon.docker(["inspect", "-f", "{{.Id}}", name.description]).text == "\(image.id)\n")
            try daemon.docker(["rmi", "-f", "\(image.id)"])
        }
    }

    private func compare(_ ours: JSONDocument, with theirs: JSONDocument) {
        guard case .object(let members) = theirs else {
            Issue.record("docker's document is no object")
            return
        }
        for member in members where !Self.ownToDocker.contains(member.key) {
            #expect(ours[member.key] == member.value, "\(member.key)")
        }
        let order = members.map(\.key).filter { !Self.ownToDocker.contains($0) }
        guard case .object(let own) = ours else {
            Issue.record("the document is no object")
            return
        }
        #expect(own.map(\.key).filter { !Self.ownToDocker.contains($0) } == order)
    }
}
