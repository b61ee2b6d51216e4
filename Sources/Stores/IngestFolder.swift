package import Basics
import Diagnostics
import Glibc
import Linux
import Logging
package import OCI
import Synchronization

/// The folder of unfinished files: one subfolder for each process, and partial downloads by digest.
///
/// A process's subfolder has a file `owner` that it keeps locked while it lives; a subfolder whose `owner` can be
/// locked by another is a leftover. In it are staged blobs and layers. What is being removed lies beside these folders.
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

    /// Makes this process's folder now: when this process dies, the next one sees by the folder that there is something
    /// to sweep.
    func prepare() throws(ShaleError) { _ = try ownFolder() }

    /// What this process's folder is called: it tells the process from every other, also from one of the same number.
    func ownName() throws(ShaleError) -> String {
        let folder = try ownFolder()
        return String(folder[folder.index(folder.startIndex, offsetBy: paths.ingest.count + 1)...])
    }

    /// Whether the process that has the folder of this name still runs.
    func isOwned(_ name: String) -> Bool {
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else { return false }
        let path = "\(paths.ingest)/\(name)"
        if path == state.withLock({ $0.own }) { return true }
        return !isLeftover(path)
    }

    /// Moves a path away and removes it: it disappears at once, even if removing its tree is interrupted.
    func discard(_ path: String) throws(ShaleError) {
        if let place = try moveAway(path) { try removeMoved(place) }
    }

    /// The first, quick half of `discard`; `nil` when nothing was there.
    ///
    /// It is moved to this process's folder. When a full disk has no room for one, it is moved beside those folders
    /// without an owner, and the next sweep removes it too.
    func moveAway(_ path: String) throws(ShaleError) -> String? {
        let place: String
        do throws(ShaleError) {
            place = try newPath("discard")
        } catch {
            guard error.code == .noSpace else { throw error }
            place = "\(paths.ingest)/discard-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        }
        if path.withPath({ from in place.withPath { rename(from, $0) } }) == 0 { return place }
        if errno == ENOENT { return nil }
        throw SystemCallError("rename", path: path).shaleError(path)
    }

    /// The second half, which takes longer for a larger tree; another process may be removing the same tree.
    func removeMoved(_ place: String) throws(ShaleError) {
        for isLast in [false, false, true] {
            do throws(SystemCallError) {
                return try FileTree.remove(place)
            } catch {
                guard !isLast, error.errno == ENOENT || error.errno == ENOTEMPTY || error.errno == ESTALE else {
                    throw error.shaleError(place)
                }
            }
        }
    }

    /// Removes the leftovers of processes that have ended: their folders, temporary files beside `index.json`, and
    /// partial downloads that are finished or a week old.
    ///
    /// Returns whether a process was found that ended without cleaning up.
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

    /// Downloads that are not whole.
    func unfinishedDownloads() -> [UnfinishedDownload] {
        names(in: paths.ingest).compactMap { name in
            guard name.hasSuffix(Self.partialSuffix),
                let digest = try? Digest(parsing: "sha256:\(name.dropLast(Self.partialSuffix.count))"),
                let status = try? FileStatus.of(hostPath: "\(paths.ingest)/\(name)")
            else { return nil }
            let isUnderWay = FileLock.isTaken("\(paths.ingest)/\(name)")
            return UnfinishedDownload(
                digest: digest, bytes: status.size, modified: status.modified, isUnderWay: isUnderWay)
        }
    }

    /// Removes a download that no process continues; returns whether it did.
    func remove(_ download: UnfinishedDownload) -> Bool {
        let path = "\(paths.ingest)/\(download.digest.hex)\(Self.partialSuffix)"
        // Whoever takes it up looks, with the lock, whether the path still leads to it.
        guard let lock = (try? FileLock.trying(path, exclusive: true)) ?? nil else { return false }
        defer { withExtendedLifetime(lock) {} }
        return unlink(path) == 0
    }

    static let partialSuffix = ".partial"

    func close() {
        state.withLock { state in
            guard let own = state.own else { return }
            Logger.store.attempt("remove this process's folder of unfinished work") { try FileTree.remove(own) }
            state.own = nil
            state.owner = nil
            state.spreads = false
        }
    }

    private func sweepHalfWritten() {
        let aside = names(in: paths.home).filter { $0.hasSuffix("~") }
        if aside.isEmpty { return }
        // Whoever writes there holds the lock.
        Logger.store.attempt("sweep half-written files") {
            try lock.exclusively { for name in aside { unlink("\(paths.home)/\(name)") } }
        }
    }

    private func sweepFolder(_ path: String) -> Bool {
        let isDead = isLeftover(path)
        if isDead { Logger.store.attempt("remove a dead process's folder") { try FileTree.remove(path) } }
        return isDead
    }

    /// Whether no process has the owner's lock of a folder; false when that cannot be determined.
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
        let isOld = Timestamp.now().wholeSeconds(since: status.modified) > 7 * 86_400
        guard isOld || access("\(paths.blobs)/\(hex)", F_OK) == 0 else { return }
        guard let lock = (try? FileLock.trying(path, exclusive: true)) ?? nil else { return }
        unlink(path)
        withExtendedLifetime(lock) {}
    }

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

/// A part of a blob that an earlier download left, or that a download is writing now.
package struct UnfinishedDownload: Sendable, Hashable {
    package var digest: Digest
    package var bytes: Int64
    package var modified: Timestamp
    /// Whether someone writes to it at this moment.
    package var isUnderWay: Bool
}
