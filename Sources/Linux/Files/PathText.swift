import Basics
import Glibc

/// File names, arguments, variables and lines of scripts are bytes; here they travel as `String`, losslessly.
///
/// One form of text inside shale, and this codec at its borders: what comes in (arguments, environment, working
/// directory, scripts, Dockerfiles, what host commands print) is read with `init(pathBytes:)`, what goes out (paths for
/// the kernel, programs' arguments, files, streams) is written with `pathBytes`. A type of its own for such words would
/// have to go through the parser, the option library and every message, and most code would turn it into `String` to
/// look at it.
///
/// A byte that is not part of valid UTF-8 becomes a scalar of plane 16's last page (`U+10FF00 + byte`) and turns back
/// into that byte on the way to the kernel. A name that has such a scalar itself has its bytes escaped too: otherwise
/// `U+10FF2E` twice would pass every check as a name and reach the kernel as `..`. Every wrapper in this module goes
/// through these.
extension String {
    /// A name or path as the kernel or an archive gave it.
    package init(pathBytes bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        let text = bytes.contains(OddByte.lead) ? nil : String(validating: bytes, as: UTF8.self)
        self = text ?? String.escaping(bytes)
    }

    /// The same of C's form of it.
    package init(path: UnsafePointer<CChar>) {
        self.init(pathBytes: UnsafeRawBufferPointer(start: path, count: strlen(path)))
    }

    /// The same with bytes that are not UTF-8 written as escapes (`\\xe9`): what a terminal may have.
    package var escapingOddBytes: String {
        guard utf8.contains(OddByte.lead) else { return self }
        return unicodeScalars.reduce(into: "") { text, scalar in
            if let byte = OddByte.byte(of: scalar) {
                text += "\\x" + String(byte, radix: 16)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
    }

    private static func isEscape(_ scalar: Unicode.Scalar) -> Bool { OddByte.byte(of: scalar) != nil }

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
                if let scalar = OddByte.scalar(for: bytes[start]) {
                    text.unicodeScalars.append(scalar)
                }
                start += 1
            }
        }
        return text
    }

    /// The name's own bytes.
    package var pathBytes: [UInt8] {
        guard utf8.contains(OddByte.lead) else { return Array(utf8) }
        return unicodeScalars.flatMap { scalar in
            OddByte.byte(of: scalar).map { [$0] } ?? Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }

    /// Calls `body` with the name as the kernel wants it, NUL at its end.
    package func withPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        guard utf8.contains(OddByte.lead) else { return withCString(body) }
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
