import Basics
import FoundationEssentials
import Glibc
import Linux
import OCI
import RunnerProtocol
import TestSupport
import Testing

@testable import Stores

/// What the disk does not give is not taken for missing: nothing that it needs is removed.
struct UnreadableTests {
    let fixture: Fixture
    let image: Image
    var store: Store { fixture.store }

    init() throws {
        fixture = try Fixture()
        image = try fixture.image(["a"], names: ["app"])
    }

    /// Makes every read of a path fail with `EIO`, as a bad disk does: nothing is mapped at address 0 of a process.
    private func breakDisk(at path: String) throws {
        unlink(path)
        #expect(symlink("/proc/self/mem", path) == 0)
    }

    private func container(with volume: String) throws -> ContainerRecord {
        var record = ContainerRecord(
            image: image, imageName: "app", config: image.containerConfig, path: "sh", arguments: [])
        record.host.mounts = [
            MountRecord(
                type: "volume", source: store.volumes.folder(volume) + "/_data", destination: "/d", readOnly: false,
                name: volume, options: nil)
        ]
        return try store.containers.create(record)
    }

    @Test(arguments: [true, false]) func aVolumeOfAContainerThatCannotBeReadStays(_ isDamaged: Bool) throws {
        try store.volumes.create("data", labels: [:])
        let record = try container(with: "data")
        let config = store.containers.folder(record.id).config
        if isDamaged { try fixture.write("{\"id", to: config) } else { try breakDisk(at: config) }
        #expect(throws: ShaleError.self) { try store.volumes.remove("data") }
        #expect(throws: ShaleError.self) { try store.volumes.all() }
        #expect(access(store.volumes.folder("data"), F_OK) == 0)
        var told: [ShaleError] = []
        #expect(try store.containers.readable { told.append($0) }.isEmpty)
        #expect(told.map(\.hint) == [isDamaged ? "rm -f \(Identifier.short(record.id))" : nil])
        try store.containers.remove(record.id)
        try store.volumes.remove("data")
    }

    @Test func labelsThatCannotBeReadAreNotNone() throws {
        try store.volumes.create("data", labels: ["keep": "yes"])
        try breakDisk(at: store.volumes.folder("data") + "/labels.json")
        #expect(throws: ShaleError.self) { try store.volumes.all() }
    }

    @Test func aContainerInTheTrashThatCannotBeReadKeepsItsImage() throws {
        let record = try fixture.container(of: image, name: "cc")
        let session = try store.session("default")
        try session.addRoots(SessionRoots(containers: [record.id]))
        try store.containers.moveToTrash(record.id)
        #expect(try store.containers.trashRecord(record.id)?.name == "cc")
        try breakDisk(at: store.containers.trashFolder(record.id).config)
        #expect(throws: ShaleError.self) { try store.containers.trashRecord(record.id) }
        #expect(throws: ShaleError.self) {
            try Reachability.of(store, table: ImageTable(), sessions: store.sessionRoots())
        }
        #expect(try store.containers.trashRecord("0") == nil)
    }

    @Test func anImageThatCannotBeReadIsNotGone() throws {
        let manifest = try store.blobs.bytes(image.manifestDescriptor.digest)
        #expect(try store.images.imageIfHere(image.id)?.id == image.id)
        #expect(try store.images.imageIfHere(Digest.of([1])) == nil)
        #expect(try store.images.imageIfHere(nil) == nil)
        try breakDisk(at: "\(fixture.home)/blobs/sha256/\(image.manifestDescriptor.digest.hex)")
        let other = try fixture.another()
        #expect(throws: ShaleError.self) { try other.images.imageIfHere(image.id) }
        #expect(!manifest.isEmpty)
    }

    // MARK: What sessions keep

    @Test func aDamagedRootIsNotPassedOver() throws {
        let session = try store.session("default")
        try session.addRoots(SessionRoots(digests: [image.id]))
        let whole = try fixture.text(of: session.rootsFile)
        // A line that a kill cut short was never acknowledged.
        for cut in ["s", "sha256:ab", "sha256:", "container 01", "cont"] {
            try fixture.write(whole + cut, to: session.rootsFile)
            #expect(try session.roots().digests == [image.id], "\(cut)")
            try session.addRoots(SessionRoots(digests: [Digest.of(cut.utf8)]))
            #expect(try session.roots().digests == [image.id, Digest.of(cut.utf8)])
        }
        try fixture.write(whole.replacing("sha256:", with: "sha2?6:") + whole, to: session.rootsFile)
        let error = #expect(throws: ShaleError.self) { try session.roots() }
        #expect(error?.code == .corrupt && error?.hint == "system check --repair")
        #expect(throws: ShaleError.self) { try store.sessionRoots() }
        let found = try store.check(repair: true)
        #expect(found.contains { $0.what.contains("1 damaged lines in the list of what it keeps") }, "\(found)")
        #expect(try session.roots().digests == [image.id])
        #expect(try store.check().isEmpty)
    }

    // MARK: Layers and the boot

    @Test func withoutABootIDNoLayerIsMarkedOrThrownAway() throws {
        let digest = Digest.of("layer".utf8)
        let mark = "\(fixture.home)/layers/\(digest.hex)/unsettled"
        let sign = fixture.home + "/layers.unsettled"
        try fixture.unpack(digest, "text")
        let paths = store.paths
        let syncing = LayerSyncing(
            paths: paths, lock: StoreLock(path: paths.lock, unwritable: nil), bootFile: fixture.home + "/none")
        try fixture.write("an earlier boot", to: mark)
        try fixture.write("an earlier boot", to: sign)
        syncing.syncIfDue(store.ingest)
        #expect(store.layers.has(digest, on: nil))
        #expect(access(mark, F_OK) == 0 && access(sign, F_OK) == 0)
        let staging = fixture.directory.path + "/staging"
        mkdir(staging, 0o700)
        try syncing.mark(staging)
        #expect(access(staging + "/unsettled", F_OK) != 0)
    }

    @Test func aMarkThatCannotBeReadStaysForTheNextTime() throws {
        let digest = Digest.of("layer".utf8)
        try fixture.unpack(digest, "text")
        let sign = fixture.home + "/layers.unsettled"
        try fixture.write("an earlier boot", to: sign)
        try breakDisk(at: "\(fixture.home)/layers/\(digest.hex)/unsettled")
        store.layers.syncing.syncIfDue(store.ingest)
        #expect(access(sign, F_OK) == 0)
    }

    // MARK: Lines that were cut off

    @Test func notesOfALaterVersionStay() throws {
        let stamp = LineStamp(
            LineUnderWay(session: "s", line: "tag a b", directory: nil, time: .epoch), token: "t", process: "1-1")
        let own = StampedChanges(stamp, TableChanges())
        for (text, isUnread) in [("[{\"later\":true}]", false), ("not a list", true)] {
            var index = ImageTable().index
            index.annotations = ["dev.shale.stamped": text]
            var table = ImageTable(index)
            #expect(table.stamped.isEmpty)
            try table.setStamped([own])
            #expect(table.stamped == [own])
            try table.setStamped([])
            #expect(table.index.annotations?.values.contains(text) == true, "\(table.index.annotations ?? [:])")
            #expect((table.index.annotations?["dev.shale.stamped.unread"] != nil) == isUnread)
        }
    }
}
