import Basics
import Glibc
import Layers
import Linux
import OCI
import Stores

/// The bytes of a blob that are a part of a file.
final class FilePart: BlobBytes {
    let file: OwnedFile
    let begin: Int64
    let size: Int64

    init(_ file: OwnedFile, begin: Int64 = 0, size: Int64) {
        self.file = file
        self.begin = begin
        self.size = size
    }

    func read(at offset: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(ShaleError) -> Int {
        let count = Int(min(Int64(buffer.count), max(0, size - offset)))
        guard count > 0 else { return 0 }
        return try file.read(at: begin + offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
    }

    /// All bytes.
    ///
    /// Throws `invalid` for more than `limit` bytes.
    func bytes(limit: Int = OCIDocument.largest) throws(ShaleError) -> [UInt8] {
        guard size <= Int64(limit) else {
            throw ShaleError(.invalid, "\(file.subject): larger than \(limit) bytes")
        }
        var bytes = [UInt8](repeating: 0, count: Int(size))
        var filled = 0
        while filled < bytes.count {
            let count = try bytes.withUnsafeMutableBytesThrowing { buffer throws(ShaleError) in
                try read(at: Int64(filled), into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
            }
            guard count > 0 else { throw ShaleError(.corrupt, "\(file.subject): it ends too early") }
            filled += count
        }
        return bytes
    }
}

extension [UInt8] {
    /// `withUnsafeMutableBytes` with typed errors.
    fileprivate mutating func withUnsafeMutableBytesThrowing<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        var failure: ShaleError?
        let result = withUnsafeMutableBytes { buffer -> Result? in
            do throws(ShaleError) {
                return try body(buffer)
            } catch {
                failure = error
                return nil
            }
        }
        if let failure { throw failure }
        guard let result else { throw ShaleError(.io, "reading into memory") }
        return result
    }
}

/// The files of a layout or an archive by their paths.
protocol LayoutFiles: Sendable {
    /// The name in errors.
    var subject: String { get }
    /// A regular file; `nil` when there is none at that path.
    func file(_ path: String) throws(ShaleError) -> FilePart?
}

extension LayoutFiles {
    /// The bytes of a blob at its place in a layout, or at another path.
    ///
    /// Throws `corrupt` when it is missing or has another size.
    func part(of blob: Descriptor, at path: String? = nil) throws(ShaleError) -> FilePart {
        let name = path?.visible ?? "blob \(blob.digest)"
        guard let part = try file(path ?? "blobs/\(blob.digest.algorithm)/\(blob.digest.hex)") else {
            throw ShaleError(.corrupt, "\(subject): \(name): it is not there")
        }
        guard part.size == blob.size else {
            throw ShaleError(
                .corrupt, "\(subject): \(name): \(part.size) bytes instead of the \(blob.size) bytes announced")
        }
        return part
    }

    /// The verified bytes of a small blob.
    ///
    /// Throws `invalid` for more than `limit` bytes, `corrupt` for a wrong digest.
    func document(
        _ blob: Descriptor, at path: String? = nil, limit: Int = OCIDocument.largest
    ) throws(ShaleError) -> [UInt8] {
        let bytes = try part(of: blob, at: path).bytes(limit: limit)
        guard Digest.of(bytes) == blob.digest else {
            throw ShaleError(.corrupt, "\(subject): blob \(blob.digest): its bytes do not match its digest")
        }
        return bytes
    }
}

/// A layout in a folder of the host.
struct FolderFiles: LayoutFiles {
    let path: String
    var subject: String { path }

    func file(_ name: String) throws(ShaleError) -> FilePart? {
        do throws(SystemCallError) {
            let root = try RootDirectory(hostPath: path)
            let file = try root.open(name, O_RDONLY | O_NONBLOCK)
            let status = try FileStatus.of(file)
            guard status.kind == .regular else { throw SystemCallError("open", path: name, errno: EINVAL) }
            return FilePart(OwnedFile(file, subject: "\(path)/\(name.visible)"), size: status.size)
        } catch {
            // A missing folder is an error. A missing file in it is not.
            let isThere = (try? FileStatus.of(hostPath: path, followingLink: true)) != nil
            if error.errno == ENOENT || error.errno == ENOTDIR, isThere { return nil }
            throw error.shaleError("\(path)/\(name.visible)")
        }
    }
}

/// The members of a tar.
///
/// The tar is scanned once, and members are then read at their offsets.
final class ArchiveFiles: LayoutFiles {
    private enum Member: Sendable {
        case file(begin: Int64, size: Int64)
        case link(String)
    }

    let subject: String
    private let file: OwnedFile
    private let members: [String: Member]
    private static let mostFiles = 4 * ImageLimits.layers

    /// Scans the archive.
    ///
    /// A compressed archive is first decompressed into the store's ingest folder.
    init(path: String, store: Store, cancellation: Cancellation) throws(ShaleError) {
        subject = path
        let plain = try Self.plain(path, store, cancellation)
        let stream = try UnpackedStream(
            FDSource(try translating(path) { try plain.duplicate() }, subject: path), subject: path, hashing: false,
            cancellation: cancellation)
        defer { stream.close() }
        let reader = TarReader(stream, subject: path)
        var found: [String: Member] = [:]
        while let entry = try reader.next() {
            guard let name = TarImageArchive.key(entry.path) else { continue }
            switch entry.kind {
            case .file:
                guard entry.sparse == nil else {
                    throw ShaleError(.unsupported, "\(path): \(entry.pathText.visible): a sparse file")
                }
                found[name] = .file(begin: reader.offset, size: entry.size)
            case .symlink: found[name] = TarImageArchive.key(entry.link, relativeTo: name).map { .link($0) }
            case .hardLink: found[name] = TarImageArchive.key(entry.link).map { .link($0) }
            default: break
            }
            guard found.count <= Self.mostFiles else {
                throw ShaleError(.invalid, "\(path): more than \(Self.mostFiles) files: not an archive of images")
            }
        }
        members = found
        file = OwnedFile(plain, subject: path)
    }

    func file(_ path: String) throws(ShaleError) -> FilePart? {
        guard var key = TarImageArchive.key(Array(path.utf8)) else { return nil }
        for _ in 0..<8 {
            switch members[key] {
            case .file(let begin, let size): return FilePart(file, begin: begin, size: size)
            case .link(let target): key = target
            case nil: return nil
            }
        }
        return nil
    }

    /// The archive as an uncompressed tar file, positioned at its beginning.
    private static func plain(
        _ path: String, _ store: Store, _ cancellation: Cancellation
    ) throws(ShaleError) -> OwnedFD {
        let source = try translating(path) { try OwnedFD.open(path, O_RDONLY) }
        let isFile = try translating(path) { try FileStatus.of(source).kind == .regular }
        var head = [UInt8](repeating: 0, count: 6)
        let count = head.withUnsafeMutableBytes { pread(source.raw, $0.baseAddress, $0.count, 0) }
        if isFile, Compression.detect(head.prefix(max(0, count))) == .none { return source }
        let stream = try UnpackedStream(
            FDSource(source, subject: path), subject: path, hashing: false, cancellation: cancellation)
        defer { stream.close() }
        let staged = try store.blobs.newIngest()
        defer { staged.abandon(keepingPartial: false) }
        while let chunk = try stream.nextChunk() { try staged.append(chunk) }
        return try staged.openForReading()
    }
}
