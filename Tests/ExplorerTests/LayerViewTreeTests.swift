import Basics
import Layers
import Linux
import OCI
import Stores
import Testing

@testable import Explorer

/// The tree made of indexes, held against the one made of unpacked directories.
struct LayerViewTreeTests {
    /// A generator whose sequence a number fixes, so that a failure can be seen again.
    private struct Dice: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private static let names = ["a", "b", "a-b", "a.b", "ab", "é", "Z"]

    /// A layer of whatever: files, directories, links, deletions and opaque marks, in an order a tar may have.
    private static func layer(_ dice: inout Dice, isFirst: Bool) -> [TestEntry] {
        var entries: [TestEntry] = []
        for _ in 0..<Int.random(in: 3...14, using: &dice) {
            let depth = Int.random(in: 1...3, using: &dice)
            let path = (0..<depth).map { _ in names.randomElement(using: &dice) ?? "a" }.joined(separator: "/")
            switch Int.random(in: 0..<10, using: &dice) {
            case 0..<4: entries.append(.file(path, String(Int.random(in: 0..<99, using: &dice))))
            case 4..<6: entries.append(.directory(path, mode: 0o750))
            case 6: entries.append(.symlink(path, to: ["a", "../b", "/a/b", "é"].randomElement(using: &dice) ?? "a"))
            case 7 where !isFirst: entries.append(.opaque(path))
            default: if !isFirst { entries.append(.deletion(path)) }
            }
        }
        return entries
    }

    @Test(arguments: 0..<40) func isWhatOverlayWouldShow(_ seed: Int) throws {
        var dice = Dice(state: UInt64(seed) &* 2_654_435_761 &+ 1)
        let fixture = try ExplorerFixture()
        defer { withExtendedLifetime(fixture) {} }
        var count = 0
        // Now and then links lead a member to itself: no such layer can be unpacked, and another is tried.
        let wasMade = (0..<8).contains { _ in
            count = Int.random(in: 1...4, using: &dice)
            let steps = (0..<count).map { number in
                ExplorerFixture.Step("step \(number)", Self.layer(&dice, isFirst: number == 0))
            }
            return (try? fixture.image("app:1", steps)) != nil
        }
        try #require(wasMade)
        let layers = try fixture.layers("app:1")
        let view = try fixture.view("app:1")
        let disk = MergedTree(
            layers: try (0..<count).reversed().map { try layers.directory($0 + 1) }, form: layers.form)

        var expected: [String] = []
        try disk.walk("/") { entry throws(ShaleError) in
            expected.append("\(entry.path) \(entry.status.kind) \(count - entry.layer) \(entry.status.permissions)")
        }
        var found: [String] = []
        try view.walk(try view.require("/"), Cancellation()) { entry throws(ShaleError) in
            let kind = entry.kind == .file ? "regular" : entry.kind.rawValue
            found.append("\(entry.path) \(kind) \(entry.layer ?? 0) \(entry.mode)")
            return true
        }
        // The root's own mode and layer are nobody's business but the mount's.
        #expect(found.dropFirst() == expected.dropFirst())
        for path in ["/a/b", "/a/../b/a", "/é/a", "/b/./Z/", "/a/b/a-b", "/Z"] {
            for follows in [true, false] {
                let one = Result { try disk.entry(path, followingLinks: follows || path.hasSuffix("/")) }
                let other = Result { try view.entry(path, followingLinks: follows) }
                switch (one, other) {
                case (.success(let one), .success(let other)):
                    let isFile = path.hasSuffix("/") && one.map { $0.status.kind != .directory } ?? false
                    #expect(other?.path == (isFile ? nil : one?.path), "\(path)")
                case (.failure, .failure): break
                default: Issue.record("\(path): \(one) \(other)")
                }
            }
        }
    }

    /// A level is asked for only when what is above it does not decide.
    @Test func asksNoMoreLevelsThanItNeeds() throws {
        let indexes = [
            LayerIndex(entries: [
                LayerEntry(path: "/etc", kind: .directory), LayerEntry(path: "/etc/top", kind: .file),
            ]),
            LayerIndex(entries: [
                LayerEntry(path: "/etc", kind: .directory), LayerEntry(path: "/etc/gone", kind: .whiteout),
                LayerEntry(path: "/var", kind: .directory, isOpaque: true),
            ]),
            LayerIndex(entries: [
                LayerEntry(path: "/etc", kind: .directory), LayerEntry(path: "/etc/gone", kind: .file),
                LayerEntry(path: "/lnk", kind: .symlink, link: "etc"), LayerEntry(path: "/var", kind: .directory),
                LayerEntry(path: "/var/x", kind: .file),
            ]),
        ]
        func asked(_ path: String) throws -> (Int, String?) {
            final class Count { var levels: Set<Int> = [] }
            let count = Count()
            let tree = LayerViewTree(count: 3) { level throws(ShaleError) in
                count.levels.insert(level)
                return IndexedLayerView(indexes[level])
            }
            let found = try tree.entry(path, followingLinks: true)?.entry.path
            return (count.levels.count, found)
        }
        #expect(try asked("/etc/top") == (1, "/etc/top"))
        #expect(try asked("/etc/gone") == (2, nil))
        #expect(try asked("/var/x") == (2, nil))
        #expect(try asked("/lnk/top") == (3, "/etc/top"))
        #expect(try asked("/none") == (3, nil))
    }
}
