import Basics
import Glibc
import Linux
import OCI
import Stores
import TestSupport
import Testing

/// The home read as it lies by the tools that know OCI layouts.
@Suite(.enabled(if: isInstalled("skopeo") && isInstalled("umoci"), "skopeo and umoci are not installed"))
struct PeerToolTests {
    private let fixture: Fixture

    init() throws {
        fixture = try Fixture()
        let folder = fixture.directory.path
        try #require(
            run(
                "mkdir \(folder)/tree && echo hi >\(folder)/tree/hello && tar -cf \(folder)/layer.tar -C \(folder)/tree ."
            ))
        let bytes = try WholeFile.read(folder + "/layer.tar")
        let digest = try fixture.store.blobs.put(bytes)
        var config = ImageConfig()
        config.created = Timestamp(seconds: 1)
        config.config = ContainerConfig()
        config.rootfs.diffIDs = [digest]
        config.history = [History(created: config.created, createdBy: "ADD tree /")]
        _ = try fixture.store.images.add(
            config: config,
            layers: [Descriptor(mediaType: MediaType.ociLayer, digest: digest, size: Int64(bytes.count))],
            references: [try Reference(parsing: "busybox"), try Reference(parsing: "localhost:5000/a/b:1")])
    }

    @Test(arguments: ["docker.io/library/busybox:latest", "localhost:5000/a/b:1"])
    func bothFindAnImageByItsFullName(_ name: String) {
        let image = "\(fixture.home):\(name)"
        let out = fixture.directory.path
        #expect(run("skopeo inspect oci:\(image)"))
        #expect(run("skopeo inspect --config oci:\(image)"))
        #expect(run("skopeo copy --insecure-policy oci:\(image) dir:\(out)/copy"))
        #expect(run("umoci stat --image \(image)"))
        #expect(run("umoci unpack --rootless --image \(image) \(out)/bundle && test -f \(out)/bundle/rootfs/hello"))
    }

    @Test func umociCollectsNothingOfOurs() throws {
        #expect(run("umoci gc --layout \(fixture.home)"))
        #expect(try fixture.store.check().isEmpty)
        #expect(try fixture.another().images.all().count == 1)
    }

    @Test func whatTheyWriteIsAnImageHere() throws {
        let home = fixture.home
        #expect(run("skopeo copy --insecure-policy oci:\(home):localhost:5000/a/b:1 oci:\(home):fresh"))
        #expect(run("umoci tag --image \(home):docker.io/library/busybox:latest quay.io/x/y:2"))
        let other = try fixture.another()
        let names = try other.images.all().flatMap(\.references).map(\.familiar)
        #expect(Set(names) == ["busybox:latest", "localhost:5000/a/b:1", "fresh:latest", "quay.io/x/y:2"])
        #expect(try other.check().isEmpty)
    }
}

private func isInstalled(_ tool: String) -> Bool { run("command -v \(tool)") }

/// Runs a line in a shell, quietly; tells whether it succeeded.
private func run(_ line: String) -> Bool {
    var pid: pid_t = 0
    let words = ["/bin/sh", "-c", "exec >/dev/null 2>&1; \(line)"]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    defer { for argument in arguments { free(argument) } }
    guard posix_spawn(&pid, "/bin/sh", nil, nil, arguments, environ) == 0 else { return false }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) == -1, errno == EINTR {}
    return status == 0
}
