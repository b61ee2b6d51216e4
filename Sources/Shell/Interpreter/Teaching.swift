import OCI
import Sessions
import Stores

/// `set teach on`: one line after each command about what it did on disk.
struct Teaching {
    private let changes: [StateChange]
    private let container: String?

    /// `container` is one that was made, of which no state tells.
    init(_ changes: [StateChange], container: String?) {
        self.changes = changes
        self.container = container
    }

    var line: String {
        let isLoss = changes.contains { if case .lost = $0 { true } else { false } }
        if isLoss { return "(something was taken away or written over for good: undo cannot bring it back)" }
        let told = changes.compactMap(Self.words)
        if !told.isEmpty { return "(\(told.joined(separator: "; ")); undo takes it back)" }
        if let container {
            return "(container \(container.prefix(12)): what it writes is a layer of its own on top of its image's)"
        }
        return "(nothing was changed)"
    }

    private static func words(_ change: StateChange) -> String? {
        switch change {
        case .began(let base):
            "a working image begins, " + (base.image.map { "with the layers of \($0.short)" } ?? "empty")
        case .step(let step):
            "image \(step.image.short): the one before it, and what this step changed as a layer on top"
        case .rewrote(let steps):
            "the working image was made anew, \(steps.count == 1 ? "1 step" : "\(steps.count) steps")"
        case .name(let name, let before, let after): words(name.familiar, before.map(id), after.map(id))
        case .images(let arrived, let departed):
            arrived.isEmpty ? "images gone from here: \(departed.count)" : "images new here: \(arrived.count)"
        case .removed(_, let name): "container \(name) lies aside until prune"
        case .lost: nil
        }
    }

    private static func words(_ name: String, _ before: String?, _ after: String?) -> String? {
        switch (before, after) {
        case (nil, let after?): "\(name) is now a name of \(after)"
        case (let before?, let after?): "\(name) moved from \(before) to \(after)"
        case (let before?, nil): "\(name) is no name any more; the files of \(before) stay until prune"
        case (nil, nil): nil
        }
    }

    private static func id(_ entry: ImageEntry) -> String { (entry.image ?? entry.manifest.digest).short }
}
