package import OCI
package import Stores

/// One change of what all sessions share: a name, listed images, or a container.
///
/// Each change has an inverse.
package enum SharedChange: Sendable {
    case name(Reference, from: ImageEntry?, to: ImageEntry?)
    /// Images that listings show from now on, and images that they do not show any more.
    case images(shown: [Digest], hidden: [Digest])
    case removed(container: String, name: String)
    case broughtBack(container: String, name: String)

    /// The shared part of a state change; `nil` for a change of the working image, and for a loss.
    init?(_ change: StateChange) {
        switch change {
        case .name(let reference, let before, let after):
            // The journal of an imported session may give the name without its tag.
            self = .name(reference.withDefaultTag, from: before, to: after)
        case .images(let arrived, let departed): self = .images(shown: arrived, hidden: departed)
        case .removed(let container, let name): self = .removed(container: container, name: name)
        case .began, .step, .rewrote, .lost: return nil
        }
    }

    /// The change that undoes it.
    package var inverse: SharedChange {
        switch self {
        case .name(let reference, let from, let to): .name(reference, from: to, to: from)
        case .images(let shown, let hidden): .images(shown: hidden, hidden: shown)
        case .removed(let container, let name): .broughtBack(container: container, name: name)
        case .broughtBack(let container, let name): .removed(container: container, name: name)
        }
    }
}

/// One state on a way through the states, which is redone or undone.
package struct StateMove: Sendable {
    package let node: StateTree.Node
    /// The changes in the order in which they are applied.
    package let changes: [SharedChange]
    /// The state that is current after it.
    package let target: Int
    package let takesBack: Bool

    /// The changes in the order in which the state made them.
    ///
    /// Obstacles are reported in this order.
    var inOrderMade: [SharedChange] { takesBack ? changes.reversed() : changes }

    private init(_ node: StateTree.Node, _ changes: [SharedChange], target: Int, takesBack: Bool) {
        self.node = node
        self.changes = changes
        self.target = target
        self.takesBack = takesBack
    }

    /// Redoes a state.
    static func making(_ node: StateTree.Node) -> StateMove {
        StateMove(node, node.changes.compactMap(SharedChange.init), target: node.number, takesBack: false)
    }

    /// Undoes a state.
    static func takingBack(_ node: StateTree.Node) -> StateMove {
        StateMove(
            node, making(node).changes.reversed().map(\.inverse), target: node.parent, takesBack: true)
    }
}
