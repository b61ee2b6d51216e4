import Basics
import Containers
import Images
import OCI
package import Recipes
import Sessions
import Stores

/// `set teach on`: one line after each command about what it did on disk; cheap, as it comes after every line.
package struct TeachingLine {
    private let engine: Engine

    package init(_ engine: Engine) { self.engine = engine }

    /// The line, in brackets.
    package func text(_ facts: LineFacts) -> String {
        let changes = facts.changes
        for case .lost in changes { return "(something was taken away for good: undo cannot bring it back)" }
        if facts.movedTo != nil {
            return "(no layer was copied or made: names and @ lead elsewhere now; redo goes back)"
        }
        let told = changes.compactMap(words)
        if !told.isEmpty { return "(\(told.joined(separator: "; ")); undo takes it back)" }
        if let id = facts.made.last, let record = try? engine.containers.find(id) {
            let image = try? engine.images.image(manifest: record.manifest)
            let stack = image.map {
                "the \(Words.count($0.config.rootfs.diffIDs.count, "layer")) of \(record.imageName)"
            }
            return
                "(container \(record.name): what it writes is a layer of its own on top of \(stack ?? "its image's layers"))"
        }
        return "(nothing was changed)"
    }

    private func words(_ change: StateChange) -> String? {
        switch change {
        case .began(let base):
            return "a working image begins, " + (base.image.map { "with the \(layers($0)) of \($0.short)" } ?? "empty")
        case .step(let step):
            let summary = step.summary
            let cached = step.wasCached ? ", from the cache" : ""
            guard !summary.isEmpty else { return "image \(step.image.short): other settings, the same layers\(cached)" }
            return "image \(step.image.short): the one before it, and \(Words.size(summary.bytes)) in "
                + "\(Words.count(summary.added + summary.changed + summary.deleted, "path")) as a layer on top\(cached)"
        case .rewrote(let steps): return "the working image was made anew, \(Words.count(steps.count, "step"))"
        case .name(let name, let before, let after):
            return words(name.familiar, before.map(Words.id), after.map(Words.id))
        case .images(let arrived, let departed):
            return arrived.isEmpty ? "images gone from here: \(departed.count)" : "images new here: \(arrived.count)"
        case .removed(_, let name): return "container \(name) lies aside until prune"
        case .lost: return nil
        }
    }

    private func layers(_ image: Digest) -> String {
        guard let known = try? engine.images.image(id: image) else { return "layers" }
        return Words.count(known.config.rootfs.diffIDs.count, "layer")
    }

    private func words(_ name: String, _ before: String?, _ after: String?) -> String? {
        switch (before, after) {
        case (nil, let after?): "\(name) is now a name of \(after)"
        case (let before?, let after?): "\(name) moved from \(before) to \(after)"
        case (let before?, nil): "\(name) is no name any more; the files of \(before) stay until prune"
        case (nil, nil): nil
        }
    }
}
