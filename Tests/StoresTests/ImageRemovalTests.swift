import Basics
import Glibc
import OCI
import Stores
import TestSupport
import Testing

/// Docker's rules for `rmi`, decided on tables without a store.
@Suite struct ImageRemovalPlanTests {
    private static let base = Digest.of("base".utf8)
    private static let child = Digest.of("child".utf8)
    private static let busy = "0123456789ab" + String(repeating: "0", count: 52)

    private struct Case: Sendable, CustomStringConvertible {
        var what: String
        var argument: String
        var entries: [(name: String?, image: Digest, parent: Digest?, digests: [String])]
        var running: Bool?
        var user: Digest = base
        var force = false
        var expected: String

        var description: String { what }
    }

    private static let pinned = "app@sha256:" + String(repeating: "a", count: 64)
    private static let other = "other@sha256:" + String(repeating: "a", count: 64)

    private static let cases: [Case] = [
        Case(
            what: "the only name takes the image with it", argument: "app",
            entries: [("app:latest", base, nil, [])], expected: "untag app:latest, delete base"),
        Case(
            what: "one of two names is only taken away", argument: "app:1",
            entries: [("app:1", base, nil, []), ("app:2", base, nil, [])], expected: "untag app:1"),
        Case(
            what: "the last tag of a repository takes its digests along", argument: "app:1",
            entries: [("app:1", base, nil, [pinned])], expected: "untag app:1, untag \(pinned), delete base"),
        Case(
            what: "a digest of another repository keeps the image", argument: "app:1",
            entries: [("app:1", base, nil, [pinned, other])], expected: "untag app:1, untag \(pinned)"),
        Case(
            what: "an id with one name", argument: base.short, entries: [("app:1", base, nil, [pinned])],
            expected: "untag app:1, untag \(pinned), delete base"),
        Case(
            what: "an id with two names must be forced", argument: base.hex,
            entries: [("app:1", base, nil, []), ("web:1", base, nil, [])],
            expected: "conflict: unable to delete \(base.short) (must be forced) - "
                + "image is referenced in multiple repositories"),
        Case(
            what: "an id with two names, forced", argument: base.short,
            entries: [("app:1", base, nil, []), ("web:1", base, nil, [])], force: true,
            expected: "untag app:1, untag web:1, delete base"),
        Case(
            what: "an image without names by id", argument: base.short, entries: [(nil, base, nil, [])],
            expected: "delete base"),
        Case(
            what: "a name that a stopped container uses", argument: "app", entries: [("app:latest", base, nil, [])],
            running: false,
            expected: "conflict: unable to remove repository reference \"app\" (must force) - container 0123456789ab "
                + "is using its referenced image \(base.short)"),
        Case(
            what: "the same, forced", argument: "app", entries: [("app:latest", base, nil, [])], running: false,
            force: true, expected: "untag app:latest, delete base"),
        Case(
            what: "a name that a running container uses, forced, is only taken away", argument: "app",
            entries: [("app:latest", base, nil, [])], running: true, force: true, expected: "untag app:latest"),
        Case(
            what: "one of two names of a used image", argument: "app:1",
            entries: [("app:1", base, nil, []), ("app:2", base, nil, [])], running: true, expected: "untag app:1"),
        Case(
            what: "an id that a stopped container uses", argument: base.short, entries: [("app:1", base, nil, [])],
            running: false,
            expected: "conflict: unable to delete \(base.short) (must be forced) - "
                + "image is being used by stopped container 0123456789ab"),
        Case(
            what: "an id that a running container uses cannot be forced", argument: base.short,
            entries: [("app:1", base, nil, [])], running: true, force: true,
            expected: "conflict: unable to delete \(base.short) (cannot be forced) - "
                + "image is being used by running container 0123456789ab"),
        Case(
            what: "an id with children cannot be forced", argument: base.short,
            entries: [("app:1", base, nil, []), ("web:1", child, base, [])], force: true,
            expected: "conflict: unable to delete \(base.short) (cannot be forced) - "
                + "image has dependent child images"),
        Case(
            what: "a name of an image with children is only taken away", argument: "app:1",
            entries: [("app:1", base, nil, []), ("web:1", child, base, [])], expected: "untag app:1"),
        Case(
            what: "nameless parents go with the last child", argument: "web:1",
            entries: [(nil, base, nil, []), ("web:1", child, base, [])],
            expected: "untag web:1, delete child, delete base"),
        Case(
            what: "parents with a name stay", argument: "web:1",
            entries: [("app:1", base, nil, []), ("web:1", child, base, [])], expected: "untag web:1, delete child"),
        Case(
            what: "nameless parents that a container uses stay", argument: "web:1",
            entries: [(nil, base, nil, []), ("web:1", child, base, [])], running: false,
            expected: "untag web:1, delete child"),
        Case(
            what: "a pinned name", argument: pinned, entries: [("app:1", base, nil, [pinned])],
            expected: "untag \(pinned)"),
        Case(
            what: "an unknown name", argument: "nope", entries: [("app:1", base, nil, [])],
            expected: "No such image: nope:latest"),
    ]

