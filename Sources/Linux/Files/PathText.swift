/// File names are bytes; here they travel as `String`, losslessly.
///
/// A byte that is not part of valid UTF-8 becomes a scalar of plane 16's last page (`U+10FF00 + byte`) and turns back into
/// that byte on the way to the kernel. A name that has such a scalar itself has its bytes escaped too: otherwise
/// `U+10FF2E` twice would pass every check as a name and reach the kernel as `..`. Every wrapper in this module goes
/// through these.
extension String {
    private static let escapeBase: UInt32 = 0x10_FF00

    /// A name or path as the kernel or an archive gave it.
    package init(pathBytes bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        let text = bytes.contains(0xF4) ? nil : String(validating: bytes, as: UTF8.self)
        self = text ?? String.escaping(bytes)
    }

    /// Only bytes that UTF-8 uses beyond ASCII are ever escaped, so nothing turns back into `/`, `.` or NUL.
    private static func isEscape(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value >= escapeBase + 0x80 && scalar.value <= escapeBase + 0xFF
    }

    private static func escaping(_ bytes: [UInt8]) -> String {
        var text = ""
        var start = 0
        while start < bytes.count {
            let length = String.sequenceLength(bytes[start])
            let end = Swift.min(start + length, bytes.count)
            if let piece = String(validating: bytes[start..<end], as: UTF8.self),
                !piece.unicodeScalars.contains(where: isEscape)
            {
                text += piece
                start = end
            } else {
                if let scalar = Unicode.Scalar(String.escapeBase + UInt32(bytes[start])) {
                    text.unicodeScalars.append(scalar)
                }
                start += 1
            }
        }
        return text
    }

    /// The name's own bytes.
    package var pathBytes: [UInt8] {
        guard utf8.contains(0xF4) else { return Array(utf8) }
        return unicodeScalars.flatMap { scalar in
            String.isEscape(scalar)
                ? [UInt8(scalar.value & 0xFF)] : Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    /// Calls `body` with the name as the kernel wants it, NUL at its end.
    package func withPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        guard utf8.contains(0xF4) else { return withCString(body) }
        var bytes = pathBytes.map { CChar(bitPattern: $0) }
        bytes.append(0)
        return bytes.withUnsafeBufferPointer { buffer in
            buffer.baseAddress.map(body) ?? "".withCString(body)
        }
    }

    private static func sequenceLength(_ first: UInt8) -> Int {
        switch first {
        case 0xC0..<0xE0: 2
        case 0xE0..<0xF0: 3
        case 0xF0...: 4
        default: 1
        }
    }
}
