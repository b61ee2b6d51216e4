import Basics
import Glibc
import Linux
import OCI
import Synchronization
import TestSupport
import Testing

@testable import Stores

/// What one shale makes or uses, another does not collect.
@Suite struct LeaseTests {
    private let fixture: Fixture
    private let store: Store
    private let other: Store

    init() throws {
        fixture = try Fixture()
        store = fixture.store
        other = try fixture.another()
    }

    @Test(arguments: [
        Leasable.digest(.of("a".utf8)), .container(String(repeating: "f", count: 64)), .volume("data"),
    ])
    func aLeaseKeepsAThingUntilItsLastHolderLetsGo(_ thing: Leasable) throws {
        let exclusion = try store.exclusion()
        #expect(exclusion.take(thing) && !exclusion.isLeased(thing))
        exclusion.give(thing)
        let third = try fixture.another()
        try other.leases.hold([thing])
        try third.leases.hold([thing])
        #expect(!exclusion.take(thing))
        other.leases.release([thing])
        #expect(!exclusion.take(thing))
        third.close()
        #expect(exclusion.take(thing))
    }

    @Test func aProcessIsKeptByItsOwnLeasesToo() throws {
        let thing = Leasable.volume("own")
        try store.leases.hold([thing])
        #expect(try store.exclusion().isLeased(thing))
        store.leases.drop([thing])
        #expect(try !store.exclusion().isLeased(thing))
    }

    @Test func aUseKeepsAllToItsEnd() throws {
        let thing = Leasable.volume("used")
        var outer: LeaseUse? = other.leases.beginUse()
        var inner: LeaseUse? = other.leases.beginUse()
        try other.leases.hold([thing])
        other.leases.release([thing])
        withExtendedLifetime(inner) {}
        inner = nil
        #expect(try store.exclusion().isLeased(thing))
        withExtendedLifetime(outer) {}
        outer = nil
        #expect(try !store.exclusion().isLeased(thing))
    }

    @Test func whoLeasesWaitsForACollectionAndFindsWhatItLeft() throws {
        let digest = try store.blobs.put(Array("going".utf8))
        store.leases.release([.digest(digest)])
        let exclusion = try store.exclusion()
        #expect(exclusion.take(.digest(digest)))
        let found = Mutex<Bool?>(nil)
        try withThreads(2) { [store, other] number in
            if number == 0 {
                let isThere = try other.blobs.claim(digest)
                found.withLock { $0 = isThere }
            } else {
                try store.blobs.remove(digest)
                exclusion.give(.digest(digest))
            }
        }
        #expect(found.withLock { $0 } == false)
    }

    @Test func whatIsFoundInAUseIsNotPruned() throws {
        let base = try fixture.image(["base"])
        let child = try fixture.image(["base", "child"], names: ["app"], parent: base.id)
        let loose = try fixture.image(["loose"], names: ["loose"])
        var use: LeaseUse? = other.leases.beginUse()
        _ = try other.images.find("app")
        let pruned = try prune()
        #expect(pruned == [loose.id])
        withExtendedLifetime(use) {}
        use = nil
        #expect(try Set(prune()) == [base.id, child.id])
        _ = try store.collect()
        #expect(try store.blobs.all().isEmpty && store.layers.all().isEmpty)
    }

    @Test func whatIsFoundOutsideAUseIsPruned() throws {
        let image = try fixture.image(["a"], names: ["app"])
        _ = try other.images.find("app")
        #expect(try prune() == [image.id])
    }

    @Test func whatSessionsNoteMeanwhileIsNotPruned() throws {
        let image = try fixture.image(["a"])
        let known = try store.sessionRoots().digests
        try store.session("work").addRoots(SessionRoots(digests: [image.id]))
        #expect(try prune(known: known).isEmpty)
        #expect(try store.images.all().count == 1)
    }

    @Test func aHeldImageInUseOutlivesItsSessionsRoots() throws {
        let image = try fixture.image(["a"], names: ["app"])
        let session = try store.session("work")
        _ = try store.removeImages(retainedBy: session) { table throws(ShaleError) in
            try ImageRemoval.plan("app", in: table, uses: [])
        }
        var use: LeaseUse? = other.leases.beginUse()
        _ = try other.images.image(image.id)
        try session.setRoots(SessionRoots())
        #expect(try store.collect() == Collected())
        withExtendedLifetime(use) {}
        use = nil
        #expect(try store.collect().blobs.count == 3)
    }

    @Test func aVolumeOfAContainerInTheMakingStays() throws {
        try store.volumes.create("data", labels: [:])
        var use: LeaseUse? = other.leases.beginUse()
        try other.volumes.hold("data")
        #expect(code { try store.volumes.remove("data") } == .inUse)
        withExtendedLifetime(use) {}
        use = nil
        try store.volumes.remove("data")
    }

    @Test func downloadsThatNobodyGoesOnWithAreSeenAndRemoved() throws {
        let part = [UInt8](repeating: 1, count: 8192)
        let broken = Descriptor(mediaType: "", digest: .of("broken".utf8), size: 100_000)
        let running = Descriptor(mediaType: "", digest: .of("running".utf8), size: 100_000)
        do {
            let first = try other.blobs.ingest(expected: broken)
            try first.append(part)
            first.abandon(keepingPartial: true)
        }
        other.close()
        let third = try fixture.another()
        let second = try third.blobs.ingest(expected: running)
        try second.append(part)
        let seen = try store.diskUsage().downloads
        #expect(Set(seen.filter(\.isUnderWay).map(\.digest)) == [running.digest])
        #expect(Set(seen.filter { !$0.isUnderWay }.map(\.digest)) == [broken.digest])
        #expect(seen.allSatisfy { $0.bytes == 8192 })
        #expect(try store.removeUnfinishedDownloads(dryRun: true) == 8192)
        #expect(try store.removeUnfinishedDownloads(until: Timestamp(seconds: 1)) == 0)
        #expect(try store.removeUnfinishedDownloads() == 8192)
        #expect(try store.diskUsage().downloads.map(\.digest) == [running.digest])
        second.abandon(keepingPartial: false)
    }

    @Test func theCacheIsClearedWhileOthersWriteToIt() throws {
        let value = Array("value".utf8)
        try withThreads(4) { [store, other] number in
            for round in 0..<200 {
                if number < 2 {
                    _ = try (number == 0 ? store : other).cache.clear([.build])
                } else {
                    try (number == 2 ? store : other).cache.set(.build, .of("\(number) \(round)".utf8), to: value)
                }
            }
        }
    }

    private func prune(known: Set<Digest>? = nil) throws -> [Digest] {
        let removed = try store.pruneImages(dryRun: false, all: true, without: [], known: known) { _ in false }
        // Without the layers, which are told behind their images.
        let images = Set(removed.entries.compactMap(\.image))
        return removed.lines.compactMap { line in
            if case .deleted(let id) = line, images.contains(id) { id } else { nil }
        }
    }
}
