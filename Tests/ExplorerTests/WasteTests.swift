import Basics
import Layers
import Stores
import Testing

@testable import Explorer

/// dive's formula, every number worked by hand.
struct WasteTests {
    private func index(_ entries: [LayerEntry]) -> LayerIndex {
        LayerIndex(entries: entries.sorted { PathOrder.precedes($0.path, $1.path) })
    }
    private func file(_ path: String, _ size: Int64) -> LayerEntry { LayerEntry(path: path, kind: .file, size: size) }
    private func directory(_ path: String, opaque: Bool = false) -> LayerEntry {
        LayerEntry(path: path, kind: .directory, isOpaque: opaque)
    }
    private func deletion(_ path: String) -> LayerEntry { LayerEntry(path: path, kind: .whiteout) }

    @Test func nothingIsWastedWhereEveryPathIsThereOnce() {
        let efficiency = DiveEfficiency([index([file("/a", 100)]), index([file("/b", 50)])])
        #expect(efficiency.score == 1)
        #expect(efficiency.waste.isEmpty)
        #expect(efficiency.wastedUserShare == 0)
        #expect(efficiency.totalBytes == 150)
        #expect(efficiency.userBytes == 50)
    }

    @Test func anImageWithoutBytesIsPerfect() {
        #expect(DiveEfficiency([]).score == 1)
        #expect(DiveEfficiency([index([directory("/d")])]).score == 1)
    }

    @Test func aFileWrittenTwice() {
        // /a: 100 + 60 = 160, smallest 60. /b: 40. Score (60 + 40) / (160 + 40).
        let efficiency = DiveEfficiency([index([file("/a", 100), file("/b", 40)]), index([file("/a", 60)])])
        #expect(efficiency.score == 0.5)
        #expect(efficiency.wastedBytes == 160)
        #expect(efficiency.waste == [.init(path: "/a", count: 2, bytes: 160, layers: [1, 2])])
        #expect(efficiency.wastedUserShare == 160.0 / 60.0)
    }

    @Test func aDeletedFileWeighsItsOwnBytesOnce() {
        // /a: 100, then a whiteout of a file: 0. Smallest 0 of 100. /b: 300.
        let efficiency = DiveEfficiency([index([file("/b", 300)]), index([file("/a", 100)]), index([deletion("/a")])])
        #expect(efficiency.score == 0.75)
        #expect(efficiency.wastedBytes == 100)
        #expect(efficiency.waste == [.init(path: "/a", count: 2, bytes: 100, layers: [2, 3])])
        #expect(efficiency.wastedUserShare == 1)
    }

    @Test func aDeletedDirectoryWeighsAllBelowItAndIsNoWasteByItself() {
        // Leaves of 1: /d/x 10, /d/e/y 20. The whiteout of /d: 30, seen once. Score 60 / 60.
        let first = index([directory("/d"), file("/d/x", 10), directory("/d/e"), file("/d/e/y", 20)])
        let efficiency = DiveEfficiency([first, index([deletion("/d")])])
        #expect(efficiency.score == 1)
        #expect(efficiency.wastedBytes == 0)
    }

    @Test func directoriesAreLeavesOnlyWhenEmpty() {
        // /d is empty in both layers: a path seen twice, of no bytes.
        let efficiency = DiveEfficiency([index([directory("/d"), file("/x", 1)]), index([directory("/d")])])
        #expect(efficiency.waste == [.init(path: "/d", count: 2, bytes: 0, layers: [1, 2])])
        #expect(efficiency.score == 1)
        let full = DiveEfficiency([
            index([directory("/d"), file("/d/x", 1)]), index([directory("/d"), file("/d/y", 1)]),
        ])
        #expect(full.waste.isEmpty)
    }

    @Test func opaqueMarksAreNotLookedAt() {
        let first = index([directory("/d"), file("/d/x", 10)])
        let efficiency = DiveEfficiency([first, index([directory("/d", opaque: true), file("/d/y", 10)])])
        #expect(efficiency.score == 1)
        #expect(efficiency.wastedBytes == 0)
    }

