package import Basics
import Glibc
import Layers
package import Linux
package import OCI

/// An OCI image layout in a folder of the host's that is written to: what is in it stays.
///
/// Blobs come first and whole, the index last and by a rename: whoever reads sees the old state or the new one. Several
/// may write at once.
package struct LayoutFolder: Sendable {
    private let path: String

    /// Opens the layout of a folder, and makes it where nothing is.
    ///
    /// Throws `invalid` for a folder that holds something else, and what making or reading it throws.
    package init(making path: String) throws(ShaleError) {
        self.path = path
        let names = try? RootDirectory(hostPath: path).names(in: "/")
        guard names.map({ $0.isEmpty || $0.contains("oci-layout") || $0.contains("blobs") }) ?? true else {
            throw ShaleError(.invalid, "\(path.visible): a folder that is not empty and no OCI layout")
        }
        try translating(path.visible) {
            try Self.makeFolders(path)
            for name in ["blobs", "blobs/sha256"] { try Self.makeFolder("\(path)/\(name)") }
            if names?.contains("oci-layout") != true {
                let text = JSONDocument.members(["imageLayoutVersion": "1.0.0"]).text()
                try UnnamedFile.write(Array(text.utf8), to: "\(path)/oci-layout", mode: Self.mode)
            }
        }
    }

    private static let mode = CallersUmask.applied(to: 0o644)

    private static func makeFolders(_ path: String) throws(SystemCallError) {
        guard (try? FileStatus.of(hostPath: path, followingLink: true)) == nil else { return }
        let above = path.parentPath
        if above != path, !above.isEmpty { try makeFolders(above) }
        try makeFolder(path)
    }

    private static func makeFolder(_ path: String) throws(SystemCallError) {
        guard mkdir(path, CallersUmask.applied(to: 0o755)) != 0, errno != EEXIST else { return }
        throw SystemCallError("mkdir", path: path)
    }

    /// Where it lies.
    var folder: String { path }

    /// Whether a blob is there, by its size; its bytes were proved when they were written, and are when they are read.
    ///
    /// Throws `unsupported` for a digest that is not sha256.
    package func has(_ blob: Descriptor) throws(ShaleError) -> Bool {
        (try? FileStatus.of(hostPath: try place(of: blob.digest)))?.size == blob.size
    }

    /// Copies a blob in, and proves its digest on the way.
    ///
    /// Throws `corrupt` when its bytes have another digest, `cancelled`, and what reading or writing throws.
    package func add(
        _ blob: Descriptor, from source: consuming OwnedFD, _ cancellation: Cancellation
    ) throws(ShaleError) {
        let bytes = OwnedFile(source, subject: "blob \(blob.digest)")
        let report = TransferReport(cancellation: cancellation)
        try write(blob.digest) { file throws(ShaleError) in
            try BlobCopy.run(blob, from: bytes, report: report) { piece throws(ShaleError) in
                try translating("\(path.visible): blob \(blob.digest)") { try file.write(piece) }
            }
        }
    }

    /// Writes a document as a blob.
    ///
    /// Throws what writing it throws.
    package func add(_ document: [UInt8]) throws(ShaleError) {
        let digest = Digest.of(document)
        if (try? FileStatus.of(hostPath: place(of: digest)))?.size == Int64(document.count) { return }
        try write(digest) { file throws(ShaleError) in
            try translating("\(path.visible): blob \(digest)") { try file.write(document) }
        }
    }

    /// Makes a blob of what `body` writes, once all of it is there.
    ///
    /// Throws what `body` or naming the file throws.
    func write(
        _ digest: Digest, _ body: (borrowing OwnedFD) throws(ShaleError) -> Void
    ) throws(ShaleError) {
        let place = try place(of: digest)
        let file = try translating(path.visible) { try UnnamedFile(for: place, mode: Self.mode) }
        try body(file.descriptor)
        try translating(path.visible) { try file.put() }
    }

    /// Puts an entry into the index, in the place of one of the same name, or of the same image without a name.
    ///
    /// Throws `invalid` or `corrupt` for an index that cannot be read, and what writing it throws.
    package func name(_ entry: Descriptor) throws(ShaleError) {
        let lock = try translating(path.visible) { try FileLock.waiting(onDirectory: path) }
        defer { withExtendedLifetime(lock) {} }
        var index = Index()
        if let bytes = try existingIndex() {
            index = try OCIDocument.read(Index.self, from: bytes, naming: "\(path.visible)/index.json")
        }
        let name = entry.annotations?[Annotation.refName]
        index.manifests.removeAll { old in
            old.annotations?[Annotation.refName] == name && (name != nil || old.digest == entry.digest)
        }
        index.manifests.append(entry)
        let text = index.document.text()
        try translating("\(path.visible)/index.json") {
            try UnnamedFile.write(Array(text.utf8), to: "\(path)/index.json", mode: Self.mode)
        }
    }

    private func existingIndex() throws(ShaleError) -> [UInt8]? {
        do throws(SystemCallError) {
            return try WholeFile.read("\(path)/index.json", limit: OCIDocument.largest)
        } catch {
            if error.errno == ENOENT { return nil }
            throw error.shaleError("\(path.visible)/index.json")
        }
    }

    private func place(of digest: Digest) throws(ShaleError) -> String {
        guard digest.algorithm == "sha256" else {
            throw ShaleError(.unsupported, "blob \(digest): only sha256 digests can be stored")
        }
        return "\(path)/blobs/sha256/\(digest.hex)"
    }
}
