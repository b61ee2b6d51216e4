import Basics
import FoundationEssentials
import Glibc
import Linux
import OCI
import Stores

/// The files that this home wrote into a recipe's folder, with their digests.
///
/// They are in the home's cache, by the folder's path: a list in the folder could be a stranger's, and the next save
/// would remove whatever it names. So only files are removed that were written from here and have the same bytes still.
struct SavedRecipeFiles {
    private let root: RootDirectory
    private let cache: CacheStore
    private let key: Digest

    /// Throws the error of finding the folder's path.
    init(in folder: String, _ root: RootDirectory, _ cache: CacheStore) throws(ShaleError) {
        guard let found = folder.withPath({ realpath($0, nil) }) else {
            throw SystemCallError("realpath", path: folder).shaleError("recipe save \(folder)")
        }
        defer { free(found) }
        self.root = root
        self.cache = cache
        key = Digest.of("recipe saved in \(String(cString: found))".utf8)
    }

    /// Removes the files of the recipe that was saved before, those that are unchanged, and folders that are then
    /// empty.
    ///
    /// Throws the error of reading or removing a file.
    func removeUnchanged() throws(ShaleError) {
        let known = cache.value(.recipes, key)
            .flatMap { try? JSONDecoder().decode([String: String].self, from: Data($0)) }
        for (path, content) in (known ?? [:]).sorted(by: { $0.key < $1.key }) {
            try translating(path) {
                guard try ifPresent(self.content(of: path)) == content else { return }
                let place = try root.parent(of: path)
                try place.directory.unlink(place.name)
                try removeEmptyFolders(above: path)
            }
        }
    }

    private func removeEmptyFolders(above path: String) throws(SystemCallError) {
        var above = path.pathParts.dropLast()
        while !above.isEmpty {
            let place = try root.parent(of: above.joined(separator: "/"))
            do throws(SystemCallError) {
                try place.directory.removeDirectory(place.name)
            } catch {
                guard [ENOTEMPTY, EEXIST, ENOENT].contains(error.errno) else { throw error }
                return
            }
            above = above.dropLast()
        }
    }

    /// Notes what was written: files and links at some paths, and below those that are folders.
    ///
    /// Throws the error of reading a file or of writing the cache.
    func note(_ paths: [String]) throws(ShaleError) {
        var written: [String: String] = [:]
        var pending = paths
        try translating("recipe save") {
            while let path = pending.popLast() {
                if let content = try content(of: path) {
                    written[path] = content
                } else if try root.status(path).kind == .directory {
                    pending += try root.names(in: path).map { "\(path)/\($0)" }
                }
            }
        }
        try cache.set(.recipes, key, to: Array(OCIDocument.encode(written)))
    }

    /// The digest of a file's bytes or of a link's target; `nil` for other kinds.
    private func content(of path: String) throws(SystemCallError) -> String? {
        switch try root.status(path).kind {
        case .symlink: return "link \(Digest.of(try root.readLink(path).pathBytes))"
        case .regular:
            let place = try root.parent(of: path)
            let file = try place.directory.open(place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 4096)
            defer { buffer.deallocate() }
            var hasher = DigestHasher()
            while true {
                let count = try file.read(into: buffer)
                if count == 0 { return hasher.digest().description }
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
        default: return nil
        }
    }
}
