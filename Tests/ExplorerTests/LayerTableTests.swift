import Basics
import Layers
import Stores
import Testing

@testable import Explorer

struct LayerTableTests {
    @Test func countsWhatEachLayerDoes() throws {
        let fixture = try ViewTests.fixture()
        defer { withExtendedLifetime(fixture) {} }
        let rows = try LayerTable(fixture.layers("app:1")).rows()
        // 1: all 14 paths. 2: /etc as it was, /etc/secret gone. 3: a and b hidden, c new, passwd changed.
        #expect(rows.map(\.count?.text) == ["+14 ~0 -0", "+0 ~0 -1", "+1 ~1 -2"])
        // 26 + 2 + 4 + 1 + 2 bytes; none; 3 + 4.
        #expect(rows.map(\.layer.instruction) == ["ADD file:1 in /", "RUN rm etc/secret", "COPY x /"])
        #expect(rows.map(\.layer.bytes) == [35, 0, 7])
        #expect(rows.map(\.layer.number) == [1, 2, 3])
    }

    @Test func tellsWhoSharesALayer() throws {
        let fixture = try ExplorerFixture()
        let base = ExplorerFixture.Step("base", [.file("a", "1")])
        try fixture.image("base:1", [base])
        try fixture.image("one:1", [base, .init("x", [.file("b", "2")])])
        try fixture.image("two:1", [.init("other", [.file("c", "3")]), base])
        let rows = try LayerTable(fixture.layers("one:1")).rows(telling: true)
        #expect(rows.map(\.sharedWith) == [["base:1"], []])
    }

    @Test func changesAreToldWithTheirReasons() throws {
        let fixture = try ExplorerFixture()
        var touched = TestEntry.file("same", "1")
        touched.time += 1
        try fixture.image(
            "app:1",
            [
                .init(
                    "one",
                    [
                        .directory("d"), .file("d/x", "12"), .file("same", "1"), .file("again", "1"), .file("f", "old"),
                        .symlink("l", to: "a"), .file("becomes", "1"), .directory("tree"), .file("tree/y", "123"),
                    ]),
                .init(
                    "two",
                    [
                        .directory("d", mode: 0o700), touched, .file("again", "1"), .file("f", "new"),
                        .symlink("l", to: "b"),
                        .directory("becomes"), .file("tree", "flat"), .hardLink("f2", to: "f"),
                    ]),
            ])
        var changes: [LayerChange] = []
        _ = try MergedIndex(fixture.layers("app:1")) { number, found in if number == 2 { changes = found } }
        let lines = changes.map { "\($0.line) \($0.reasons.map(\.rawValue).sorted()) \($0.hiddenBytes)" }
        let expected: [String] = [
            "C /again [] 1", #"C /becomes ["mode", "type"] 1"#, #"C /d ["mode"] 0"#, #"C /f ["content"] 3"#,
            "A /f2 [] 0",
            #"C /l ["link"] 0"#, #"C /same ["mtime"] 1"#, #"C /tree ["mode", "type"] 3"#,
        ]
        #expect(lines == expected)
    }

    @Test func removingADirectoryIsOneDeletionThatHidesAllOfIt() throws {
        let fixture = try ExplorerFixture()
        try fixture.image(
            "app:1",
            [
                .init("one", [.directory("d"), .file("d/x", bytes: 10), .directory("d/e"), .file("d/e/y", bytes: 20)]),
                .init("two", [.directory("d"), .file("d/z", bytes: 5)]),
                .init("three", [.deletion("d"), .deletion("never")]),
            ])
        var changes: [LayerChange] = []
        let merged = try MergedIndex(fixture.layers("app:1")) { number, found in if number == 3 { changes = found } }
        #expect(changes.map(\.line) == ["D /d"])
        #expect(changes.first?.hidden == [1: 30, 2: 5])
        #expect(merged.entries.map(\.entry.path).isEmpty)
    }

    @Test func blameTellsTheWholeStory() throws {
        let fixture = try ViewTests.fixture()
        defer { withExtendedLifetime(fixture) {} }
        let blame = Blame(layers: try fixture.layers("app:1"))
        #expect(try blame.story(of: "/etc/passwd").map { "\($0.layer) \($0.event)" } == ["1 made", "3 changed"])
        #expect(try blame.story(of: "/etc/secret").map { "\($0.layer) \($0.event)" } == ["1 made", "2 removed"])
        let hidden = try blame.story(of: "/var/cache/a")
        #expect(hidden.map { "\($0.layer) \($0.event) \($0.path)" } == ["1 made /var/cache/a", "3 removed /var/cache"])
        #expect(try blame.story(of: "/nothing").isEmpty)
    }
}
