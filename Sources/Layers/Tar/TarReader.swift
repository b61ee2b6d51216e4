package import Basics
import Linux

/// Reads the members of a tar archive, in every format that is met: ustar, PAX, GNU (long names, sparse), V7, star.
///
/// Written here rather than left to libarchive, which converts names to the locale's character set and composes
/// decomposed Unicode: names are bytes, and a layer must come out as it went in. The rules for odd archives are Go's
/// `archive/tar`, which docker reads layers with: an end without zero blocks is an end, one zero block alone is not.
package final class TarReader {
    private let stream: UnpackedStream
    private let subject: String
    private let limits: UnpackLimits
    /// What is left of the stream's current chunk.
    private var window = UnsafeRawBufferPointer(start: nil, count: 0)
    private var isAtEnd = false
    private var block = [UInt8](repeating: 0, count: TarHeader.blockSize)
    /// Stored bytes of the current member that were not read, and the padding behind them.
    private var dataLeft: Int64 = 0
    private var padding: Int64 = 0
    private var current: TarEntry?
    /// Bytes of the archive that were read or passed over: after `next`, where the member's own bytes begin.
    package private(set) var offset: Int64 = 0
    private var count = 0

    package init(_ stream: UnpackedStream, subject: String, limits: UnpackLimits = .standard) {
        self.stream = stream
        self.subject = subject
        self.limits = limits
    }

    /// The next member, or `nil` at the end; what is unread of the last one is skipped.
    ///
    /// Throws `corrupt` when the archive is damaged, and what reading the stream throws.
    package func next() throws(ShaleError) -> TarEntry? {
        current = nil
        try skip(dataLeft)
        let hasPadding = try skipPadding()
        (dataLeft, padding) = (0, 0)
        // Some writers (umoci's insert) stop right behind the last file's bytes: that is an end, too.
        guard hasPadding else { return nil }
        var pax: PaxRecords?
        var longPath: [UInt8]?
        var longLink: [UInt8]?
        while let header = try nextHeader() {
            let stored = header.number(124, 12) ?? -1
            guard stored >= 0 else { throw malformed("a size that is no number") }
            switch header.type {
            case UInt8(ascii: "x"), UInt8(ascii: "X"):
                guard let records = PaxRecords(try special(stored)) else { throw malformed("an invalid PAX header") }
                pax = records
            case UInt8(ascii: "L"): longPath = try Array(special(stored).prefix { $0 != 0 })
            case UInt8(ascii: "K"): longLink = try Array(special(stored).prefix { $0 != 0 })
            case UInt8(ascii: "g"), UInt8(ascii: "V"):
                // One after the other: their sum may not fit.
                try skip(stored)
                try skip(Self.padding(stored))
            default:
                var entry = try member(header, stored, pax)
                if let longPath, pax?.path == nil { entry.path = longPath }
                if let longLink, pax?.link == nil { entry.link = longLink }
                try finish(&entry, pax)
                return entry
            }
        }
        guard pax == nil, longPath == nil, longLink == nil else { throw truncated() }
        return nil
    }

    /// Hands the current file's stored bytes on, each piece with its place in the file.
    ///
    /// Throws `corrupt` when the archive ends too early, and what reading the stream or `body` throws.
    package func readData(
        _ body: (_ offset: Int64, _ bytes: UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        guard let entry = current else { return }
        for region in entry.sparse ?? [SparseRegion(offset: 0, length: dataLeft)] {
            var offset = region.offset
            var left = region.length
            while left > 0 {
                let piece = try nextPiece(left)
                try body(offset, piece)
                offset += Int64(piece.count)
                left -= Int64(piece.count)
                dataLeft -= Int64(piece.count)
            }
        }
    }

    /// The current file's bytes, holes filled with zeros; more than `limit` is an error.
    ///
    /// Throws `corrupt` in that case or when the archive ends too early, and what reading the stream throws.
    package func contents(limit: Int) throws(ShaleError) -> [UInt8] {
        guard let entry = current else { return [] }
        guard entry.size <= Int64(limit) else {
            throw ShaleError(.corrupt, "\(subject): \(entry.pathText): larger than \(limit) bytes")
        }
        var all = [UInt8](repeating: 0, count: Int(entry.size))
        try readData { offset, bytes throws(ShaleError) in
            all.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[Int(offset)..<Int(offset) + bytes.count])
                    .copyMemory(from: bytes)
            }
        }
        return all
    }

    /// Reads to the end of the stream, so that its hash covers all bytes.
    ///
    /// Throws what reading the stream throws.
    package func drain() throws(ShaleError) {
        window = UnsafeRawBufferPointer(start: nil, count: 0)
        while !isAtEnd { if try stream.nextChunk() == nil { isAtEnd = true } }
    }

    // MARK: Bytes

    /// Up to `most` bytes that follow, as they lie in the chunk.
    private func nextPiece(_ most: Int64) throws(ShaleError) -> UnsafeRawBufferPointer {
        if window.isEmpty { try refill() }
        guard !window.isEmpty else { throw truncated() }
        let count = Int(min(Int64(window.count), most))
        let piece = UnsafeRawBufferPointer(rebasing: window[..<count])
        window = UnsafeRawBufferPointer(rebasing: window[count...])
        offset += Int64(count)
        return piece
    }

    private func refill() throws(ShaleError) {
        while window.isEmpty && !isAtEnd {
            if let chunk = try stream.nextChunk() { window = chunk } else { isAtEnd = true }
        }
    }

    private func skip(_ count: Int64) throws(ShaleError) {
        var left = count
        while left > 0 { left -= Int64(try nextPiece(left).count) }
    }

    /// Passes over what fills the last block up; false when the archive ends before.
    private func skipPadding() throws(ShaleError) -> Bool {
        while padding > 0 {
            if window.isEmpty { try refill() }
            if window.isEmpty { return false }
            padding -= Int64(try nextPiece(padding).count)
        }
        return true
    }

    private static func padding(_ size: Int64) -> Int64 { (512 - size % 512) % 512 }

    /// The next 512 bytes in `block`; false at a clean end.
    private func fillBlock() throws(ShaleError) -> Bool {
        var filled = 0
        while filled < block.count {
            if window.isEmpty { try refill() }
            if window.isEmpty {
                if filled == 0 { return false }
                throw truncated()
            }
            let part = min(window.count, block.count - filled)
            block.withUnsafeMutableBytes {
                UnsafeMutableRawBufferPointer(rebasing: $0[filled..<filled + part])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: window[..<part]))
            }
            window = UnsafeRawBufferPointer(rebasing: window[part...])
            offset += Int64(part)
            filled += part
        }
        return true
    }

    private func nextHeader() throws(ShaleError) -> HeaderBlock? {
        guard try fillBlock() else { return nil }
        var header = HeaderBlock(block)
        if header.isZero {
            guard try fillBlock() else { return nil }
            header = HeaderBlock(block)
            guard header.isZero else { throw malformed("a lone block of zeros") }
            return nil
        }
        guard header.isIntact else { throw malformed("a header with a wrong checksum") }
        return header
    }

    /// The body of an extended header.
    private func special(_ size: Int64) throws(ShaleError) -> [UInt8] {
        guard size <= Int64(limits.headerLength) else {
            throw ShaleError(.corrupt, "\(subject): a header of \(size) bytes, more than \(limits.headerLength)")
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(size))
        var left = size
        while left > 0 {
            let piece = try nextPiece(left)
            bytes.append(contentsOf: piece)
            left -= Int64(piece.count)
        }
        try skip(Self.padding(size))
        return bytes
    }

    // MARK: Members

    private func member(
        _ header: HeaderBlock, _ stored: Int64, _ pax: PaxRecords?
    ) throws(ShaleError) -> TarEntry {
        var entry = TarEntry(path: header.path, kind: try kind(header))
        guard let mode = header.number(100, 8), let uid = header.number(108, 8), let gid = header.number(116, 8),
            let modified = header.number(136, 12)
        else { throw malformed("a field that is no number", entry) }
        entry.mode = UInt32(truncatingIfNeeded: mode) & 0o7777
        (entry.uid, entry.gid) = (pax?.uid ?? uid, pax?.gid ?? gid)
        entry.modified = pax?.modified ?? Timestamp(seconds: modified)
        if entry.kind == .symlink || entry.kind == .hardLink { entry.link = header.text(157, 100) }
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            entry.deviceMajor = UInt32(truncatingIfNeeded: pax?.deviceMajor ?? header.number(329, 8) ?? 0)
            entry.deviceMinor = UInt32(truncatingIfNeeded: pax?.deviceMinor ?? header.number(337, 8) ?? 0)
        }
        // Links, directories and devices have no data whatever their size field says (as Go reads them); GNU's
        // directory dumps have.
        let hasData = entry.kind == .file || header.type == UInt8(ascii: "D")
        dataLeft = hasData ? pax?.size ?? stored : 0
        padding = Self.padding(dataLeft)
        if entry.kind == .file { entry.size = dataLeft }
        if header.type == UInt8(ascii: "S") { try readOldSparseMap(header, &entry) }
        // V7 had no type for a directory, only the slash; a PAX or GNU name may bring the slash later.
        return entry
    }

    private func kind(_ header: HeaderBlock) throws(ShaleError) -> TarEntry.Kind {
        switch header.type {
        case UInt8(ascii: "0"), UInt8(ascii: "7"), UInt8(ascii: "S"), 0: .file
        case UInt8(ascii: "1"): .hardLink
        case UInt8(ascii: "2"): .symlink
        case UInt8(ascii: "3"): .characterDevice
        case UInt8(ascii: "4"): .blockDevice
        case UInt8(ascii: "5"), UInt8(ascii: "D"): .directory
        case UInt8(ascii: "6"): .fifo
        default: throw malformed("a member of unknown type \(header.type)")
        }
    }

    /// Applies what extended headers say and checks what they may not say.
    private func finish(_ entry: inout TarEntry, _ pax: PaxRecords?) throws(ShaleError) {
        if let pax {
            if let path = pax.path { entry.path = path }
            if let link = pax.link, entry.kind == .symlink || entry.kind == .hardLink { entry.link = link }
            entry.attributes = pax.attributes.map { ExtendedAttribute(name: $0.key, value: $0.value) }
                .sorted { $0.name < $1.name }
            if pax.isSparse, entry.kind == .file { try readPaxSparseMap(pax, &entry) }
        }
        if entry.kind == .file, entry.path.last == UInt8(ascii: "/") { entry.kind = .directory }
        count += 1
        guard count <= limits.entries else {
            throw ShaleError(.corrupt, "\(subject): more than \(limits.entries) members")
        }
        guard entry.path.count <= limits.pathLength, entry.link.count <= limits.pathLength else {
            throw ShaleError(.corrupt, "\(subject): a path longer than \(limits.pathLength) bytes")
        }
        guard !entry.path.contains(0), !entry.link.contains(0) else { throw malformed("a path with a NUL", entry) }
        guard entry.size <= limits.totalBytes else {
            throw ShaleError(.corrupt, "\(subject): \(entry.pathText): more than \(limits.totalBytes) bytes")
        }
        current = entry.kind == .file ? entry : nil
    }

    private func malformed(_ what: String, _ entry: TarEntry? = nil) -> ShaleError {
        let place = entry.map { "\(subject): \($0.pathText)" } ?? subject
        return ShaleError(.corrupt, "\(place): invalid tar archive", cause: what)
    }

    private func truncated() -> ShaleError {
        ShaleError(.corrupt, "\(subject): invalid tar archive", cause: "unexpected end")
    }
}

