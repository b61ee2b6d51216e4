import Basics
import Glibc
import Images
import Layers
import Linux
package import OCI
package import Stores

/// A look at a container before something is done to it, to be compared with one afterwards.
package struct DeedWindow: Sendable {
    let began: Timestamp
    let before: ContainerSnapshot?
    /// What had changed since the last deed.
    let changedBefore: [String]?
    let activity: ProcessActivityBox
    /// What was done before it left something outside the layer.
    let foundTraces: Bool
}

/// What the processes had done when the window was opened; `nil` for a container that does not run.
struct ProcessActivityBox: Sendable {
    let counts: ProcessActivity?
}

extension ContainerEngine {
    /// Looks at a container before a deed; costs a look at each path it changed so far, and at its processes.
    package func openDeed(in record: ContainerRecord) -> DeedWindow {
        let state = state(of: record.id)
        let activity = state.isRunning ? ProcessActivity.settled(of: state.pid, since: state.startedAt) : nil
        let now = snapshot(of: record)
        var changedBefore: [String]?
        if let now, let last = lastSnapshot(of: record) {
            let stubs = mountStubs(of: record)
            changedBefore = now.differences(from: last).filter { !stubs.contains($0) }
        }
        return DeedWindow(
            began: .now(), before: now, changedBefore: changedBefore, activity: ProcessActivityBox(counts: activity),
            foundTraces: state.isRunning && OutsideTraces.exist(beside: state.pid, since: state.startedAt))
    }

    /// Writes a deed down, with what changed since the window was opened.
    ///
    /// `payload` keeps the files of the changed paths it is given.
    package func closeDeed(
        _ window: DeedWindow, _ deed: Deed, in record: ContainerRecord, payload: ([String]) -> Digest? = { _ in nil }
    ) {
        var deed = deed
        let stubs = mountStubs(of: record)
        let after = snapshot(of: record)
        deed.began = window.began
        deed.at = .now()
        deed.changedBefore = window.changedBefore
        deed.foundTraces = window.foundTraces ? true : nil
        if let after, let before = window.before {
            let changed = after.differences(from: before).filter { !stubs.contains($0) }
            deed.changed = changed
            deed.payload = payload(changed).map { [$0] }
        }
        let state = state(of: record.id)
        deed.wasAlone = window.activity.counts == (state.isRunning ? ProcessActivity(of: state.pid) : nil)
        guard access(store.containers.folder(record.id).config, F_OK) == 0 else { return }
        if deed.changed?.isEmpty == false || deed.changedBefore?.isEmpty == false || after == nil {
            keep(after, of: record)
        }
        try? store.containers.append(deed, to: record.id)
    }

    /// What differs now from the last deed's end; `nil` where that is not known.
    func changesSinceLastDeed(of record: ContainerRecord) -> [String]? {
        guard let last = lastSnapshot(of: record), let now = snapshot(of: record) else { return nil }
        let stubs = mountStubs(of: record)
        return now.differences(from: last).filter { !stubs.contains($0) }
    }

    private func snapshot(of record: ContainerRecord) -> ContainerSnapshot? {
        let path = store.containers.folder(record.id).upper
        return (try? RootDirectory(hostPath: path)).flatMap { try? ContainerSnapshot(upper: $0) }
    }

    private func snapshotPath(_ record: ContainerRecord) -> String {
        store.containers.folder(record.id).path + "/deeds.snapshot"
    }

    /// How the container's layer was after the last deed; empty before the first one, `nil` when that is not known.
    private func lastSnapshot(of record: ContainerRecord) -> ContainerSnapshot? {
        do throws(SystemCallError) {
            return ContainerSnapshot(decoding: try WholeFile.read(snapshotPath(record), limit: 1 << 28))
        } catch {
            return error.errno == ENOENT ? ContainerSnapshot() : nil
        }
    }

    private func keep(_ snapshot: ContainerSnapshot?, of record: ContainerRecord) {
        // One that cannot be read says that nothing is known from here on.
        let bytes = snapshot?.encoded ?? [0]
        try? WholeFile.replace(snapshotPath(record), with: bytes, syncing: false)
    }

    /// Keeps paths of a container's layer as a tar in the blobs; `nil` for nothing, for much, and for what cannot be
    /// read.
    func keepPayload(_ paths: [String], of record: ContainerRecord, _ talk: Conversation) -> Digest? {
        guard let upper = try? RootDirectory(hostPath: store.containers.folder(record.id).upper) else { return nil }
        var changes: [Change] = []
        var bytes: Int64 = 0
        for path in paths {
            guard let status = try? upper.status(path), !status.isWhiteout else { continue }
            var change = Change(kind: .added, path: path, status: status)
            if status.kind == .symlink { change.link = (try? upper.readLink(path)) ?? "" }
            bytes = bytes.addingClamped(status.size)
            changes.append(change)
        }
        guard !changes.isEmpty, bytes <= Self.largestPayload else { return nil }
        return (try? images.pack(changes, of: upper, talk))?.1.digest
    }

    /// Bytes of copied files that are kept beside the container's own.
    private static let largestPayload: Int64 = 16 << 20
}
