package import Basics
import Glibc
import Linux
package import OCI

/// Blobs of a layout that is written to again and again, as a build's cache is: those that shale put there go when no
/// manifest names them any more.
///
/// Which they are is noted in a file of the folder, a digest a line. What other tools put there is never touched.
extension LayoutFolder {
    private static let notes = "shale-blobs"

    /// Seconds for which a blob that nothing names stays: someone may be reading it, or about to name it.
    private static let grace: Int64 = 3600

    /// Notes blobs that are about to be put there and are not there yet, and keeps those that are from being swept.
    ///
    /// Throws what locking the folder and writing the notes throw.
    package func expect(_ blobs: [Descriptor]) throws(ShaleError) {
        let path = self.folder
        try locked { () throws(ShaleError) in
            var noted = Self.noted(in: path)
            for blob in blobs {
                if try has(blob) {
                    utimensat(AT_FDCWD, "\(path)/blobs/sha256/\(blob.digest.hex)", nil, 0)
                } else {
                    noted.insert(blob.digest)
                }
            }
            try Self.write(noted, in: path)
        }
    }

    /// Removes what was noted, is named by no manifest of the index, and was untouched for an hour.
    ///
    /// Where a manifest cannot be read nothing is removed. Throws what locking the folder and writing the notes throw.
    package func sweep(now: Timestamp = .now()) throws(ShaleError) {
        let path = self.folder
        try locked { () throws(ShaleError) in
            let noted = Self.noted(in: path)
            guard !noted.isEmpty, let named = try? Self.named(FolderFiles(path: path)) else { return }
            var left: Set<Digest> = []
            for digest in noted {
                let place = "\(path)/blobs/sha256/\(digest.hex)"
                guard let status = try? FileStatus.of(hostPath: place) else { continue }
                if named.contains(digest) || now.wholeSeconds(since: status.modified) < Self.grace {
                    left.insert(digest)
                } else {
                    unlink(place)
                }
            }
            if left != noted { try Self.write(left, in: path) }
        }
    }

    private func locked(_ body: () throws(ShaleError) -> Void) throws(ShaleError) {
        let path = self.folder
        let lock = try translating(path.visible) { try FileLock.waiting(onDirectory: path) }
        defer { withExtendedLifetime(lock) {} }
        try body()
    }

    private static func noted(in path: String) -> Set<Digest> {
        let bytes = (try? WholeFile.read("\(path)/\(notes)", limit: OCIDocument.largest)) ?? []
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        return Set(lines.compactMap { try? Digest(parsing: String($0)) }.filter { $0.algorithm == "sha256" })
    }

    private static func write(_ digests: Set<Digest>, in path: String) throws(ShaleError) {
        let text = digests.sorted().map { "\($0)\n" }.joined()
        try translating("\(path.visible)/\(notes)") {
            try UnnamedFile.write(Array(text.utf8), to: "\(path)/\(notes)", mode: CallersUmask.applied(to: 0o644))
        }
    }

    /// Every blob that the index and what it leads to name.
    private static func named(_ files: FolderFiles) throws(ShaleError) -> Set<Digest> {
        guard let bytes = try files.file("index.json")?.bytes() else { return [] }
        var named: Set<Digest> = []
        var pending = try OCIDocument.read(Index.self, from: bytes, naming: "index.json").manifests
        while let entry = pending.popLast() {
            guard named.insert(entry.digest).inserted else { continue }
            if MediaType.isIndex(entry.mediaType) {
                pending += try OCIDocument.read(
                    Index.self, from: files.document(entry), naming: "index \(entry.digest)"
                ).manifests
            } else if MediaType.isManifest(entry.mediaType) {
                let manifest = try OCIDocument.read(
                    Manifest.self, from: files.document(entry), naming: "manifest \(entry.digest)")
                named.formUnion((manifest.layers + [manifest.config]).map(\.digest))
            }
        }
        return named
    }
}
