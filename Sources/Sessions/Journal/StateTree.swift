package import Engine
package import OCI
package import Stores

/// Every state a session was in, and which one is current: pure, rebuilt from the journal.
///
/// A state is the journal entry that made it, on top of the state that was current then; 0 is the beginning. Undoing
/// moves to the state below and never forgets the one above.
package struct StateTree: Sendable {
    /// One state.
    package struct Node: Sendable {
        package let number: Int
        package let parent: Int
        package let line: String
        package let changes: [StateChange]
    }

    package private(set) var nodes: [Int: Node] = [:]
    /// The current state.
    package private(set) var head = 0
    /// States that `redo` goes to, the next one last.
    private var undone: [Int] = []

    package init() {}

    /// Takes the next entry of the journal.
    package mutating func append(_ entry: JournalEntry) {
        if let target = entry.movedTo {
            move(to: target)
        } else if let changes = entry.changes, !changes.isEmpty {
            nodes[entry.number] = Node(number: entry.number, parent: head, line: entry.line, changes: changes)
            head = entry.number
            undone = []
        }
    }

    private mutating func move(to target: Int) {
        guard target == 0 || nodes[target] != nil else { return }
        if undone.last == target {
            undone.removeLast()
        } else if lineage(of: head).contains(where: { $0.number == target }) || target == 0 {
            for node in lineage(of: head) {
                if node.number == target { break }
                undone.append(node.number)
            }
        } else {
            undone = []
        }
        head = target
    }

    /// A state and those it stands on, itself first.
    package func lineage(of number: Int) -> [Node] {
        var path: [Node] = []
        var next = number
        while let node = nodes[next], path.count <= nodes.count {
            path.append(node)
            next = node.parent
        }
        return path
    }

    /// The state `count` undoable states below; `nil` when there are fewer.
    package func undoTarget(_ count: Int) -> (target: Int, passed: [Node])? {
        let path = lineage(of: head)
        guard count > 0, count <= path.count else { return nil }
        return (path[count - 1].parent, Array(path.prefix(count)))
    }

    /// The state `count` steps up the way that was undone.
    package func redoTarget(_ count: Int) -> (target: Int, passed: [Node])? {
        guard count > 0, count <= undone.count else { return nil }
        let passed = undone.suffix(count).reversed().compactMap { nodes[$0] }
        return passed.last.map { ($0.number, passed) }
    }

    /// The working image of a state.
    package func working(at number: Int) -> WorkingImage? {
        var steps: [Step] = []
        for node in lineage(of: number) {
            for change in node.changes.reversed() {
                switch change {
                case .began(let base):
                    return WorkingImage(base: base, steps: steps.reversed(), stages: stages(at: number))
                case .step(let step): steps.append(step)
                case .rewrote(let all):
                    guard let base = base(below: node.number) else { return nil }
                    return WorkingImage(base: base, steps: all + steps.reversed(), stages: stages(at: number))
                case .name: break
                }
            }
        }
        return nil
    }

    private func base(below number: Int) -> WorkingBase? {
        for node in lineage(of: number) {
            for case .began(let base) in node.changes.reversed() { return base }
        }
        return nil
    }

    /// The last image of every stage that was named on the way to a state, for `COPY --from`.
    private func stages(at number: Int) -> [String: Digest] {
        var images: [String: Digest] = [:]
        var order: [Digest?] = []
        for node in lineage(of: number).reversed() {
            for change in node.changes {
                switch change {
                case .began(let base):
                    order.append(base.image)
                    if let name = base.stage { images[name] = base.image }
                case .step(let step): Self.advance(&images, &order, to: step.image, node, self)
                case .rewrote(let steps):
                    if let last = steps.last { Self.advance(&images, &order, to: last.image, node, self) }
                case .name: break
                }
            }
        }
        for (index, image) in order.enumerated() { images[String(index)] = image }
        return images
    }

    private static func advance(
        _ images: inout [String: Digest], _ order: inout [Digest?], to image: Digest, _ node: Node, _ tree: StateTree
    ) {
        if !order.isEmpty { order[order.count - 1] = image }
        if let name = tree.base(below: node.number)?.stage { images[name] = image }
    }

    /// What must happen to names to get from one state to another: taken back up to where they part, then made again.
    package func nameChanges(from start: Int, to end: Int) -> [(reference: Reference, target: ImageEntry?)] {
        let up = lineage(of: start)
        let down = lineage(of: end)
        let shared = Set(up.map(\.number)).intersection(down.map(\.number))
        var result: [(reference: Reference, target: ImageEntry?)] = []
        for node in up where !shared.contains(node.number) {
            for case .name(let reference, let before, _) in node.changes.reversed() {
                result.append((reference, before))
            }
        }
        for node in down.reversed() where !shared.contains(node.number) {
            for case .name(let reference, _, let after) in node.changes { result.append((reference, after)) }
        }
        return result
    }
}

/// The image a session works on: where it began and the steps since.
package struct WorkingImage: Sendable {
    package var base: WorkingBase
    package var steps: [Step]
    /// Images of stages, by name and by number.
    package var stages: [String: Digest]

    /// The image after the last step; `nil` on scratch before the first.
    package var image: Digest? { steps.last?.image ?? base.image }

    /// The image `count` steps earlier (`@~N`); `nil` when there are fewer steps.
    package func image(stepsBack count: Int) -> Digest? {
        guard count >= 0, count <= steps.count else { return nil }
        return count == steps.count ? base.image : steps[steps.count - 1 - count].image
    }
}
