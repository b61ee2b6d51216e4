import Basics
import Containers
import Diagnostics
import Dockerfiles
import FoundationEssentials
import Glibc
import Layers
import Linux
import Logging
import OCI
import Stores

/// A hash over the files that COPY or ADD reads, for the cache key.
///
/// As in BuildKit, times are not part of it.
///
/// It covers type, mode, owner, content or link target, extended attributes (such as a file capability), and which
/// names
/// are hard links of one file.
struct SourceHash: Sendable {
    /// Path to `kind mode owner content`; files with extended attributes or hard links have ` attributes hard-link`
    /// added.
    private(set) var files = PathLines()
    /// The first name of each file that has several names.
    private var firstNames: [FileIdentity: String] = [:]
    /// Whether the owner of a file counts.
    ///
    /// It does not count when the copy sets another owner: then the key is the same whoever checked the context out.
    private let countsOwners: Bool

    init(countingOwners: Bool, files: PathLines = PathLines()) {
        countsOwners = countingOwners
        self.files = files
    }

    /// Adds a path and, for a directory, everything below it for which `include` returns true.
    ///
    /// A file whose digest is in `known` for this status is not read, nor is a directory that is in `survey`. `moved`
    /// is told how many more bytes of file content are hashed or known. Throws `cancelled`, and the file system's error.
    mutating func add(
        _ path: String, in root: RootDirectory, including include: (String) -> Bool, descendingInto: (String) -> Bool,
        known: FileDigests? = nil, survey: ContextSurvey? = nil, _ cancellation: Cancellation,
        moved: (Int64) -> Void = { _ in }
    ) throws(ShaleError) {
        func read(_ bytes: Int64) throws(SystemCallError) {
            moved(bytes)
            if cancellation.isCancelled { throw SystemCallError("read", errno: ECANCELED) }
        }
        do throws(SystemCallError) {
            var pending = [(path: path, status: try root.status(path), isTop: true)]
            while let next = pending.popLast() {
                if cancellation.isCancelled { throw SystemCallError("read", errno: ECANCELED) }
                let isIn = next.isTop || include(next.path)
                if isIn { files[next.path] = try line(next.path, next.status, root, known, read) }
                guard next.status.kind == .directory, isIn || descendingInto(next.path) else { continue }
                let entries: [ContextSurvey.Entry]
                if let known = survey?.entries(of: next.path) {
                    entries = known
                } else {
                    entries = try DirectoryEntries.list(
                        root.open(next.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
                }
                let prefix = next.path.isEmpty || next.path == "/" ? "" : "\(next.path)/"
                for (name, status) in entries.reversed() {
                    pending.append((prefix + name, status, false))
                }
            }
        } catch {
            if error.errno == ECANCELED { try cancellation.check() }
            throw error.shaleError("reading \(path)")
        }
        known?.save()
    }

    /// Adds content that is no file in the context: a downloaded file or a heredoc.
    mutating func add(content digest: Digest, as name: String) { files[name] = "file 644 0:0 \(digest.hex)" }

    /// The digest of all added paths, with the path `prefix` replaced by `name`.
    ///
    /// `name` is the name that a copied file gets when only its directory is given as the destination.
    func digest(relativeTo prefix: String, named name: String = "") -> Digest {
        let top = name
        var hasher = DigestHasher()
        for path in files.paths {
            let name = PathOrder.same(path, prefix) ? top : path
            hasher.update("\(name.utf8.count):\(name) \(files[path] ?? "")\n".utf8)
        }
        return hasher.digest()
    }

    private mutating func line(
        _ path: String, _ status: FileStatus, _ root: RootDirectory, _ known: FileDigests?,
        _ moved: (Int64) throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> String {
        var (line, attributes) = try Self.content(path, status, root, known, moved)
        line = "\(kind(status)) \(String(status.permissions, radix: 8)) \(owner(status)) \(line)"
        let first = firstName(of: path, status)
        guard attributes != nil || first != nil else { return line }
        let link = first.map { Digest.of($0.pathBytes).hex } ?? "-"
        return "\(line) \(attributes?.hex ?? "-") \(link)"
    }

    /// The name under which the same file (a hard link) was added first; `nil` for the first name itself.
    private mutating func firstName(of path: String, _ status: FileStatus) -> String? {
        guard status.kind == .regular, status.links > 1 else { return nil }
        let identity = status.identity
        if let first = firstNames[identity] { return first }
        firstNames[identity] = path
        return nil
    }

    private func kind(_ status: FileStatus) -> String {
        switch status.kind {
        case .directory: "dir"
        case .symlink: "link"
        case .regular: "file"
        default: "\(status.kind)"
        }
    }

    private func owner(_ status: FileStatus) -> String { countsOwners ? "\(status.uid):\(status.gid)" : "0:0" }

    /// The text for a path's content, and the digest of its extended attributes when it has any.
    private static func content(
        _ path: String, _ status: FileStatus, _ root: RootDirectory, _ known: FileDigests?,
        _ moved: (Int64) throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> (text: String, attributes: Digest?) {
        switch status.kind {
        case .directory:
            let directory = try root.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
            return ("-", try attributes(of: directory))
        case .symlink: return (Digest.of(try root.readLink(path).pathBytes).hex, nil)
        case .regular:
            if let kept = known?.digests(of: path, status) {
                try moved(status.size)
                return (kept.content.hex, kept.attributes)
            }
            let file = try root.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            let digests = FileDigests.Digests(
                content: try contentDigest(path, status, file, moved), attributes: try attributes(of: file))
            known?.keep(digests, of: path, status)
            return (digests.content.hex, digests.attributes)
        default: return ("\(status.rdevMajor):\(status.rdevMinor)", nil)
        }
    }

    private static func attributes(of file: borrowing OwnedFD) throws(SystemCallError) -> Digest? {
        let names = try ExtendedAttributes.names(of: file).filter(ExtendedAttributes.isOfFile)
        if names.isEmpty { return nil }
        var hasher = DigestHasher()
        for name in names.sorted() {
            let value = try ExtendedAttributes.value(name, of: file) ?? []
            hasher.update("\(name.utf8.count):\(name)\(value.count):".utf8)
            hasher.update(value)
        }
        return hasher.digest()
    }

    private static func contentDigest(
        _ path: String, _ status: FileStatus, _ file: borrowing OwnedFD,
        _ moved: (Int64) throws(SystemCallError) -> Void
    ) throws(SystemCallError) -> Digest {
        let raw = file.raw
        var hasher = DigestHasher()
        // One byte more than the file's size: for a small file a single read then shows that the file is complete.
        let room = Int(min(max(status.size, 0) + 1, 256 << 10))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = try checkLength("read", path: path) { Glibc.read(raw, buffer.baseAddress, room) }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            try moved(Int64(count))
            if count == 0 || (hasher.count == status.size && count < room) { return hasher.digest() }
        }
    }
}

/// The hashes of a path of an image, kept from build to build.
///
/// They stay valid because an image never changes.
struct KeptHash {
    private let cache: CacheStore
    private let key: Digest

    /// `nil` when the files are not those of an image.
    init?(_ path: String, of source: BuildContext, leavingOut excluded: IgnoreList?, _ cache: CacheStore) {
        guard let image = source.image else { return nil }
        self.cache = cache
        let patterns = (excluded?.patterns ?? []).joined(separator: "\n")
        key = Digest.of("hashes by bytes of \(image) \(path)\n\(patterns)".utf8)
    }

    var found: SourceHash? {
        guard let bytes = cache.value(.hashes, key),
            let files = try? JSONDecoder().decode(PathLines.self, from: Data(bytes)), !files.isEmpty
        else { return nil }
        return SourceHash(countingOwners: true, files: files)
    }

    /// Keeps the hashes.
    ///
    /// A failure is only logged: they are computed again next time.
    func keep(_ hash: SourceHash) {
        Logger.cache.attempt("keep the hashes of a folder") {
            try cache.set(.hashes, key, to: Array(OCIDocument.encode(hash.files)))
        }
    }
}
