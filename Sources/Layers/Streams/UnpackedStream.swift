package import Basics
import CArchive
import Glibc
package import OCI

/// The plain bytes of a source that may be packed, in chunks, hashed as they pass.
///
/// A thread of its own reads and unpacks into a ring of buffers, so that inflating and writing use two cores. Plain
/// bytes are hashed on that thread, unpacked ones by the reader, which has less to do then.
package final class UnpackedStream {
    private let ring = BufferRing()
    private let subject: String
    private let cancellation: Cancellation
    private let producer: Producer
    private var thread: WorkerThread?
    private var hasher = DigestHasher()

    /// Starts to read; `hashing` for a diff ID at the end.
    ///
    /// Throws `io` when no thread can be started.
    package init(
        _ source: any ByteSource, subject: String, limits: UnpackLimits = .standard, hashing: Bool = true,
        cancellation: Cancellation
    ) throws(ShaleError) {
        self.subject = subject
        self.cancellation = cancellation
        let producer = Producer(
            source: source, ring: ring, subject: subject, limits: limits, hashing: hashing, cancellation: cancellation)
        self.producer = producer
        thread = try WorkerThread { producer.run() }
    }

    deinit { close() }

    /// The next bytes, valid until the next call; `nil` at the end.
    ///
    /// Throws `corrupt` when the data is damaged or larger than the limits, `cancelled` when it is stopped, and what
    /// reading the source throws.
    package func nextChunk() throws(ShaleError) -> UnsafeRawBufferPointer? {
        try cancellation.check()
        guard let chunk = try ring.next() else { return nil }
        if producer.leavesHashingToReader { hasher.update(chunk) }
        return chunk
    }

    /// Ends the thread and waits for it; while its source blocks, this waits too.
    package func close() {
        ring.stop()
        if let thread = thread.take() { thread.join() }
    }

    /// The digest and count of all plain bytes; only after `nextChunk` answered `nil`.
    package var diffID: Digest { producer.leavesHashingToReader ? hasher.digest() : producer.hasher.digest() }
    package var size: Int64 { producer.unpackedBytes }
    package var compression: Compression { producer.compression }
}

/// The part that runs on the stream's thread; the reader reads its results only after a hand-over through the ring.
private final class Producer {
    private let source: any ByteSource
    private let ring: BufferRing
    private let subject: String
    private let limits: UnpackLimits
    private let hashing: Bool
    private let cancellation: Cancellation
    private let packed = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 4096)
    /// Bytes of `packed` that were read to tell the compression and are not used yet.
    private var pending = 0
    private var packedBytes: Int64 = 0
    private var sourceError: ShaleError?
    private(set) var hasher = DigestHasher()
    private(set) var unpackedBytes: Int64 = 0
    private(set) var compression = Compression.none

    init(
        source: any ByteSource, ring: BufferRing, subject: String, limits: UnpackLimits, hashing: Bool,
        cancellation: Cancellation
    ) {
        self.source = source
        self.ring = ring
        self.subject = subject
        self.limits = limits
        self.hashing = hashing
        self.cancellation = cancellation
    }

    deinit { packed.deallocate() }

    var leavesHashingToReader: Bool { hashing && compression != .none }

    func run() {
        do throws(ShaleError) {
            try detect()
            if let filter = compression.filter { try unpack(filter) } else { try pass() }
            ring.finish(nil)
        } catch {
            ring.finish(error)
        }
    }

    /// Reads until the magic is there.
    private func detect() throws(ShaleError) {
        while pending < 6 {
            let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: packed[pending...]))
            if count == 0 { break }
            pending += count
        }
        packedBytes = Int64(pending)
        compression = Compression.detect(packed[..<min(pending, 6)])
    }

    private func account(_ count: Int) throws(ShaleError) {
        unpackedBytes += Int64(count)
        try limits.check(unpacked: unpackedBytes, packed: packedBytes, subject: subject)
        try cancellation.check()
    }

    /// Plain bytes: what was read to look at the magic, then the rest.
    private func pass() throws(ShaleError) {
        while let (index, buffer) = ring.takeFree() {
            var count = 0
            if pending > 0 {
                buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: packed[..<pending]))
                count = pending
                pending = 0
            } else {
                count = try source.read(into: buffer)
                packedBytes += Int64(count)
            }
            if count == 0 { return }
            try account(count)
            if hashing { hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
            ring.publish(index, count: count)
        }
    }

    private func unpack(_ filter: shale_filter) throws(ShaleError) {
        if let reason = shale_archive_load() {
            throw ShaleError(
                .unsupported, "cannot unpack \(compression)", cause: String(cString: reason),
                hint: "install libarchive13")
        }
        let context = Unmanaged.passUnretained(self).toOpaque()
        let opened = shale_unpacking_open(filter, context) { context, bytes in
            guard let context else { return -1 }
            return Unmanaged<Producer>.fromOpaque(context).takeUnretainedValue().feed(bytes)
        }
        guard let unpacking = opened else { throw ShaleError(.io, "\(subject): cannot unpack", cause: "no memory") }
        defer { shale_unpacking_close(unpacking) }
        var target: (index: Int, buffer: UnsafeMutableRawBufferPointer)?
        var filled = 0
        while true {
            var bytes: UnsafeRawPointer?
            var count = 0
            let more = shale_unpacking_next(unpacking, &bytes, &count)
            if more < 0 {
                // What came out before the damage is handed on: the head of an archive tells that it is one.
                if let (index, _) = target, filled > 0 { ring.publish(index, count: filled) }
                throw sourceError ?? damaged(String(cString: shale_unpacking_error(unpacking)))
            }
            guard more > 0, let start = bytes else { break }
            try account(count)
            var rest = UnsafeRawBufferPointer(start: start, count: count)
            while !rest.isEmpty {
                if target == nil { target = ring.takeFree() }
                guard let (index, buffer) = target else { return }
                let part = min(rest.count, buffer.count - filled)
                UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<part]))
                filled += part
                rest = UnsafeRawBufferPointer(rebasing: rest[part...])
                if filled == buffer.count {
                    ring.publish(index, count: filled)
                    (target, filled) = (nil, 0)
                }
            }
        }
        if let (index, _) = target, filled > 0 { ring.publish(index, count: filled) }
        try drainSource()
    }

    private func damaged(_ reason: String) -> ShaleError {
        ShaleError(.corrupt, "\(subject): damaged \(compression) data", cause: reason)
    }

    /// Gives libarchive more packed bytes when it asks for them.
    private func feed(_ bytes: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
        bytes.pointee = UnsafeRawPointer(packed.baseAddress)
        if pending > 0 {
            defer { pending = 0 }
            return pending
        }
        if ring.isStopped { return -1 }
        do throws(ShaleError) {
            try cancellation.check()
            let count = try source.read(into: packed)
            packedBytes += Int64(count)
            return count
        } catch {
            sourceError = error
            return -1
        }
    }

    /// Reads what follows the packed data, so that whoever hashes the source has seen all of it.
    private func drainSource() throws(ShaleError) {
        while !ring.isStopped, try source.read(into: packed) > 0 { try cancellation.check() }
    }
}
