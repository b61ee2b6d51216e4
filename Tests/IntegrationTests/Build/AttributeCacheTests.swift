import TestSupport
import Testing

/// What the cache knows of the files that COPY and RUN --mount read, beside their content.
@Suite("the cache and what a copy copies", .serialized, .enabled(if: CrashHome.isBuilt, "\(CrashHome.notBuilt)"))
struct AttributeCacheTests {
    /// A line that changes something of the file `ctx/d/f` or beside it.
    @Test(
        "a change that the copy copies is carried out anew, and told",
        arguments: [
            ("setfattr -n user.k -v 2 ctx/d/f", "extended attributes of d/f changed"),
            ("setfattr -x user.k ctx/d/f", "extended attributes of d/f changed"),
            ("setfattr -n user.dir -v 1 ctx/d", "extended attributes of d changed"),
            ("rm ctx/d/g; echo x >ctx/d/g", "hard link of d/g changed"),
            ("chmod 600 ctx/d/f", "mode of d/f changed"),
        ])
    func changes(_ row: (script: String, reason: String)) throws {
        let home = try CrashHome()
        let copy = "FROM busybox\nCOPY d /d\n"
        let mount = "FROM busybox\nRUN --mount=type=bind,source=d,target=/m ls /m\n"
        try home.write(copy, as: "copy")
        try home.write(mount, as: "mount")
        let made = try home.sh(
            "mkdir -p ctx/d; echo x >ctx/d/f; ln ctx/d/f ctx/d/g; setfattr -n user.k -v 1 ctx/d/f || echo none")
        // A file system without attributes cannot show it.
        if made.output.contains("none") || made.errors.contains("not supported") { return }
        for file in ["copy", "mount"] {
            let said = try home.sh(
                """
                shale build -f \(file) ctx >/dev/null 2>err || cat err; shale build -f \(file) ctx >out 2>&1
                grep -c 'Using cache' out
                """)
            #expect(said.output == "1\n", "\(said)")
        }
        let copied = try home.sh("\(row.script); shale build -f copy ctx 2>&1; shale build -f mount ctx 2>&1")
        #expect(copied.output.contains(row.reason), "\(copied)")
        #expect(!copied.output.contains("Using cache"), "\(copied)")
    }
}
