import Basics
import Stores
import Testing

@testable import Explorer

/// A database written here, page by page.
struct RPMTests {
    static func big(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    static func varint(_ value: Int) -> [UInt8] {
        value < 128 ? [UInt8(value)] : [UInt8(value >> 7) | 0x80, UInt8(value & 0x7F)]
    }

    /// A header of strings (type 6) and 32-bit numbers (type 4).
    static func header(_ strings: [(Int, String)], _ numbers: [(Int, Int)]) -> [UInt8] {
        var index: [UInt8] = []
        var store: [UInt8] = []
        for (tag, number) in numbers {
            index += big(tag, 4) + big(4, 4) + big(store.count, 4) + big(1, 4)
            store += big(number, 4)
        }
        for (tag, text) in strings {
            index += big(tag, 4) + big(6, 4) + big(store.count, 4) + big(1, 4)
            store += Array(text.utf8) + [0]
        }
        return big(index.count / 16, 4) + big(store.count, 4) + index + store
    }

    static let pageSize = 512

    private static func page(_ type: UInt8, _ cells: [[UInt8]], prefix: [UInt8] = []) -> [UInt8] {
        var page = prefix + [UInt8](repeating: 0, count: pageSize - prefix.count)
        page[prefix.count] = type
        page.replaceSubrange(prefix.count + 3..<prefix.count + 5, with: big(cells.count, 2))
        var end = pageSize
        for (number, cell) in cells.enumerated() {
            end -= cell.count
            page.replaceSubrange(end..<end + cell.count, with: cell)
            let pointer = prefix.count + 8 + 2 * number
            page.replaceSubrange(pointer..<pointer + 2, with: big(end, 2))
        }
        return page
    }

    /// A database with a table `Packages` of these blobs: the second overflows its page.
    static func database(_ blobs: [[UInt8]]) -> [UInt8] {
        var file = Array("SQLite format 3\u{0}".utf8) + big(pageSize, 2)
        file += [UInt8](repeating: 0, count: 100 - file.count)
        let schema: [UInt8] =
            [6, 23, 29, 29, 1, 13] + Array("table".utf8) + Array("Packages".utf8) + Array("Packages".utf8) + [2]
        var cells: [[UInt8]] = []
        var overflow: [UInt8] = []
        for (number, blob) in blobs.enumerated() {
            let types = [0] + varint(12 + 2 * blob.count)
            let record = [UInt8(types.count + 1)] + types + blob
            let start = varint(record.count) + [UInt8(number + 1)]
            if record.count <= pageSize - 35 {
                cells.append(start + record)
                continue
            }
            let smallest = (pageSize - 12) * 32 / 255 - 23
            let wanted = smallest + (record.count - smallest) % (pageSize - 4)
            let local = wanted <= pageSize - 35 ? wanted : smallest
            var next = 3 + overflow.count / pageSize
            cells.append(start + record[..<local] + big(next, 4))
            var rest = record[local...]
            while !rest.isEmpty {
                let piece = rest.prefix(pageSize - 4)
                rest = rest.dropFirst(piece.count)
                next += 1
                overflow += big(rest.isEmpty ? 0 : next, 4) + piece
                overflow += [UInt8](repeating: 0, count: (pageSize - overflow.count % pageSize) % pageSize)
            }
        }
        return page(0x0D, [varint(schema.count) + [1] + schema], prefix: file) + page(0x0D, cells) + overflow
    }

    static let bash = header([(1000, "bash"), (1001, "5.1.8"), (1002, "6.el9"), (1022, "x86_64")], [(1009, 7_738_634)])
    static let long = header(
        [(1000, "perl"), (1001, "5.32"), (1002, "1"), (9999, String(repeating: "x", count: 1400))], [(1003, 4)])
    static let key = header([(1000, "gpg-pubkey"), (1001, "1"), (1002, "2")], [])

    @Test func readsPackages() throws {
        let bytes = Self.database([Self.bash, Self.long, Self.key])
        let fixture = try ExplorerFixture()
        try fixture.image(
            "app:1", [.init("one", [TestEntry(path: "var/lib/rpm/rpmdb.sqlite", content: bytes)])])
        let found = try PackageList(fixture.view("app:1")).packages(Cancellation())
        #expect(
            found.map { "\($0.name) \($0.version) \($0.architecture) \($0.size ?? -1)" } == [
                "bash 5.1.8-6.el9 x86_64 7738634", "perl 4:5.32-1  -1",
            ])
    }

    /// Many cells that all lead to one long record would fill the memory: together they are no longer than the file.
    @Test func recordsShareNoBytes() {
        var bytes = Self.database([Self.long])
        let cell = bytes[Self.pageSize + 8..<Self.pageSize + 10]
        bytes.replaceSubrange(Self.pageSize + 3..<Self.pageSize + 5, with: Self.big(200, 2))
        for number in 0..<200 {
            let place = Self.pageSize + 8 + 2 * number
            guard place + 2 <= 2 * Self.pageSize - 64 else { break }
            bytes.replaceSubrange(place..<place + 2, with: cell)
        }
        let found = SQLiteTable(bytes)?.blobs(of: "Packages") ?? []
        #expect(found.reduce(0) { $0 + $1.count } <= bytes.count)
    }

