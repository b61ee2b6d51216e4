import Glibc
import TestSupport
import Testing

/// No image gets a name that would be read as an id, by whichever command.
@Suite(.serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct TargetNameTests {
    private let shale = ShaleHome()

    private static let ambiguous = "refusing to create an ambiguous tag using digest algorithm as name"
    private static let digest = String(repeating: "a", count: 64)

    @Test(arguments: [
        ("sha256", ambiguous), ("sha256:abc", ambiguous), ("docker.io/library/sha256:abc", ambiguous),
        ("sha256:\(digest)", ambiguous), ("x@sha256:\(digest)", "digest"),
        (digest, "cannot specify 64-byte hexadecimal strings"), ("sha512:abc", ""), ("other/sha256:abc", ""),
    ])
    func aNameIsNoDigest(name: String, refusal: String) throws {
        try shale.run(["create", "--name", "kept", "busybox", "true"])
        let folder = shale.work
        try Peer("sh").run(
            ["-c", "mkdir c && echo FROM busybox > c/Dockerfile && tar cf root.tar c/Dockerfile"], in: folder)
        let events = [
            ["tag", "busybox", name], ["commit", "kept", name], ["build", "-q", "-t", name, "c"],
            ["import", "root.tar", name], ["-c", "tag busybox \(name)"], ["-c", "FROM busybox\ntag @ \(name)"],
        ]
        for event in events {
            let run = try shale.run(event, expecting: nil)
            #expect((run.status == 0) == refusal.isEmpty, "\(event): \(run.errors)")
            #expect(run.errors.contains(refusal), "\(event): \(run.errors)")
        }
        let names = try shale.run(["images", "--format", "{{.Repository}}"]).text.split(separator: "\n")
        #expect(Set(names).subtracting(["<none>"]).count == (refusal.isEmpty ? 2 : 1), "\(names)")
    }

    /// An archive of another tool's that has such a name.
    @Test func anArchiveBringsNone() throws {
        let folder = shale.work
        try shale.run(["save", "-o", "\(folder)/a.tar", "busybox"])
        try Peer("sh").run(
            [
                "-c",
                """
                mkdir a && tar xf a.tar -C a && cd a && sed -i 's/busybox:latest/sha256:abc/g; s/library.busybox/library\\/sha256/g' \
                manifest.json index.json; tar cf ../b.tar .
                """,
            ], in: folder)
        let run = try shale.run(["load", "-i", "\(folder)/b.tar"], expecting: nil)
        #expect(run.status == 0 || run.errors.contains(Self.ambiguous), "\(run.errors)")
        #expect(try !shale.run(["images", "--format", "{{.Repository}}"]).text.contains("sha256"))
    }
}
