/// How a byte that is no part of valid UTF-8 stands in shale's text: as a scalar of plane 16's last page.
///
/// Only bytes that UTF-8 uses beyond ASCII have one, so that nothing turns into `/`, `.` or NUL.
package enum OddByte {
    private static let base: UInt32 = 0x10_FF00
    /// The first byte of the UTF-8 of every such scalar: text without it has none.
    package static let lead: UInt8 = 0xF4

    package static func scalar(for byte: UInt8) -> Unicode.Scalar? { Unicode.Scalar(base + UInt32(byte)) }

    /// Whether a scalar is of the page that odd bytes stand on.
    package static func isOnPage(_ scalar: Unicode.Scalar) -> Bool { scalar.value >= base }

    package static func byte(of scalar: Unicode.Scalar) -> UInt8? {
        scalar.value >= base + 0x80 && scalar.value <= base + 0xFF ? UInt8(scalar.value & 0xFF) : nil
    }
}
