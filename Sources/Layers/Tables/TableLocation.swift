package import Basics
package import OCI

/// The place of the table of contents in a compressed layer, and the digest that proves the table.
package enum TableLocation: Sendable, Hashable {
    /// eStargz (stargz-snapshotter, `docs/estargz.md`): a footer has the place.
    ///
    /// The digest is that of the JSON text.
    case stargz(Digest)
    /// zstd:chunked (containers/storage): the manifest has the place.
    ///
    /// The digest is that of the compressed table.
    case zstdChunked(Range<Int64>, Digest)

    private static let stargzDigest = "containerd.io/snapshot/stargz/toc.digest"
    /// The current prefix of annotations, and the prefix before containers/storage 1.46.
    private static let chunkedPrefixes = ["io.github.containers.zstd-chunked.", "io.containers.zstd-chunked."]

    /// The largest table that is read, in bytes.
    private static let largest: Int64 = 256 << 20
    /// The size of an eStargz footer at the end of a blob, in bytes.
    package static let footerSize: Int64 = 51

    /// Reads the place from a layer's descriptor; `nil` for a layer without a table that can be checked.
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

    /// The digest under which the table is stored.
    package var digest: Digest {
        switch self {
        case .stargz(let digest), .zstdChunked(_, let digest): digest
        }
    }

    /// Reads `OFFSET:PACKED:UNPACKED:TYPE`.
    ///
    /// There is only type 1.
    private static func range(_ text: String, in blob: Descriptor) -> Range<Int64>? {
        let numbers = text.split(separator: ":").map { Int64($0) }
        guard numbers.count == 4, let start = numbers[0], let count = numbers[1], numbers[3] == 1, start >= 0,
            count > 0, count <= largest, start <= blob.size - count
        else { return nil }
        return start..<start + count
    }

    /// The range of the table from an eStargz footer: a gzip header whose extra field ends in `OFFSET`, in hex, and
    /// `STARGZ`.
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

    /// The JSON text of the table, from the fetched bytes.
    ///
    /// Throws `corrupt` when its digest is wrong or the bytes are damaged, and `cancelled` when it is stopped.
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

/// A part of a layer that is compressed separately.
package enum PackedPiece {
    /// Decompresses a piece.
    ///
    /// The first `skipping` bytes are left out, and at most `limit` bytes are returned.
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
