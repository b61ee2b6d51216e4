package import Basics
import Diagnostics
import Glibc
package import Layers
package import Linux
import Logging
import OCI
import Registries
import Stores

/// The layers of an image in a registry.
///
/// A layer is fetched only when it is looked into.
///
/// Nothing is fetched for a layer that is unpacked in the store. For a layer with a table of contents (eStargz,
/// zstd:chunked) the table is fetched, and the bytes of files that are read. Any other layer is downloaded completely,
/// as by a pull, and a later pull uses it. Fetched data is kept until `prune`.
package struct RemoteLayers: Sendable {
    private let engine: ImageEngine
    private let remote: RemoteImage
    private let operation: OperationContext

    package init(_ engine: ImageEngine, _ remote: RemoteImage, _ operation: OperationContext) {
        self.engine = engine
        self.remote = remote
        self.operation = operation
    }

    private var diffIDs: [Digest] { remote.config.rootfs.diffIDs }

    private func layer(_ position: Int) -> LayerIntake.Layer {
        LayerIntake.Layer(
            position: position, blob: remote.manifest.layers[position], diffID: diffIDs[position],
            parentChain: Digest.chainID(diffIDs[..<position]))
    }

    private func isUnpacked(_ position: Int) -> Bool {
        engine.store.layers.has(diffIDs[position], on: Digest.chainID(diffIDs[..<position]))
    }

    // MARK: Paths

    /// The index of the layer at a position, 0 for the lowest; `nil` when it is not in the store yet.
    ///
    /// Throws what reading the index of an unpacked layer throws.
    package func knownIndex(_ position: Int) throws(ShaleError) -> LayerIndex? {
        if isUnpacked(position) {
            return try LayerIndexes.index(
                position, of: diffIDs, blob: remote.manifest.layers[position], in: engine.store)
        }
        guard let location = TableLocation(remote.manifest.layers[position]) else { return nil }
        return engine.store.cache.value(.remote, Self.indexKey(location)).flatMap { LayerIndex(decoding: $0) }
    }

    /// The index of the layer at a position, 0 for the lowest.
    ///
    /// Throws what fetching or unpacking the layer, or reading its index, throws.
    package func index(_ position: Int) throws(ShaleError) -> LayerIndex {
        if let known = try knownIndex(position) { return known }
        if let location = TableLocation(remote.manifest.layers[position]) {
            let index = try table(position, location).index
            Logger.cache.attempt("keep a layer's index") {
                try engine.store.cache.set(.remote, Self.indexKey(location), to: index.encoded())
            }
            return index
        }
        try bring(position)
        return try LayerIndexes.index(position, of: diffIDs, blob: remote.manifest.layers[position], in: engine.store)
    }

    private static func indexKey(_ location: TableLocation) -> Digest { Digest.of("index \(location.digest)".utf8) }

    private func table(_ position: Int, _ location: TableLocation) throws(ShaleError) -> TableOfContents {
        let blob = remote.manifest.layers[position]
        let subject = "layer \(blob.digest)"
        let cache = engine.store.cache
        let key = Digest.of("table \(location.digest)".utf8)
        let range: Range<Int64>
        switch location {
        case .zstdChunked(let place, _): range = place
        case .stargz:
            let footerKey = Digest.of("footer \(blob.digest)".utf8)
            let kept = cache.value(.remote, footerKey)
            let footer = if let kept { kept } else { try part(blob.size - TableLocation.footerSize..<blob.size, blob) }
            guard let place = TableLocation.tableRange(footer: footer, of: blob) else {
                throw ShaleError(.corrupt, "\(subject): it is said to be an eStargz, and has no footer of one")
            }
            Logger.cache.attempt("keep a layer's footer") { try cache.set(.remote, footerKey, to: footer) }
            range = place
        }
        if let packed = cache.value(.remote, key),
            let text = try? location.text(packed, subject: subject, operation.cancellation)
        {
            return try TableOfContents(parsing: text, end: range.lowerBound, subject: subject)
        }
        let packed = try part(range, blob)
        let text = try location.text(packed, subject: subject, operation.cancellation)
        Logger.cache.attempt("keep a layer's table of contents") { try cache.set(.remote, key, to: packed) }
        return try TableOfContents(parsing: text, end: range.lowerBound, subject: subject)
    }

    private func part(_ range: Range<Int64>, _ blob: Descriptor) throws(ShaleError) -> [UInt8] {
        try engine.registry.part(range, of: blob, in: remote.reference, cancellation: operation.cancellation)
    }

    /// Downloads a whole layer and unpacks it.
    ///
    /// When it has hard links to files of lower layers, those layers are downloaded too.
    private func bring(_ position: Int) throws(ShaleError) {
        let layer = layer(position)
        let download = LayerDownload(
            engine: engine, reference: remote.reference, layer: layer, operation: operation,
            stopping: operation.cancellation)
        let lower: @Sendable () throws(ShaleError) -> [RootDirectory] = { () throws(ShaleError) in
            var found: [RootDirectory] = []
            for below in (0..<position).reversed() {
                if !self.isUnpacked(below) { try self.bring(below) }
                found.append(
                    try self.engine.store.layers.directory(
                        self.diffIDs[below], on: Digest.chainID(self.diffIDs[..<below])))
            }
            return found
        }
        if engine.store.blobs.contains(layer.blob.digest) {
            return try engine.unpackLayer(
                FDSource(engine.store.blobs.open(layer.blob.digest), subject: "blob \(layer.blob.digest)"),
                as: layer.diffID, above: layer.parentChain, blob: layer.blob.digest, lower: lower,
                cancellation: operation.cancellation)
        }
        for _ in 0..<2 where try download.run(unpacking: true, lower: lower) { return }
        throw ShaleError(.corrupt, "filesystem layer verification failed for digest \(layer.blob.digest)")
    }

    // MARK: Contents

    /// Opens a file of a layer for reading.
    ///
    /// `entry` comes from the layer's index.
    ///
    /// Throws `notFound` when the layer is neither unpacked nor has a table of contents, and what fetching or opening
    /// the file throws.
    package func open(_ entry: LayerEntry, in position: Int) throws(ShaleError) -> OwnedFD {
        let blob = remote.manifest.layers[position]
        if isUnpacked(position) {
            let directory = try engine.store.layers.directory(
                diffIDs[position], on: Digest.chainID(diffIDs[..<position]))
            return try translating(entry.path) { try directory.openLiteral(entry.path, O_RDONLY | O_NONBLOCK) }
        }
        guard let location = TableLocation(blob) else {
            throw ShaleError(.notFound, "layer \(diffIDs[position]): not unpacked")
        }
        let table = try table(position, location)
        let path = entry.kind == .hardLink ? entry.link : entry.path
        let file = table.index[path] ?? entry
        let key = file.contentHash?.digest ?? Digest.of("\(blob.digest) \(path)".utf8)
        if let kept = engine.store.cache.open(.remote, key) { return kept }
        return try engine.store.cache.fill(.remote, key) { target throws(ShaleError) in
            try fetch(table.pieces(of: path), of: blob, named: path, expecting: file, into: target)
        }
    }

    /// Fetches a file in pieces, and checks each piece before it is written.
    private func fetch(
        _ pieces: [TableOfContents.Piece], of blob: Descriptor, named path: String, expecting file: LayerEntry,
        into target: borrowing OwnedFD
    ) throws(ShaleError) {
        let subject = "layer \(blob.digest): \(path)"
        var hasher = DigestHasher()
        // Adjacent pieces are fetched with one request.
        var fetched: (range: Range<Int64>, bytes: [UInt8]) = (0..<0, [])
        for (number, piece) in pieces.enumerated() {
            try operation.cancellation.check()
            if piece.place.isEmpty {
                try skip(piece.size, &hasher, target, subject)
                continue
            }
            guard piece.size <= Self.largestPiece, piece.place.count <= Self.largestPiece else {
                throw ShaleError(
                    .unsupported, "\(subject): packed in one piece of \(HumanUnits.size(piece.size))",
                    hint: "pull \(remote.reference.familiar)")
            }
            if !fetched.range.contains(piece.place.lowerBound) {
                let range = Self.run(from: number, of: pieces)
                guard range.upperBound <= blob.size else {
                    throw ShaleError(.corrupt, "\(subject): its bytes lie outside its layer")
                }
                fetched = (range, try part(range, blob))
            }
            let start = Int(piece.place.lowerBound - fetched.range.lowerBound)
            let packed = Array(fetched.bytes[start..<min(start + piece.place.count, fetched.bytes.count)])
            let bytes = try PackedPiece.unpacked(
                packed, skipping: piece.skipped, limit: Int(piece.size), subject: subject, operation.cancellation)
            if let digest = piece.digest, Digest.of(bytes) != digest {
                throw ShaleError(.corrupt, "\(subject): what came has the digest \(Digest.of(bytes)), not \(digest)")
            }
            hasher.update(bytes)
            try translating(subject) { try target.write(bytes) }
        }
        guard hasher.count == file.size, file.contentHash.map({ $0 == hasher.contentHash() }) ?? true else {
            throw ShaleError(.corrupt, "\(subject): what came is not the file that the table of contents names")
        }
    }

    /// The largest piece that is held in memory, in bytes.
    private static let largestPiece: Int64 = 256 << 20

    /// Skips zeros that the table lists and the blob does not contain: a hole of the file.
    private func skip(
        _ count: Int64, _ hasher: inout DigestHasher, _ target: borrowing OwnedFD, _ subject: String
    ) throws(ShaleError) {
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var left = count
        while left > 0 {
            try operation.cancellation.check()
            let next = Int(min(left, Int64(zeros.count)))
            zeros.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<next])) }
            left -= Int64(next)
        }
        let end = hasher.count
        try translating(subject) {
            try target.truncate(to: end)
            try check("lseek") { Int32(clamping: lseek(target.raw, off_t(end), SEEK_SET)) }
        }
    }

    /// The pieces to fetch with one request: adjacent pieces from a number on, up to 8 MiB, and at least one piece.
    private static func run(from number: Int, of pieces: [TableOfContents.Piece]) -> Range<Int64> {
        var range = pieces[number].place
        for piece in pieces[(number + 1)...] {
            guard piece.place.lowerBound == range.upperBound, Int64(range.count) + Int64(piece.place.count) <= 8 << 20
            else { break }
            range = range.lowerBound..<piece.place.upperBound
        }
        return range
    }
}
