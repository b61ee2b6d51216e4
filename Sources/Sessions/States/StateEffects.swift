import Basics
import Containers
import Images
import OCI
import Recipes
import Stores

/// The changes of states to names, images and containers, which all sessions share; a move takes them back or makes
/// them again.
///
/// Containers move at once. Names and images are noted on the way and written together by `finish()`: a way costs one
/// write, however many states it passes.
struct StateEffects {
    private let engine: Engine
    private let folder: SessionFolder
    /// What each name led to at the start, by its full form.
    private let start: [String: ImageEntry]
    /// Where those lead that were moved on the way.
    private var moved: [String: (reference: Reference, entry: ImageEntry?)] = [:]
    /// Every image that is here.
    private let images: Set<Digest>
    private var shown: Set<Digest> = []
    private var hidden: Set<Digest> = []

    init(engine: Engine, folder: SessionFolder) throws(ShaleError) {
        self.engine = engine
        self.folder = folder
        start = try engine.images.namedEntries()
        images = try engine.images.allThere()
    }

    func isThere(_ image: Digest) -> Bool { images.contains(image) }

    /// Throws why a move cannot be made; nothing is touched.
    func check(_ move: StateMove) throws(ShaleError) {
        for change in move.inOrderMade { try check(change, of: move) }
    }

    private func check(_ change: SharedChange, of move: StateMove) throws(ShaleError) {
        switch change {
        case .name(let reference, let from, let to): try check(reference, from: from, to: to)
        case .images(let shown, _): try checkThere(shown)
        case .broughtBack(let container, let name):
            if isElsewhere(container) {
                throw ShaleError(
                    .notFound, "container \(name) stayed where this session was exported",
                    hint: "goto \(move.target)   (without the container)")
            }
            try engine.containers.checkBringingBack(container)
        case .removed: break
        }
    }

    /// Makes a move; what is already in place is left alone.
    mutating func apply(_ move: StateMove) throws(ShaleError) { try apply(move.changes) }

    private mutating func apply(_ changes: [SharedChange]) throws(ShaleError) {
        for case .images(let images, _) in changes {
            shown.formUnion(images)
            hidden.subtract(images)
        }
        for change in changes {
            switch change {
            case .name(let reference, _, let to): moved[reference.description] = (reference, to)
            case .broughtBack(let container, _): try engine.containers.bringBack(container)
            case .removed(let container, _):
                if !isElsewhere(container) {
                    try engine.containers.moveToTrashAgain(container, retainedBy: folder)
                }
            case .images: break
            }
        }
        for case .images(_, let images) in changes {
            hidden.formUnion(images)
            shown.subtract(images)
        }
    }

    /// Makes the possible part of a move, and answers messages about the rest.
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

    /// Writes the new names and images to the store.
    ///
    /// Throws `conflict`, moving none, where another shale moved one of the names meanwhile.
    func finish() throws(ShaleError) {
        let names = moved.values.map { reference, entry in
            TableMoves.Name(reference, expected: start[reference.description], target: entry)
        }
        try engine.images.carryOut(TableMoves(names: names, shown: shown, hidden: hidden))
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

    private func isElsewhere(_ container: String) -> Bool {
        !engine.containers.isHere(container) && folder.leftElsewhere(container)
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
