package import Basics
package import OCI

/// The user's settings for the engine.
package struct EngineSettings: Sendable {
    package var platform: Platform = .host
    package var offline = false
    /// Times of made layers and configs are clamped to this when set.
    package var sourceDateEpoch: Timestamp?
    /// `Removing intermediate container X`, or today's ` ---> Removed intermediate container X`.
    package var modernBuildWording = false
    /// Whether busybox is made on this machine where no registry can be reached.
    package var hasFirstImage = false
    /// Tells the user what went wrong without failing the command.
    package var warn: @Sendable (String) -> Void = { _ in }

    package init() {}
}
