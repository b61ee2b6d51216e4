import Basics
import FoundationEssentials
import Glibc
import Linux
import OCI
import Stores
import TestSupport
import Testing

@Suite struct BlobStoreTests {
    let fixture: Fixture
    var store: Store { fixture.store }

    init() throws { fixture = try Fixture() }

    private func descriptor(_ text: String) -> Descriptor {
        Descriptor(mediaType: MediaType.ociLayer, digest: Digest.of(text.utf8), size: Int64(text.utf8.count))
    }

    @Test func bytesComeBackByTheirDigest() throws {
        let digest = try store.blobs.put(Array("hello".utf8))
        #expect(digest == Digest.of("hello".utf8))
        #expect(try store.blobs.bytes(digest) == Array("hello".utf8))
        #expect(try store.blobs.size(digest) == 5)
        #expect(try store.blobs.all() == [digest])
        #expect(try store.blobs.put(Array("hello".utf8)) == digest)
        #expect(try FileStatus.of(hostPath: store.blobs.path(digest)).permissions == 0o600)
    }

    @Test func wrongBytesNeverBecomeABlob() throws {
        let expected = descriptor("right")
        let writer = try store.blobs.ingest(expected: expected)
        try writer.append(Array("wrong".utf8))
        #expect(
            message { try writer.commit() }?.hasPrefix(
                "filesystem layer verification failed for digest \(expected.digest)") == true)
        #expect(!store.blobs.contains(expected.digest))
        let again = try store.blobs.ingest(expected: expected)
        #expect(again.offset == 0, "bytes that proved wrong are not taken up")
    }

    @Test func moreThanAnnouncedIsRefusedAtOnce() throws {
        let writer = try store.blobs.ingest(expected: descriptor("ab"))
        #expect(code { try writer.append(Array("abc".utf8)) } == .corrupt)
        #expect(!store.blobs.contains(descriptor("ab").digest))
    }

    @Test func anInterruptedDownloadGoesOn() throws {
        let expected = descriptor("hello world")
        do {
            let writer = try store.blobs.ingest(expected: expected)
            try writer.append(Array("hello ".utf8))
            #expect(code { try writer.commit() } == .corrupt, "too few bytes are no blob")
        }
        let other = try fixture.another()
        let writer = try other.blobs.ingest(expected: expected)
        #expect(writer.offset == 6)
        #expect(try writer.openForReading().readAll() == Array("hello ".utf8))
        try writer.append(Array("world".utf8))
        try writer.commit()
        #expect(try store.blobs.bytes(expected.digest) == Array("hello world".utf8))
    }

    @Test func aServerThatBeginsAgainIsFollowed() throws {
        let expected = descriptor("hello")
        do { try store.blobs.ingest(expected: expected).append(Array("hel".utf8)) }
        let writer = try store.blobs.ingest(expected: expected)
        #expect(writer.offset == 3)
        try writer.restart()
        try writer.append(Array("hello".utf8))
        try writer.commit()
        #expect(store.blobs.contains(expected.digest))
    }

    @Test func twoDownloadsOfOneBlobDoNotMix() throws {
        let expected = descriptor("hello")
        let other = try fixture.another()
        let first = try store.blobs.ingest(expected: expected)
        try first.append(Array("he".utf8))
        let second = try other.blobs.ingest(expected: expected)
        #expect(second.offset == 0)
        try second.append(Array("hello".utf8))
        try second.commit()
        try first.append(Array("llo".utf8))
        try first.commit()
        #expect(try store.blobs.bytes(expected.digest) == Array("hello".utf8))
    }

    @Test func aBlobThatChangedOnDiskIsNotBelieved() throws {
        let digest = try store.blobs.put(Array("hello".utf8))
        try fixture.write("hellO", to: store.blobs.path(digest))
        #expect(code { _ = try store.blobs.bytes(digest) } == .corrupt)
        #expect(code { _ = try store.blobs.bytes(Digest.of("none".utf8)) } == .notFound)
    }

    @Test func whatADeadProcessLeftIsSwept() throws {
        let ingest = fixture.home + "/ingest"
        try FileManager.default.createDirectory(
            atPath: ingest + "/4242-1/layer-1/fs", withIntermediateDirectories: true)
        try fixture.write("", to: ingest + "/4242-1/owner")
        let staging = try store.layers.beginUnpack()
        _ = try fixture.another()
        #expect(access(ingest + "/4242-1", F_OK) != 0)
        #expect(access(staging.fsPath, F_OK) == 0, "what a living process stages stays")
        store.close()
        let left = try FileManager.default.contentsOfDirectory(atPath: ingest)
        #expect(left.isEmpty)
    }

    @Test(.enabled(if: Peer("lsattr").isPresent, "needs lsattr"))
    func layersAreStagedApartFromEachOtherOnExt4() throws {
        let staging = try store.layers.beginUnpack()
        #expect(try fixture.spreads(String(staging.fsPath.dropLast("/layer-1/fs".count))) ?? true)
        store.layers.discard(staging)
    }

    @Test func treesWithoutPermissionsAndDeepOnesAreRemoved() throws {
        let top = fixture.directory.path + "/deep"
        var path = top
        for _ in 0..<300 { path += "/d" }
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try fixture.write("x", to: path + "/file")
        chmod(path, 0o500)
        chmod(top + "/d/d", 0)
        #expect(try FileTree.usage(of: top).bytes == (getuid() == 0 ? 1 : 0))
        try FileTree.remove(top)
        #expect(access(top, F_OK) != 0)
        try FileTree.remove(top)
    }
}
