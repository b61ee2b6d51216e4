import Basics
import Glibc
import Layers
import Linux
import OCI
import Stores

/// An OCI layout in a folder as what an image is moved to; made where there is none.
struct LayoutTarget: TransferTarget {
    let path: String
    let tag: String?
    var width: Int { ImageLimits.transfers }
    var repository: Reference? { nil }

    /// Makes the folders; throws `invalid` for a folder that holds something else.
    init(path: String, tag: String?) throws(ShaleError) {
        self.path = path
        self.tag = tag
        try translating(path) {
            if let names = try? DirectoryEntries.names(of: OwnedFD.open(path, O_RDONLY | O_DIRECTORY)), !names.isEmpty,
                !names.contains("oci-layout"), !names.contains("blobs")
            {
                throw ShaleError(.invalid, "\(path): a folder that is not empty and no OCI layout")
            }
            for folder in [path, path + "/blobs", path + "/blobs/sha256"] {
                if mkdir(folder, 0o755) != 0, errno != EEXIST { throw SystemCallError("mkdir", path: folder) }
            }
        }
    }

    func take(
        _ blob: Descriptor, from source: any TransferSource, homes: [Reference], report: TransferReport
    ) throws(ShaleError) -> BlobArrival {
        guard blob.digest.algorithm == "sha256" else {
            throw ShaleError(.unsupported, "blob \(blob.digest): only sha256 digests can be checked")
        }
        if (try? FileStatus.of(hostPath: place(blob.digest)))?.size == blob.size { return .present }
        let bytes = try source.open(blob, cancellation: report.cancellation)
        try write(blob.digest) { file throws(ShaleError) in
            try BlobCopy.run(blob, from: bytes, report: report) { piece throws(ShaleError) in
                try translating("\(path): blob \(blob.digest)") { try file.write(piece) }
            }
        }
        return .sent
    }

    func put(_ document: TransferDocument, isNamed: Bool, report: TransferReport) throws(ShaleError) {
        let digest = document.descriptor.digest
        if access(place(digest), F_OK) != 0 {
            try write(digest) { file throws(ShaleError) in
                try translating("\(path): blob \(digest)") { try file.write(document.bytes) }
            }
        }
        guard isNamed else { return }
        try translating(path) {
            // Two that copy into one layout each keep what the other named.
            let lock = try FileLock.waiting(onDirectory: path)
            let marker = path + "/oci-layout"
            if access(marker, F_OK) != 0 {
                try WholeFile.replace(marker, with: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), mode: 0o644)
            }
            let index = try index(with: document.descriptor).text()
            try WholeFile.replace(path + "/index.json", with: Array(index.utf8), mode: 0o644)
            withExtendedLifetime(lock) {}
        }
    }

    /// The layout's index with one more entry, in place of the one that had its name.
    private func index(with descriptor: Descriptor) throws(ShaleError) -> JSONDocument {
        var index = Index()
        if let bytes = try FolderFiles(path: path).file("index.json")?.bytes() {
            index = try OCIDocument.read(Index.self, from: bytes, naming: "\(path): index.json")
        }
        index.manifests.removeAll { entry in
            let name = entry.annotations?[Annotation.refName]
            return tag == nil ? name == nil && entry.digest == descriptor.digest : name == tag
        }
        var entry = descriptor
        if let tag { entry.annotations = [Annotation.refName: tag] }
        index.manifests.append(entry)
        return index.document
    }

    private func place(_ digest: Digest) -> String { "\(path)/blobs/sha256/\(digest.hex)" }

    private func write(_ digest: Digest, _ body: (borrowing OwnedFD) throws(ShaleError) -> Void) throws(ShaleError) {
        let file = try translating(path) { try UnnamedFile(for: place(digest), mode: 0o644) }
        try body(file.descriptor)
        try translating(path) { try file.put() }
    }
}

/// The copying of a blob's bytes, checked on their way.
enum BlobCopy {
    /// Hands all bytes on, in order; throws `corrupt` where they are not what the descriptor says.
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
