package import Basics
import Diagnostics
import Glibc
import Linux
import Logging
package import OCI
import Synchronization

/// The folder `ingest` with unfinished files: a subfolder for each process, and partial downloads by digest.
///
/// A process keeps the file `owner` in its subfolder locked while it lives. A subfolder whose `owner` can be locked by
/// another process is a leftover. Subfolders contain staged blobs and layers, and trees that are being removed.
final class IngestFolder: Sendable {
    private struct State: ~Copyable {
        var own: String?
        var owner: FileLock?
        var counter = 0
        /// Whether this process's subfolders are placed apart by the file system.
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

    /// An unused path in this process's folder.
    func newPath(_ kind: String) throws(ShaleError) -> String {
        let folder = try ownFolder()
        return state.withLock { state in
            state.counter += 1
            return "\(folder)/\(kind)-\(state.counter)"
        }
    }

    /// An unused path for a tree of many files, which the file system places apart from existing files.
    func newTreePath(_ kind: String) throws(ShaleError) -> String {
        let path = try newPath(kind)
        let isFirst = state.withLock { state in
            defer { state.spreads = true }
            return !state.spreads
        }
        if isFirst { try? OwnedFD.open(ownFolder(), O_RDONLY | O_DIRECTORY).spreadSubdirectories() }
        return path
    }

    /// Creates this process's folder now, so that after a crash the next process finds it and sweeps.
    func prepare() throws(ShaleError) { _ = try ownFolder() }

    /// The name of this process's folder.
    ///
    /// It is unique, also among processes with the same process ID.
    func ownName() throws(ShaleError) -> String {
        let folder = try ownFolder()
        return String(folder[folder.index(folder.startIndex, offsetBy: paths.ingest.count + 1)...])
    }

    /// Whether the process with the folder of this name is still running.
    func isOwned(_ name: String) -> Bool {
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else { return false }
        let path = "\(paths.ingest)/\(name)"
        if path == state.withLock({ $0.own }) { return true }
        return !isLeftover(path)
    }

    /// Moves a path away and removes it.
    ///
    /// The path disappears at once, even when the removal is interrupted.
    func discard(_ path: String) throws(ShaleError) {
        if let place = try moveAway(path) { try removeMoved(place) }
    }

    /// Moves a path to this process's folder, the first part of `discard`; `nil` when nothing was there.
    ///
    /// When a full disk has no room for that folder, the path is moved beside it, and the next sweep removes it.
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

    /// Removes a moved tree, the second part of `discard`.
    ///
    /// Another process may be removing the same tree.
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

    /// Removes the leftovers of processes that ended: their folders, temporary files beside `index.json`, and partial
    /// downloads that are finished or a week old.
    ///
    /// Returns whether a process had ended without cleaning up.
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

    /// All partial downloads.
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

    /// Removes a partial download unless a process continues it; returns whether it was removed.
    func remove(_ download: UnfinishedDownload) -> Bool {
        let path = "\(paths.ingest)/\(download.digest.hex)\(Self.partialSuffix)"
        // A process that continues it checks under the lock whether the path still leads to the file.
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
        // A process that writes there has the lock, so under the lock every such file is a leftover.
        Logger.store.attempt("sweep half-written files") {
            try lock.exclusively { for name in aside { unlink("\(paths.home)/\(name)") } }
        }
    }

    private func sweepFolder(_ path: String) -> Bool {
        let isDead = isLeftover(path)
        if isDead { Logger.store.attempt("remove a dead process's folder") { try FileTree.remove(path) } }
        return isDead
    }

    /// Whether no process has locked a folder's `owner` file; false when that cannot be determined.
    private func isLeftover(_ path: String) -> Bool {
        let owner = "\(path)/owner"
        // Under the lock, so that a folder is not seen before its owner has locked it.
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

/// A partial download, which may be in progress.
package struct UnfinishedDownload: Sendable, Hashable {
    package var digest: Digest
    package var bytes: Int64
    package var modified: Timestamp
    /// Whether a process is writing it now.
    package var isUnderWay: Bool
}
