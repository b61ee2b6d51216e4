import Basics
import Diagnostics
import Glibc
import Linux
import Logging

/// Protects unpacked layers against a power cut without waiting for a sync.
///
/// A layer can be unpacked again from its blob, which is on disk before a name leads to it. So its files, often
/// thousands, are not synced. Until the kernel has written them, the layer's folder has a mark with the machine's boot
/// ID.
/// A mark of an earlier boot means that the power may have failed before that, so the layer is deleted.
struct LayerSyncing: Sendable {
    /// Seconds after which the kernel has written all data: ten times its default `dirty_expire_centisecs` of 30 s.
    private static let delay: Int64 = 300
    private let paths: StorePaths
    private let lock: StoreLock
    /// Where the kernel tells the machine's boot ID.
    private let bootFile: String

    init(paths: StorePaths, lock: StoreLock, bootFile: String = "/proc/sys/kernel/random/boot_id") {
        self.paths = paths
        self.lock = lock
        self.bootFile = bootFile
    }

    /// The mark of the home.
    ///
    /// Without it no layer has a mark, and none needs to be checked.
    private var sign: String { paths.home + "/layers.unsettled" }

    /// Marks a staged layer before it is renamed to its place.
    ///
    /// Where the boot ID cannot be read, no mark could tell a later boot from this one, so all is synced instead.
    func mark(_ staging: String) throws(SystemCallError) {
        guard let boot = bootID() else { return sync() }
        try WholeFile.replace(sign, with: boot, syncing: false)
        try WholeFile.replace(staging + "/unsettled", with: boot, syncing: false)
    }

    /// Removes the marks of layers that are on disk, and deletes layers with a mark of an earlier boot.
    ///
    /// After an error, and where the boot ID cannot be read, the marks stay for the next time.
    func syncIfDue(_ ingest: IngestFolder) {
        var moved: [String] = []
        Logger.store.attempt("settle unpacked layers") { try settle(ingest, &moved) }
        for place in moved {
            Logger.store.attempt("remove a layer that may not be whole") { try ingest.removeMoved(place) }
        }
    }

    private func settle(_ ingest: IngestFolder, _ moved: inout [String]) throws {
        guard let status = try ifPresent(FileStatus.of(hostPath: sign)), let boot = bootID() else { return }
        let isThisBoot = try ifPresent(WholeFile.read(sign, limit: 256)) == boot
        if isThisBoot, Timestamp.now().wholeSeconds(since: status.modified) < Self.delay { return }
        try lock.exclusively { () throws(ShaleError) in
            for name in try StoreFolder.names(paths.layers) {
                let layer = "\(paths.layers)/\(name)"
                let mark: [UInt8]?
                do throws(SystemCallError) {
                    mark = try ifPresent(WholeFile.read(layer + "/unsettled", limit: 256))
                } catch {
                    throw error.storeError("layer \(name)", at: layer)
                }
                guard let mark else { continue }
                if mark == boot {
                    unlink(layer + "/unsettled")
                } else if let place = try ingest.moveAway(layer) {
                    moved.append(place)
                }
            }
            unlink(sign)
        }
    }

    /// `nil` where it cannot be read.
    private func bootID() -> [UInt8]? {
        let bytes = Logger.store.attempt("read the boot ID") { () throws(SystemCallError) in
            try WholeFile.read(bootFile, limit: 256)
        }
        return bytes.flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// Syncs a file on its own thread, so that the caller does not wait.
enum BackgroundSync {
    private final class Job {
        let path: String
        init(_ path: String) { self.path = path }
    }

    static func begin(_ path: String) {
        var thread = pthread_t()
        let job = Unmanaged.passRetained(Job(path))
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let path = Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().path
                Logger.store.attempt("sync \(path)") { try OwnedFD.open(path, O_RDONLY).sync() }
                return nil
            }, job.toOpaque())
        if result == 0 { pthread_detach(thread) } else { job.release() }
    }
}
