package import Basics
import Diagnostics
import Glibc
import Linux
import Logging
package import OCI
package import Recipes
package import Stores

/// A session: the typed lines, the states they led to, and the working image.
///
/// Its folder in the store is `sessions/<name>/`. Several processes may use one session; each change is made under the
/// journal's lock, on the state that the others left.
package final class Session {
    package let name: String
    package let engine: Engine
    let sessions: SessionStore
    let folder: SessionFolder
    let journal: Journal
    package private(set) var tree = StateTree()
    /// A shared lock that shows other processes that the session is in use.
    private let presence: FileLock?
    /// Whether its journal has been read.
    package private(set) var isRead = false

    /// Opens a session and reads its journal.
    ///
    /// A new session has no entries.
    ///
    /// Throws `invalid` for a name that is no plain file name, and what `init(joining:)` and `refresh()` throw.
    package convenience init(named name: String, in sessions: SessionStore, engine: Engine) throws(ShaleError) {
        try self.init(joining: name, in: sessions, engine: engine)
        try refresh()
    }

    /// Enters a session without reading its journal.
    ///
    /// While it is open it cannot be renamed or removed.
    ///
    /// The working image is not known before ``refresh()``.
    ///
    /// Throws `invalid` for a name that is no plain file name, and the file system's error when the folder cannot be
    /// created
    /// or locked.
    package init(joining name: String, in sessions: SessionStore, engine: Engine) throws(ShaleError) {
        self.name = name
        self.engine = engine
        self.sessions = sessions
        folder = try sessions.folder(of: name)
        journal = Journal(folder: folder.path)
        presence = try folder.share()
    }

    package var entries: [JournalEntry] { journal.entries }
    /// The entries that changed the state.
    package var stateEntries: [JournalEntry] { journal.stateEntries }
    /// The number of lines, and the time of the last one.
    package var lineCount: Int { journal.count }
    package var lastUsed: Timestamp? { journal.last?.time }

    /// Reads what other processes wrote to the journal.
    ///
    /// Throws the file system's error when the journal cannot be read.
    package func refresh() throws(ShaleError) {
        try Observer.measure(.session, "read the journal") { () throws(ShaleError) in try absorb(journal.refresh()) }
        isRead = true
        // Only logged when it fails, because a home that cannot be written can still be read.
        Logger.session.attempt("take in lines that were cut off") { try takeInCutOff() }
    }

    func absorb(_ entries: [JournalEntry]) throws(ShaleError) {
        for entry in entries { tree.append(entry) }
    }

    /// Writes a line and its changes into the journal.
    ///
    /// When another process changed the working image meanwhile, the line's steps are carried out again on the new
    /// working
    /// image, and `again` is called; throws `conflict` when this fails. Returns what was written.
    @discardableResult
    package func record(_ draft: JournalDraft, again: () -> Void = {}) throws(ShaleError) -> JournalDraft {
        try folder.requireWritable()
        if draft.changes.isEmpty {
            try journal.note(draft.entry)
            return draft
        }
        var draft = draft
        while true {
            try takeInCutOff()
            try folder.addRoots(draft.changes.reduce(into: SessionRoots()) { $0.formUnion($1.roots) })
            let known = tree
            var isWritten = false
            let fresh = try journal.append { fresh throws(ShaleError) in
                var current = known
                for entry in fresh { current.append(entry) }
                isWritten = draft.stands(on: current.working(at: current.head)?.image)
                return isWritten ? draft.entry : nil
            }
            try absorb(fresh)
            if isWritten { return draft }
            draft = try rebased(draft)
            again()
        }
    }

    /// Writes a line that changed nothing into a session's journal without opening the session.
    ///
    /// Throws `denied` for a home that cannot be written to, `invalid` for a name that a session cannot have, and the
    /// file
    /// system's error when the journal cannot be written.
    package static func note(
        _ draft: JournalDraft, session name: String, in sessions: SessionStore
    ) throws(ShaleError) {
        try sessions.requireWritable()
        try Journal(folder: sessions.folder(of: name).path).note(draft.entry)
    }

    /// Calls `body` with the current state while the journal is locked, and appends the entry that it returns.
    func append(_ body: (StateTree) throws(ShaleError) -> JournalEntry?) throws(ShaleError) {
        try folder.requireWritable()
        try takeInCutOff()
        let known = tree
        let fresh = try journal.append { fresh throws(ShaleError) in
            var current = known
            for entry in fresh { current.append(entry) }
            return try body(current)
        }
        try absorb(fresh)
    }

    // MARK: What is kept for coming back

    /// The images of the session's newest states (`nil` for all), and those that the current state needs.
    package func retainedImages(newest count: Int?) -> Set<Digest> {
        var images = Self.images(of: tree.working(at: tree.head))
        for change in tree.newest(count).flatMap(\.changes) {
            if case .name(_, let before, let after) = change {
                images.formUnion([before, after].compactMap { $0?.image })
            } else {
                images.formUnion(change.roots.digests)
            }
        }
        return images
    }

    private static func images(of working: WorkingImage?) -> Set<Digest> {
        guard let working else { return [] }
        return Set([working.base.image].compactMap(\.self) + working.steps.map(\.image))
            .union(working.stages.values)
    }

    /// Keeps the images of the newest states and of the current one.
    ///
    /// Images that only other states need may be collected.
    ///
    /// Throws `denied` for a home that cannot be written to, and the file system's error when the journal cannot be
    /// read or
    /// the session's roots cannot be written.
    package func forget(keepingNewest count: Int) throws(ShaleError) {
        let folder = self.folder
        try append { tree throws(ShaleError) in
            var roots = SessionRoots(digests: Self.images(of: tree.working(at: tree.head)))
            for change in tree.newest(count).flatMap(\.changes) { roots.formUnion(change.roots) }
            try folder.setRoots(roots)
            return nil
        }
    }
}

/// A journal entry that has no number yet.
package struct JournalDraft: Sendable {
    package var time: Timestamp
    package var line: String
    package var directory: String?
    package var status: Int32 = 0
    package var seconds: Double = 0
    package var made: [String] = []
    package var changes: [StateChange] = []
    /// The token stored with the changes; see ``LineStamp``.
    package var token: String?
    /// The working image on which its steps were made; `nil` for scratch.
    package var base: Digest?

    package init(line: String, directory: String?, time: Timestamp = .now()) {
        self.line = line
        self.directory = directory
        self.time = time
    }

    /// Whether its steps were made on this image, or it has no steps.
    func stands(on image: Digest?) -> Bool {
        switch changes.first(where: \.isOfWorkingImage) {
        case .step, .rewrote: base == image
        default: true
        }
    }

    var entry: JournalEntry {
        JournalEntry(
            time: time, line: line, directory: directory, status: status, seconds: seconds,
            made: made.isEmpty ? nil : made, changes: changes.isEmpty ? nil : changes,
            token: changes.isEmpty ? nil : token)
    }
}
