package import OCI
package import Stores

/// One change of what all sessions share.
///
/// A name, images in sight, or a container; each change has its inverse.
package enum SharedChange: Sendable {
    case name(Reference, from: ImageEntry?, to: ImageEntry?)
    /// Images that come into sight, and images that go out of it.
    case images(shown: [Digest], hidden: [Digest])
    case removed(container: String, name: String)
    case broughtBack(container: String, name: String)

    /// What a state did there; `nil` for what is the working image's own, and for what was lost.
    init?(_ change: StateChange) {
        switch change {
        case .name(let reference, let before, let after):
            // The journal of a session from elsewhere may name it without its tag.
            self = .name(reference.withDefaultTag, from: before, to: after)
        case .images(let arrived, let departed): self = .images(shown: arrived, hidden: departed)
        case .removed(let container, let name): self = .removed(container: container, name: name)
        case .began, .step, .rewrote, .lost: return nil
        }
    }

    /// What takes it back.
    package var inverse: SharedChange {
        switch self {
        case .name(let reference, let from, let to): .name(reference, from: to, to: from)
        case .images(let shown, let hidden): .images(shown: hidden, hidden: shown)
        case .removed(let container, let name): .broughtBack(container: container, name: name)
        case .broughtBack(let container, let name): .removed(container: container, name: name)
        }
    }
}

/// One state on the way through the states: made again, or, as the inverse of that, taken back.
package struct StateMove: Sendable {
    package let node: StateTree.Node
    /// What it does, in order.
    package let changes: [SharedChange]
    /// The state that one is at after it.
    package let target: Int
    package let takesBack: Bool

    /// The changes in the order in which the state made them: what stands in the way is told in this order.
    var inOrderMade: [SharedChange] { takesBack ? changes.reversed() : changes }

    private init(_ node: StateTree.Node, _ changes: [SharedChange], target: Int, takesBack: Bool) {
        self.node = node
        self.changes = changes
        self.target = target
        self.takesBack = takesBack
    }

    /// Makes a state again.
    static func making(_ node: StateTree.Node) -> StateMove {
        StateMove(node, node.changes.compactMap(SharedChange.init), target: node.number, takesBack: false)
    }

    /// Takes a state back.
    static func takingBack(_ node: StateTree.Node) -> StateMove {
        StateMove(
            node, making(node).changes.reversed().map(\.inverse), target: node.parent, takesBack: true)
    }
}
