package import Basics
package import OCI

/// The user's settings for the engine.
package struct EngineSettings: Sendable {
    package var platform: Platform = .host
    package var offline = false
    /// `SOURCE_DATE_EPOCH`: the time of creation of new images, and the latest time of files in new layers.
    package var sourceDateEpoch: Timestamp?
    /// Whether builds print the newer ` ---> Removed intermediate container X`, or else `Removing intermediate
    /// container X`.
    package var modernBuildWording = false
    /// Whether the image busybox is made on this machine when no registry can be reached.
    package var hasFirstImage = false
    /// Prints a warning about a problem that does not fail the command.
    package var warn: @Sendable (String) -> Void = { _ in }

    package init() {}
}
