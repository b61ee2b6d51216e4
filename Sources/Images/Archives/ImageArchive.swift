import Basics
import Glibc
import Layers
import Linux
import OCI
import Stores

/// The files of an archive of images by their paths, in memory, in a temporary file or in a folder.
protocol ImageArchive: AnyObject {
    /// A document's bytes, `nil` when there is no such file; more than `OCIDocument.largest` is an error.
    func document(_ path: String) throws(ShaleError) -> [UInt8]?
    /// A file ready to become a blob, `nil` when there is no such file.
    func blob(_ path: String) throws(ShaleError) -> StagedBlob?
}

/// A file of an archive: hashed, and not yet among the store's blobs.
final class StagedBlob {
    let digest: Digest
    let size: Int64
    let compression: Compression
    private let ingest: BlobIngest
    private var isCommitted = false

    init(_ ingest: BlobIngest, compression: Compression) {
        self.ingest = ingest
        self.compression = compression
        digest = ingest.digest
        size = ingest.count
    }

    func open() throws(ShaleError) -> OwnedFD { try ingest.openForReading() }

    /// Makes it a blob of the store.
    func commit() throws(ShaleError) {
        if isCommitted { return }
        try ingest.commit()
        isCommitted = true
    }
}

/// An archive that came as a tar, plain or packed, read once from its beginning to its end.
///
/// Members are kept by number, never by their names: no name in an archive reaches a file system. What is small stays
/// in memory, the rest lies in the store's ingest folder until an image is complete.
final class TarImageArchive: ImageArchive {
    private enum Member {
        case memory([UInt8])
        case staged(StagedBlob)
        case link(String)
    }

    private let store: Store
    private let subject: String
    private var members: [String: Member] = [:]
    private var inMemory = 0

    private static let smallest = 1 << 20
    private static let mostInMemory = 64 << 20
    private static let mostFiles = 4 * ImageLimits.layers

    init(
        _ source: any ByteSource, subject: String, store: Store, cancellation: Cancellation
    ) throws(ShaleError) {
        self.store = store
        self.subject = subject
        let stream = try UnpackedStream(source, subject: subject, hashing: false, cancellation: cancellation)
        defer { stream.close() }
        let reader = TarReader(stream, subject: subject)
        while let entry = try reader.next() {
            guard let path = Self.key(entry.path) else { continue }
            switch entry.kind {
            case .file: members[path] = try member(entry, reader)
            case .symlink: members[path] = Self.key(entry.link, relativeTo: path).map { .link($0) }
            case .hardLink: members[path] = Self.key(entry.link).map { .link($0) }
            default: break
            }
            guard members.count <= Self.mostFiles else {
                throw ShaleError(.invalid, "\(subject): more than \(Self.mostFiles) files: not an archive of images")
            }
        }
    }

    func document(_ path: String) throws(ShaleError) -> [UInt8]? {
        switch resolve(path) {
        case nil, .link: return nil
        case .memory(let bytes):
            return bytes
        case .staged(let blob):
            guard blob.size <= Int64(OCIDocument.largest) else {
                throw ShaleError(.invalid, "\(subject): \(path.visible): larger than \(OCIDocument.largest) bytes")
            }
            let file = try blob.open()
            do throws(SystemCallError) {
                return try file.readAll(limit: OCIDocument.largest)
            } catch {
                throw error.shaleError("\(subject): \(path.visible)")
            }
        }
    }

    func blob(_ path: String) throws(ShaleError) -> StagedBlob? {
        switch resolve(path) {
        case nil, .link: return nil
        case .staged(let blob): return blob
        case .memory(let bytes):
            let ingest = try store.blobs.newIngest()
            try ingest.append(bytes)
            let blob = StagedBlob(ingest, compression: Compression.detect(bytes))
            // Asked for twice, it is the same file.
            if let key = finalKey(path) { members[key] = .staged(blob) }
            return blob
        }
    }

    private func member(_ entry: TarEntry, _ reader: TarReader) throws(ShaleError) -> Member {
        if entry.size <= Int64(Self.smallest), inMemory + Int(entry.size) <= Self.mostInMemory {
            inMemory += Int(entry.size)
            return .memory(try reader.contents(limit: Self.smallest))
        }
        guard entry.sparse == nil else {
            throw ShaleError(.unsupported, "\(subject): \(entry.pathText.visible): a sparse file")
        }
        let ingest = try store.blobs.newIngest()
        var head: [UInt8] = []
        try reader.readData { _, bytes throws(ShaleError) in
            if head.count < 6 { head.append(contentsOf: bytes.prefix(6 - head.count)) }
            try ingest.append(bytes)
        }
        return .staged(StagedBlob(ingest, compression: Compression.detect(head)))
    }

    private func finalKey(_ path: String) -> String? {
        guard var key = Self.key(Array(path.utf8)) else { return nil }
        for _ in 0..<8 {
            guard case .link(let target)? = members[key] else { return key }
            key = target
        }
        return nil
    }

    private func resolve(_ path: String) -> Member? { finalKey(path).flatMap { members[$0] } }

    /// A path in normal form: no `.`, no empty parts, `..` resolved by its text; `nil` when it leads out of the
    /// archive.
    static func key(_ path: [UInt8], relativeTo base: String? = nil) -> String? {
        let text = String(pathBytes: path)
        var parts: [Substring] = []
        if let base, !text.hasPrefix("/") { parts = base.split(separator: "/").dropLast() }
        for part in text.split(separator: "/") where part != "." {
            if part == ".." {
                guard parts.popLast() != nil else { return nil }
            } else {
                parts.append(part)
            }
        }
        return parts.isEmpty ? nil : parts.joined(separator: "/")
    }
}

/// An OCI layout or an unpacked docker archive in a folder of the host's.
final class FolderImageArchive: ImageArchive {
    private let root: RootDirectory
    private let path: String
    private let store: Store
    private let cancellation: Cancellation
    private var staged: [String: StagedBlob] = [:]

    init(path: String, store: Store, cancellation: Cancellation) throws(ShaleError) {
        do throws(SystemCallError) {
            root = try RootDirectory(hostPath: path)
        } catch {
            throw error.shaleError("open \(path)")
        }
        self.path = path
        self.store = store
        self.cancellation = cancellation
    }

    func document(_ name: String) throws(ShaleError) -> [UInt8]? {
        do throws(SystemCallError) {
            return try root.contents(of: name, limit: OCIDocument.largest)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error.shaleError("\(path)/\(name.visible)")
        }
    }

    func blob(_ name: String) throws(ShaleError) -> StagedBlob? {
        if let known = staged[name] { return known }
        guard let source = try open(name) else { return nil }
        let ingest = try store.blobs.newIngest()
        var head: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            try cancellation.check()
            let count = try source.read(into: buffer)
            if count == 0 { break }
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if head.count < 6 { head.append(contentsOf: bytes.prefix(6 - head.count)) }
            try ingest.append(bytes)
        }
        let blob = StagedBlob(ingest, compression: Compression.detect(head))
        staged[name] = blob
        return blob
    }

    private func open(_ name: String) throws(ShaleError) -> FDSource? {
        do throws(SystemCallError) {
            let file = try root.open(name, O_RDONLY | O_NONBLOCK)
            guard try FileStatus.of(file).kind == .regular else {
                throw SystemCallError("open", path: name, errno: EINVAL)
            }
            return FDSource(file, subject: "\(path)/\(name.visible)")
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return nil }
            throw error.shaleError("\(path)/\(name.visible)")
        }
    }
}
