import Basics
import Glibc
import Linux
import OCI
import TestSupport
import Testing

@testable import Stores

/// A home is its owner's.
@Suite struct HomePrivacyTests {
    /// What others could do with the home's own folders and files.
    private func open(_ home: String) throws -> [String] {
        let find = try Peer("find").run([
            home, "-path", "\(home)/layers/*/fs", "-prune", "-o", "-perm", "/077", "-not", "-type", "l", "-print",
        ])
        return find.text.split(separator: "\n").map(String.init)
    }

    @Test func aNewHomeIsClosed() throws {
        let fixture = try Fixture()
        try fixture.image(["a"], names: ["app"])
        try fixture.store.volumes.create("data", labels: [:])
        #expect(try open(fixture.home).filter { !$0.contains("/volumes/") }.isEmpty)
        #expect(!fixture.store.wasClosed)
    }

    @Test func aFolderThatWasThereIsClosed() throws {
        let directory = TemporaryDirectory()
        mkdir(directory.path + "/home", 0o755)
        let store = try Store(home: directory.path + "/home", form: .current)
        _ = try store.blobs.put([1])
        #expect(try open(directory.path + "/home").isEmpty)
        // Nobody was told of a home: there was none.
        #expect(!store.wasClosed)
    }

    /// What root writes to the home of another user would be lost to them.
    @Test(.enabled(if: getuid() == 0, "needs root to give a folder away"))
    func theHomeOfAnotherIsLeftAlone() throws {
        let directory = TemporaryDirectory()
        let empty = directory.path + "/empty"
        mkdir(empty, 0o777)
        chmod(empty, 0o777)
        let fixture = try Fixture()
        for (home, mode) in [(empty, UInt32(0o777)), (fixture.home, 0o700)] {
            chown(home, 12345, 12345)
            #expect(code { _ = try Store(home: home, form: .current) } == .denied)
            #expect(message { _ = try Store(home: home, form: .current) }?.contains("belongs to #12345") == true)
            #expect(try FileStatus.of(hostPath: home).permissions == mode)
        }
        #expect(try Peer("ls").run(["-A", empty]).text.isEmpty)
    }

    @Test func anOldHomeIsClosedOnce() throws {
        let fixture = try Fixture()
        try fixture.image(["a"], names: ["app"])
        let paths = fixture.store.paths
        for folder in [paths.home, paths.blobFolder, paths.blobs] { chmod(folder, 0o755) }
        chmod(paths.index, 0o644)
        for digest in try fixture.store.blobs.all() { chmod(paths.blob(digest), 0o644) }
        #expect(try fixture.another().wasClosed)
        #expect(try open(fixture.home).isEmpty)
        #expect(try !fixture.another().wasClosed)
        #expect(try fixture.store.check().isEmpty)
    }

    @Test func closingThatWasCutShortGoesOn() throws {
        let fixture = try Fixture()
        let digest = try fixture.store.blobs.put([1])
        chmod(fixture.store.paths.blobFolder, 0o755)
        chmod(fixture.store.blobs.path(digest), 0o644)
        #expect(try fixture.another().wasClosed)
        #expect(try open(fixture.home).isEmpty)
    }

    /// A folder that cannot be closed is told, not taken for a closed one.
    @Test(.enabled(if: getuid() == 0, "needs root to make a file immutable"))
    func aHomeThatStaysOpenIsTold() throws {
        let fixture = try Fixture()
        let folder = fixture.store.paths.blobFolder
        #expect(fixture.store.openToOthers == nil)
        chmod(folder, 0o755)
        guard let done = try? Peer("chattr").run(["+i", folder]), done.status == 0 else { return }
        defer { _ = try? Peer("chattr").run(["-i", folder]) }
        let store = try fixture.another()
        #expect(!store.wasClosed)
        #expect(store.openToOthers == folder)
    }
}
