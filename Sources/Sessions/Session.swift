package import Basics
import Diagnostics
import Glibc
import Linux
import Logging
package import OCI
package import Recipes
package import Stores

/// A session: what was typed, every state it led to, and the working image.
///
/// Its folder is `sessions/<name>/` in the store. Any number of shales may be in one session; each change is made
/// under the journal's lock, on top of what the others did.
package final class Session {
    package let name: String
    package let engine: Engine
    let sessions: SessionStore
    let folder: SessionFolder
    let journal: Journal
    package private(set) var tree = StateTree()
    /// Says that a shale is in the session, as long as this value lives.
    private let presence: FileLock?
    /// Whether its journal has been read.
    package private(set) var isRead = false

    /// Opens a session, which begins with its first entry, and reads its journal.
    ///
    /// Throws `invalid` for a name that is no plain file name.
    package convenience init(named name: String, in sessions: SessionStore, engine: Engine) throws(ShaleError) {
        try self.init(joining: name, in: sessions, engine: engine)
        try refresh()
    }

    /// Enters a session without reading its journal; it is neither renamed nor removed meanwhile.
    ///
    /// The working image is not known before ``refresh()``.
    ///
    /// Throws `invalid` for a name that is no plain file name, and the file system's error when the folder cannot be
    /// made or locked.
    package init(joining name: String, in sessions: SessionStore, engine: Engine) throws(ShaleError) {
        self.name = name
        self.engine = engine
        self.sessions = sessions
        folder = try sessions.folder(of: name)
        journal = Journal(folder: folder.path)
        presence = try folder.share()
    }

    package var entries: [JournalEntry] { journal.entries }
    /// Those of the entries that changed the state.
    package var stateEntries: [JournalEntry] { journal.stateEntries }
    /// How many lines there are, and when the last was typed.
    package var lineCount: Int { journal.count }
    package var lastUsed: Timestamp? { journal.last?.time }

    /// Reads what other processes in this session wrote to the journal meanwhile.
    ///
    /// Throws the file system's error when the journal cannot be read.
    package func refresh() throws(ShaleError) {
        try Observer.measure(.session, "read the journal") { () throws(ShaleError) in try absorb(journal.refresh()) }
        isRead = true
        // A home that cannot be written to can still be read.
        Logger.session.attempt("take in lines that were cut off") { try takeInCutOff() }
    }

    func absorb(_ entries: [JournalEntry]) throws(ShaleError) {
        for entry in entries { tree.append(entry) }
    }

    /// Writes a line into the journal, with what it changed.
    ///
    /// Where another shale changed the working image since the line's steps were made on it, they are made again on
    /// what it is now, and `again` is called; throws `conflict` when they cannot be. Returns what was written.
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

    /// Writes a line that changed nothing into a session's journal without opening it.
    ///
    /// Throws `denied` for a home that cannot be written to, `invalid` for a name that a session cannot have, and the
    /// file system's error when the journal cannot be written.
    package static func note(
        _ draft: JournalDraft, session name: String, in sessions: SessionStore
    ) throws(ShaleError) {
        try sessions.requireWritable()
        try Journal(folder: sessions.folder(of: name).path).note(draft.entry)
    }

    /// Decides with the journal locked and read up, and writes down what `body` answers.
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

    /// The images of the session's newest states (all for `nil`), and those that the current one needs.
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

    /// Keeps the images of the newest states and of the current one; what only other states need may be collected.
    ///
    /// Throws `denied` for a home that cannot be written to, and the file system's error when the journal cannot be
    /// read or the session's roots cannot be written.
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

/// An entry before it has its number.
package struct JournalDraft: Sendable {
    package var time: Timestamp
    package var line: String
    package var directory: String?
    package var status: Int32 = 0
    package var seconds: Double = 0
    package var made: [String] = []
    package var changes: [StateChange] = []
    /// Stamped on the changes; see ``LineStamp``.
    package var token: String?
    /// The working image that its steps were made on; `nil` for scratch.
    package var base: Digest?

    package init(line: String, directory: String?, time: Timestamp = .now()) {
        self.line = line
        self.directory = directory
        self.time = time
    }

    /// Whether its steps were made on this image, or need none.
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
