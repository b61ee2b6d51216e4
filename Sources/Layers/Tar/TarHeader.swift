import Basics

/// The fields of one 512-byte tar header (POSIX.1-1988 "ustar", GNU and V7).
struct TarHeader {
    enum Format { case v7, ustar, gnu, star }

    static let blockSize = 512

    let bytes: UnsafeRawBufferPointer

    var type: UInt8 { bytes[156] }
    var isZero: Bool { bytes.allSatisfy { $0 == 0 } }

    var format: Format {
        if field(257, 6).elementsEqual("ustar\0".utf8) {
            return field(508, 4).elementsEqual("tar\0".utf8) ? .star : .ustar
        }
        if field(257, 8).elementsEqual("ustar  \0".utf8) { return .gnu }
        return .v7
    }

    func field(_ offset: Int, _ length: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])
    }

    /// The text up to the first NUL.
    func text(_ offset: Int, _ length: Int) -> [UInt8] { Array(field(offset, length).prefix { $0 != 0 }) }

    /// A number in octal digits between spaces and NULs, or in GNU's base-256; `nil` when it is malformed or too large.
    func number(_ offset: Int, _ length: Int) -> Int64? { Self.number(field(offset, length)) }

    static func number(_ field: UnsafeRawBufferPointer) -> Int64? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 { return base256(field) }
        let digits = field.drop { $0 == 0x20 || $0 == 0 }.prefix { $0 != 0x20 && $0 != 0 }
        var value: Int64 = 0
        for digit in digits {
            guard (0x30...0x37).contains(digit), value < 1 << 59 else { return nil }
            value = value << 3 | Int64(digit - 0x30)
        }
        return value
    }

    /// Reads a big-endian two's complement number after one marker bit.
    private static func base256(_ field: UnsafeRawBufferPointer) -> Int64? {
        let inversion: UInt8 = field[0] & 0x40 != 0 ? 0xFF : 0
        var value: UInt64 = 0
        for (index, byte) in field.enumerated() {
            let bits = (byte ^ inversion) & (index == 0 ? 0x7F : 0xFF)
            guard value >> 55 == 0 else { return nil }
            value = value << 8 | UInt64(bits)
        }
        return inversion == 0 ? Int64(value) : ~Int64(value)
    }

    /// Whether the checksum is right.
    ///
    /// It is the sum of unsigned bytes, or of signed bytes as in some old tars.
    var isIntact: Bool {
        guard let stored = number(148, 8) else { return false }
        var unsigned: Int64 = 0
        var signed: Int64 = 0
        for (index, byte) in bytes.enumerated() {
            let value = (148..<156).contains(index) ? 0x20 : byte
            unsigned += Int64(value)
            signed += Int64(Int8(bitPattern: value))
        }
        return stored == unsigned || stored == signed
    }

    /// The name, with the prefix when the format has one.
    var path: [UInt8] {
        let name = text(0, 100)
        let prefix: [UInt8] =
            switch format {
            case .ustar: text(345, 155)
            case .star: text(345, 131)
            case .gnu, .v7: []
            }
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }
}
