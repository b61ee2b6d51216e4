import Basics
import Diagnostics
import Glibc
import Images
import Layers
import Linux
import Logging
package import OCI
import RunnerProtocol
package import Stores

/// The state of a container before an event, to be compared with the state afterwards.
package struct EventWindow: Sendable {
    let began: Timestamp
    let before: ContainerSnapshot?
    /// The paths that changed since the last event.
    let changedBefore: [String]?
    let activity: ProcessActivityBox
    /// Whether earlier commands left something outside the layer.
    let foundTraces: Bool
}

/// The activity of the processes when the window was opened; `nil` for a container that does not run.
struct ProcessActivityBox: Sendable {
    let counts: ProcessActivity?
}

extension ContainerEngine {
    /// Reads the state before an event: the status of each path changed so far, and of each process.
    package func openEvent(in record: ContainerRecord) -> EventWindow {
        let state = state(of: record.id)
        let activity = state.isRunning ? ProcessActivity.atRest(of: state.pid, since: state.startedAt) : nil
        let now = snapshot(of: record)
        var changedBefore: [String]?
        if let now, let last = lastSnapshot(of: record) {
            let stubs = mountStubs(of: record)
            changedBefore = now.differences(from: last).filter { !stubs.contains($0) }
        }
        return EventWindow(
            began: .now(), before: now, changedBefore: changedBefore, activity: ProcessActivityBox(counts: activity),
            foundTraces: state.isRunning && OutsideTraces.exist(beside: state.pid, since: state.startedAt))
    }

    /// Records an event, with the paths that changed since the window was opened.
    ///
    /// `payload` gets the changed paths and stores their files.
    package func closeEvent(
        _ window: EventWindow, _ event: ContainerEvent, in record: ContainerRecord,
        payload: ([String]) -> Digest? = { _ in nil }
    ) {
        var event = event
        let stubs = mountStubs(of: record)
        let after = snapshot(of: record)
        event.began = window.began
        event.at = .now()
        event.changedBefore = window.changedBefore
        event.foundTraces = window.foundTraces ? true : nil
        if let after, let before = window.before {
            let changed = after.differences(from: before).filter { !stubs.contains($0) }
            event.changed = changed
            event.payload = payload(changed).map { [$0] }
        }
        let state = state(of: record.id)
        event.wasAlone = window.activity.counts == (state.isRunning ? ProcessActivity(of: state.pid) : nil)
        guard access(store.containers.folder(record.id).config, F_OK) == 0 else { return }
        if event.changed?.isEmpty == false || event.changedBefore?.isEmpty == false || after == nil {
            keep(after, of: record)
        }
        keep(event, of: record)
    }

    /// Records an event.
    ///
    /// A failure is only logged, because the event has happened already.
    func keep(_ event: ContainerEvent, of record: ContainerRecord) {
        do throws(ShaleError) {
            try store.containers.append(event, to: record.id)
        } catch {
            tellLost(error, of: record)
        }
    }

    private func tellLost(_ error: ShaleError, of record: ContainerRecord) {
        Logger.container.swallowed("note what was done to container \(record.name)", error)
        settings.warn("what was done to container \(record.name) is not noted, its recipe will lack it: \(error)")
    }

    /// The paths that differ from the end of the last event; `nil` when they are not known.
    func changesSinceLastEvent(of record: ContainerRecord) -> [String]? {
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

    /// The snapshot of the container's layer after the last event: empty before the first one, `nil` when it is not
    /// known.
    private func lastSnapshot(of record: ContainerRecord) -> ContainerSnapshot? {
        do throws(SystemCallError) {
            return ContainerSnapshot(decoding: try WholeFile.read(snapshotPath(record), limit: 1 << 28))
        } catch {
            return error.errno == ENOENT ? ContainerSnapshot() : nil
        }
    }

    private func keep(_ snapshot: ContainerSnapshot?, of record: ContainerRecord) {
        // When it cannot be read, the changes of later events are not known.
        let bytes = snapshot?.encoded ?? [0]
        do throws(SystemCallError) {
            try WholeFile.replace(snapshotPath(record), with: bytes, syncing: false)
        } catch {
            // With an older snapshot, other changes would be attributed to the next event.
            unlink(snapshotPath(record))
            Logger.container.swallowed("keep how the files of container \(record.name) are", error)
        }
    }

    /// Stores paths of a container's layer as a tar blob; `nil` when there are none, when they are too large, and when
    /// they cannot be read.
    func keepPayload(_ paths: [String], of record: ContainerRecord, _ operation: OperationContext) -> Digest? {
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
        return (try? images.pack(changes, of: upper, operation))?.1.digest
    }

    /// The largest size of files that are stored in addition to those of the container, in bytes.
    private static let largestPayload: Int64 = 16 << 20
}
