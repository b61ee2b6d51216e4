import TestSupport
import Testing

/// What the cache knows of the files that COPY and RUN --mount read, beside their content.
@Suite("the cache and what a copy copies", .serialized, .enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct AttributeCacheTests {
    /// `xattr FILE NAME VALUE` sets an attribute, and removes it for an empty value.
    private static let start = """
        xattr() { python3 -c 'import os, sys; _, f, n, v = sys.argv
        os.setxattr(f, n, v.encode()) if v else os.removexattr(f, n)' "$@"; }

        """

    /// A line that changes something of the file `ctx/d/f` or beside it, and what the build says of it.
    @Test(
        "a change that the copy copies is carried out anew, and told",
        arguments: [
            ("xattr ctx/d/f user.k 2", "extended attributes of d/f changed"),
            ("xattr ctx/d/f user.k ''", "extended attributes of d/f changed"),
            ("xattr ctx/d user.dir 1", "extended attributes of d changed"),
            ("rm ctx/d/g; echo x >ctx/d/g", "hard link of d/g changed"),
            ("chmod 600 ctx/d/f", "mode of d/f changed"),
        ])
    func changes(_ row: (script: String, reason: String)) throws {
        let home = ShaleHome()
        try home.write("FROM busybox\nENV A=1\nCOPY d /d\n", to: "copy")
        try home.write("FROM busybox\nENV A=1\nRUN --mount=type=bind,source=d,target=/m ls /m\n", to: "mount")
        let made = try home.sh(
            Self.start + "mkdir -p ctx/d; echo x >ctx/d/f; ln ctx/d/f ctx/d/g; xattr ctx/d/f user.k 1 || echo none")
        try #require(!made.text.contains("none"), "the file system of temporary files keeps no attributes")
        for file in ["copy", "mount"] {
            let said = try home.sh(
                "shale build -f \(file) ctx >out 2>&1 || cat out; shale build -f \(file) ctx | grep -c 'Using cache'")
            #expect(said.text == "2\n", "\(said)")
        }
        let again = try home.sh(
            Self.start + "\(row.script)\nshale build -f copy ctx >out 2>&1; shale build -f mount ctx 2>&1 | tee -a out")
        #expect(again.text.contains("what it mounts changed"), "\(again)")
        let copied = try home.sh("cat out").text
        #expect(copied.contains(row.reason), "\(copied)")
        // ENV, in each of the two.
        #expect(copied.split(separator: "\n").count { $0.contains("Using cache") } == 2, "\(copied)")
    }
}
