import Basics
import Glibc
import Layers
import Linux
import OCI
import Stores

/// An OCI layout in a folder as the target of a copy.
///
/// It is made when there is none.
struct LayoutTarget: TransferTarget {
    private let folder: LayoutFolder
    private let path: String
    private let tag: String?
    var width: Int { ImageLimits.transfers }
    var repository: Reference? { nil }

    /// Makes the folders.
    ///
    /// Throws `invalid` for a folder with other content.
    init(path: String, tag: String?) throws(ShaleError) {
        self.path = path
        self.tag = tag
        folder = try LayoutFolder(making: path)
    }

    func take(
        _ blob: Descriptor, from source: any TransferSource, mountSources: [Reference], report: TransferReport
    ) throws(ShaleError) -> BlobArrival {
        if try folder.has(blob) { return .present }
        let bytes = try source.open(blob, cancellation: report.cancellation)
        try folder.write(blob.digest) { file throws(ShaleError) in
            try BlobCopy.run(blob, from: bytes, report: report) { piece throws(ShaleError) in
                try translating("\(path): blob \(blob.digest)") { try file.write(piece) }
            }
        }
        return .sent
    }

    func put(_ document: TransferDocument, isNamed: Bool, report: TransferReport) throws(ShaleError) {
        try folder.add(document.bytes)
        guard isNamed else { return }
        var entry = document.descriptor
        if let tag { entry.annotations = [Annotation.refName: tag] }
        try folder.name(entry)
    }
}

/// Copies the bytes of a blob, and checks their digest.
enum BlobCopy {
    /// Passes all bytes on, in order.
    ///
    /// Throws `corrupt` when they do not match the descriptor.
    static func run(
        _ blob: Descriptor, from bytes: any BlobBytes, begin: Int64 = 0, report: TransferReport,
        to sink: (UnsafeRawBufferPointer) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)
        defer { buffer.deallocate() }
        var hasher = DigestHasher()
        var offset = begin
        while offset < blob.size {
            try report.cancellation.check()
            let room = Int(min(Int64(buffer.count), blob.size - offset))
            let count = try bytes.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<room]))
            guard count > 0 else {
                throw ShaleError(.corrupt, "blob \(blob.digest): \(offset) bytes instead of the \(blob.size) announced")
            }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hasher.update(piece)
            try sink(piece)
            offset += Int64(count)
            report.moved(offset)
        }
        guard begin == 0 else { return }
        let actual = hasher.digest()
        guard actual == blob.digest else {
            throw ShaleError(.corrupt, "blob \(blob.digest): what came has the digest \(actual)")
        }
    }
}
