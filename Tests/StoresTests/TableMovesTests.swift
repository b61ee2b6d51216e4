import Basics
import OCI
import Testing

@testable import Stores

/// Many names and images moved at once: the same as one after the other.
@Suite struct TableMovesTests {
    private static func digest(_ number: Int) -> Digest { Digest.of("\(number)".utf8) }

    private static func entry(_ number: Int, parent: Int? = nil) -> ImageEntry {
        ImageEntry(
            manifest: Descriptor(mediaType: MediaType.ociManifest, digest: digest(number), size: 1),
            image: digest(number + 1000), parent: parent.map { digest($0 + 1000) })
    }

    private static func name(_ number: Int) throws -> Reference {
        try Reference(parsing: "docker.io/library/n\(number):latest")
    }

    private static func sorted(_ table: ImageTable) -> [String] {
        table.entries.map { "\($0.refName ?? "-") \($0.manifest.digest)" }.sorted()
    }

    @Test(arguments: 1...30) func namesAreSetAsOneByOne(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed)
        var table = ImageTable()
        for number in 0..<8 { table.insert(Self.entry(number)) }
        for number in 0..<10 where Bool.random(using: &generator) {
            table.insert(Self.entry(Int.random(in: 0..<8, using: &generator)).named(try Self.name(number)))
        }
        var single = table
        var targets: [String: ImageEntry?] = [:]
        for number in 0..<12 where Bool.random(using: &generator) {
            let name = try Self.name(number)
            if Bool.random(using: &generator) {
                single.removeName(name)
                targets.updateValue(nil, forKey: name.description)
            } else {
                let entry = Self.entry(Int.random(in: 0..<10, using: &generator))
                single.insert(entry.named(name))
                targets[name.description] = entry
            }
        }
        table.setNames(targets)
        #expect(Self.sorted(table) == Self.sorted(single))
    }

    @Test func aNameThatAnotherToolWroteIsMovedToo() throws {
        var foreign = Self.entry(1)
        foreign.refName = "n1"
        var table = ImageTable(entries: [foreign])
        #expect(table.namedEntries.keys.sorted() == ["docker.io/library/n1:latest"])
        table.setNames(["docker.io/library/n1:latest": nil])
        #expect(Self.sorted(table) == ["- \(Self.digest(1))"])
    }

    /// An index without a name, whose image has an entry of its own.
    private static func index(of number: Int) -> ImageEntry {
        ImageEntry(
            manifest: Descriptor(mediaType: MediaType.ociIndex, digest: digest(number + 2000), size: 1),
            image: digest(number + 1000))
    }

    @Test func anIndexAloneIsHiddenAndShownByItsDigest() throws {
        let (plain, index) = (Self.entry(1).named(try Self.name(1)), Self.index(of: 1))
        let digest = index.manifest.digest
        let whole = ImageTable(entries: [plain, index])
        let rest = ImageTable(entries: [plain])
        var changes = TableChanges()
        changes.add(from: whole, to: rest)
        #expect(changes.departed == [digest] && changes.arrived.isEmpty)
        #expect(whole.hideableIndexes([digest]) == [index])
        // The only entry of an image is not hidden by the index's digest.
        #expect(ImageTable(entries: [index]).hideableIndexes([digest]).isEmpty)
        var table = rest
        table.show([digest], from: ImageTable(entries: [index]))
        #expect(table == whole)
        table.show([digest], from: ImageTable(entries: [index]))
        #expect(table == whole)
        changes.add(from: rest, to: whole)
        #expect(changes.departed.isEmpty && changes.arrived.isEmpty)
    }

    @Test func aChainIsHiddenFromItsEnd() {
        let table = ImageTable(entries: (0..<100).map { Self.entry($0, parent: $0 == 0 ? nil : $0 - 1) })
        let all = Set((0..<100).map { Self.digest($0 + 1000) })
        #expect(table.hideable(all) { _ in false } == all)
        // One that is used keeps those it stands on.
        let used = Self.digest(1050)
        #expect(table.hideable(all) { $0 == used } == Set((51..<100).map { Self.digest($0 + 1000) }))
        // What is not asked for stays, and keeps what it stands on.
        #expect(table.hideable(all.subtracting([Self.digest(1099)])) { _ in false }.isEmpty)
    }
}

private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let mixed = (state ^ (state >> 33)) &* 0xFF51_AFD7_ED55_8CCD
        return mixed ^ (mixed >> 33)
    }
}
