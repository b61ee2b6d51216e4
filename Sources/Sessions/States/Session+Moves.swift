package import Basics
import OCI
import Recipes
import Stores

/// The result of an undo, a redo or a jump through the states.
package struct MoveResult: Sendable {
    /// The states that were undone or redone, in that order.
    package var passed: [StateMove] = []
    /// Messages about what was left unchanged.
    package var notes: [String] = []
    /// Why it stopped early; `nil` when it did not.
    package var obstacle: ShaleError?
}

// Undo, redo and jumps. First the changes that all sessions share are made, then the journal records the new state.
extension Session {
    /// Undoes the last `count` states, and stops before one that cannot be undone.
    ///
    /// Throws `notFound` when there are fewer, and the obstacle when not even one could be undone.
    package func undo(_ count: Int = 1) throws(ShaleError) -> MoveResult {
        try walk("undo") { tree throws(ShaleError) in
            guard let (_, passed) = tree.undoTarget(count) else {
                if tree.head == 0, let lost = tree.losses[0] { throw Self.obstacle(lost, below: nil) }
                let have = tree.lineage(of: tree.head).count
                throw ShaleError(
                    .notFound, have == 0 ? "nothing to undo" : "only \(have) to undo, not \(count)",
                    hint: have == 0 ? nil : "undo \(have)")
            }
            return passed.map(StateMove.takingBack)
        }
    }

    /// Makes the last `count` undone states again, and stops before one that cannot be made again.
    ///
    /// Throws `notFound` when there are fewer, and the obstacle when not even one could be made again.
    package func redo(_ count: Int = 1) throws(ShaleError) -> MoveResult {
        try walk("redo") { tree throws(ShaleError) in
            guard let (_, passed) = tree.redoTarget(count) else {
                let have = tree.redoCount
                throw ShaleError(
                    .notFound, have == 0 ? "nothing to redo" : "only \(have) to redo, not \(count)",
                    hint: have == 0 ? nil : "redo \(have)")
            }
            return passed.map(StateMove.making)
        }
    }

    /// Makes any state current; 0 is the beginning.
    ///
    /// Names and containers that cannot be restored stay as they are, and are named in the result.
    ///
    /// Throws `notFound` for a number without a state or a state whose working image was pruned, `conflict` when
    /// another
    /// process moved one of the names meanwhile, `denied` for a home that cannot be written to.
    package func goto(_ state: Int) throws(ShaleError) -> MoveResult {
        var result = MoveResult()
        try append { tree throws(ShaleError) in
            var effects = try StateEffects(engine: engine, folder: folder)
            guard state == 0 || tree.nodes[state] != nil else {
                throw ShaleError(.notFound, "no state \(state)", hint: "timeline")
            }
            try requireImage(of: state, in: tree, effects)
            let way = tree.way(from: tree.head, to: state)
            result.passed = way.back.map(StateMove.takingBack) + way.forth.map(StateMove.making)
            for move in result.passed {
                if let lost = Self.loss(in: move, tree) {
                    result.notes.append("line \(lost.number) (\(Self.firstLine(lost.line))): \(lost.loss.words)")
                }
                result.notes += effects.applyWherePossible(move)
            }
            try effects.finish()
            return JournalEntry(time: .now(), line: "goto \(state)", movedTo: state, token: takeToken())
        }
        return result
    }

    private func takeToken() -> String? { sessions.takeToken() }

    private func walk(
        _ verb: String, _ path: (StateTree) throws(ShaleError) -> [StateMove]
    ) throws(ShaleError) -> MoveResult {
        var result = MoveResult()
        try append { tree throws(ShaleError) in
            var effects = try StateEffects(engine: engine, folder: folder)
            for move in try path(tree) {
                if let lost = Self.loss(in: move, tree) {
                    result.obstacle = Self.obstacle(lost, below: move.node)
                    break
                }
                do throws(ShaleError) {
                    try requireImage(of: move.target, in: tree, effects)
                    try effects.check(move)
                    try effects.apply(move)
                } catch {
                    result.obstacle = Self.obstacle(move, error)
                    break
                }
                result.passed.append(move)
            }
            guard let last = result.passed.last else {
                guard let obstacle = result.obstacle else { return nil }
                throw obstacle
            }
            try effects.finish()
            let count = result.passed.count
            return JournalEntry(
                time: .now(), line: count == 1 ? verb : "\(verb) \(count)",
                movedTo: last.target, token: takeToken())
        }
        return result
    }

    private func requireImage(of state: Int, in tree: StateTree, _ effects: StateEffects) throws(ShaleError) {
        guard let image = tree.nodes[state]?.image, !effects.isThere(image) else { return }
        throw ShaleError(
            .notFound, "the working image \(image.short) of state \(state) has been pruned", hint: "timeline")
    }

    /// The loss in a state that a move undoes; `nil` when there is none or the move redoes a state.
    private static func loss(in move: StateMove, _ tree: StateTree) -> StateLoss? {
        move.takesBack ? tree.losses[move.node.number] : nil
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
        _ move: StateMove, _ error: ShaleError
    ) -> ShaleError {
        let line = firstLine(move.node.line)
        let what = move.takesBack ? "cannot be taken back" : "cannot be made again"
        return ShaleError(
            error.code, "state \(move.node.number) (\(line)) \(what)", cause: error.description,
            hint: error.hint ?? "timeline")
    }
}
