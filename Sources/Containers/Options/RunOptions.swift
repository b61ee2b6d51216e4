package import Images
package import OCI

/// The options of `run` and `create`, as written.
///
/// `ContainerPlan` reads them by docker's rules.
package struct RunOptions: Sendable {
    package var image: String
    /// The words after the image; when empty, the image's command is used.
    package var command: [String]
    package var name: String?
    package var platform: Platform?
    package var pull: PullPolicy = .missing

    package var interactive = false
    package var terminal = false
    package var detach = false
    /// `-a`: any of `stdin`, `stdout`, `stderr`.
    package var attach: [String] = []
    package var detachKeys: String?

    /// `KEY=VALUE`, or `KEY` for the host's value.
    ///
    /// When the host has none, the image's variable is removed.
    package var environment: [String] = []
    package var environmentFiles: [String] = []
    package var labels: [String] = []
    package var labelFiles: [String] = []
    package var workingDirectory: String?
    package var user: String?
    /// `--entrypoint`.
    ///
    /// An empty text removes the image's entrypoint.
    package var entrypoint: String?
    package var hostname: String?
    package var domainname: String?
    package var stopSignal: String?
    package var stopTimeout: Int?

    package var volumes: [String] = []
    package var mounts: [String] = []
    package var tmpfs: [String] = []
    package var volumesFrom: [String] = []
    /// A size in docker's form, such as `64m`.
    package var sharedMemory: String?

    package var network: String?
    package var expose: [String] = []
    package var extraHosts: [String] = []

    package var addedCapabilities: [String] = []
    package var droppedCapabilities: [String] = []
    package var securityOptions: [String] = []
    package var resources = LimitOptions()
    /// `no`, `always`, `unless-stopped` or `on-failure[:MAX]`.
    package var restart: String?
    package var health = HealthOptions()
    /// The directory to which relative host paths are relative.
    package var hostDirectory = "/"

    /// Host settings that need no parsing.
    ///
    /// Mounts, limits, capabilities and the network are in the members above.
    package var host = HostConfig()

    package init(image: String, command: [String] = []) {
        self.image = image
        self.command = command
    }
}
