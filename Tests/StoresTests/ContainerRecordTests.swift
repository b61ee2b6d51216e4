import Basics
import FoundationEssentials
import OCI
import Testing

@testable import Stores

@Suite("records of containers") struct ContainerRecordTests {
    private func record() throws -> ContainerRecord {
        let digest = Digest.of([1])
        return ContainerRecord(
            id: String(repeating: "a", count: 64), name: "old", created: .epoch, image: digest,
            manifest: Descriptor(mediaType: MediaType.ociManifest, digest: digest, size: 1), imageName: "busybox",
            config: ContainerConfig(), path: "sh", arguments: [])
    }

    /// A container of an older shale starts as it did: what that shale kept in lists beside the host's part is there.
    @Test func oneOfAnOlderShale() throws {
        var made = try record()
        made.host.dns = ["9.9.9.9"]
        let bytes = Array(try OCIDocument.encode(made))
        guard case .object(var members) = try JSONDocument(parsing: bytes, naming: "record"),
            let place = members.firstIndex(where: { $0.key == "host" }), case .object(let host) = members[place].value
        else {
            Issue.record("a record is no object")
            return
        }
        let newer: Set<String> = ["dnsSearch", "dnsOptions", "sysctls", "logOptions", "logDriver"]
        members[place].value = .object(host.filter { !newer.contains($0.key) })
        members.append(
            .init(
                "notes",
                .members([
                    "dnsSearch": "a.test\nb.test", "sysctls": "net.core.somaxconn=9", "logDriver": "none",
                ])))
        let read = try ContainerRecord(reading: Array(JSONDocument.object(members).text().utf8), id: made.id)
        made.host.dnsSearch = ["a.test", "b.test"]
        made.host.sysctls = ["net.core.somaxconn=9"]
        made.host.logDriver = "none"
        #expect(read == made)
    }

    @Test(arguments: ["", "{", "{}", "[]", #"{"host":[]}"#, #"{"host":{},"notes":7}"#])
    func whatIsNone(_ text: String) {
        #expect(throws: ShaleError.self) { try ContainerRecord(reading: Array(text.utf8), id: "x") }
    }
}
