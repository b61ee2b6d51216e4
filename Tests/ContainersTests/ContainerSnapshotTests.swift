import Glibc
import Layers
import Linux
import TestSupport
import Testing

@testable import Containers

struct ContainerSnapshotTests {
    @Test func differencesAreToldAndKept() throws {
        let folder = TemporaryDirectory()
        let root = try RootDirectory(hostPath: folder.path)
        let empty = try #require(try ContainerSnapshot(upper: root))
        #expect(empty == ContainerSnapshot())
        try WholeFile.replace(folder.path + "/a", with: [1])
        mkdir(folder.path + "/d", 0o755)
        try WholeFile.replace(folder.path + "/d/b", with: [1])
        let first = try #require(try ContainerSnapshot(upper: root))
        #expect(first.differences(from: empty) == ["/a", "/d", "/d/b"])
        #expect(ContainerSnapshot(decoding: first.encoded) == first)
        try WholeFile.replace(folder.path + "/d/b", with: [2])
        unlink(folder.path + "/a")
        let second = try #require(try ContainerSnapshot(upper: root))
        // A directory is not changed by what comes and goes in it.
        #expect(second.differences(from: first) == ["/a", "/d/b"])
        chmod(folder.path + "/d", 0o700)
        #expect(try ContainerSnapshot(upper: root)?.differences(from: second) == ["/d"])
    }
}
