import Basics
import Glibc
import Layers
import Linux
import OCI
import TestSupport
import Testing

@Suite("archives with random damage")
struct HostileArchiveTests {
    /// A generator whose failures can be repeated by its seed.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
    }

    private static let seed: [UInt8] = {
        var tar = TarBytes()
        tar.addBlock(.init(name: "././@LongLink", type: "L"), Array("d/long/name\u{0}".utf8))
        tar.add(.init(name: "short", content: [1, 2, 3]))
        tar.add(.init(name: "d", type: "5", mode: 0o755))
        tar.add(
            .init(
                name: "d/f", content: [UInt8](repeating: 7, count: 600),
                pax: [
                    ("mtime", Array("12.5".utf8)), ("SCHILY.xattr.user.a", [1, 2]), ("uid", Array("7".utf8)),
                ]))
        tar.add(.init(name: "d/l", type: "2", link: "../../../tmp"))
        tar.add(.init(name: "d/h", type: "1", link: "d/f"))
        tar.add(.init(name: "d/.wh.x"))
        tar.add(.init(name: "d/e/.wh..wh..opq"))
        tar.add(
            .init(
                name: "s", content: [9, 9, 9, 9],
                pax: [
                    ("GNU.sparse.major", [0x31]), ("GNU.sparse.minor", [0x30]),
                    ("GNU.sparse.realsize", Array("4096".utf8)),
                    ("GNU.sparse.name", Array("sparse".utf8)),
                ]))
        tar.add(.init(name: "d/l/p", type: "6"))
        tar.add(.init(name: "n", type: "3", major: 1, minor: 3))
        return tar.bytes + [UInt8](repeating: 0, count: 1024)
    }()

    @Test("are unpacked or refused, and touch nothing outside", arguments: 1...16)
    func damaged(seed: Int) throws {
        var generator = Generator(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        for _ in 0..<60 {
            var bytes = Self.seed
            for _ in 0..<Int.random(in: 1...6, using: &generator) { Self.mutate(&bytes, &generator) }
            Self.mendChecksums(&bytes)
            var stack = LayerStack()
            do {
                try stack.push(bytes)
            } catch let error as ShaleError {
                #expect(error.description.hasPrefix("layer test"), "\(error)")
            }
            #expect(try RootDirectory(hostPath: stack.outside).names(in: "/") == ["layer0"])
        }
    }

    @Test("an index with random damage is refused, whatever its checksum says", arguments: 1...4)
    func index(seed: Int) throws {
        var generator = Generator(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15)
        var stack = LayerStack()
        let good = try stack.push(
            TarBytes.archive([.init(name: "a/b", content: [1]), .init(name: "a/l", type: "2", link: "x")])
        )
        .index.encoded()
        for _ in 0..<200 {
            var bytes = Array(good.dropLast(32))
            for _ in 0..<3 {
                bytes[Int.random(in: 20..<bytes.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            var sealed = bytes
            sealed.append(contentsOf: Self.sha256(bytes))
            _ = LayerIndex(decoding: sealed)
        }
    }

    private static func mutate(_ bytes: inout [UInt8], _ generator: inout Generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...600, using: &generator)))
        case 3:
            // A field of a header: a number, a type or a name.
            let block = place / 512 * 512
            let field = [0, 100, 108, 124, 136, 156, 157, 345, 386].randomElement(using: &generator) ?? 0
            let value: [UInt8] =
                [
                    Array("77777777777".utf8), [0x80, 0, 0, 0, 255, 255, 255, 255], [0xFF, 0xFF, 0xFF, 0xFF],
                    Array("../..".utf8),
                    Array("S".utf8), Array("x".utf8), Array("1".utf8), Array("-1".utf8),
                ].randomElement(using: &generator) ?? []
            for (index, byte) in value.enumerated() where block + field + index < bytes.count {
                bytes[block + field + index] = byte
            }
        case 4: bytes.insert(contentsOf: bytes[0..<min(512, bytes.count)], at: place / 512 * 512)
        default: bytes.removeLast(min(bytes.count - 1, Int.random(in: 1...1500, using: &generator)))
        }
        if bytes.isEmpty { bytes = [0] }
    }

    /// Makes what looks like a header pass, so that damage gets deeper than the checksum.
    private static func mendChecksums(_ bytes: inout [UInt8]) {
        for block in stride(from: 0, to: bytes.count - 511, by: 512)
        where bytes[block + 257] == UInt8(ascii: "u") && bytes[block + 258] == UInt8(ascii: "s") {
            bytes.replaceSubrange(block + 148..<block + 156, with: repeatElement(0x20, count: 8))
            let sum = bytes[block..<block + 512].reduce(0) { $0 + Int($1) }
            let digits = String(sum, radix: 8)
            let padded = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + "\u{0}"
            bytes.replaceSubrange(block + 148..<block + 155, with: padded.utf8.prefix(7))
        }
    }

    private static func sha256(_ bytes: [UInt8]) -> [UInt8] { Digest.of(bytes).hexBytes }
}

extension Digest {
    fileprivate var hexBytes: [UInt8] {
        let digits = Array(hex.utf8).map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}
