import Basics
import Glibc
import Linux
import OCI
import Synchronization

/// The folder of unfinished things: one subfolder a process, and partial downloads by digest.
///
/// A process's subfolder has a file `owner` that it keeps locked while it lives; a subfolder whose `owner` can be
/// locked by another is a leftover. In it are staged blobs and layers, what is being removed, and *holds*: empty files
/// `hold-<hex>` that keep blobs and layers from collection until an image names them.
final class IngestFolder: Sendable {
    private struct State: ~Copyable {
        var own: String?
        var owner: FileLock?
        var counter = 0
        /// Whether the own folder's subfolders are put apart from each other.
        var spreads = false
    }

    let paths: StorePaths
    private let lock: StoreLock
    private let ownLock: StoreLock
    private let state = Mutex(State())

    init(paths: StorePaths, lock: StoreLock) {
        self.paths = paths
        self.lock = lock
        ownLock = StoreLock(path: paths.ingestLock, unwritable: lock.unwritable)
    }

    deinit { close() }

    /// A path in this process's folder that nothing has yet.
    func newPath(_ kind: String) throws(ShaleError) -> String {
        let folder = try ownFolder()
        return state.withLock { state in
            state.counter += 1
            return "\(folder)/\(kind)-\(state.counter)"
        }
    }

    /// The same for a tree of perhaps many files, apart from those that were there before.
    func newTreePath(_ kind: String) throws(ShaleError) -> String {
        let path = try newPath(kind)
        let isFirst = state.withLock { state in
            defer { state.spreads = true }
            return !state.spreads
        }
        if isFirst { try? OwnedFD.open(ownFolder(), O_RDONLY | O_DIRECTORY).spreadSubdirectories() }
        return path
    }

    /// Makes this process's folder now: should it die, the next one sees by it that there is something to sweep.
    func prepare() throws(ShaleError) { _ = try ownFolder() }

    /// What this process's folder is called: it tells the process from every other, also from one of the same number.
    func ownName() throws(ShaleError) -> String {
        let folder = try ownFolder()
        return String(folder[folder.index(folder.startIndex, offsetBy: paths.ingest.count + 1)...])
    }

    /// Whether the process whose folder is called so lives.
    func isOwned(_ name: String) -> Bool {
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else { return false }
        let path = "\(paths.ingest)/\(name)"
        if path == state.withLock({ $0.own }) { return true }
        return !isLeftover(path)
    }

    /// Moves a path away and removes it: it disappears at once, even if removing its tree is cut short.
    func discard(_ path: String) throws(ShaleError) {
        if let place = try moveAway(path) { try removeMoved(place) }
    }

    /// The first, quick half of `discard`; `nil` when nothing was there.
    ///
    /// Under the lock only after `prepare`.
    func moveAway(_ path: String) throws(ShaleError) -> String? {
        let place = try newPath("discard")
        if path.withPath({ from in place.withPath { rename(from, $0) } }) == 0 { return place }
        if errno == ENOENT { return nil }
        throw SystemCallError("rename", path: path).shaleError(path)
    }

    /// The second half, which takes as long as the tree is large.
    func removeMoved(_ place: String) throws(ShaleError) {
        do throws(SystemCallError) { try FileTree.remove(place) } catch { throw error.shaleError(place) }
    }

    /// Keeps blobs and layers with these digests from collection as long as this process lives or until released.
    func hold(_ digests: some Sequence<Digest>) throws(ShaleError) {
        let folder = try ownFolder()
        try lock.exclusively { () throws(ShaleError) in
            for digest in digests {
                do throws(SystemCallError) {
                    _ = try OwnedFD.open("\(folder)/hold-\(digest.hex)", O_WRONLY | O_CREAT)
                } catch {
                    throw error.shaleError("hold on \(digest)")
                }
            }
        }
    }

    func release(_ digests: some Sequence<Digest>) {
        guard let folder = state.withLock({ $0.own }) else { return }
        for digest in digests { unlink("\(folder)/hold-\(digest.hex)") }
    }

