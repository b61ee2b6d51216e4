import Basics
import Glibc
import OCI
import Stores
import TestSupport
import Testing

@Suite struct VolumeStoreTests {
    let fixture: Fixture
    let image: Image
    var volumes: VolumeStore { fixture.store.volumes }

    init() throws {
        fixture = try Fixture()
        image = try fixture.image(["a"], names: ["app"])
    }

    private func container(with volume: String) throws -> ContainerRecord {
        var record = ContainerRecord(
            image: image, imageName: "app", config: image.containerConfig, path: "sh", arguments: [])
        record.host.mounts = [
            MountRecord(
                type: "volume", source: volumes.folder(volume) + "/_data", destination: "/d", readOnly: false,
                name: volume, options: nil)
        ]
        return try fixture.store.containers.create(record)
    }

    @Test func whatIsMadeIsListedAndStays() throws {
        #expect(try volumes.all().isEmpty)
        try volumes.create("vb", labels: ["of": "db"])
        try volumes.create("va", labels: [:])
        // As docker: the one that is there is kept, labels too.
        try volumes.create("vb", labels: ["of": "other"])
        #expect(try volumes.all().map(\.name) == ["va", "vb"])
        #expect(try volumes.find("vb").labels == ["of": "db"])
        try volumes.remove("va")
        #expect(try volumes.all().map(\.name) == ["vb"])
        #expect(access(volumes.folder("va"), F_OK) == -1)
    }

    @Test(arguments: ["a", "x/y", ".hidden", "..", "-v", "", "a b"]) func otherNamesAreRefused(name: String) throws {
        #expect(message { try volumes.create(name, labels: [:]) }?.hasPrefix("create \(name): ") == true)
        for said in [message { try volumes.remove(name) }, message { _ = try volumes.find(name) }] {
            #expect(said == "get \(name): no such volume")
        }
    }

    @Test func oneInUseIsRefusedInDockersWords() throws {
        try volumes.create("data", labels: [:])
        let (first, second) = (try container(with: "data"), try container(with: "data"))
        #expect(Set(try volumes.find("data").users) == [first.id, second.id])
        let said = message { try volumes.remove("data") } ?? ""
        #expect(said.hasPrefix("remove data: volume is in use - [") && said.contains(first.id), "\(said)")
        for record in [first, second] { try fixture.store.containers.remove(record.id) }
        try volumes.remove("data")
    }

    @Test func aContainerIsNotMadeWithAVolumeThatIsGone() throws {
        try volumes.create("data", labels: [:])
        try volumes.remove("data")
        #expect(message { _ = try container(with: "data") } == "get data: no such volume")
        #expect(try fixture.store.containers.all().isEmpty)
    }
}
