package import Basics
package import OCI

/// What is known of a container beside its events, at the time it was committed or inspected.
package struct ContainerFacts: Sendable, Codable {
    /// Paths that changed after the last event; `nil` where that is not known.
    package var changedLast: [String]?
    /// Whether its processes had the same view of the host and the same rights as in a `RUN`: no mounts, no devices,
    /// no capabilities and limits of their own, the host's network.
    package var isPlain: Bool
    /// Whether somebody could type into it.
    package var isInteractive: Bool
    /// The status of its own command; `nil` while that runs, and before.
    package var exitCode: Int32?
    /// When that ended.
    package var finished: Timestamp?
    /// Its settings, before the changes a commit makes.
    package var settings: ContainerConfig
    /// Lines in the history file of its shell; there may have been others.
    package var typed: [String]?

    package init(
        changedLast: [String]?, isPlain: Bool, isInteractive: Bool, exitCode: Int32?, finished: Timestamp?,
        settings: ContainerConfig, typed: [String]?
    ) {
        self.changedLast = changedLast
        self.isPlain = isPlain
        self.isInteractive = isInteractive
        self.exitCode = exitCode
        self.finished = finished
        self.settings = settings
        self.typed = typed
    }
}
