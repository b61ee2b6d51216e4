import Basics
import Layers
import Stores
import Testing

@testable import Explorer

struct FilesTests {
    static func fixture() throws -> ExplorerFixture {
        let fixture = try ExplorerFixture()
        try fixture.image(
            "app:1",
            [
                .init(
                    "one",
                    [
                        .directory("etc"), .file("etc/a.conf", "alpha\nBeta\n"), .file("etc/B.CONF", "gamma"),
                        .directory("etc/sub"), .file("etc/sub/c.conf", bytes: 3000), .symlink("etc/l", to: "a.conf"),
                        .hardLink("etc/hard", to: "etc/sub/c.conf"), .file("bin", "\u{0}alpha\n"),
                        .file("etc/new\nline", "x"),
                    ]),
                .init("two", [.directory("etc"), .deletion("etc/B.CONF")]),
            ])
        return fixture
    }

    private func find(_ change: (inout FindQuery) throws -> Void, _ place: String = "app:1") throws -> [String] {
        let fixture = try Self.fixture()
        var query = FindQuery()
        try change(&query)
        let parsed = try Place(parsing: place)
        return try query.run(fixture.finder.view(parsed), from: parsed.path, Cancellation()).map(\.path)
    }

    @Test func findsByNameTypeSizeAndDepth() throws {
        #expect(try find { $0.patterns = [.init("*.conf")] } == ["/etc/a.conf", "/etc/sub/c.conf"])
        #expect(try find({ $0.patterns = [.init("*.conf", ignoresCase: true)] }, "app:1#1").count == 3)
        #expect(try find { $0.patterns = [.init("/etc/sub/*", isWholePath: true)] } == ["/etc/sub/c.conf"])
        #expect(try find { $0.types = ["l"] } == ["/etc/l"])
        #expect(try find { $0.types = ["d"] } == ["/", "/etc", "/etc/sub"])
        #expect(try find { $0.sizes = [try .init(parsing: "+2k")] } == ["/etc/hard", "/etc/sub/c.conf"])
        #expect(try find { $0.sizes = [try .init(parsing: "3000c")] }.count == 2)
        #expect(try find({ $0.maximumDepth = 1 }, "app:1:/etc/sub") == ["/etc/sub", "/etc/sub/c.conf"])
        #expect(try find({ $0.maximumDepth = 0 }) == ["/"])
        #expect(try find({ $0.newer = Timestamp(seconds: 1_700_000_000) }, "app:1:/etc").isEmpty)
        #expect(try find({ $0.types = ["D"] }, "app:1#2") == ["/etc/B.CONF"])
        #expect(try find({ _ in }, "app:1#2") == ["/", "/etc"])
    }

    @Test(arguments: ["", "x", "1x", "+", "--1", "k"]) func refusesSizes(_ text: String) {
        #expect(throws: ShaleError.self) { try FindQuery.Size(parsing: text) }
    }

    @Test func sumsBytesOnceForEachFile() throws {
        let fixture = try Self.fixture()
        let usage = try DiskUsage.measure(fixture.view("app:1"), from: "/", Cancellation())
        // /etc/hard is seen first, and sub/c.conf is the same file. 11 + 3000 + 1; /bin has 7.
        #expect(usage.map { "\($0.path) \($0.bytes) \($0.depth)" } == ["/etc/sub 0 2", "/etc 3012 1", "/ 3019 0"])
        let file = try DiskUsage.measure(fixture.view("app:1"), from: "/etc/a.conf", Cancellation())
        #expect(file.map(\.bytes) == [11])
    }

    private func grep(_ pattern: LinePattern, _ path: String) throws -> FileMatches? {
        let fixture = try Self.fixture()
        let view = try fixture.view("app:1#1")
        defer { withExtendedLifetime(fixture) {} }
        return try LineSearch(pattern).matches(view.require(path), in: view, Cancellation())
    }

