/// Reads one table of an SQLite database in memory (file format: sqlite.org/fileformat2.html).
///
/// The bytes are untrusted: every number is checked, and a cycle of pages ends the loop.
struct SQLiteTable {
    private let bytes: [UInt8]
    private let pageSize: Int
    /// The size of a page without its reserved bytes.
    private let usable: Int

    /// `nil` when the bytes are no database.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 100, bytes.starts(with: "SQLite format 3\u{0}".utf8) else { return nil }
        let size = Int(bytes[16]) << 8 | Int(bytes[17])
        pageSize = size == 1 ? 65536 : size
        usable = pageSize - Int(bytes[20])
        guard pageSize >= 512, pageSize & (pageSize - 1) == 0, usable >= 480 else { return nil }
        self.bytes = bytes
    }

    /// The blobs in the last column of a table's rows; `nil` when the table does not exist.
    func blobs(of table: String) -> [[UInt8]]? {
        var root: Int?
        rows(of: 1) { payload in
            guard let columns = Self.columns(payload), columns.count >= 4, text(columns[0]) == "table",
                text(columns[1]) == table
            else { return }
            root = Int(columns[3].reduce(0 as UInt32) { $0 << 8 | UInt32($1) })
        }
        guard let root else { return nil }
        var found: [[UInt8]] = []
        rows(of: root) { payload in
            if let last = Self.columns(payload)?.last { found.append(Array(last)) }
        }
        return found
    }

    private func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    // MARK: Pages

    private func page(_ number: Int) -> Range<Int>? {
        guard number >= 1, number <= bytes.count / pageSize else { return nil }
        return (number - 1) * pageSize..<number * pageSize
    }

    private func short(_ position: Int) -> Int? {
        position >= 0 && position + 2 <= bytes.count ? Int(bytes[position]) << 8 | Int(bytes[position + 1]) : nil
    }

    private func long(_ position: Int) -> Int? {
        guard position >= 0, position + 4 <= bytes.count else { return nil }
        return bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    /// Calls `body` with the record of every row.
    private func rows(of root: Int, _ body: ([UInt8]) -> Void) {
        var pending = [root]
        var seen: Set<Int> = []
        // Records do not overlap, so together they are not longer than the file.
        var left = bytes.count
        while let number = pending.popLast(), left > 0 {
            guard seen.insert(number).inserted, let page = page(number) else { continue }
            // The first page begins with the file's header of 100 bytes.
            let start = page.lowerBound + (number == 1 ? 100 : 0)
            guard let count = short(start + 3) else { continue }
            let isLeaf = bytes[start] == 0x0D
            guard isLeaf || bytes[start] == 0x05 else { continue }
            let pointers = start + (isLeaf ? 8 : 12)
            if !isLeaf, let right = long(start + 8) { pending.append(right) }
            for cell in (0..<count).reversed() {
                guard let offset = short(pointers + 2 * cell), offset < pageSize else { continue }
                let position = page.lowerBound + offset
                if isLeaf {
                    guard let record = record(at: position, limit: left) else { continue }
                    left -= max(1, record.count)
                    body(record)
                } else if let child = long(position) {
                    pending.append(child)
                }
            }
        }
    }

    /// The record of a leaf cell, with its overflow pages; `nil` when it is longer than `limit` bytes.
    private func record(at position: Int, limit: Int) -> [UInt8]? {
        guard let (size, afterSize) = Self.varint(bytes[...], position), size >= 0, size <= limit,
            let (_, start) = Self.varint(bytes[...], afterSize)
        else { return nil }
        let largest = usable - 35
        if size <= largest {
            return start + size <= bytes.count ? Array(bytes[start..<start + size]) : nil
        }
        let smallest = (usable - 12) * 32 / 255 - 23
        let wanted = smallest + (size - smallest) % (usable - 4)
        let local = wanted <= largest ? wanted : smallest
        guard start + local + 4 <= bytes.count, var next = long(start + local) else { return nil }
        var record = Array(bytes[start..<start + local])
        var pages = 0
        while record.count < size {
            guard let page = page(next), let following = long(page.lowerBound), pages <= bytes.count / pageSize else {
                return nil
            }
            pages += 1
            let count = min(usable - 4, size - record.count)
            record += bytes[page.lowerBound + 4..<page.lowerBound + 4 + count]
            next = following
        }
        return record
    }

    // MARK: Records

    /// The columns of a record as bytes.
    ///
    /// Integers are as stored.
    private static func columns(_ record: [UInt8]) -> [ArraySlice<UInt8>]? {
        guard let (headerSize, first) = varint(record[...], 0), headerSize >= first, headerSize <= record.count else {
            return nil
        }
        var position = first
        var body = headerSize
        var columns: [ArraySlice<UInt8>] = []
        while position < headerSize {
            guard let (type, next) = varint(record[...], position), type >= 0 else { return nil }
            position = next
            let sizes = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0]
            let size = type < 12 ? sizes[type] : (type - 12) / 2
            guard size <= record.count - body else { return nil }
            columns.append(record[body..<body + size])
            body += size
        }
        return columns
    }

    /// A big-endian number of up to nine bytes, and the index after it.
    private static func varint(_ bytes: ArraySlice<UInt8>, _ position: Int) -> (value: Int, end: Int)? {
        var value: UInt64 = 0
        for index in 0..<9 {
            guard position + index < bytes.endIndex, position >= bytes.startIndex else { return nil }
            let byte = bytes[position + index]
            if index == 8 {
                value = value << 8 | UInt64(byte)
            } else {
                value = value << 7 | UInt64(byte & 0x7F)
                if byte & 0x80 != 0 { continue }
            }
            return Int(exactly: value).map { ($0, position + index + 1) }
        }
        return nil
    }
}
