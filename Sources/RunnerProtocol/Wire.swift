/// What is wrong with bytes that should be a message.
package enum WireError: Error, Sendable, Equatable {
    /// The bytes end before the value does.
    case truncated
    /// A length or count beyond its bound.
    case tooLong
    /// A number that names no case.
    case unknown(UInt8)
    /// A plan of another version of shale.
    case version(UInt16)
    /// Bytes after the last value.
    case trailing
    /// Bytes that should be text and are not UTF-8.
    case notText
}

/// Builds a message: little-endian numbers, counted strings and lists.
package struct WireWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func put(_ value: UInt8) { bytes.append(value) }
    /// Bytes as they are, without their count.
    package mutating func append(_ value: [UInt8]) { bytes.append(contentsOf: value) }
    package mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }
    package mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    package mutating func put(_ value: String) {
        put(UInt32(truncatingIfNeeded: value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }
    package mutating func put(_ value: [UInt8]) {
        put(UInt32(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
    }
    package mutating func put(_ values: [String]) { putList(values) { $0.put($1) } }
    package mutating func putList<Element>(_ values: [Element], _ body: (inout WireWriter, Element) -> Void) {
        put(UInt32(truncatingIfNeeded: values.count))
        for value in values { body(&self, value) }
    }
    package mutating func putOptional<Value>(_ value: Value?, _ body: (inout WireWriter, Value) -> Void) {
        put(value != nil)
        if let value { body(&self, value) }
    }
}

/// Takes a message apart; every length is checked against what is there.
package struct WireReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var remaining: Int { bytes.count - position }

    private mutating func take(_ count: Int) throws(WireError) -> ArraySlice<UInt8> {
        guard count <= remaining else { throw .truncated }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Throws `truncated` at the end of the bytes.
    package mutating func integer<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(WireError) -> Value {
        var value: Value = 0
        for (place, byte) in try take(MemoryLayout<Value>.size).enumerated() {
            value |= Value(truncatingIfNeeded: byte) << Value(place * 8)
        }
        return value
    }
    /// Throws `truncated` at the end of the bytes.
    package mutating func byte() throws(WireError) -> UInt8 { try integer() }
    /// Throws `truncated` at the end of the bytes.
    package mutating func bool() throws(WireError) -> Bool { try byte() != 0 }
    private mutating func count() throws(WireError) -> Int {
        let count = Int(try integer(UInt32.self))
        // A list's elements take at least a byte each, so a count beyond what is left is never true.
        guard count <= remaining else { throw .tooLong }
        return count
    }
    /// Throws `truncated` or `tooLong` for too few bytes, `notText` for bytes that are not UTF-8.
    package mutating func string() throws(WireError) -> String {
        let part = try take(count())
        guard let text = String(validating: part, as: UTF8.self) else { throw .notText }
        return text
    }
    /// Throws `truncated` or `tooLong` for too few bytes.
    package mutating func data() throws(WireError) -> [UInt8] { Array(try take(count())) }
    /// Throws nothing: what is left may be empty.
    package mutating func rest() throws(WireError) -> [UInt8] { Array(try take(remaining)) }
    /// Throws what `string()` throws.
    package mutating func strings() throws(WireError) -> [String] {
        try list { (reader) throws(WireError) in try reader.string() }
    }
    /// Throws `tooLong` for a count that cannot be true, and what `body` throws.
    package mutating func list<Element>(
        _ body: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = try count()
        var values: [Element] = []
        values.reserveCapacity(Swift.min(count, 4096))
        for _ in 0..<count { values.append(try body(&self)) }
        return values
    }
    /// Throws `truncated` at the end of the bytes, and what `body` throws.
    package mutating func optional<Value>(
        _ body: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        try bool() ? try body(&self) : nil
    }
    /// Throws `trailing` when bytes are left.
    package func end() throws(WireError) {
        guard remaining == 0 else { throw .trailing }
    }
}