    @Test func survivesDamage() {
        let bytes = Self.database([Self.bash, Self.long])
        var state: UInt64 = 42
        for _ in 0..<4000 {
            var damaged = bytes
            for _ in 0..<4 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                damaged[Int(state >> 33) % damaged.count] = UInt8(truncatingIfNeeded: state >> 20)
            }
            let cut = state % 8 == 0 ? Array(damaged.prefix(Int(state >> 40) % damaged.count)) : damaged
            for blob in SQLiteTable(cut)?.blobs(of: "Packages") ?? [] { _ = RPMHeader(blob)?.package(path: "") }
        }
    }
}

/// The databases rpm had before: Berkeley DB's hash and rpm's own file of blobs.
struct OlderRPMTests {
    private static func little(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    private static func set(_ bytes: [UInt8], at place: Int, in page: inout [UInt8]) {
        page.replaceSubrange(place..<place + bytes.count, with: bytes)
    }

    /// A hash of one page whose values lie in the page, or, the longer ones, in overflow pages behind it.
    static func hash(_ values: [[UInt8]], pageSize: Int = 512) -> [UInt8] {
        var meta = [UInt8](repeating: 0, count: pageSize)
        set(little(0x6_1561, 4) + little(9, 4) + little(pageSize, 4), at: 12, in: &meta)
        var page = [UInt8](repeating: 0, count: pageSize)
        var end = pageSize
        var overflow: [[UInt8]] = []
        for (number, value) in values.enumerated() {
            var item = [1] + value
            if value.count > pageSize / 4 {
                item = [3, 0, 0, 0] + little(2 + overflow.count, 4) + little(value.count, 4)
                var rest = value[...]
                while !rest.isEmpty {
                    let piece = rest.prefix(pageSize - 26)
                    rest = rest.dropFirst(piece.count)
                    var next = [UInt8](repeating: 0, count: pageSize)
                    set(little(rest.isEmpty ? 0 : 3 + overflow.count, 4), at: 16, in: &next)
                    set(little(piece.count, 2) + [0, 7] + piece, at: 22, in: &next)
                    overflow.append(next)
                }
            }
            for (index, bytes) in [[1] + little(number, 4), item].enumerated() {
                end -= bytes.count
                set(bytes, at: end, in: &page)
                set(little(end, 2), at: 26 + 2 * (2 * number + index), in: &page)
            }
        }
        set(little(2 * values.count, 2), at: 20, in: &page)
        page[25] = 13
        set(little(1 + overflow.count, 4), at: 32, in: &meta)
        return meta + page + overflow.flatMap(\.self)
    }

    static func blobs(_ values: [[UInt8]]) -> [UInt8] {
        var head = Array("RpmP".utf8) + little(0, 4) + little(1, 4) + little(1, 4)
        head += [UInt8](repeating: 0, count: 32 - head.count)
        var body: [UInt8] = []
        for (number, value) in values.enumerated() {
            head += Array("Slot".utf8) + little(number + 1, 4) + little((4096 + body.count) / 16, 4) + little(1, 4)
            body += Array("BlbS".utf8) + little(number + 1, 4) + little(1, 4) + little(value.count, 4) + value
            body += [UInt8](repeating: 0, count: (16 - body.count % 16) % 16)
        }
        // A place that is free.
        head += Array("Slot".utf8) + little(0, 4) + little(300, 4) + little(1, 4)
        return head + [UInt8](repeating: 0, count: 4096 - head.count) + body
    }

    @Test(arguments: ["Packages", "Packages.db"]) func readsPackages(_ name: String) throws {
        let values = [little(7), RPMTests.bash, RPMTests.long, RPMTests.key]
        let bytes = name == "Packages" ? Self.hash(values) : Self.blobs(values)
        let fixture = try ExplorerFixture()
        try fixture.image("app:1", [.init("one", [TestEntry(path: "usr/lib/sysimage/rpm/\(name)", content: bytes)])])
        let found = try PackageList(fixture.view("app:1")).packages(Cancellation())
        #expect(found.map { "\($0.name) \($0.version)" } == ["bash 5.1.8-6.el9", "perl 4:5.32-1"])
    }

    private func little(_ value: Int) -> [UInt8] { Self.little(value, 4) }

    @Test func saysWhatItCannotRead() throws {
        let fixture = try ExplorerFixture()
        try fixture.image("app:1", [.init("one", [.file("var/lib/rpm/Packages", "no database\n")])])
        var warnings: [String] = []
        let found = try PackageList(fixture.view("app:1")).packages(Cancellation()) { warnings.append($0) }
        #expect(found.isEmpty && warnings.count == 1 && warnings[0].hasPrefix("/var/lib/rpm/Packages: not a database"))
    }

    @Test func survivesDamage() {
        var state: UInt64 = 7
        for bytes in [Self.hash([RPMTests.bash, RPMTests.long]), Self.blobs([RPMTests.bash, RPMTests.long])] {
            for _ in 0..<2000 {
                var damaged = bytes
                for _ in 0..<6 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    // Heads and page heads are where numbers are.
                    let place = Int(state >> 33) % (state % 3 == 0 ? damaged.count : min(640, damaged.count))
                    damaged[place] = UInt8(truncatingIfNeeded: state >> 20)
                }
                let cut = state % 8 == 0 ? Array(damaged.prefix(Int(state >> 40) % damaged.count)) : damaged
                for value in PackageBlobs(cut)?.values ?? BerkeleyHash(cut)?.values ?? [] {
                    _ = RPMHeader(value)?.package(path: "")
                }
            }
        }
    }
}
