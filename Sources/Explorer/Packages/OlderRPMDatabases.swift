/// Reads numbers from untrusted bytes; `nil` for an offset outside.
private struct Numbers {
    let bytes: [UInt8]
    let isBigEndian: Bool

    func short(_ place: Int) -> Int? {
        guard place >= 0, place + 2 <= bytes.count else { return nil }
        let (first, second) = (Int(bytes[place]), Int(bytes[place + 1]))
        return isBigEndian ? first << 8 | second : second << 8 | first
    }

    func long(_ place: Int) -> Int? {
        guard let first = short(place), let second = short(place + 2) else { return nil }
        return isBigEndian ? first << 16 | second : second << 16 | first
    }
}

/// The values of a Berkeley DB hash file, in which rpm before 4.16 kept `Packages` (db-5.3, `dbinc/db_page.h`).
struct BerkeleyHash {
    private static let magic = 0x6_1561
    private static let pageHeader = 26
    private let numbers: Numbers
    private let pageSize: Int
    private let lastPage: Int

    /// `nil` when the bytes are no such file.
    init?(_ bytes: [UInt8]) {
        guard
            let numbers = [false, true].map({ Numbers(bytes: bytes, isBigEndian: $0) }).first(where: {
                $0.long(12) == Self.magic
            }), let size = numbers.long(20), size >= 512, size <= 65536, let last = numbers.long(32)
        else { return nil }
        self.numbers = numbers
        pageSize = size
        lastPage = min(last, bytes.count / size - 1)
    }

    /// All values, without their keys.
    var values: [[UInt8]] {
        var found: [[UInt8]] = []
        // Values do not overlap, so together they are not longer than the file.
        var left = numbers.bytes.count
        guard lastPage >= 1 else { return [] }
        for page in 1...lastPage where left > 0 {
            let start = page * pageSize
            // Hash pages, unsorted (2) and sorted (13). Their items alternate between a key and its value.
            guard [2, 13].contains(numbers.bytes[start + 25]), let count = numbers.short(start + 20) else { continue }
            for item in stride(from: 1, to: min(count, pageSize / 2), by: 2) {
                guard let value = value(item, in: start, limit: left) else { continue }
                left -= max(1, value.count)
                found.append(value)
            }
        }
        return found
    }

    /// A value in a hash page; `nil` for an overflow value longer than `limit` bytes, or of another kind.
    private func value(_ item: Int, in start: Int, limit: Int) -> [UInt8]? {
        let index = start + Self.pageHeader
        guard let offset = numbers.short(index + 2 * item), offset < pageSize,
            let before = numbers.short(index + 2 * (item - 1)), before <= pageSize
        else { return nil }
        let place = start + offset
        switch numbers.bytes[place] {
        case 1: return offset < before ? Array(numbers.bytes[(place + 1)..<(start + before)]) : nil
        case 3:
            guard let page = numbers.long(place + 4), let size = numbers.long(place + 8), size <= limit
            else { return nil }
            return chain(from: page, size: size)
        default: return nil
        }
    }

    /// A value in overflow pages.
    ///
    /// A cycle of pages ends the loop.
    private func chain(from first: Int, size: Int) -> [UInt8]? {
        var value: [UInt8] = []
        var page = first
        var seen: Set<Int> = []
        while page > 0, page <= lastPage, value.count < size, seen.insert(page).inserted {
            let start = page * pageSize
            guard numbers.bytes[start + 25] == 7, let count = numbers.short(start + 22),
                count <= pageSize - Self.pageHeader, let next = numbers.long(start + 16)
            else { return nil }
            value += numbers.bytes[(start + Self.pageHeader)..<(start + Self.pageHeader + count)]
            page = next
        }
        return value.count >= size ? Array(value.prefix(size)) : nil
    }
}

/// The blobs of rpm's `Packages.db` (rpm, `lib/backend/ndb/rpmpkg.c`).
struct PackageBlobs {
    private let numbers: Numbers
    private let slots: Int

    /// `nil` when the bytes are no such file.
    init?(_ bytes: [UInt8]) {
        numbers = Numbers(bytes: bytes, isBigEndian: false)
        guard bytes.starts(with: "RpmP".utf8), let pages = numbers.long(12), pages >= 1 else { return nil }
        slots = min(pages * 4096, bytes.count) / 16
    }

    var values: [[UInt8]] {
        guard slots > 2 else { return [] }
        var left = numbers.bytes.count
        // The first two slots are the file's header.
        return (2..<slots).compactMap { slot in
            let place = slot * 16
            guard numbers.bytes[place...].starts(with: "Slot".utf8), let number = numbers.long(place + 4), number > 0,
                let block = numbers.long(place + 8)
            else { return nil }
            let start = block * 16
            guard start + 16 <= numbers.bytes.count, numbers.bytes[start...].starts(with: "BlbS".utf8),
                let size = numbers.long(start + 12), size <= numbers.bytes.count - start - 16, size <= left
            else { return nil }
            left -= max(1, size)
            return Array(numbers.bytes[(start + 16)..<(start + 16 + size)])
        }
    }
}
