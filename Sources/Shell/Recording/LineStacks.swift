import Basics
import Containers
import Diagnostics
import Explorer
import Images
import Logging
import OCI
import Sessions
import Stores

/// Finds which stack of layers a recorded line is about: by the journal, which says what the line made and moved.
///
/// Used by the main thread alone.
final class LineStacks {
    private let history = StackHistory()
    /// The entries of the journal that earlier lines wrote.
    private var seen: Int

    init(_ shell: ShellContext) {
        let session = shell.hasOpenSession ? try? shell.session() : nil
        seen = session?.entries.count ?? 0
    }

    /// The stack behind the line that just ended; `nil` where it only looked, or what it made is gone again.
    ///
    /// A recording goes on where it cannot be read; the log says why.
    func stack(_ shell: ShellContext) -> StackHistory.Stack? {
        do throws(ShaleError) {
            let session = try shell.session()
            try session.refresh()
            let entries = session.entries.dropFirst(seen)
            seen = session.entries.count
            guard let subject = subject(of: entries, session, shell) else { return nil }
            let layers = try PlaceWords(shell).whole(subject, for: "record")
            return try history.look(at: layers, shell.cancellation)
        } catch {
            Logger.session.info("a recorded line has no drawing", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// What the last of the entries that did something is about: the working image, an image or a container, by its id.
    private func subject(
        of entries: ArraySlice<JournalEntry>, _ session: Session, _ shell: ShellContext
    ) -> String? {
        for entry in entries.reversed() {
            let changes = entry.changes ?? []
            if entry.movedTo != nil || changes.contains(where: \.isOfWorkingImage) {
                return session.working?.image?.hex
            }
            for change in changes.reversed() {
                switch change {
                case .name(_, _, let after): if let image = after?.image { return image.hex }
                case .images(let arrived, _): if let image = arrived.last { return image.hex }
                case .began, .step, .rewrote, .removed, .lost: break
                }
            }
            let made = entry.made?.last { id in
                (try? shell.containers().find(id)) != nil || (try? shell.images().find(id)) != nil
            }
            if let made { return made }
            // `exec box …`, `cp x box:/`: the container that they name.
            if entry.status == 0, let named = container(namedIn: entry.line, shell) { return named }
        }
        return nil
    }

    private func container(namedIn line: String, _ shell: ShellContext) -> String? {
        let words = line.split { $0.isWhitespace }.dropFirst().map { word in
            word.firstIndex(of: ":").map { String(word[..<$0]) } ?? String(word)
        }
        for word in words.prefix(16) where !word.hasPrefix("-") {
            if let record = try? shell.containers().find(word) { return record.id }
        }
        return nil
    }
}