    @Test(arguments: cases)
    private func decidesAsDocker(_ row: Case) throws {
        let entries = try row.entries.map { entry in
            ImageEntry(
                manifest: Descriptor(mediaType: MediaType.ociManifest, digest: entry.image, size: 1),
                name: try entry.name.map { try Reference(parsing: $0) }, image: entry.image,
                repoDigests: try entry.digests.map { try Reference(parsing: $0) }, parent: entry.parent)
        }
        let uses = row.running.map { [ImageUse(container: Self.busy, image: row.user, isRunning: $0)] } ?? []
        let table = ImageTable(entries: entries)
        let answer: String
        do {
            let plan = try ImageRemoval.plan(row.argument, in: table, uses: uses, force: row.force)
            answer = plan.steps.map { step in
                switch step {
                case .untag(let reference): "untag \(reference.familiar)"
                case .delete(let id): "delete \(id == Self.base ? "base" : "child")"
                case .deleteIndex(let id): "delete index \(id.short)"
                }
            }.joined(separator: ", ")
        } catch {
            answer = error.description
        }
        #expect(answer == row.expected)
    }

    @Test func pruneTakesChainsOfNamelessImages() throws {
        let ids = ["a", "b", "c", "d"].map { Digest.of($0.utf8) }
        func entry(_ position: Int, _ name: String?, _ parent: Int?) throws -> ImageEntry {
            ImageEntry(
                manifest: Descriptor(mediaType: MediaType.ociManifest, digest: ids[position], size: 1),
                name: try name.map { try Reference(parsing: $0) }, image: ids[position], parent: parent.map { ids[$0] })
        }
        let table = ImageTable(entries: [
            try entry(0, nil, nil), try entry(1, nil, 0), try entry(2, "kept", nil), try entry(3, nil, nil),
        ])
        let uses = [ImageUse(container: Self.busy, image: ids[3], isRunning: false)]
        #expect(ImageRemoval.planPrune(in: table, uses: uses).steps == [.delete(ids[1]), .delete(ids[0])])
        #expect(ImageRemoval.planPrune(in: table, uses: []).steps.count == 3)
        #expect(
            ImageRemoval.planPrune(in: table, uses: uses, all: true).steps.contains(
                .untag(try Reference(parsing: "kept:latest"))))
    }
}

@Suite struct CollectionTests {
    let fixture: Fixture
    var store: Store { fixture.store }

    init() throws { fixture = try Fixture() }

