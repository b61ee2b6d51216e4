import Basics
import Linux

/// The records of a PAX extended header (POSIX.1-2001, "pax Extended Header": `25 ctime=1084839148.1212\n`).
struct PaxRecords {
    private(set) var path: [UInt8]?
    private(set) var link: [UInt8]?
    private(set) var size: Int64?
    private(set) var uid: Int64?
    private(set) var gid: Int64?
    private(set) var modified: Timestamp?
    private(set) var deviceMajor: Int64?
    private(set) var deviceMinor: Int64?
    private(set) var attributes: [String: [UInt8]] = [:]
    // GNU's sparse files in their three PAX forms (0.0, 0.1, 1.0).
    private(set) var sparseMajor: Int64?
    private(set) var sparseMinor: Int64?
    private(set) var sparseName: [UInt8]?
    private(set) var sparseSize: Int64?
    private(set) var sparseNumbers: [Int64] = []
    private(set) var sparseCount: Int64?

    /// Whether one of the forms with the map in the header, or the one with the map before the data, is used.
    var isSparse: Bool { sparseCount != nil || sparseMajor != nil }

    /// Adds the records of one header; `nil` in front of anything malformed.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while let first = rest.first {
            // Some writers fill the rest of the block with zeros and count them in.
            if first == 0 {
                guard rest.allSatisfy({ $0 == 0 }) else { return nil }
                return
            }
            guard let space = rest.firstIndex(of: UInt8(ascii: " ")),
                let length = Self.number(rest[..<space]), length > space - rest.startIndex, length <= rest.count
            else { return nil }
            let end = rest.startIndex + Int(length)
            let record = rest[(space + 1)..<end]
            guard record.last == UInt8(ascii: "\n"), let equals = record.firstIndex(of: UInt8(ascii: "=")) else {
                return nil
            }
            let key = String(pathBytes: record[record.startIndex..<equals])
            guard take(key, record[(equals + 1)..<(end - 1)]) else { return nil }
            rest = rest[end...]
        }
    }

    private mutating func take(_ key: String, _ value: ArraySlice<UInt8>) -> Bool {
        switch key {
        case "path": path = Array(value)
        case "linkpath": link = Array(value)
        case "size": return set(&size, value)
        case "uid": return set(&uid, value)
        case "gid": return set(&gid, value)
        case "mtime":
            // An empty value takes the record back.
            modified = value.isEmpty ? nil : Self.time(value)
            return value.isEmpty || modified != nil
        case "SCHILY.devmajor": return set(&deviceMajor, value)
        case "SCHILY.devminor": return set(&deviceMinor, value)
        case "GNU.sparse.major": return set(&sparseMajor, value)
        case "GNU.sparse.minor": return set(&sparseMinor, value)
        case "GNU.sparse.name": sparseName = Array(value)
        case "GNU.sparse.realsize", "GNU.sparse.size": return set(&sparseSize, value)
        case "GNU.sparse.numblocks": return set(&sparseCount, value)
        case "GNU.sparse.offset", "GNU.sparse.numbytes":
            guard let number = Self.number(value) else { return false }
            sparseNumbers.append(number)
        case "GNU.sparse.map":
            let numbers = value.split(separator: UInt8(ascii: ",")).map { Self.number($0) }
            guard !numbers.contains(nil) else { return false }
            sparseNumbers = numbers.compactMap { $0 }
        default:
            if key.hasPrefix("SCHILY.xattr.") { attributes[String(key.dropFirst(13))] = Array(value) }
        }
        return true
    }

    private func set(_ field: inout Int64?, _ value: ArraySlice<UInt8>) -> Bool {
        field = value.isEmpty ? nil : Self.number(value)
        return value.isEmpty || field != nil
    }

    /// Decimal digits; `nil` for anything else.
    static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard !digits.isEmpty, digits.count <= 18 else { return nil }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            value = value * 10 + Int64(digit - 0x30)
        }
        return value
    }

    /// Seconds with a fraction, perhaps negative: `-1.5` is half a second after -2.
    static func time(_ text: ArraySlice<UInt8>) -> Timestamp? {
        let isNegative = text.first == UInt8(ascii: "-")
        let parts = text.drop { $0 == UInt8(ascii: "-") }.split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let seconds = number(whole) else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count == 2, !parts[1].isEmpty {
            let digits = Array(parts[1].prefix(9))
            guard let fraction = number(digits[...]) else { return nil }
            nanoseconds = (digits.count..<9).reduce(fraction) { value, _ in value * 10 }
        }
        guard isNegative else { return Timestamp(seconds: seconds, nanoseconds: Int32(nanoseconds)) }
        return nanoseconds == 0
            ? Timestamp(seconds: -seconds)
            : Timestamp(seconds: -seconds - 1, nanoseconds: Int32(1_000_000_000 - nanoseconds))
    }
}
