import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// What the linker does against a memory error, read from the built programs.
@Suite(.enabled(if: ShaleHome.isPresent, "\(ShaleHome.absent)"))
struct HardeningTests {
    /// A 64-bit ELF file of this machine's byte order (elf(5)), as far as it is looked into here.
    private struct Program {
        let bytes: Data

        init(_ path: String) throws { bytes = try Data(contentsOf: URL(filePath: path), options: .mappedIfSafe) }

        private func number<Value: FixedWidthInteger>(_ offset: Int, as type: Value.Type) -> Value {
            bytes.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Value.self)) }
        }

        /// `ET_EXEC` is 2, `ET_DYN`, which can be loaded anywhere, 3.
        var kind: UInt16 { number(16, as: UInt16.self) }

        /// The flags of the first segment of a type; `nil` without one.
        func flags(of type: UInt32) -> UInt32? { segment(type).map { number($0 + 4, as: UInt32.self) } }

        /// The value of an entry of the dynamic section.
        func dynamic(_ tag: Int64) -> UInt64? {
            guard let header = segment(2) else { return nil }
            let (start, size) = (Int(number(header + 8, as: UInt64.self)), Int(number(header + 32, as: UInt64.self)))
            return stride(from: start, to: start + size, by: 16).first { number($0, as: Int64.self) == tag }
                .map { number($0 + 8, as: UInt64.self) }
        }

        private func segment(_ type: UInt32) -> Int? {
            let (start, count) = (Int(number(32, as: UInt64.self)), Int(number(56, as: UInt16.self)))
            return (0..<count).map { start + 56 * $0 }.first { number($0, as: UInt32.self) == type }
        }
    }

    private static let (stack, relro): (UInt32, UInt32) = (0x6474_E551, 0x6474_E552)

    /// It can be loaded anywhere, and its tables of addresses are closed before its first line runs.
    @Test func shale() throws {
        let program = try Program(try #require(ShaleHome.program))
        #expect(program.kind == 3)
        #expect(program.flags(of: Self.stack).map { $0 & 1 } == 0, "the stack is executable")
        #expect(program.flags(of: Self.relro) != nil)
        let flags = program.dynamic(0x6FFF_FFFB) ?? 0
        #expect(flags & 1 == 1, "not all addresses are bound at the start (DF_1_NOW)")
    }

    /// It starts once per container and is linked at a fixed place, so that nothing has to be relocated first.
    @Test func runner() throws {
        let program = try Program(try #require(ShaleHome.program) + "-runner")
        #expect(program.kind == 2)
        #expect(program.flags(of: Self.stack).map { $0 & 1 } == 0, "the stack is executable")
        #expect(program.flags(of: Self.relro) != nil)
        #expect(program.dynamic(1) == nil, "it needs a library of the host")
    }
}
