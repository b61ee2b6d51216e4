package import Basics
import CArchive
package import OCI

/// Packs a stream of bytes, hashed as they leave.
package final class Compressor {
    private let compression: Compression
    private let output: Output
    private let packing: OpaquePointer?

    /// Holds what libarchive's call back needs.
    private final class Output {
        let sink: ByteSink
        var hasher = DigestHasher()
        var error: ShaleError?

        init(_ sink: @escaping ByteSink) { self.sink = sink }

        func write(_ bytes: UnsafeRawBufferPointer) throws(ShaleError) {
            hasher.update(bytes)
            try sink(bytes)
        }
    }

    /// Begins to pack; the same bytes give the same packed bytes.
    ///
    /// `level` is of the format's own scale, `nil` its default.
    package init(_ compression: Compression, level: Int? = nil, to sink: @escaping ByteSink) throws(ShaleError) {
        self.compression = compression
        let output = Output(sink)
        self.output = output
        guard let filter = compression.filter else {
            packing = nil
            return
        }
        if let reason = shale_archive_load() {
            throw ShaleError(
                .unsupported, "cannot pack \(compression)", cause: String(cString: reason), hint: "install libarchive13"
            )
        }
        let context = Unmanaged.passUnretained(output).toOpaque()
        packing = shale_packing_open(filter, Int32(level ?? -1), context) { context, bytes, count in
            guard let context else { return -1 }
            let output = Unmanaged<Output>.fromOpaque(context).takeUnretainedValue()
            do throws(ShaleError) {
                try output.write(UnsafeRawBufferPointer(start: bytes, count: count))
                return count
            } catch {
                output.error = error
                return -1
            }
        }
        if packing == nil {
            throw ShaleError(
                .unsupported, "cannot pack \(compression)", cause: "libarchive lacks it, or level \(level ?? 0)")
        }
    }

    deinit { shale_packing_close(packing) }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(ShaleError) {
        guard let packing else { return try output.write(bytes) }
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return }
        if shale_packing_write(packing, start, bytes.count) != 0 { throw failure(packing) }
    }

    /// Ends; answers the digest and count of the packed bytes.
    package func finish() throws(ShaleError) -> (digest: Digest, size: Int64) {
        if let packing, shale_packing_finish(packing) != 0 { throw failure(packing) }
        return (output.hasher.digest(), output.hasher.count)
    }

    private func failure(_ packing: OpaquePointer) -> ShaleError {
        output.error
            ?? ShaleError(.io, "cannot pack \(compression)", cause: String(cString: shale_packing_error(packing)))
    }
}
