package import Basics
package import Engine
import Glibc
import Linux
package import OCI
package import Stores

/// A session: what was typed, every state it led to, and the working image.
///
/// Its folder is `sessions/<name>/` in the store. Any number of shales may be in one session; each change is made
/// under the journal's lock, on top of what the others did.
package final class Session {
    package let name: String
    package let engine: Engine
    let folder: SessionFolder
    let journal: Journal
    package private(set) var tree = StateTree()

    /// Opens a session, which begins with its first entry.
    ///
    /// Throws `invalid` for a name that is no plain file name.
    package init(named name: String, engine: Engine) throws(ShaleError) {
        self.name = name
        self.engine = engine
        folder = try engine.store.session(name)
        journal = Journal(folder: folder.path)
        try absorb(journal.refresh())
    }

    package var entries: [JournalEntry] { journal.entries }

    /// Looks at what other shales in this session did meanwhile.
    package func refresh() throws(ShaleError) { try absorb(journal.refresh()) }

    private func absorb(_ entries: [JournalEntry]) throws(ShaleError) {
        for entry in entries { tree.append(entry) }
    }

    /// Writes a line into the journal, with what it changed.
    package func record(_ draft: JournalDraft) throws(ShaleError) {
        try keepReachable(draft.changes)
        if draft.changes.isEmpty { return try journal.note(draft.entry) }
        try absorb(journal.append { _ in draft.entry })
    }

    /// Writes a line that changed nothing into a session's journal without opening it.
    package static func note(_ draft: JournalDraft, session name: String, engine: Engine) throws(ShaleError) {
        try Journal(folder: engine.store.session(name).path).note(draft.entry)
    }

    /// Moves to another state: names first, then the journal says so.
    func move(
        line: String, _ choose: (StateTree) throws(ShaleError) -> (target: Int, passed: [StateTree.Node])
    ) throws(ShaleError) -> [StateTree.Node] {
        var passed: [StateTree.Node] = []
        let known = tree
        let fresh = try journal.append { fresh throws(ShaleError) in
            var current = known
            for entry in fresh { current.append(entry) }
            let choice = try choose(current)
            if let image = current.working(at: choice.target)?.image, (try? engine.store.images.image(image)) == nil {
                throw ShaleError(
                    .conflict, "state \(choice.target): its image \(image.short) has been pruned; nothing was changed",
                    hint: "timeline")
            }
            for change in current.nameChanges(from: current.head, to: choice.target) {
                try engine.restore(change.reference, to: change.target)
            }
            passed = choice.passed
            return JournalEntry(time: .now(), line: line, movedTo: choice.target)
        }
        try absorb(fresh)
        return passed
    }

    /// Keeps what names lead to now from being collected by the command that is about to take them away.
    package func protect(_ entries: some Sequence<ImageEntry>) throws(ShaleError) {
        try keep(entries.map { $0.manifest.digest.description })
    }

    /// The images of the session's states: all it can come back to, or the current one's alone.
    package func heldImages(onlyCurrent: Bool) -> Set<Digest> {
        let nodes = onlyCurrent ? tree.lineage(of: tree.head) : Array(tree.nodes.values)
        return Set(
            nodes.flatMap(\.changes).flatMap { change -> [Digest] in
                switch change {
                case .began(let base): base.image.map { [$0] } ?? []
                case .step(let step): [step.image]
                case .rewrote(let steps): steps.map(\.image)
                case .name(_, let before, let after):
                    onlyCurrent ? [] : [before, after].compactMap { $0?.image }
                }
            })
    }

    /// Lets go of everything but the current state: what was undone and what `undo` could bring back may be collected.
    package func forgetOthers() throws(ShaleError) {
        let kept = heldImages(onlyCurrent: true).map(\.description).sorted()
        let path = folder.rootsFile
        try translating("session \(name)") {
            try WholeFile.replace(path, with: Array(kept.map { "\($0)\n" }.joined().utf8))
        }
    }

    /// Images that the session can come back to are roots of the store's collection, a digest a line.
    private func keepReachable(_ changes: [StateChange]) throws(ShaleError) {
        var digests: [String] = []
        for change in changes {
            switch change {
            case .began(let base): if let image = base.image { digests.append(image.description) }
            case .step(let step): digests.append(step.image.description)
            case .rewrote(let steps): digests += steps.map(\.image.description)
            case .name(_, let before, let after):
                digests += [before, after].compactMap { $0?.manifest.digest.description }
            }
        }
        try keep(digests)
    }

    private func keep(_ digests: [String]) throws(ShaleError) {
        let known = try Set(folder.roots().map(\.description))
        let digests = Set(digests).subtracting(known).sorted()
        guard !digests.isEmpty else { return }
        let text = digests.map { "\($0)\n" }.joined()
        let path = folder.rootsFile
        try translating("session \(name)") {
            let file = try OwnedFD.open(path, O_WRONLY | O_CREAT | O_APPEND)
            try file.write(Array(text.utf8))
            try file.sync()
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

    package init(line: String, directory: String?, time: Timestamp = .now()) {
        self.line = line
        self.directory = directory
        self.time = time
    }

    var entry: JournalEntry {
        JournalEntry(
            time: time, line: line, directory: directory, status: status, seconds: seconds,
            made: made.isEmpty ? nil : made, changes: changes.isEmpty ? nil : changes)
    }
}
