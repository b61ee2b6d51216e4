/// A change of the store that no state keeps.
///
/// `undo` and `redo` stop before it.
///
/// The rule for commands: `undo` leaves what a command only added (`run`, `create`, `volume create`) and what a
/// container's processes did (`exec`, `start`, `stop`). Every other change of the store is either part of a state
/// (steps,
/// names, images, removed containers) or one of these.
package enum Loss: String, Sendable, Codable, CaseIterable {
    case pruned
    case volumesRemoved
    case containerRemoved
    case containerRenamed
    case containerUpdated
    case filesCopied
    case sessionRemoved
    case sessionRenamed
    case storeRepaired

    package var words: String {
        switch self {
        case .pruned: "what prune took cannot be brought back"
        case .volumesRemoved: "a removed volume cannot be brought back"
        case .containerRemoved: "the container was removed for good"
        case .containerRenamed: "a container's old name is not kept: rename it again"
        case .containerUpdated: "a container's old limits are not kept: update it again"
        case .filesCopied: "what cp overwrites in a container is not kept"
        case .sessionRemoved: "a removed session cannot be brought back"
        case .sessionRenamed: "a session's old name is not kept: rename it again"
        case .storeRepaired: "what a repair took out cannot be brought back"
        }
    }
}
