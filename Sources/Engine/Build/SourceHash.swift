import Basics
import Dockerfiles
import FoundationEssentials
import Glibc
import Linux
import OCI
import Stores

/// What COPY and ADD read, hashed as the cache sees it: type, mode, owner and content of each path, no times.
struct SourceHash: Sendable {
    /// Path to `kind mode owner content`.
    private(set) var files: [String: String] = [:]
    /// Whether who owns a file counts: not where the copy is another's anyhow, so that a context gives the same key
    /// whoever checked it out.
    private let countsOwners: Bool

    init(countingOwners: Bool, files: [String: String] = [:]) {
        countsOwners = countingOwners
        self.files = files
    }

    /// Adds a path and, for a directory, all below it that `include` lets in.
    ///
    /// A file that `known` has a digest of, as its status stands, is not read; a directory that `survey` has is not
    /// either.
    mutating func add(
        _ path: String, in root: RootDirectory, including include: (String) -> Bool, descendingInto: (String) -> Bool,
        known: FileDigests? = nil, survey: ContextSurvey? = nil, _ cancellation: Cancellation
    ) throws(ShaleError) {
        do throws(SystemCallError) {
            var pending = [(path: path, status: try root.status(path), isTop: true)]
            while let next = pending.popLast() {
                if cancellation.isCancelled { throw SystemCallError("read", errno: ECANCELED) }
                let isIn = next.isTop || include(next.path)
                if isIn { files[next.path] = try line(next.path, next.status, root, known) }
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

    /// Adds something that is no file of a tree: a downloaded file, a heredoc.
    mutating func add(content digest: Digest, as name: String) { files[name] = "file 644 0:0 \(digest.hex)" }

    /// The whole set's digest; names relative to the copied root, so that moving a context changes nothing.
    ///
    /// `name` stands for the root itself: what a file will be called where only its directory is given.
    func digest(relativeTo prefix: String, named name: String = "") -> Digest {
        let top = name
        var hasher = DigestHasher()
        for path in files.keys.sorted() {
            let name = path == prefix ? top : path
            hasher.update("\(name.utf8.count):\(name) \(files[path] ?? "")\n".utf8)
        }
        return hasher.digest()
    }

    private func line(
        _ path: String, _ status: FileStatus, _ root: RootDirectory, _ known: FileDigests?
    ) throws(SystemCallError) -> String {
        let mode = String(status.permissions, radix: 8)
        let owner = countsOwners ? "\(status.uid):\(status.gid)" : "0:0"
        switch status.kind {
        case .directory: return "dir \(mode) \(owner) -"
        case .symlink: return "link \(mode) \(owner) \(Digest.of(try root.readLink(path).pathBytes).hex)"
        case .regular:
            let digest: Digest
            if let kept = known?.digest(of: path, status) {
                digest = kept
            } else {
                digest = try Self.contentDigest(path, status, root)
                known?.keep(digest, of: path, status)
            }
            return "file \(mode) \(owner) \(digest.hex)"
        default: return "\(status.kind) \(mode) \(owner) \(status.rdevMajor):\(status.rdevMinor)"
        }
    }

    private static func contentDigest(
        _ path: String, _ status: FileStatus, _ root: RootDirectory
    ) throws(SystemCallError) -> Digest {
        let file = try root.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        var hasher = DigestHasher()
        // A byte more than the file has, so that a small one is known to be whole after one read.
        let room = Int(min(max(status.size, 0) + 1, 256 << 10))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: room, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let raw = file.raw
            let count = try checkLength("read", path: path) { Glibc.read(raw, buffer.baseAddress, room) }
            hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            if count == 0 || (hasher.count == status.size && count < room) { return hasher.digest() }
        }
    }
}

/// The hashes of a path of an image, kept from build to build: an image never changes.
struct KeptHash {
    private let cache: CacheStore
    private let key: Digest

    /// `nil` for files that are no image's.
    init?(_ path: String, of source: BuildContext, leavingOut excluded: IgnoreList?, _ cache: CacheStore) {
        guard let image = source.image else { return nil }
        self.cache = cache
        let patterns = (excluded?.patterns ?? []).joined(separator: "\n")
        key = Digest.of("hashes of \(image) \(path)\n\(patterns)".utf8)
    }

    var found: SourceHash? {
        guard let bytes = cache.value(.hashes, key),
            let files = try? JSONDecoder().decode([String: String].self, from: Data(bytes)), !files.isEmpty
        else { return nil }
        return SourceHash(countingOwners: true, files: files)
    }

    /// What cannot be written is worked out again next time.
    func keep(_ hash: SourceHash) {
        guard let text = try? OCIDocument.encode(hash.files) else { return }
        try? cache.set(.hashes, key, to: Array(text))
    }
}