    /// The hex digits of every digest that a living process holds.
    ///
    /// Called under the store's lock.
    func heldDigests() throws(ShaleError) -> Set<String> {
        var held: Set<String> = []
        for folder in folders() {
            for name in names(in: "\(paths.ingest)/\(folder)") where name.hasPrefix("hold-") {
                held.insert(String(name.dropFirst(5)))
            }
        }
        return held
    }

    /// Removes what processes that are gone left: their folders, files half written beside `index.json`, and partial
    /// downloads that are finished or a week old.
    ///
    /// Answers whether a process was found that went without tidying up.
    @discardableResult
    func sweepLeftovers() -> Bool {
        sweepHalfWritten()
        let entries = names(in: paths.ingest)
        if entries.isEmpty { return false }
        let own = state.withLock { $0.own }
        var foundDead = false
        for name in entries {
            let path = "\(paths.ingest)/\(name)"
            if name.hasSuffix(".partial") {
                sweepPartial(path, name)
            } else if path != own, sweepFolder(path) {
                foundDead = true
            }
        }
        return foundDead
    }

    func close() {
        state.withLock { state in
            guard let own = state.own else { return }
            try? FileTree.remove(own)
            state.own = nil
            state.owner = nil
            state.spreads = false
        }
    }

    private func sweepHalfWritten() {
        let aside = names(in: paths.home).filter { $0.hasSuffix("~") }
        if aside.isEmpty { return }
        // Whoever writes there holds the lock.
        try? lock.exclusively { for name in aside { unlink("\(paths.home)/\(name)") } }
    }

    private func sweepFolder(_ path: String) -> Bool {
        let isDead = isLeftover(path)
        if isDead { try? FileTree.remove(path) }
        return isDead
    }

    /// Whether nobody holds the owner's lock of a folder; where that cannot be told, somebody does.
    private func isLeftover(_ path: String) -> Bool {
        let owner = "\(path)/owner"
        // Under the lock, so that no folder is seen between its making and its owner's lock.
        return
            (try? ownLock.exclusively {
                if access(owner, F_OK) != 0 { return true }
                return ((try? FileLock.trying(owner, exclusive: true)) ?? nil) != nil
            }) ?? false
    }

    private func sweepPartial(_ path: String, _ name: String) {
        guard let status = try? FileStatus.of(hostPath: path) else { return }
        let hex = name.dropLast(".partial".count)
        let isOld = Timestamp.now().seconds - status.modified.seconds > 7 * 86_400
        guard isOld || access("\(paths.blobs)/\(hex)", F_OK) == 0 else { return }
        guard ((try? FileLock.trying(path, exclusive: true)) ?? nil) != nil else { return }
        unlink(path)
    }

    private func folders() -> [String] { names(in: paths.ingest).filter { !$0.hasSuffix(".partial") } }

    private func names(in folder: String) -> [String] {
        guard let directory = try? OwnedFD.open(folder, O_RDONLY | O_DIRECTORY) else { return [] }
        return (try? DirectoryEntries.names(of: directory)) ?? []
    }

    private func ownFolder() throws(ShaleError) -> String {
        if let own = state.withLock({ $0.own }) { return own }
        let made = "\(paths.ingest)/\(getpid())-\(UInt64.random(in: 0 ... .max))"
        return try ownLock.exclusively { () throws(ShaleError) in
            if let own = state.withLock({ $0.own }) { return own }
            do throws(SystemCallError) {
                try check("mkdir", path: made) { mkdir(made, 0o700) }
                let owner = try FileLock.waiting(on: "\(made)/owner", exclusive: true)
                adopt(made, owner)
                return made
            } catch {
                throw error.shaleError("home \(paths.home)")
            }
        }
    }

    private func adopt(_ folder: String, _ owner: consuming FileLock) {
        var owner: FileLock? = owner
        state.withLock { state in
            state.own = folder
            state.owner = owner.take()
        }
    }
}
