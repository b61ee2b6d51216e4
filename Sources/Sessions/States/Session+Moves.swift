package import Basics
import OCI
import Recipes
import Stores

/// How far a walk through the states came.
package struct MoveResult: Sendable {
    /// The states that were taken back or made again, in that order.
    package var passed: [StateTree.Node] = []
    /// What was left as it is, in words.
    package var notes: [String] = []
    /// Why it went no further.
    package var obstacle: ShaleError?
}

// Undo, redo and jumps: what the states share with other sessions first, then the journal says where one is.
extension Session {
    /// Takes back the last `count` states; stops in front of one that cannot be taken back.
    ///
    /// Throws `notFound` when there are fewer, and the obstacle when not even one could be taken back.
    package func undo(_ count: Int = 1) throws(ShaleError) -> MoveResult {
        try walk("undo", .back) { tree throws(ShaleError) in
            guard let (_, passed) = tree.undoTarget(count) else {
                if tree.head == 0, let lost = tree.losses[0] { throw Self.obstacle(lost, below: nil) }
                let have = tree.lineage(of: tree.head).count
                throw ShaleError(
                    .notFound, have == 0 ? "nothing to undo" : "only \(have) to undo, not \(count)",
                    hint: have == 0 ? nil : "undo \(have)")
            }
            return passed
        }
    }

    /// Makes the last `count` undone states current again; stops in front of one that cannot be made again.
    package func redo(_ count: Int = 1) throws(ShaleError) -> MoveResult {
        try walk("redo", .forth) { tree throws(ShaleError) in
            guard let (_, passed) = tree.redoTarget(count) else {
                let have = tree.redoCount
                throw ShaleError(
                    .notFound, have == 0 ? "nothing to redo" : "only \(have) to redo, not \(count)",
                    hint: have == 0 ? nil : "redo \(have)")
            }
            return passed
        }
    }

    /// Makes any state current; 0 is the beginning.
    ///
    /// Names and containers that cannot be as they were then are left as they are, and told.
    package func goto(_ state: Int) throws(ShaleError) -> MoveResult {
        var result = MoveResult()
        try append { tree throws(ShaleError) in
            var effects = try StateEffects(engine: engine, folder: folder)
            guard state == 0 || tree.nodes[state] != nil else {
                throw ShaleError(.notFound, "no state \(state)", hint: "timeline")
            }
            try requireImage(of: state, in: tree, effects)
            let way = tree.way(from: tree.head, to: state)
            for node in way.back {
                if let lost = tree.losses[node.number] {
                    result.notes.append("line \(lost.number) (\(Self.firstLine(lost.line))): \(lost.loss.words)")
                }
                result.notes += effects.applyWherePossible(node, .back)
            }
            for node in way.forth { result.notes += effects.applyWherePossible(node, .forth) }
            try effects.finish()
            result.passed = way.back + way.forth
            return JournalEntry(time: .now(), line: "goto \(state)", movedTo: state, token: takeToken())
        }
        return result
    }

    private func takeToken() -> String? { sessions.takeToken() }

    private func walk(
        _ verb: String, _ direction: StateEffects.Direction,
        _ path: (StateTree) throws(ShaleError) -> [StateTree.Node]
    ) throws(ShaleError) -> MoveResult {
        var result = MoveResult()
        try append { tree throws(ShaleError) in
            var effects = try StateEffects(engine: engine, folder: folder)
            for node in try path(tree) {
                if direction == .back, let lost = tree.losses[node.number] {
                    result.obstacle = Self.obstacle(lost, below: node)
                    break
                }
                do throws(ShaleError) {
                    try requireImage(of: direction == .back ? node.parent : node.number, in: tree, effects)
                    try effects.check(node, direction)
                    try effects.apply(node, direction)
                } catch {
                    result.obstacle = Self.obstacle(node, direction, error)
                    break
                }
                result.passed.append(node)
            }
            guard let last = result.passed.last else {
                guard let obstacle = result.obstacle else { return nil }
                throw obstacle
            }
            try effects.finish()
            let count = result.passed.count
            return JournalEntry(
                time: .now(), line: count == 1 ? verb : "\(verb) \(count)",
                movedTo: direction == .back ? last.parent : last.number, token: takeToken())
        }
        return result
    }

    private func requireImage(of state: Int, in tree: StateTree, _ effects: StateEffects) throws(ShaleError) {
        guard let image = tree.nodes[state]?.image, !effects.isThere(image) else { return }
        throw ShaleError(
            .notFound, "the working image \(image.short) of state \(state) has been pruned", hint: "timeline")
    }

    private static func firstLine(_ text: String) -> String {
        text.split(separator: "\n").first.map(String.init) ?? text
    }

    private static func obstacle(_ lost: StateLoss, below node: StateTree.Node?) -> ShaleError {
        ShaleError(
            .unsupported, "line \(lost.number) (\(firstLine(lost.line))) cannot be taken back",
            cause: lost.loss.words, hint: node.map { "goto \($0.parent)   (takes back what stands before it)" })
    }

    private static func obstacle(
        _ node: StateTree.Node, _ direction: StateEffects.Direction, _ error: ShaleError
    ) -> ShaleError {
        let line = firstLine(node.line)
        let what = direction == .back ? "cannot be taken back" : "cannot be made again"
        return ShaleError(
            error.code, "state \(node.number) (\(line)) \(what)", cause: error.description,
            hint: error.hint ?? "timeline")
    }
}
