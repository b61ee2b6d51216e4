package import Basics
import Building
package import OCI
package import Stores

/// All states of a session, and which one is current.
///
/// It is a pure value that is rebuilt from the journal.
///
/// A state is the journal entry that made it; its parent is the state that was current then; 0 is the beginning. Undo
/// moves to the parent and keeps the child.
package struct StateTree: Sendable {
    /// One state.
    package struct Node: Sendable {
        package let number: Int
        package let parent: Int
        package let line: String
        package let time: Timestamp
        package let changes: [StateChange]
        /// The base of the working image in this state; `nil` when there is no working image.
        package let base: WorkingBase?
        /// The working image; also `nil` for scratch before its first step.
        package let image: Digest?
    }

    package private(set) var nodes: [Int: Node] = [:]
    /// The current state.
    package private(set) var head = 0
    /// Losses by the number of the state in which they happened.
    ///
    /// `undo` stops there.
    package private(set) var losses: [Int: StateLoss] = [:]
    /// The states for `redo`, the next one last.
    private var undone: [Int] = []

    package init() {}

    /// Adds the next entry of the journal.
    package mutating func append(_ entry: JournalEntry) {
        if let target = entry.movedTo {
            move(to: target)
        } else if let changes = entry.changes?.filter({ !$0.isLoss }), !changes.isEmpty {
            var base = nodes[head]?.base
            var image = nodes[head]?.image
            for change in changes {
                switch change {
                case .began(let begun):
                    base = begun
                    image = begun.image
                case .step(let step): image = step.image
                case .rewrote(let steps): image = steps.last?.image ?? base?.image
                case .name, .images, .removed, .lost: break
                }
            }
            nodes[entry.number] = Node(
                number: entry.number, parent: head, line: entry.shownLine, time: entry.time, changes: changes,
                base: base,
                image: image)
            head = entry.number
            undone = []
        }
        for case .lost(let loss) in entry.changes ?? [] {
            losses[head] = StateLoss(number: entry.number, line: entry.shownLine, loss: loss)
        }
    }

    private mutating func move(to target: Int) {
        guard target == 0 || nodes[target] != nil else { return }
        // The user has gone back past this loss, so it does not stop `undo` any more.
        for node in way(from: head, to: target).back { losses[node.number] = nil }
        if let place = undone.lastIndex(of: target) {
            undone.removeSubrange(place...)
        } else {
            // A state has a higher number than its parent.
            var passed: [Int] = []
            var place = head
            while place > target, let node = nodes[place] {
                passed.append(place)
                place = node.parent
            }
            undone = place == target ? undone + passed : []
        }
        head = target
    }

    /// A state and its ancestors, itself first.
    package func lineage(of number: Int) -> [Node] {
        var path: [Node] = []
        var next = number
        while let node = nodes[next], path.count <= nodes.count {
            path.append(node)
            next = node.parent
        }
        return path
    }

    /// The newest states; `nil` for all.
    func newest(_ count: Int?) -> [Node] {
        guard let count else { return Array(nodes.values) }
        return nodes.keys.sorted().suffix(count).compactMap { nodes[$0] }
    }

    /// The state after undoing `count` states, and the undone states, the last one first; `nil` when there are fewer.
    package func undoTarget(_ count: Int) -> (target: Int, passed: [Node])? {
        let path = lineage(of: head)
        guard count > 0, count <= path.count else { return nil }
        return (path[count - 1].parent, Array(path.prefix(count)))
    }

    /// The number of states that `redo` can make again.
    package var redoCount: Int { undone.count }

    /// The state after redoing `count` undone states, and these states in order; `nil` when there are fewer.
    package func redoTarget(_ count: Int) -> (target: Int, passed: [Node])? {
        guard count > 0, count <= undone.count else { return nil }
        let passed = undone.suffix(count).reversed().compactMap { nodes[$0] }
        return passed.last.map { ($0.number, passed) }
    }

    /// The working image of a state.
    package func working(at number: Int) -> WorkingImage? {
        guard let base = nodes[number]?.base else { return nil }
        let path = lineage(of: number)
        var steps: [Step] = []
        search: for node in path {
            for change in node.changes.reversed() {
                switch change {
                case .began: break search
                case .step(let step): steps.append(step)
                case .rewrote(let all):
                    steps += all.reversed()
                    break search
                case .name, .images, .removed, .lost: break
                }
            }
        }
        return WorkingImage(base: base, steps: steps.reversed(), stages: Self.stages(path))
    }

    /// The last image of every stage on the way to a state, by name and by number, for `COPY --from`.
    private static func stages(_ path: [Node]) -> [String: Digest] {
        var images: [String: Digest] = [:]
        var order: [Digest?] = []
        var stage: String?
        for change in path.reversed().flatMap(\.changes) {
            switch change {
            case .began(let base):
                stage = base.stage
                order.append(base.image)
            case .step(let step): if !order.isEmpty { order[order.count - 1] = step.image }
            case .rewrote(let steps):
                if let last = steps.last, !order.isEmpty { order[order.count - 1] = last.image }
            case .name, .images, .removed, .lost: continue
            }
            if let stage, let image = order.last { images[stage] = image }
        }
        for (index, image) in order.enumerated() { images[String(index)] = image }
        return images
    }

    /// The states between two states: those to undo, the last one first, and those to redo, the first one first.
    package func way(from start: Int, to end: Int) -> (back: [Node], forth: [Node]) {
        var (left, entered) = (start, end)
        var (back, forth): ([Node], [Node]) = ([], [])
        // A state has a higher number than its parent, so the higher of the two moves to its parent.
        while left != entered {
            if left > entered {
                guard let node = nodes[left] else { break }
                back.append(node)
                left = node.parent
            } else {
                guard let node = nodes[entered] else { break }
                forth.append(node)
                entered = node.parent
            }
        }
        return (back, forth.reversed())
    }

    /// The changes of names from one state to another: first undone up to the common ancestor, then redone.
    package func nameChanges(from start: Int, to end: Int) -> [(reference: Reference, target: ImageEntry?)] {
        let way = way(from: start, to: end)
        var result: [(reference: Reference, target: ImageEntry?)] = []
        for node in way.back {
            for case .name(let reference, let before, _) in node.changes.reversed() {
                result.append((reference, before))
            }
        }
        for node in way.forth {
            for case .name(let reference, _, let after) in node.changes { result.append((reference, after)) }
        }
        return result
    }
}

/// A line with a loss that cannot be undone.
package struct StateLoss: Sendable, Hashable {
    /// The line's number in the journal.
    package let number: Int
    package let line: String
    package let loss: Loss
}

/// The image that a session works on: its base and the steps since.
package struct WorkingImage: Sendable {
    package var base: WorkingBase
    package var steps: [Step]
    /// The images of stages, by name and by number.
    package var stages: [String: Digest]

    /// The image after the last step; `nil` for scratch before the first step.
    package var image: Digest? { steps.last?.image ?? base.image }

    /// The image `count` steps earlier (`@~N`); `nil` when there are fewer steps.
    package func image(stepsBack count: Int) -> Digest? {
        guard count >= 0, count <= steps.count else { return nil }
        return count == steps.count ? base.image : steps[steps.count - 1 - count].image
    }
}