    @Test func removingFreesWhatNothingElseNeeds() throws {
        let one = try fixture.image(["shared", "one"], names: ["one"])
        let two = try fixture.image(["shared", "two"], names: ["two"])
        let removed = try store.removeImage("one", uses: [])
        let chain = try #require(Digest.chainID(one.config.rootfs.diffIDs))
        #expect(
            removed.lines.map(\.description) == ["Untagged: one:latest", "Deleted: \(one.id)", "Deleted: \(chain)"])
        #expect(removed.collected.layers == [one.config.rootfs.diffIDs[1]])
        #expect(removed.collected.blobs.count == 3)
        #expect(store.layers.missing(for: two.config).isEmpty)
        #expect(try store.check().isEmpty)
        #expect(code { try store.images.restore(removed.entries) } == .conflict)
        #expect(try store.collect() == Collected())
    }

    @Test func aDryRunTellsAndTouchesNothing() throws {
        try fixture.image(["a"], names: ["app"])
        let told = try store.removeImages(dryRun: true) { table throws(ShaleError) in
            try ImageRemoval.plan("app", in: table, uses: [])
        }
        #expect(try store.images.find("app").references.count == 1)
        let done = try store.removeImage("app", uses: [])
        #expect(told == done)
        #expect(done.collected.bytes > 0)
        #expect(try store.blobs.all().isEmpty)
    }

    @Test func containersKeepTheirImagesContent() throws {
        let image = try fixture.image(["a"], names: ["app"])
        let container = try fixture.container(of: image, name: "web")
        let uses = try store.imageUses()
        #expect(uses == [ImageUse(container: container.id, image: image.id, isRunning: false)])
        #expect(code { _ = try store.removeImage("app", uses: uses) } == .conflict)
        let removed = try store.removeImage("app", uses: uses, force: true)
        #expect(removed.collected == Collected())
        #expect(try store.collect() == Collected())
        #expect(try store.images.image(manifest: container.manifest).config == image.config)
        #expect(store.layers.missing(for: image.config).isEmpty)
        try store.containers.remove(container.id)
        #expect(try store.collect().layers.count == 1)
    }

    @Test(arguments: ["manifest", "image id"])
    func sessionsKeepWhatUndoNeeds(_ kind: String) throws {
        let image = try fixture.image(["a"], names: ["app"])
        let session = try store.session("work")
        try session.addRoots(
            SessionRoots(digests: [kind == "manifest" ? image.manifestDescriptor.digest : image.id]))
        let removed = try store.removeImage("app", uses: [])
        #expect(removed.lines.count >= 2)
        #expect(try store.collect() == Collected())
        try store.images.restore(removed.entries)
        #expect(try store.images.find("app").id == image.id)
        #expect(store.layers.missing(for: image.config).isEmpty)
        try session.setRoots(SessionRoots())
        _ = try store.removeImage("app", uses: [])
        _ = try store.collect()
        #expect(try store.blobs.all().isEmpty)
    }

    @Test func whatAnotherShaleIsPullingStays() throws {
        let other = try fixture.another()
        let digest = try other.blobs.put(Array("layer".utf8))
        #expect(try store.collect().blobs.isEmpty)
        other.close()
        #expect(try store.collect().blobs == [digest])
    }

    @Test func aDamagedDocumentStopsCollection() throws {
        let image = try fixture.image(["a"], names: ["app"])
        try fixture.write("{}", to: store.blobs.path(image.manifestDescriptor.digest))
        #expect(code { _ = try store.collect() } == .corrupt)
        #expect(store.blobs.contains(image.manifest.layers[0].digest))
    }

    @Test func usageTellsSharedFromUnique() throws {
        try fixture.image(["shared", "one"], names: ["one"])
        let two = try fixture.image(["shared", "second"], names: ["two"], created: 2000)
        let container = try fixture.container(of: two)
        try fixture.write("12345", to: store.containers.folder(container.id).upper + "/x")
        let usage = try store.diskUsage()
        #expect(usage.images.map(\.shared) == [6, 6])
        #expect(usage.images.map(\.unique) == [6, 3])
        #expect(usage.images.map(\.containers) == [1, 0])
        #expect(usage.unpacked == 15)
        #expect(usage.reclaimable == 3)
        #expect(usage.containers.map(\.bytes) == [5])
    }
}