// MARK: Sparse files

extension TarReader {
    /// GNU's old form: four regions in the header, 21 in each block behind it while a flag says so.
    private func readOldSparseMap(_ header: HeaderBlock, _ entry: inout TarEntry) throws(ShaleError) {
        guard let size = header.number(483, 12) else { throw malformed("an invalid sparse map", entry) }
        var numbers: [Int64] = []
        var fields = header
        var (start, slots, flag) = (386, 4, 482)
        while true {
            for slot in 0..<slots where fields.bytes[start + slot * 24] != 0 {
                guard let offset = fields.number(start + slot * 24, 12),
                    let length = fields.number(start + slot * 24 + 12, 12)
                else { throw malformed("an invalid sparse map", entry) }
                numbers += [offset, length]
            }
            guard fields.bytes[flag] != 0 else { break }
            guard numbers.count < 1 << 17, try fillBlock() else { throw malformed("an invalid sparse map", entry) }
            fields = HeaderBlock(block)
            (start, slots, flag) = (0, 21, 504)
        }
        try setSparse(numbers, size, &entry)
    }

    /// GNU's PAX forms: the map in the records, or (1.0) as decimal lines in front of the data, in whole blocks.
    private func readPaxSparseMap(_ pax: PaxRecords, _ entry: inout TarEntry) throws(ShaleError) {
        if let name = pax.sparseName { entry.path = name }
        var numbers = pax.sparseNumbers
        if pax.sparseMajor == 1 {
            numbers = []
            var lines = SparseLines()
            guard let regions = try nextLine(&lines), regions <= 1 << 16 else {
                throw malformed("an invalid sparse map", entry)
            }
            for _ in 0..<(2 * regions) {
                guard let number = try nextLine(&lines) else { throw malformed("an invalid sparse map", entry) }
                numbers.append(number)
            }
        }
        guard let size = pax.sparseSize else { throw malformed("a sparse file without a size", entry) }
        try setSparse(numbers, size, &entry)
    }