    @Test func looksForLines() throws {
        #expect(try grep(LinePattern("b.ta", ignoringCase: true), "/etc/a.conf")?.lines.map(\.number) == [2])
        #expect(try grep(LinePattern("beta"), "/etc/a.conf") == nil)
        #expect(try grep(LinePattern("a", isNegated: true), "/etc/a.conf") == nil)
        #expect(try grep(LinePattern("g(a|b)mma", .extended), "/etc/B.CONF")?.count == 1)
        #expect(try grep(LinePattern("g.mma", .fixed), "/etc/B.CONF") == nil)
        #expect(try grep(LinePattern("alph", wholeWords: true), "/etc/a.conf") == nil)
        let binary = try grep(LinePattern("alpha", isNegated: true), "/bin")
        #expect(binary?.isBinary == true)
        #expect(throws: ShaleError.self) { try LinePattern("\\(") }
    }

    @Test func tellsWhereAPathComesFrom() throws {
        let fixture = try ViewTests.fixture()
        defer { withExtendedLifetime(fixture) {} }
        func story(_ subject: String, _ path: String) throws -> String {
            let (found, lines, own) = try PathHistory(fixture.view(subject)).story(of: path)
            return "\(found): " + lines.map { "\($0.layer) \($0.event)" }.joined(separator: ", ")
                + (own.map { ", \($0.event) \($0.entry?.size ?? -1)" } ?? "")
        }
        #expect(try story("app:1", "/bin/ls") == "/usr/bin/ls: 1 made")
        #expect(try story("app:1", "/up/secret") == "/etc/secret: 1 made, 2 removed")
        #expect(try story("web", "/etc/passwd") == "/etc/passwd: 1 made, 3 changed, changed 5")
        #expect(try story("web", "/etc/own") == "/etc/own: , made 4")
        #expect(failure { _ = try story("app:1", "/nothing") }?.hasPrefix("app:1:/nothing: no such file") == true)
        let summary = try PathHistory(fixture.view("web")).summary(below: "/", Cancellation())
        #expect(summary.map { "\($0.layer ?? 0) \($0.files) \($0.bytes)" } == ["1 5 4", "3 1 3", "0 2 9"])
    }
}

struct DifferenceTests {
    static let base = ExplorerFixture.Step(
        "base",
        [
            .directory("etc"), .file("etc/a", "1"), .file("etc/b", "22"), .directory("gone"), .file("gone/x", "x"),
            .symlink("l", to: "a"), .file("kind", "k"),
        ])

