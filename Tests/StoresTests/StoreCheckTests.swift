import Basics
import FoundationEssentials
import Glibc
import Linux
import OCI
import Stores
import TestSupport
import Testing

@Suite struct StoreCheckTests {
    let fixture: Fixture
    let image: Image
    var store: Store { fixture.store }

    init() throws {
        fixture = try Fixture()
        image = try fixture.image(["a", "b"], names: ["app", "web"])
        _ = try fixture.container(of: image, name: "box")
        store.close()
    }

    /// What a test does to the store, what is found, and whether repair makes it whole.
    struct Damage: Sendable, CustomStringConvertible {
        var description: String
        var isMended = true
        var found: String
        var harm: @Sendable (Fixture, Image) throws -> Void
    }

    static let damages: [Damage] = [
        Damage(description: "nothing", found: "") { _, _ in },
        Damage(description: "a foreign file among the blobs", found: "not named by a digest") { fixture, _ in
            try fixture.write("x", to: fixture.home + "/blobs/sha256/readme")
        },
        Damage(description: "garbage that hashes wrong", found: "its bytes have the digest") { fixture, _ in
            try fixture.write("x", to: fixture.home + "/blobs/sha256/" + String(repeating: "a", count: 64))
        },
        Damage(description: "a layer's blob changed", isMended: false, found: "app:latest: layer 1") { fixture, image in
            try fixture.write("x", to: fixture.store.blobs.path(image.manifest.layers[0].digest))
        },
        Damage(description: "a layer's blob gone", isMended: false, found: "still runs") { fixture, image in
            unlink(fixture.store.blobs.path(image.manifest.layers[0].digest))
        },
        Damage(description: "the manifest gone", isMended: false, found: "its manifest") { fixture, image in
            unlink(fixture.store.blobs.path(image.manifestDescriptor.digest))
        },
        Damage(description: "the config truncated", isMended: false, found: "its config") { fixture, image in
            truncate(fixture.store.blobs.path(image.id), 10)
        },
        Damage(description: "index.json truncated", found: "index.json is damaged") { fixture, _ in
            truncate(fixture.home + "/index.json", 40)
        },
        Damage(description: "index.json gone", found: "index.json is damaged") { fixture, _ in
            unlink(fixture.home + "/index.json")
        },
        Damage(description: "a wrong note", found: "noted as image") { fixture, _ in
            let path = fixture.home + "/index.json"
            let wrong = "\"dev.shale.image\":\"\(Digest.of("x".utf8))\""
            let text = try fixture.text(of: path)
            try fixture.write(text.replacing(#/"dev.shale.image":"[^"]*"/#, with: wrong), to: path)
        },
        Damage(description: "half a layer", found: "half-made") { fixture, _ in
            mkdir(fixture.home + "/layers/" + String(repeating: "b", count: 64), 0o700)
        },
        Damage(description: "half a container, which is swept", found: "") { fixture, _ in
            mkdir(fixture.home + "/containers/" + String(repeating: "b", count: 64), 0o700)
        },
        Damage(description: "a name without a container, which is swept", found: "") { fixture, _ in
            symlink("nowhere", fixture.home + "/containers/names/ghost")
        },
        Damage(description: "a container without its name", found: "leads elsewhere") { fixture, _ in
            unlink(fixture.home + "/containers/names/box")
        },
        Damage(description: "an unreadable record", isMended: false, found: "not a valid") { fixture, _ in
            let id = try fixture.store.containers.id(of: "box")
            try fixture.write("{\"id\":", to: fixture.store.containers.folder(id).config)
        },
        Damage(description: "oci-layout damaged", found: "oci-layout") { fixture, _ in
            try fixture.write("{", to: fixture.home + "/oci-layout")
        },
    ]

    @Test(arguments: damages)
    func damageIsFoundAndMended(_ damage: Damage) throws {
        #expect(try store.check().isEmpty)
        try damage.harm(fixture, image)
        let store = damage.found == "oci-layout" ? self.store : try fixture.another()
        let found = try store.check()
        #expect(found.isEmpty == damage.found.isEmpty)
        #expect(damage.found.isEmpty || found.contains { $0.what.contains(damage.found) }, "\(found)")
        #expect(found.allSatisfy { !$0.remedy.isEmpty })
        _ = try store.check(repair: true)
        let after = try fixture.another().check()
        #expect(after.isEmpty == damage.isMended, "\(after)")
    }

    @Test func aRebuiltIndexKeepsTheImages() throws {
        truncate(fixture.home + "/index.json", 3)
        _ = try store.check(repair: true)
        #expect(try store.images.find(image.id.short).config == image.config)
        #expect(access(fixture.home + "/index.json.damaged", F_OK) == 0)
    }
}

@Suite struct BusyStoreCheckTests {
    /// Containers come and go meanwhile: a whole store is found whole.
    @Test func whatIsRemovedMeanwhileIsNoDamage() throws {
        let fixture = try Fixture()
        let image = try fixture.image(["a"], names: ["app"])
        let home = fixture.home
        let child = fork()
        if child == 0 {
            guard let store = try? Store(home: home, form: .current) else { _exit(1) }
            while true {
                var record = ContainerRecord(
                    image: image, imageName: "app", config: ContainerConfig(), path: "sh", arguments: [])
                record.name = "busy"
                guard let made = try? store.containers.create(record) else { continue }
                try? store.containers.remove(made.id)
            }
        }
        defer {
            kill(child, SIGKILL)
            var status: Int32 = 0
            waitpid(child, &status, 0)
        }
        let store = try fixture.another()
        for _ in 0..<400 {
            let findings = try store.check()
            #expect(findings.isEmpty, "\(findings)")
            if !findings.isEmpty { break }
        }
    }
}

@Suite struct HostileHomeTests {
    private static let needsRoot: Comment = "mounting a tmpfs needs root"

    @Test(.enabled(if: getuid() == 0, needsRoot)) func aReadOnlyHomeIsLookedAt() throws {
        let directory = TemporaryDirectory()
        let folder = directory.path + "/mount"
        mkdir(folder, 0o755)
        try #require(mount("tmpfs", folder, "tmpfs", 0, "size=1m") == 0)
        defer { umount2(folder, 2) }
        let blob = try Store(home: folder + "/home", form: .current).blobs.put(Array("small".utf8))
        let readOnlyRemount: UInt = 32 | 1
        try #require(mount("tmpfs", folder, "tmpfs", readOnlyRemount, nil) == 0)
        let store = try Store(home: folder + "/home", form: .current)
        #expect(store.isReadOnly)
        #expect(try store.blobs.all() == [blob])
        #expect(try store.names.all().isEmpty && store.containers.all().isEmpty && store.check().isEmpty)
        // Whatever would be written, the words are the same.
        let refusal = "home \(folder)/home: cannot be written: read-only file system"
        #expect(message { _ = try store.blobs.put(Array("other".utf8)) } == refusal)
        #expect(message { try store.names.update { _ in } } == refusal)
        #expect(message { try store.session("default").append("line") } == refusal)
        #expect(code { _ = try Store(home: folder + "/other", form: .current) } == .denied)
    }

    @Test(.enabled(if: getuid() == 0, needsRoot)) func aFullDiskLeavesNothingHalfMade() throws {
        let directory = TemporaryDirectory()
        let folder = directory.path + "/mount"
        mkdir(folder, 0o755)
        try #require(mount("tmpfs", folder, "tmpfs", 0, "size=256k") == 0)
        defer { umount2(folder, 2) }
        let store = try Store(home: folder + "/home", form: .current)
        let small = try store.blobs.put(Array("small".utf8))
        let large = [UInt8](repeating: 7, count: 400 << 10)
        #expect(code { _ = try store.blobs.put(large) } == .noSpace)
        #expect(try store.blobs.all() == [small])
        #expect(try store.check().isEmpty)
        _ = try store.blobs.put([UInt8](repeating: 8, count: 100 << 10))
    }

    @Test func aFileWhereTheHomeShouldBe() throws {
        let directory = TemporaryDirectory()
        try WholeFile.replace(directory.path + "/home", with: [1])
        #expect(
            message { _ = try Store(home: directory.path + "/home", form: .current) }?
                .hasPrefix("home \(directory.path)/home: cannot be written") == true)
    }

    @Test func aLayoutThatAnotherToolMadeIsTakenOver() throws {
        let directory = TemporaryDirectory()
        let home = directory.path + "/home"
        try FileManager.default.createDirectory(atPath: home, withIntermediateDirectories: true)
        try WholeFile.replace(home + "/oci-layout", with: Array("{\"imageLayoutVersion\":\"1.0.0\"}".utf8))
        try WholeFile.replace(home + "/index.json", with: Array("{\"schemaVersion\":2,\"manifests\":[]}".utf8))
        let store = try Store(home: home, form: .current)
        #expect(!store.isNew)
        #expect(try store.images.all().isEmpty)
        #expect(try store.check().isEmpty)
    }

    /// Processes that are killed at any moment leave a store that opens, and that check finds whole.
    @Test func killedProcessesLeaveAWholeStore() throws {
        let fixture = try Fixture()
        let home = fixture.home
        var seen = 0
        for round in 0..<12 {
            let child = fork()
            if child == 0 {
                work(in: home, round)
                _exit(0)
            }
            usleep(UInt32.random(in: 10_000...90_000))
            kill(child, SIGKILL)
            var status: Int32 = 0
            waitpid(child, &status, 0)
            let store = try fixture.another()
            seen += try store.blobs.all().count
            let collected = try store.collect()
            let findings = try store.check()
            #expect(findings.isEmpty, "round \(round), collected \(collected.blobs), found \(findings)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: home).allSatisfy { !$0.hasSuffix("~") })
        }
        #expect(seen > 0, "the processes did nothing worth killing")
    }
}

/// What the processes to be killed do: everything that writes.
private func work(in home: String, _ round: Int) {
    guard let store = try? Store(home: home, form: .current) else { return }
    for number in 0..<1000 {
        let bytes = Array("layer \(round) \(number)".utf8)
        guard let digest = try? store.blobs.put(bytes), let staging = try? store.layers.beginUnpack() else { return }
        mkdir(staging.fsPath + "/folder", 0o755)
        try? store.layers.commit(staging, diffID: digest, index: bytes, size: LayerSize(tar: 1, content: 1))
        var config = ImageConfig()
        config.rootfs.diffIDs = [digest]
        let layer = Descriptor(mediaType: MediaType.ociLayer, digest: digest, size: Int64(bytes.count))
        let names = [try? Reference(parsing: "app:\(number % 3)")].compactMap(\.self)
        guard let image = try? store.images.add(config: config, layers: [layer], references: names) else { return }
        let record = ContainerRecord(
            image: image, imageName: "app", config: ContainerConfig(), path: "sh", arguments: [])
        guard let made = try? store.containers.create(record) else { return }
        if number % 5 == 0 { try? store.containers.rename(made.id, to: "name\(round).\(number)") }
        if number % 2 == 0 { try? store.containers.remove(made.id) }
        if number % 3 == 0 { _ = try? store.removeImage(image.id.description, uses: [], force: true) }
    }
}