    private struct SparseLines {
        var bytes: [UInt8] = []
        var position = 0
    }

    private func nextLine(_ lines: inout SparseLines) throws(ShaleError) -> Int64? {
        var digits: [UInt8] = []
        while digits.count < 20 {
            if lines.position == lines.bytes.count {
                guard dataLeft >= 512, try fillBlock() else { return nil }
                dataLeft -= 512
                lines = SparseLines(bytes: block)
            }
            let byte = lines.bytes[lines.position]
            lines.position += 1
            if byte == UInt8(ascii: "\n") { return PaxRecords.number(digits[...]) }
            digits.append(byte)
        }
        return nil
    }

    /// Takes a map over if its regions ascend, do not overlap, lie in the file and make up the stored bytes.
    private func setSparse(_ numbers: [Int64], _ size: Int64, _ entry: inout TarEntry) throws(ShaleError) {
        guard numbers.count.isMultiple(of: 2), size >= 0 else { throw malformed("an invalid sparse map", entry) }
        var regions: [SparseRegion] = []
        var end: Int64 = 0
        var stored: Int64 = 0
        for pair in stride(from: 0, to: numbers.count, by: 2) {
            let (offset, length) = (numbers[pair], numbers[pair + 1])
            let (last, overflow) = offset.addingReportingOverflow(length)
            guard offset >= end, length >= 0, !overflow, last <= size else {
                throw malformed("an invalid sparse map", entry)
            }
            end = last
            stored += length
            if length > 0 { regions.append(SparseRegion(offset: offset, length: length)) }
        }
        guard stored <= dataLeft else { throw malformed("an invalid sparse map", entry) }
        entry.sparse = regions
        entry.size = size
    }
}

/// A header block with memory of its own, good after the reader went on.
private struct HeaderBlock {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func read<Result>(_ body: (TarHeader) -> Result) -> Result {
        bytes.withUnsafeBytes { body(TarHeader(bytes: $0)) }
    }

    var type: UInt8 { bytes[156] }
    var isZero: Bool { read(\.isZero) }
    var isIntact: Bool { read(\.isIntact) }
    var path: [UInt8] { read(\.path) }
    func number(_ offset: Int, _ length: Int) -> Int64? { read { $0.number(offset, length) } }
    func text(_ offset: Int, _ length: Int) -> [UInt8] { read { $0.text(offset, length) } }
}
