import Basics
import FoundationEssentials
import OCI
import Registries
import Stores
import TestSupport
import Testing

@testable import Images

@Suite(.enabled(if: RegistryServer.isPresent && Peers.skopeo.isPresent, "needs docker-registry and skopeo"))
struct ManifestListTests {
    /// A registry with one image a processor, under `team/app:ARCHITECTURE`.
    private static func server() throws -> RegistryServer {
        let server = try RegistryServer()
        for architecture in ["amd64", "arm64"] {
            let archive = server.folder.path + "/\(architecture).tar"
            try SmallImage.writeDockerArchive(archive, layers: [[.init("etc/arch", architecture)]])
            try server.fill("docker-archive:\(archive)", as: "team/app:\(architecture)", options: ["--format", "oci"])
        }
        return server
    }

    private static func members(_ server: RegistryServer) throws -> [Reference] {
        try ["amd64", "arm64"].map { try Reference(parsing: "\(server.host)/team/app:\($0)") }
    }

    @Test(.enabled(if: Peers.docker.isPresent, "docker is not installed"))
    func theIndexIsDockersByteByByte() throws {
        let server = try Self.server()
        let fixture = try ImageFixture()
        let members = try Self.members(server)
        let list = try Reference(parsing: "\(server.host)/team/app:ours")
        try fixture.images.createManifestList(list, of: members, amending: false, RecordedOperation().context)
        for member in members {
            try fixture.images.annotateManifestList(
                list, member: member,
                PlatformChange(architecture: member.tag, os: "linux", osFeatures: ["a", "b", "a"]))
        }
        let talk = RecordedOperation()
        let digest = try fixture.images.pushManifestList(list, talk.context)
        #expect(talk.lines.isEmpty, "all of it was there")

        let theirs = "\(server.host)/team/app:theirs"
        let folder = ["DOCKER_CONFIG": fixture.folder.path + "/docker"]
        let names = members.map(\.description)
        try Peers.docker.run(["manifest", "create", "--insecure", theirs] + names, environment: folder)
        for (name, member) in zip(names, members) {
            let platform = ["--arch", member.tag ?? "", "--os", "linux", "--os-features", "a,b"]
            try Peers.docker.run(["manifest", "annotate"] + platform + [theirs, name], environment: folder)
        }
        let said = try Peers.docker.run(["manifest", "push", "--insecure", theirs], environment: folder)
        #expect(said.text.hasSuffix("\(digest)\n"))
        let platform = try Platform(parsing: "linux/amd64")
        #expect(try fixture.images.pull(list, platform: platform, RecordedOperation().context).digest == digest)
    }

    @Test func imagesOfOtherRepositoriesAndOfTheHomeAreSent() throws {
        let (server, other) = (try Self.server(), try RegistryServer())
        let fixture = try ImageFixture()
        let members = try Self.members(server)
        let pulled = try fixture.images.pull(members[0], platform: nil, RecordedOperation().context).image
        let own = try Reference(parsing: "\(other.host)/mine/amd64:1")
        _ = try fixture.images.tag(pulled.id.description, as: own)
        let list = try Reference(parsing: "\(other.host)/mine/app:1")
        try fixture.images.createManifestList(
            list, of: [own, members[1]], amending: false, RecordedOperation().context)
        for (member, architecture) in [(own, "amd64"), (members[1], "arm64")] {
            try fixture.images.annotateManifestList(
                list, member: member, PlatformChange(architecture: architecture, os: "linux"))
        }
        let talk = RecordedOperation()
        let digest = try fixture.images.pushManifestList(list, talk.context)
        #expect(talk.lines.filter { $0.hasPrefix("Pushed ref \(other.host)/mine/app@sha256:") }.count == 2)
        for architecture in ["amd64", "arm64"] {
            let there = try ImageFixture()
            let platform = try Platform(parsing: "linux/\(architecture)")
            // The small image's own config names one processor; the index decides.
            let remote = try there.images.remoteImage(list, platform: nil, RecordedOperation().context)
            #expect(remote.resolved.digest == digest)
            let entry = try there.images.listedManifests(of: list, RecordedOperation().context).members
                .first { $0.descriptor.platform == platform }
            let name = list.repository.with(digest: try #require(entry?.descriptor.digest))
            let image = try there.images.pull(name, platform: nil, RecordedOperation().context).image
            #expect(try there.text("/etc/arch", in: image) == architecture)
        }
        let again = RecordedOperation()
        #expect(try fixture.images.pushManifestList(list, again.context) == digest)
        #expect(!again.states().contains("Pushed"))
    }

    @Test func whatIsWrongIsSaidInDockersWordsAndChangesNothing() throws {
        let server = try Self.server()
        let fixture = try ImageFixture()
        let images = fixture.images
        let members = try Self.members(server)
        let (list, none) = (members[0].with(tag: "list"), members[0].with(tag: "none"))
        func message(_ body: () throws -> Void) -> String? {
            #expect(throws: ShaleError.self, performing: body)?.message
        }
        let make = { (name: Reference, of: [Reference], amending: Bool) in
            try images.createManifestList(name, of: of, amending: amending, RecordedOperation().context)
        }
        #expect(message { try make(list, [none], false) } == "no such manifest: \(none.familiar)")
        #expect(try images.manifestList(list) == nil)
        try make(list, members, false)
        #expect(
            message { try make(list, members, false) }
                == "refusing to amend an existing manifest list with no --amend flag")
        try make(list, [members[0]], true)
        #expect(try images.manifestList(list)?.members.count == 2)
        #expect(
            message { try images.annotateManifestList(list, member: none, PlatformChange()) }
                == "manifest for image \(none.familiar) does not exist in \(list.familiar)")
        #expect(
            message { try images.annotateManifestList(list, member: members[0], PlatformChange(architecture: "z80")) }
                == "manifest entry for image has unsupported os/arch combination: linux/z80")
        #expect(
            message { _ = try images.pushManifestList(none, RecordedOperation().context) }
                == "No such manifest: \(none.familiar)")
        _ = try images.pushManifestList(list, RecordedOperation().context)
        #expect(message { try make(none, [list], false) } == "\(list.familiar) is a manifest list")
        try images.removeManifestList(list)
        #expect(message { try images.removeManifestList(list) } == "No such manifest: \(list.familiar)")
        #expect(try images.listedManifests(of: list, RecordedOperation().context).isIndex)
    }
}