    @Test func aWhiteoutOfNothingEndsItsLayer() {
        // Layer 2 in dive's order: /.wh.none comes before /a and /z: neither is weighed.
        let first = index([file("/a", 10), file("/z", 10)])
        let efficiency = DiveEfficiency([first, index([deletion("/none"), file("/a", 10), file("/z", 10)])])
        #expect(efficiency.score == 1)
        #expect(efficiency.waste.isEmpty)
        // What sorts before the mark is: "!" is below ".".
        let early = DiveEfficiency([index([file("/!", 4)]), index([file("/!", 4), deletion("/none")])])
        #expect(early.wastedBytes == 8)
    }

    @Test func threeLayersTogether() {
        // /lib: 1000 + 1000 = 2000, smallest 1000. /tmp/c: 500 then deleted: 500, smallest 0. /app: 700. /etc: 10.
        // Score (1000 + 0 + 700 + 10) / (2000 + 500 + 700 + 10) = 1710 / 3210. Wasted 2500.
        let efficiency = DiveEfficiency([
            index([file("/lib", 1000), file("/etc", 10)]),
            index([directory("/tmp"), file("/tmp/c", 500), file("/app", 700)]),
            index([directory("/tmp"), deletion("/tmp/c"), file("/lib", 1000)]),
        ])
        #expect(efficiency.score == 1710.0 / 3210.0)
        #expect(efficiency.wastedBytes == 2500)
        #expect(efficiency.waste.map(\.path) == ["/lib", "/tmp/c"])
        #expect(efficiency.userBytes == 2200)
        #expect(efficiency.wastedUserShare == 2500.0 / 2200.0)
    }

    @Test func namesThePairToJoin() throws {
        let fixture = try ExplorerFixture()
        defer { withExtendedLifetime(fixture) {} }
        try fixture.image(
            "app:1",
            [
                .init("one", [.directory("d"), .file("d/x", bytes: 100), .file("keep", bytes: 7)]),
                .init("two", [.file("tmp", bytes: 30)]), .init("three", [.deletion("d"), .deletion("tmp")]),
            ])
        let pairs = try HiddenBytes.pairs(fixture.layers("app:1"))
        #expect(
            pairs.map { "\($0.maker) \($0.hider) \($0.bytes) \($0.paths)" } == [
                #"1 3 100 ["/d"]"#, #"2 3 30 ["/tmp"]"#,
            ])
        let size = try ImageSize(fixture.layers("app:1"))
        #expect(size.onDisk == 137)
        #expect(size.visible == 7)
        #expect(size.hidden == 130)
        #expect(size.unique == 137)
        #expect(size.largestLayers.map(\.number) == [1, 2])
    }

    @Test func readsDivesRules() throws {
        var warnings: [String] = []
        let rules = try WasteRules(
            parsing: """
                rules:
                  # old spelling
                  lowestEfficiency: 0.95   # as a share
                  highest-wasted-bytes: "2KB"
                  highestUserWastedPercent: disabled
                  unknown: 1
                """, file: ".dive-ci"
        ) { warnings.append($0) }
        #expect(warnings == [".dive-ci:6: no such rule: unknown"])
        let efficiency = DiveEfficiency([index([file("/a", 1500)]), index([file("/a", 1500)])])
        #expect(try rules.results(efficiency).map(\.status) == [.fail, .fail, .skip])
        #expect(try WasteRules().results(DiveEfficiency([])).map(\.status) == [.pass, .skip, .pass])
        #expect(failure { _ = try WasteRules(parsing: "nonsense", file: "f") } == "f:1: not KEY: VALUE: nonsense")
        let flow = "f:1: not lines of KEY: VALUE below rules: {lowestEfficiency: 1}"
        #expect(failure { _ = try WasteRules(parsing: "rules: {lowestEfficiency: 1}", file: "f") } == flow)
        var wrong = WasteRules()
        wrong.lowestEfficiency = "1.5"
        #expect(failure { _ = try wrong.results(efficiency) } == "lowestEfficiency: not a number from 0 to 1: 1.5")
    }
}
