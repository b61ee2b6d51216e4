import Basics
import Engine
import OCI
import Stores

/// What a state did beside the working image, taken back and made again: names, images and containers, which all
/// sessions share.
struct StateEffects {
    enum Direction { case back, forth }

    let engine: Engine
    let folder: SessionFolder

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
                try engine.checkBringingBack(container)
            case (.removed, .forth), (.began, _), (.step, _), (.rewrote, _): break
            }
        }
    }

    /// Takes a state back, or makes it again; what is so already is left alone.
    func apply(_ node: StateTree.Node, _ direction: Direction) throws(ShaleError) {
        let changes = direction == .back ? node.changes.reversed() : node.changes
        // What is shown again must be there before a name leads to it, and nothing with a name can be hidden.
        for case .images(let arrived, let departed) in changes {
            try engine.store.images.revive(direction == .back ? departed : arrived)
        }
        for change in changes {
            switch change {
            case .name(let reference, let before, let after):
                try engine.restore(reference, to: direction == .back ? before : after)
            case .removed(let container, _):
                if direction == .back {
                    try engine.bringBack(container)
                } else if !isElsewhere(container) {
                    try engine.setAsideAgain(container, heldBy: folder)
                }
            case .began, .step, .rewrote, .images: break
            }
        }
        for case .images(let arrived, let departed) in changes {
            try engine.hide(direction == .back ? arrived : departed)
        }
    }

    /// Does of a state what can be done, and tells the rest.
    func applyWherePossible(_ node: StateTree.Node, _ direction: Direction) -> [String] {
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

    private func check(_ reference: Reference, from: ImageEntry?, to: ImageEntry?) throws(ShaleError) {
        let now = try engine.store.names.table().entry(named: reference)
        if now?.manifest.digest == to?.manifest.digest { return }
        guard now?.manifest.digest == from?.manifest.digest else {
            throw ShaleError(
                .conflict,
                "the name \(reference.familiar) leads to \(Self.text(now)) now, not to \(Self.text(from)): it was moved "
                    + "meanwhile", hint: "reflog \(reference.familiar)")
        }
        if let to, !engine.store.blobs.contains(to.manifest.digest) {
            throw ShaleError(
                .notFound, "the image \(Self.text(to)) that \(reference.familiar) led to has been pruned")
        }
    }

    private func isElsewhere(_ container: String) -> Bool {
        !engine.store.containers.isHere(container) && folder.leftElsewhere(container)
    }

    private static func text(_ entry: ImageEntry?) -> String {
        entry.map { ($0.image ?? $0.manifest.digest).short } ?? "no image"
    }

    private func checkThere(_ images: [Digest]) throws(ShaleError) {
        for image in images where try !engine.store.images.isThere(image) {
            throw ShaleError(.notFound, "the image \(image.short) has been pruned")
        }
    }
}
