import Basics
import OCI
import Recipes
import Stores

// Lines that were interrupted by a kill or a power cut after their changes but before their journal entry.
extension Session {
    /// Writes a journal entry for each interrupted line of this session, with its changes to names, images and
    /// containers, so
    /// that the user can see and undo them.
    ///
    /// Lines that other processes are still running are left to those processes.
    func takeInCutOff() throws(ShaleError) {
        var lines: [String: (stamp: LineStamp, changes: [StateChange])] = [:]
        for stamped in try sessions.stampedChanges(in: name) where isCutOff(stamped.stamp) {
            lines[stamped.stamp.token, default: (stamped.stamp, [])].changes += stamped.stateChanges
        }
        for removal in try removals() where removal.stamp.session == name && isCutOff(removal.stamp) {
            lines[removal.stamp.token, default: (removal.stamp, [])].changes.append(removal.change)
        }
        for line in lines.values.sorted(by: { $0.stamp.time < $1.stamp.time }) where !line.changes.isEmpty {
            try takeIn(line.stamp, line.changes)
        }
    }

    /// Whether a line of this session may have been interrupted.
    ///
    /// Only cheap checks are made; the journal is not read whole.
    package var mayHaveCutOffLines: Bool {
        guard let roots = try? folder.roots() else { return true }
        return sessions.mayHaveCutOffLines(in: name, removing: roots.containers)
    }

    private func takeIn(_ stamp: LineStamp, _ changes: [StateChange]) throws(ShaleError) {
        try folder.addRoots(changes.reduce(into: SessionRoots()) { $0.formUnion($1.roots) })
        let words = sessions.words(of: stamp)
        // The status of a killed process, 128 + SIGKILL.
        var entry = JournalEntry(
            time: stamp.time, line: words?.line ?? "(a line)", directory: words?.directory, status: 137,
            changes: changes, token: stamp.token)
        entry.isCutOff = true
        let fresh = try journal.append { _ in isWritten(stamp.token) ? nil : entry }
        try absorb(fresh)
    }

    /// Containers in the trash that no state up to the current one removed.
    private func removals() throws(ShaleError) -> [(stamp: LineStamp, change: StateChange)] {
        var rest = try folder.roots().containers
        if rest.isEmpty { return [] }
        for change in tree.lineage(of: tree.head).flatMap(\.changes) {
            if case .removed(let container, _) = change { rest.remove(container) }
        }
        var removals: [(stamp: LineStamp, change: StateChange)] = []
        for id in rest.sorted() {
            guard let removal = try sessions.cutOffRemoval(of: id) else { continue }
            removals.append((removal.stamp, .removed(container: id, name: removal.name)))
        }
        return removals
    }

    private func isCutOff(_ stamp: LineStamp) -> Bool {
        !isWritten(stamp.token) && sessions.isCutOff(stamp)
    }

    private func isWritten(_ token: String) -> Bool { journal.stateEntries.contains { $0.token == token } }
}

extension StampedChanges {
    fileprivate var stateChanges: [StateChange] {
        let names = moves.map { StateChange.name($0.reference, before: $0.before, after: $0.after) }
        guard !arrived.isEmpty || !departed.isEmpty else { return names }
        return names + [.images(arrived: arrived, departed: departed)]
    }
}
