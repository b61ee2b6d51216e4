import Basics
import Containers
import Images
import OCI
import Recipes
import Stores

/// What states did beside the working image, taken back and made again on a way through them: names, images and
/// containers, which all sessions share.
///
/// Containers move at once. Names and images are noted on the way and written together by `finish()`: a way costs one
/// write, however many states it passes.
struct StateEffects {
    enum Direction { case back, forth }

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

    /// Throws why a state cannot be taken back or made again; nothing is touched.
    func check(_ node: StateTree.Node, _ direction: Direction) throws(ShaleError) {
        for change in node.changes {
            switch (change, direction) {
            case (.name(let reference, let before, let after), _):
                let (from, to) = direction == .back ? (after, before) : (before, after)
                try check(reference, from: from, to: to)
            case (.images(_, let departed), .back): try checkThere(departed)
            case (.images(let arrived, _), .forth): try checkThere(arrived)
            case (.removed(let container, let name), .back):
                if isElsewhere(container) {
                    throw ShaleError(
                        .notFound, "container \(name) stayed where this session was exported",
                        hint: "goto \(node.parent)   (without the container)")
                }
                try engine.containers.checkBringingBack(container)
            case (.removed, .forth), (.lost, _), (.began, _), (.step, _), (.rewrote, _): break
            }
        }
    }

    /// Takes a state back, or makes it again; what is so already is left alone.
    mutating func apply(_ node: StateTree.Node, _ direction: Direction) throws(ShaleError) {
        let changes = direction == .back ? node.changes.reversed() : node.changes
        for case .images(let arrived, let departed) in changes {
            let back = direction == .back ? departed : arrived
            shown.formUnion(back)
            hidden.subtract(back)
        }
        for change in changes {
            switch change {
            case .name(let reference, let before, let after):
                moved[reference.withDefaultTag.description] = (reference, direction == .back ? before : after)
            case .removed(let container, _):
                if direction == .back {
                    try engine.containers.bringBack(container)
                } else if !isElsewhere(container) {
                    try engine.containers.moveToTrashAgain(container, retainedBy: folder)
                }
            case .began, .step, .rewrote, .images, .lost: break
            }
        }
        for case .images(let arrived, let departed) in changes {
            let gone = direction == .back ? arrived : departed
            hidden.formUnion(gone)
            shown.subtract(gone)
        }
    }

    /// Does of a state what can be done, and tells the rest.
    mutating func applyWherePossible(_ node: StateTree.Node, _ direction: Direction) -> [String] {
        var notes: [String] = []
        for change in node.changes {
            let single = StateTree.Node(
                number: node.number, parent: node.parent, line: node.line, time: node.time, changes: [change],
                base: node.base, image: node.image)
            do throws(ShaleError) {
                try check(single, direction)
                try apply(single, direction)
            } catch {
                notes.append("state \(node.number) (\(node.line)): left as it is: \(error)")
            }
        }
        return notes
    }

    /// Writes down where names and images went.
    ///
    /// Throws `conflict`, moving none, where another shale moved one of the names meanwhile.
    func finish() throws(ShaleError) {
        let names = moved.values.map { reference, entry in
            TableMoves.Name(
                reference, expected: start[reference.withDefaultTag.description], target: entry)
        }
        try engine.images.carryOut(TableMoves(names: names, shown: shown, hidden: hidden))
    }

    private func check(_ reference: Reference, from: ImageEntry?, to: ImageEntry?) throws(ShaleError) {
        let name = reference.withDefaultTag.description
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
