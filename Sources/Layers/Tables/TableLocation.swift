package import Basics
package import OCI

/// Where a packed layer keeps its table of contents, and how the table is known to be the right one.
package enum TableLocation: Sendable, Hashable {
    /// eStargz (stargz-snapshotter, `docs/estargz.md`): a footer tells where; the digest is of the JSON text.
    case stargz(Digest)
    /// zstd:chunked (containers/storage): the manifest tells where; the digest is of the packed table.
    case zstdChunked(Range<Int64>, Digest)

    private static let stargzDigest = "containerd.io/snapshot/stargz/toc.digest"
    /// Today's, and that of before containers/storage 1.46.
    private static let chunkedPrefixes = ["io.github.containers.zstd-chunked.", "io.containers.zstd-chunked."]

    /// Larger tables are not read.
    private static let largest: Int64 = 256 << 20
    /// Bytes at a blob's end that hold an eStargz footer.
    package static let footerSize: Int64 = 51

    /// As a layer's descriptor tells it; `nil` for a layer without a table that can be checked.
    package init?(_ blob: Descriptor) {
        let notes = blob.annotations ?? [:]
        if let text = notes[Self.stargzDigest], let digest = try? Digest(parsing: text), blob.size > Self.footerSize {
            self = .stargz(digest)
            return
        }
        for prefix in Self.chunkedPrefixes {
            guard let text = notes[prefix + "manifest-checksum"], let digest = try? Digest(parsing: text),
                let place = notes[prefix + "manifest-position"], let range = Self.range(place, in: blob)
            else { continue }
            self = .zstdChunked(range, digest)
            return
        }
        return nil
    }

    /// What the table is kept by.
    package var digest: Digest {
        switch self {
        case .stargz(let digest), .zstdChunked(_, let digest): digest
        }
    }

    /// `OFFSET:PACKED:UNPACKED:TYPE`; type 1 is the only one there is.
    private static func range(_ text: String, in blob: Descriptor) -> Range<Int64>? {
        let numbers = text.split(separator: ":").map { Int64($0) }
        guard numbers.count == 4, let start = numbers[0], let count = numbers[1], numbers[3] == 1, start >= 0,
            count > 0, count <= largest, start <= blob.size - count
        else { return nil }
        return start..<start + count
    }

    /// Where the table lies by an eStargz footer: a gzip header whose extra field ends in `OFFSET` in hex and `STARGZ`.
    package static func tableRange(footer: [UInt8], of blob: Descriptor) -> Range<Int64>? {
        let mark = Array("STARGZ".utf8)
        guard footer.starts(with: [0x1F, 0x8B]), footer.count > 22 + mark.count,
            let end = footer.indices.first(where: { $0 >= 16 && footer[$0...].starts(with: mark) }),
            let start = Int64(String(decoding: footer[(end - 16)..<end], as: UTF8.self), radix: 16)
        else { return nil }
        let stop = blob.size - Int64(footer.count)
        guard start >= 0, start < stop, stop - start <= largest else { return nil }
        return start..<stop
    }

    /// The table's JSON text out of the bytes that were fetched; `corrupt` when it is not what the manifest promised.
    ///
    /// Throws `corrupt` in that case or when the bytes are damaged, and `cancelled` when it is stopped.
    package func text(_ packed: [UInt8], subject: String, _ cancellation: Cancellation) throws(ShaleError) -> [UInt8] {
        let text: [UInt8]
        switch self {
        case .stargz:
            let stream = try UnpackedStream(
                BytesSource(packed), subject: subject, hashing: false, cancellation: cancellation)
            defer { stream.close() }
            let reader = TarReader(stream, subject: subject)
            guard let member = try reader.next(), member.path == Array("stargz.index.json".utf8) else {
                throw ShaleError(.corrupt, "\(subject): no table of contents where its footer says")
            }
            text = try reader.contents(limit: Int(Self.largest))
        case .zstdChunked:
            let digest = Digest.of(packed)
            guard digest == self.digest else {
                throw ShaleError(.corrupt, "\(subject): its table of contents has the digest \(digest)")
            }
            return try PackedPiece.unpacked(packed, limit: Int(Self.largest), subject: subject, cancellation)
        }
        guard Digest.of(text) == digest else {
            throw ShaleError(.corrupt, "\(subject): its table of contents has the digest \(Digest.of(text))")
        }
        return text
    }
}

/// A part of a layer that is packed by itself.
package enum PackedPiece {
    /// Bytes out of a packed piece: `skipping` at the start are left out, no more than `limit` are answered.
    ///
    /// Throws `corrupt` when the bytes are damaged, and `cancelled` when it is stopped.
    package static func unpacked(
        _ packed: [UInt8], skipping: Int64 = 0, limit: Int, subject: String, _ cancellation: Cancellation
    ) throws(ShaleError) -> [UInt8] {
        let stream = try UnpackedStream(
            BytesSource(packed), subject: subject, hashing: false, cancellation: cancellation)
        defer { stream.close() }
        var bytes: [UInt8] = []
        var skipped: Int64 = 0
        while bytes.count < limit, let chunk = try stream.nextChunk() {
            let over = Int(max(0, min(skipping.subtractingClamped(skipped), Int64(chunk.count))))
            skipped += Int64(over)
            bytes += chunk.dropFirst(over).prefix(limit - bytes.count)
        }
        return bytes
    }
}
