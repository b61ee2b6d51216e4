import Basics
import Building
import Containers
import Explorer
import Images
import OCI
package import Recipes
package import Sessions
import Stores

/// Says in a few lines what a line did to the home: which layers were made, what is shared, what is hidden, and what
/// undo would do.
///
/// Every number and every name is read from this home at this moment. For one thread.
package struct Explainer {
    let engine: Engine
    let session: Session?

    /// The longest explanation.
    package static let mostLines = 8

    /// `session` is the one that the lines belong to; without one nothing is said about its states.
    package init(_ engine: Engine, session: Session?) {
        self.engine = engine
        self.session = session
    }

    /// What a line did, at most ``mostLines`` lines.
    ///
    /// What has been removed since then is left out: an explanation never fails for it.
    package func lines(_ facts: LineFacts) -> [String] {
        let lines = facts.status == 0 ? success(facts) : failed(facts)
        return Array(lines.prefix(Self.mostLines))
    }

    private func success(_ facts: LineFacts) -> [String] {
        if let target = facts.movedTo { return moved(facts, to: target) }
        let changes = facts.changes
        for case .lost(let loss) in changes { return lost(loss, facts) }
        for case .began(let base) in changes { return began(base) }
        let steps = changes.compactMap { if case .step(let step) = $0 { step } else { nil } }
        if let step = steps.last { return stepLines(step, count: steps.count) }
        for case .rewrote(let steps) in changes { return rewrote(steps, facts) }
        for case .removed(let id, let name) in changes { return removed(id, name) }
        if let lines = ofContainer(facts) { return lines }
        if let lines = ofNames(facts) { return lines }
        return ofVerb(facts)
    }

    // MARK: The working image

    private func began(_ base: WorkingBase) -> [String] {
        guard let id = base.image, let facts = try? ImageFacts(id, engine) else {
            return [
                "\(base.instruction.visible) begins an empty working image: no layer, no file.",
                "The first COPY, ADD or WORKDIR makes its first layer.",
                "undo brings back the working image as it was before.",
            ]
        }
        let shared = facts.shared()
        let lines: [String?] = [
            "\(base.instruction.visible) begins a working image, called @. Now it is \(facts.name) itself.",
            "It has \(facts.count) with \(Words.size(facts.bytes)) of files. No byte was copied: the layers lie once on this disk.",
            shared.names.isEmpty
                ? nil : "\(Words.list(shared.names)) \(verb(shared.names, "has", "have")) layers of it too.",
            "Each instruction from now on (RUN, COPY, ENV, …) makes a new image on top; \(facts.name) stays as it is.",
            "undo brings back the working image as it was before.",
        ]
        return lines.compactMap(\.self)
    }

    private func stepLines(_ step: Step, count: Int) -> [String] {
        guard let made = try? ImageFacts(step.image, engine) else {
            return ["The image \(step.image.short), which it made, is not here any more."]
        }
        let parent = made.image.parent.flatMap { try? ImageFacts($0, engine) }
        let before = parent?.name ?? "an empty image"
        var lines = [
            "It made the image \(made.image.id.short) out of \(before)"
                + (step.wasCached ? ", from the cache: the same step had been done before." : ".")
        ]
        if count > 1 { lines[0] = "It made \(count) steps; the last one made \(made.image.id.short) out of \(before)." }
        if made.rows.count > parent?.rows.count ?? 0, let top = made.top {
            lines.append(
                "It has one layer more, #\(top.layer.number): \(Words.changes(top.count ?? ChangeCount())), "
                    + "\(Words.size(top.bytes)) of files.")
            if !step.summary.firstPaths.isEmpty {
                lines.append(
                    "In that layer: \(Words.list(step.summary.firstPaths.prefix(3).map { String($0.dropFirst(2)) })).")
            }
            lines += hidden(made)
        } else {
            lines.append(
                "It changed the settings of the image alone: no new layer, no bytes. inspect @ shows the settings.")
        }
        if let parent, !parent.rows.isEmpty {
            let shared = made.shared(besides: [parent.image.id.short]).names
            let also = shared.isEmpty ? "" : "; \(Words.list(shared)) \(verb(shared, "has", "have")) some of them too"
            lines.append("The \(parent.count) below (\(Words.size(parent.bytes))) were not copied\(also).")
        }
        lines.append(undo("\(before) the working image again; the new layer stays on the disk until prune --history"))
        return lines
    }

    private func rewrote(_ steps: [Step], _ facts: LineFacts) -> [String] {
        let last = steps.last.flatMap { try? ImageFacts($0.image, engine) }
        let lines: [String?] = [
            "The working image was made again, with \(Words.count(steps.count, "step")) now.",
            last.map { "It is \($0.image.id.short): \($0.count), \(Words.size($0.bytes))." },
            "Steps before the changed one were kept; those behind it ran again, each on the new one below it.",
            "undo brings back the working image as it was: its layers are still on this disk.",
        ]
        return lines.compactMap(\.self)
    }

    // MARK: States

    private func moved(_ facts: LineFacts, to target: Int) -> [String] {
        let node = session?.tree.nodes[target]
        var lines: [String] = []
        let line = node.map { $0.line.split(separator: "\n").first.map(String.init) ?? "" }
        lines.append(
            target == 0
                ? "The session is at its beginning again: what its lines did to names and images is taken back."
                : "The session is in state \(target) again, as it was after \"\((line ?? "").visible)\".")
        if let image = node?.image {
            let made = try? ImageFacts(image, engine)
            lines.append(
                "The working image @ is \(made?.name ?? image.short) now, with \(made?.count ?? "its layers").")
        } else {
            lines.append("There is no working image in that state.")
        }
        lines.append("No layer was copied or made: names and the working image only lead elsewhere now.")
        lines.append(
            "What was left behind is still on this disk (redo, timeline and goto reach it), until prune --history.")
        return lines
    }

    private func lost(_ loss: Loss, _ facts: LineFacts) -> [String] {
        var lines = ["It took something away for good: \(loss.words)."]
        let gone = facts.changes.reduce(0) { if case .images(_, let departed) = $1 { $0 + departed.count } else { $0 } }
        if gone > 0 {
            lines.append(
                "\(Words.count(gone, "image")) went with it; undo can bring those names back only if their layers are kept."
            )
        }
        if let usage = try? StoreFacts(engine, session) { lines.append(usage.summary) }
        lines.append("undo stops in front of this line and says so; goto N goes past it.")
        return lines
    }

    // MARK: Words

    func undo(_ what: String) -> String { "undo makes \(what)." }

    func verb(_ names: [String], _ one: String, _ several: String) -> String { names.count == 1 ? one : several }

    /// What the highest layer of an image hides of those below.
    func hidden(_ made: ImageFacts) -> [String] {
        guard let hidden = (try? made.hiddenByTop()) ?? nil else { return [] }
        let layers = hidden.layers.map { "#\($0)" }.joined(separator: ", ")
        let place = layers.isEmpty ? "the layers below" : "layer \(layers)"
        return [
            "It hides \(Words.list(hidden.paths, most: 2)) of \(place): \(Words.size(hidden.bytes)) that nobody sees, and that still lie there."
        ]
    }
}
