package import Basics
import CArchive
import Glibc
package import Linux

/// How a layer is packed for its way: the method, and how hard it tries.
package struct Packing: Sendable, Hashable, CustomStringConvertible {
    package enum Method: String, Sendable, CaseIterable {
        case gzip
        case zstd

        /// Higher ones of zstd need hundreds of megabytes for each thread, here and where it is unpacked.
        fileprivate var levels: ClosedRange<Int> {
            switch self {
            case .gzip: 1...9
            case .zstd: 1...19
            }
        }

        fileprivate var usualLevel: Int {
            switch self {
            case .gzip: 6
            case .zstd: 3
            }
        }

        fileprivate var filter: shale_filter {
            switch self {
            case .gzip: SHALE_FILTER_GZIP
            case .zstd: SHALE_FILTER_ZSTD
            }
        }
    }

    package let method: Method
    package let level: Int

    /// What every registry and every engine takes.
    package static let standard = Packing(method: .gzip, level: Method.gzip.usualLevel)

    private init(method: Method, level: Int) {
        self.method = method
        self.level = level
    }

    /// Reads `gzip`, `zstd`, `gzip:9`; throws `usage` for another method or a level that it has not.
    package init(parsing text: String) throws(ShaleError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, let method = Method(rawValue: String(name)) else {
            throw ShaleError(.usage, "--compression \(text.visible): not one of gzip, zstd")
        }
        guard parts.count == 2 else {
            self.init(method: method, level: method.usualLevel)
            return
        }
        guard let level = Int(parts[1]), method.levels.contains(level) else {
            throw ShaleError(
                .usage,
                "--compression \(text.visible): levels of \(method.rawValue) are \(method.levels.lowerBound) "
                    + "to \(method.levels.upperBound)")
        }
        self.init(method: method, level: level)
    }

    package var description: String { "\(method.rawValue):\(level)" }

    /// Bytes that are packed by themselves: one member of gzip, or one frame of zstd, each.
    ///
    /// It is part of what is written: with another size the same layer gets another digest.
    package static let blockSize = 1 << 20

    /// Packs a file, or `size` bytes of it from some byte on, its blocks by some threads at once, and hands the packed
    /// bytes on in order.
    ///
    /// The same bytes come out however many threads there are. `passed` is told how far it is, in bytes of the file.
    /// Throws `conflict` when the file is shorter than `size`, `unsupported` without libarchive, `cancelled`, and what
    /// reading the file or `sink` throws.
    package func pack(
        _ file: OwnedFile, from start: Int64 = 0, size: Int64, threads: Int, cancellation: Cancellation,
        passed: @escaping @Sendable (Int64) -> Void,
        to sink: @escaping @Sendable (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        let count = max(1, (size + Int64(Self.blockSize) - 1) / Int64(Self.blockSize))
        let turn = Condition(Turn())
        // Not below the operation's flag: a block that was taken and never begun would be waited for.
        try Workers.forEach(Array(0..<count), limit: threads, stopping: Cancellation()) { block throws(ShaleError) in
            do throws(ShaleError) {
                let begin = block * Int64(Self.blockSize)
                let length = Int(min(Int64(Self.blockSize), size - begin))
                let packed = try self.block(of: file, at: start + begin, length: length)
                defer { packed.buffer.deallocate() }
                try Self.wait(for: block, turn)
                try cancellation.check()
                try sink(UnsafeRawBufferPointer(rebasing: packed.buffer[..<packed.count]))
                passed(begin + Int64(length))
                turn.update { $0.next = block + 1 }
            } catch {
                turn.update { $0.failure = $0.failure ?? error }
                throw error
            }
        }
    }

    /// Which block is written next.
    private struct Turn {
        var next: Int64 = 0
        var failure: ShaleError?
    }

    private static func wait(for block: Int64, _ turn: Condition<Turn>) throws(ShaleError) {
        let failure: ShaleError?? = turn.wait { turn in
            if let failure = turn.failure { return .some(failure) }
            return turn.next == block ? .some(nil) : nil
        }
        if case .some(.some(let error)) = failure { throw error }
    }

    /// One block, packed; its buffer is the caller's to free.
    private func block(
        of file: OwnedFile, at begin: Int64, length: Int
    ) throws(ShaleError) -> (buffer: UnsafeMutableRawBufferPointer, count: Int) {
        let plain = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, length), alignment: 4096)
        defer { plain.deallocate() }
        var filled = 0
        while filled < length {
            let part = UnsafeMutableRawBufferPointer(rebasing: plain[filled..<length])
            let count = try file.read(at: begin + Int64(filled), into: part)
            guard count > 0 else { throw ShaleError(.conflict, "\(file.subject): it shrank while it was read") }
            filled += count
        }
        // Beyond this no method grows what it cannot make smaller.
        let packed = UnsafeMutableRawBufferPointer.allocate(byteCount: length + length / 64 + 4096, alignment: 4096)
        var reason = [CChar](repeating: 0, count: 200)
        guard let source = plain.baseAddress, let target = packed.baseAddress else { return (packed, 0) }
        let count = shale_pack(
            method.filter, Int32(level), source, length, target, packed.count, &reason, reason.count)
        guard count >= 0 else {
            packed.deallocate()
            let words = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw ShaleError(
                .unsupported, "cannot pack with \(method.rawValue)", cause: words,
                hint: "install libarchive13")
        }
        return (packed, count)
    }
}

/// A file that any number of threads may read, each where it wants.
package final class OwnedFile: Sendable {
    private let descriptor: OwnedFD
    package let subject: String

    /// `subject` is how errors call it: `layer sha256:…`.
    package init(_ descriptor: consuming OwnedFD, subject: String) {
        self.descriptor = descriptor
        self.subject = subject
    }

    /// Fills some of the buffer from an offset on; how much, 0 at the end.
    ///
    /// Throws what reading the file throws.
    package func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int {
        do throws(SystemCallError) {
            return try checkLength("read") { pread(descriptor.raw, buffer.baseAddress, buffer.count, off_t(offset)) }
        } catch {
            throw error.shaleError(subject)
        }
    }
}