    @Test func comparesTwoImages() throws {
        let fixture = try ExplorerFixture()
        defer { withExtendedLifetime(fixture) {} }
        try fixture.image("one:1", [Self.base])
        let second = ExplorerFixture.Step(
            "second",
            [
                .directory("etc"), .file("etc/b", "33"), .directory("etc/new"), .file("etc/new/y", "y"),
                .deletion("gone"),
                .symlink("l", to: "b"), .deletion("kind"), .directory("kind", mode: 0o700), .file("kind/z", "z"),
            ])
        try fixture.image("two:1", [Self.base, second])
        let found = try TreeComparison(fixture.view("one:1"), fixture.view("two:1")).differences(Cancellation())
        let lines = found.map { "\($0.line) \($0.reasons.map(\.rawValue).sorted().joined(separator: ","))" }
        let expected: [String] = [
            "C /etc ", "C /etc/b content", "A /etc/new ", "A /etc/new/y ", "D /gone ", "C /kind mode,type",
            "A /kind/z ",
            "C /l link",
        ]
        #expect(lines == expected)
        let layer = try TreeDifference.ofLayer(2, fixture.layers("two:1"))
        #expect(
            layer.map(\.line) == expected.map { String($0.prefix { $0 != " " }) + " " + $0.split(separator: " ")[1] })
        #expect(try TreeComparison(fixture.view("one:1"), fixture.view("one:1")).differences(Cancellation()).isEmpty)
    }

    @Test func writesUnifiedDiffs() {
        func diff(_ old: String?, _ new: String?) -> [String] {
            UnifiedDiff.lines(old.map { Array($0.utf8) }, new.map { Array($0.utf8) }, names: ("a/f", "b/f"))
        }
        #expect(diff("x\n", "x\n").isEmpty)
        let expected: [String] = [
            "--- a/f", "+++ b/f", "@@ -1,7 +1,7 @@", " 1", " 2", " 3", "-4", "+four", " 5", " 6", " 7",
        ]
        #expect(diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\nfour\n5\n6\n7\n8\n9\n") == expected)
        #expect(diff(nil, "new\n") == ["--- /dev/null", "+++ b/f", "@@ -0,0 +1 @@", "+new"])
        #expect(diff("old\n", nil) == ["--- a/f", "+++ /dev/null", "@@ -1 +0,0 @@", "-old"])
        #expect(
            diff("a", "a\n")
                == ["--- a/f", "+++ b/f", "@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+a"])
        #expect(diff("\u{0}", "x") == ["Binary files a/f and b/f differ"])
        let far = (1...40).map { "\($0)\n" }
        var changed = far
        changed[2] = "three\n"
        changed[30] = "thirty-one\n"
        let hunks = diff(far.joined(), changed.joined()).filter { $0.hasPrefix("@@") }
        #expect(hunks == ["@@ -1,6 +1,6 @@", "@@ -28,7 +28,7 @@"])
    }

    @Test func readsPackageDatabases() throws {
        let fixture = try ExplorerFixture()
        try fixture.image(
            "app:1",
            [
                .init(
                    "one",
                    [
                        .file(
                            "var/lib/dpkg/status",
                            """
                            Package: bash
                            Status: install ok installed
                            Installed-Size: 2
                            Architecture: amd64
                            Version: 5.1-6
                            Description: shell
                             more: of it

                            Package: gone
                            Status: deinstall ok config-files
                            Version: 1

                            """),
                        .file("lib/apk/db/installed", "C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\nI:634880\n\nP:zlib\nV:1\n"),
                        .file(
                            "usr/lib/python3/x-1.0.dist-info/METADATA",
                            "Metadata-Version: 2.1\nName: x\nVersion: 1.0\n\nName: y\n"),
                        .file("app/node_modules/left/package.json", #"{"name":"left","version":"2.0.0"}"#),
                        .file("app/node_modules/@s/right/package.json", #"{"name":"@s/right","version":"3.0.0"}"#),
                        .file("app/node_modules/left/lib/package.json", #"{"name":"inner","version":"9"}"#),
                        .file("app/node_modules/bad/package.json", "{"),
                    ])
            ])
        let found = try PackageList(fixture.view("app:1")).packages(Cancellation())
        let lines = found.map { "\($0.manager) \($0.name) \($0.version) \($0.architecture) \($0.size ?? -1)" }
        let expected: [String] = [
            "apk musl 1.2.4-r2 x86_64 634880", "apk zlib 1  -1", "dpkg bash 5.1-6 amd64 2048", "npm @s/right 3.0.0  -1",
            "npm left 2.0.0  -1", "pip x 1.0  -1",
        ]
        #expect(lines == expected)
    }

    @Test func tellsTheBase() throws {
        let fixture = try ExplorerFixture()
        defer { withExtendedLifetime(fixture) {} }
        try fixture.image("base:1", [Self.base])
        try fixture.image("mid:1", [Self.base, .init("mid", [.file("m", "m")])])
        try fixture.image("app:1", [Self.base, .init("mid", [.file("m", "m")]), .init("app", [.file("p", "p")])])
        func names(_ name: String) throws -> [String] {
            try BaseImage.candidates(of: fixture.layers(name)).map(\.name)
        }
        #expect(try names("app:1") == ["mid:1"])
        #expect(try names("mid:1") == ["base:1"])
        #expect(try names("base:1").isEmpty)
    }
}
