import Glibc

/// JSON strings from bytes of any kind, fast enough for a container that writes as much as it can.
enum JSONText {
    /// Appends a quoted string; each byte that is not part of valid UTF-8 becomes U+FFFD, as Go's encoder does it.
    static func append(quoting bytes: ArraySlice<UInt8>, to out: inout [UInt8]) {
        bytes.withUnsafeBufferPointer { append(quoting: $0, to: &out) }
    }

    /// The same for bytes that lie elsewhere.
    static func append(quoting bytes: UnsafeBufferPointer<UInt8>, to out: inout [UInt8]) {
        guard let source = bytes.baseAddress else {
            out.append(contentsOf: [UInt8(ascii: "\""), UInt8(ascii: "\"")])
            return
        }
        var special = 0
        for place in 0..<bytes.count where !isPlain(source[place]) { special &+= 1 }
        // An escape takes up to six bytes, a replaced byte three.
        let piece = [UInt8](unsafeUninitializedCapacity: bytes.count &+ special &* 5 &+ 2) { buffer, used in
            guard let target = buffer.baseAddress else { return }
            var writer = Writer(target: target)
            writer.put(UInt8(ascii: "\""))
            writer.put(source, bytes.count)
            writer.put(UInt8(ascii: "\""))
            used = writer.used
        }
        out.append(contentsOf: piece)
    }

    @inline(__always) private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// Writes into a buffer whose size in bytes was computed before.
    private struct Writer {
        let target: UnsafeMutablePointer<UInt8>
        var used = 0

        init(target: UnsafeMutablePointer<UInt8>) { self.target = target }

        @inline(__always) mutating func put(_ byte: UInt8) {
            target[used] = byte
            used &+= 1
        }

        mutating func put(_ source: UnsafePointer<UInt8>, _ count: Int) {
            var place = 0
            while place < count {
                let byte = source[place]
                if JSONText.isPlain(byte) {
                    put(byte)
                    place &+= 1
                } else if byte < 0x80 {
                    escape(byte)
                    place &+= 1
                } else {
                    place &+= sequence(source + place, count &- place)
                }
            }
        }

        private mutating func escape(_ byte: UInt8) {
            put(UInt8(ascii: "\\"))
            switch byte {
            case UInt8(ascii: "\n"): put(UInt8(ascii: "n"))
            case UInt8(ascii: "\r"): put(UInt8(ascii: "r"))
            case UInt8(ascii: "\t"): put(UInt8(ascii: "t"))
            case 0x20...: put(byte)
            default:
                put(UInt8(ascii: "u"))
                put(UInt8(ascii: "0"))
                put(UInt8(ascii: "0"))
                put(byte < 16 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
                let low = byte & 15
                put(low < 10 ? UInt8(ascii: "0") &+ low : UInt8(ascii: "a") &+ low &- 10)
            }
        }

        /// One character of several bytes, or the replacement of one byte; how many bytes were taken.
        private mutating func sequence(_ source: UnsafePointer<UInt8>, _ left: Int) -> Int {
            let first = source[0]
            var least: UInt8 = 0x80
            var most: UInt8 = 0xBF
            let length: Int
            switch first {
            case 0xC2...0xDF: length = 2
            case 0xE0...0xEF:
                length = 3
                // No overlong forms, no surrogates.
                if first == 0xE0 { least = 0xA0 }
                if first == 0xED { most = 0x9F }
            case 0xF0...0xF4:
                length = 4
                if first == 0xF0 { least = 0x90 }
                if first == 0xF4 { most = 0x8F }
            default: length = 0
            }
            guard length > 0, length <= left, source[1] >= least, source[1] <= most,
                length < 3 || source[2] & 0xC0 == 0x80, length < 4 || source[3] & 0xC0 == 0x80
            else {
                put(0xEF)
                put(0xBF)
                put(0xBD)
                return 1
            }
            for place in 0..<length { put(source[place]) }
            return length
        }
    }
}
