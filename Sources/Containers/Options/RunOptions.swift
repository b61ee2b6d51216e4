package import Images
package import OCI

/// What `run` and `create` were asked for, as it was written; `ContainerPlan` reads it by docker's rules.
package struct RunOptions: Sendable {
    package var image: String
    /// The words after the image; empty takes the image's command.
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

    /// `KEY=VALUE`, or `KEY` to pass the host's value on (or remove the image's).
    package var environment: [String] = []
    package var environmentFiles: [String] = []
    package var labels: [String] = []
    package var labelFiles: [String] = []
    package var workingDirectory: String?
    package var user: String?
    /// `--entrypoint`; an empty text clears the image's.
    package var entrypoint: String?
    package var hostname: String?
    package var domainname: String?
    package var stopSignal: String?
    package var stopTimeout: Int?

    package var volumes: [String] = []
    package var mounts: [String] = []
    package var tmpfs: [String] = []
    package var volumesFrom: [String] = []
    /// A size in bytes as docker writes it (`64m`).
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
    /// What relative host paths are relative to.
    package var hostDirectory = "/"

    /// What the host gives it, as far as it needs no reading: mounts, limits, capabilities and the network are above.
    package var host = HostConfig()

    package init(image: String, command: [String] = []) {
        self.image = image
        self.command = command
    }
}
