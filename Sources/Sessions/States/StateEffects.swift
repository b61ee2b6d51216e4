import Basics
import Containers
import Diagnostics
import Images
import Logging
import OCI
import Recipes
import Stores

/// Applies a move's changes to names, images and containers, which all sessions share.
///
/// Containers are moved at once. Names and images are collected and written together by `finish()`, so that a move
/// costs
/// one write however many states it passes. When a move or `finish()` fails, the containers that it moved are moved
/// back, because no journal entry would tell of them.
struct StateEffects {
    private let engine: Engine
    private let folder: SessionFolder
    /// The entry of each name at the start, by its full reference.
    private let start: [String: ImageEntry]
    /// The new entries of names that the move changes.
    private var moved: [String: (reference: Reference, entry: ImageEntry?)] = [:]
    /// All images in the store, listed or retained.
    private let images: Set<Digest>
    private var shown: Set<Digest> = []
    private var hidden: Set<Digest> = []
    /// The changes that moved a container, in the order in which they were made.
    private var containerMoves: [SharedChange] = []

    init(engine: Engine, folder: SessionFolder) throws(ShaleError) {
        self.engine = engine
        self.folder = folder
        start = try engine.images.namedEntries()
        images = try engine.images.allThere()
    }

    func isThere(_ image: Digest) -> Bool { images.contains(image) }

    /// Throws the reason when a move cannot be made.
    ///
    /// Nothing is changed.
    func check(_ move: StateMove) throws(ShaleError) {
        for change in move.inOrderMade { try check(change, of: move) }
    }

    private func check(_ change: SharedChange, of move: StateMove) throws(ShaleError) {
        switch change {
        case .name(let reference, let from, let to): try check(reference, from: from, to: to)
        case .images(let shown, _): try checkThere(shown)
        case .broughtBack(let container, let name):
            if try isElsewhere(container) {
                throw ShaleError(
                    .notFound, "container \(name) stayed where this session was exported",
                    hint: "goto \(move.target)   (without the container)")
            }
            try engine.containers.checkBringingBack(container)
        case .removed: break
        }
    }

    /// Applies a move whole, or not at all.
    ///
    /// Containers move at once, names and images in `finish()`.
    mutating func apply(_ move: StateMove) throws(ShaleError) {
        var attempt = self
        do throws(ShaleError) {
            try attempt.apply(move.changes)
        } catch {
            attempt.returnContainers(downTo: containerMoves.count)
            throw error
        }
        self = attempt
    }

    private mutating func apply(_ changes: [SharedChange]) throws(ShaleError) {
        for case .images(let images, _) in changes {
            shown.formUnion(images)
            hidden.subtract(images)
        }
        for change in changes {
            switch change {
            case .name(let reference, _, let to): moved[reference.description] = (reference, to)
            case .broughtBack, .removed: if try moveContainer(change) { containerMoves.append(change) }
            case .images: break
            }
        }
        for case .images(_, let images) in changes {
            hidden.formUnion(images)
            shown.subtract(images)
        }
    }

    /// Moves the container of a change, and returns whether it was not there already.
    private func moveContainer(_ change: SharedChange) throws(ShaleError) -> Bool {
        switch change {
        case .broughtBack(let container, _): return try engine.containers.bringBack(container)
        case .removed(let container, _):
            if try isElsewhere(container) { return false }
            return try engine.containers.moveToTrashAgain(container, retainedBy: folder)
        case .name, .images: return false
        }
    }

    /// Moves the containers of all changes but the first `count` back, the last one first.
    ///
    /// One that cannot be moved back is logged, and the others are moved all the same.
    private func returnContainers(downTo count: Int) {
        for change in containerMoves.dropFirst(count).reversed() {
            Logger.session.attempt("move a container back after a failure") { () throws(ShaleError) in
                _ = try moveContainer(change.inverse)
            }
        }
    }

    /// Applies the possible changes of a move, and returns messages about the others.
    mutating func applyWherePossible(_ move: StateMove) -> [String] {
        var notes: [String] = []
        for change in move.inOrderMade {
            do throws(ShaleError) {
                try check(change, of: move)
                try apply([change])
            } catch {
                notes.append("state \(move.node.number) (\(move.node.line)): left as it is: \(error)")
            }
        }
        return notes
    }

    /// Writes the changed names and images to the store.
    ///
    /// Throws `conflict` when another process moved one of the names meanwhile, and what writing the table throws; then
    /// names and images are unchanged, and the containers are moved back.
    func finish() throws(ShaleError) {
        let names = moved.values.map { reference, entry in
            TableMoves.Name(reference, expected: start[reference.description], target: entry)
        }
        do throws(ShaleError) {
            try engine.images.carryOut(TableMoves(names: names, shown: shown, hidden: hidden))
        } catch {
            returnContainers(downTo: 0)
            throw error
        }
    }

    private func check(_ reference: Reference, from: ImageEntry?, to: ImageEntry?) throws(ShaleError) {
        let name = reference.description
        let now = moved[name].map(\.entry) ?? start[name]
        if now?.manifest.digest == to?.manifest.digest { return }
        guard now?.manifest.digest == from?.manifest.digest else {
            throw ShaleError(
                .conflict,
                "the name \(reference.familiar) leads to \(Self.text(now)) now, not to \(Self.text(from)): it was moved "
                    + "meanwhile", hint: "reflog \(reference.familiar)")
        }
        if let to, !engine.images.hasManifest(of: to) {
            throw ShaleError(
                .notFound, "the image \(Self.text(to)) that \(reference.familiar) led to has been pruned")
        }
    }

    private func isElsewhere(_ container: String) throws(ShaleError) -> Bool {
        engine.containers.isHere(container) ? false : try folder.leftElsewhere(container)
    }

    private static func text(_ entry: ImageEntry?) -> String {
        entry.map { ($0.image ?? $0.manifest.digest).short } ?? "no image"
    }

    private func checkThere(_ images: [Digest]) throws(ShaleError) {
        for image in images where !isThere(image) {
            throw ShaleError(.notFound, "the image \(image.short) has been pruned")
        }
    }
}
