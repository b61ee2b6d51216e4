package import ArgumentParser

/// The kind of thing that a word of a command names; it decides what Tab offers for the word.
package enum ValueKind: String, Sendable, CaseIterable {
    /// An image of the store, by name; `@` and `@~N` included.
    case image
    /// A name that an image gets: the names here are offered.
    case reference
    /// A name that an image has in a registry: behind its colon the registry's tags are offered, too.
    case remoteReference = "reference.remote"
    case container
    case runningContainer = "container.running"
    case stoppedContainer = "container.stopped"
    case pausedContainer = "container.paused"
    /// An image or a container.
    case object
    /// `IMAGE:/path`, `IMAGE#N:/path` or `CONTAINER:/path`.
    case place
    /// A place, or a path of the host: `cp`, `cd`.
    case placeOrHostPath = "place.host"
    /// `IMAGE#N`.
    case layer
    case hostPath = "host.path"
    case hostDirectory = "host.directory"
    /// A program inside the image or container named before.
    case program
    case volume
    /// What `-v` takes: a volume, or a path of the host.
    case volumeOrHostPath = "volume.host"
    case variable
    /// A variable of the environment: `-e`.
    case environment
    case session
    case step
    /// A state of the session: `goto`, `fork`.
    case state
    case signal
    case platform
    case instruction
    case verb
    case topic
    case lesson
    case setting
    /// What the setting before it can be.
    case settingValue = "setting.value"
    case filter
    case format
    /// The keys of `--mount`, and their values.
    case mount
    case network
    case capability
    case alias
    /// Free text.
    case none
}

extension CompletionKind {
    /// The completion of a value that shale knows, for an option's or argument's `completion:`.
    ///
    /// In the host's shells the same kind is asked of `shale complete KIND`.
    package static func shale(_ kind: ValueKind) -> CompletionKind { .shellCommand("shale complete \(kind.rawValue)") }
}
