package import Basics
import Images
package import OCI
import Recipes
package import Stores

/// One change of a name's image in the session.
package struct NameValue: Sendable {
    /// The number of the journal line that changed it.
    package var entry: Int
    package var time: Timestamp
    package var line: String
    package var reference: Reference
    package var before: ImageEntry?
    package var after: ImageEntry?
}

extension Session {
    /// Every change of every name in this session, including undo and redo, oldest first.
    package func nameValues() -> [NameValue] {
        var values: [NameValue] = []
        var tree = StateTree()
        for entry in stateEntries {
            func add(_ reference: Reference, _ before: ImageEntry?, _ after: ImageEntry?) {
                values.append(
                    NameValue(
                        entry: entry.number, time: entry.time, line: entry.shownLine, reference: reference,
                        before: before,
                        after: after))
            }
            if let target = entry.movedTo {
                let way = tree.way(from: tree.head, to: target)
                for change in way.back.flatMap({ $0.changes.reversed() }) {
                    if case .name(let reference, let before, let after) = change { add(reference, after, before) }
                }
                for change in way.forth.flatMap(\.changes) {
                    if case .name(let reference, let before, let after) = change { add(reference, before, after) }
                }
            } else {
                for case .name(let reference, let before, let after) in entry.changes ?? [] {
                    add(reference, before, after)
                }
            }
            tree.append(entry)
        }
        return values
    }

    /// The image that a name had `back` changes ago; 0 is now.
    ///
    /// Throws `notFound` when the name did not change so often here, had no image then, or its image was pruned.
    package func formerImage(of name: Reference, back: Int) throws(ShaleError) -> Digest {
        let name = name.withDefaultTag
        let text = "\(name.familiar)@{\(back)}"
        let hint = "reflog \(name.familiar)"
        let entry: ImageEntry?
        if back == 0 {
            entry = try engine.images.entry(named: name)
        } else {
            let values = nameValues().filter { $0.reference == name }
            guard back <= values.count else {
                throw ShaleError(
                    .notFound, "\(text): \(name.familiar) has changed \(values.count) times in this session", hint: hint
                )
            }
            entry = values[values.count - back].before
        }
        guard let entry, let image = entry.image else {
            throw ShaleError(.notFound, "\(text): there was no image of that name", hint: hint)
        }
        guard try engine.images.isThere(image) else {
            throw ShaleError(.notFound, "\(text): the image \(image.short) has been pruned", hint: hint)
        }
        return image
    }
}
