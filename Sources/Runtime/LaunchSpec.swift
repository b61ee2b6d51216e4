package import Linux
package import OCI
package import RunnerProtocol

/// The description of a container to start, before the facts of the host are added.
package struct LaunchSpec: Sendable {
    package enum Network: Sendable, Hashable {
        /// The network of the host.
        case host
        /// Only a loopback interface.
        case none
        /// A private network with access to the outside, and published host ports.
        case `private`([PublishedPort])
        /// The network of another container: its ID, the folder of its runner's socket, and the folder of its hosts
        /// files.
        ///
        /// `isHost` says that this network is the host's.
        case shared(containerID: String, folder: String, files: String, isHost: Bool)
    }
    package enum Seccomp: Sendable, Hashable {
        /// Docker's default profile.
        case standard
        case unconfined
        /// A JSON file on the host.
        case profile(path: String)
    }

    package var containerID: String
    /// When empty, the first 12 digits of the ID are used, or with the host's network the host's name.
    package var hostname = ""
    package var domainname = ""
    /// The read-only layers, the top first; empty when the root is a plain directory.
    package var lowerPaths: [String]
    /// The writable layer, or the plain directory itself.
    package var upperPath: String
    package var workPath: String
    /// Whether the container is deleted at its end, as with `--rm` and build steps.
    ///
    /// Then the upper directory's file system is not synced at the end, and the last state is not written when the
    /// shell that started it sees the end.
    package var volatile = false
    /// Whether it is killed when the shell that started it ends, as for a build step.
    package var endsWithLauncher = false
    /// A path in the container to which unread input is written at the end; empty for none.
    ///
    /// Only with `host.useInit` and a terminal.
    package var typedAhead = ""
    package var arguments: [String]
    /// The environment of image and command line.
    ///
    /// Missing `PATH`, `HOSTNAME`, `TERM` and `HOME` are added.
    package var environment: [String] = []
    package var workingDirectory = "/"
    /// `name|uid[:group|gid]`.
    ///
    /// Names are looked up in the container's files when it starts.
    package var user = ""
    package var terminal = false
    package var openStdin = false
    package var mounts: [BindMount] = []
    package var temporaryMounts: [TemporaryMount] = []
    package var network = Network.host
    /// Whether, with the host's network, `/etc/hosts` is the host's file.
    package var hasHostNames = true
    package var capabilities = Capabilities.containerDefault
    package var seccomp = Seccomp.standard
    package var noNewPrivileges = false
    /// The path of the log in docker's json-file format; empty for none.
    package var logPath: String
    package var logRotation = LogRotation()
    package var health: HealthProbe?
    package var restart: RestartPlan?
    package var statePath: String
    /// The event file for start and end, a JSON object of texts that is added to the events, and such an object for
    /// each volume.
    package var events: (path: String, attributes: String, volumes: [String]) = ("", "", [])
    /// The container's folder, with control socket, lock, mount point stubs, and the files for `/etc/hosts` and others.
    package var socketDirectory: String
    package var initialSize: TerminalSize?
    /// The other settings of the host.
    ///
    /// Mounts, ports and network are in the members above, prepared for this host.
    package var host = HostConfig()
    /// `--cgroup-parent`: the parent of the container's control group, relative to the root; empty for shale's own.
    package var cgroupParent = ""
    /// The command that the runner executes at the end, such as `shale --home H rm -f ID` for `--rm`.
    ///
    /// For a container in the foreground it is executed only when the shell has detached or was killed.
    package var afterExit: [String] = []
    /// The home.
    ///
    /// In its `run/ns` the runner is noted as a holder of the user namespace.
    package var home: String

    package init(
        containerID: String, arguments: [String], lowerPaths: [String], upperPath: String, workPath: String,
        logPath: String, statePath: String, socketDirectory: String, home: String
    ) {
        self.containerID = containerID
        self.arguments = arguments
        self.lowerPaths = lowerPaths
        self.upperPath = upperPath
        self.workPath = workPath
        self.logPath = logPath
        self.statePath = statePath
        self.socketDirectory = socketDirectory
        self.home = home
    }
}

/// A file or directory of the host that is mounted in the container.
package struct BindMount: Sendable, Hashable {
    package var source: String
    package var destination: String
    package var readOnly: Bool

    package init(source: String, destination: String, readOnly: Bool = false) {
        self.source = source
        self.destination = destination
        self.readOnly = readOnly
    }
}

/// A tmpfs in the container, with docker's options (`size=8m,noexec,mode=1777`).
package struct TemporaryMount: Sendable, Hashable {
    package var destination: String
    package var options: String

    package init(destination: String, options: String = "") {
        self.destination = destination
        self.options = options
    }
}

/// The rotation of a log: docker's `max-size` and `max-file`.
package struct LogRotation: Sendable, Hashable {
    /// The largest size of a file, in bytes; 0 for no limit.
    ///
    /// The default is that of docker's `local` driver, because `json-file` has no limit.
    package var size: UInt64 = 20_000_000
    package var files: UInt32 = 5

    package init() {}
}

/// A command that checks the container's health.
///
/// Times are in milliseconds.
package struct HealthProbe: Sendable, Hashable {
    package var arguments: [String]
    package var interval: Int64 = 30_000
    package var timeout: Int64 = 30_000
    package var startPeriod: Int64 = 0
    package var startInterval: Int64 = 5000
    package var retries: Int32 = 3

    package init(arguments: [String]) { self.arguments = arguments }
}

/// The limits of a container's control group; `nil` for no limit.
package struct ContainerResources: Sendable, Hashable {
    /// Memory, in bytes.
    package var memory: Int64?
    /// Memory and swap together, in bytes; -1 for unlimited swap.
    package var memorySwap: Int64?
    /// The number of processors, such as `1.5`.
    package var cpus: Double?
    package var processes: Int64?
    /// The weight when containers compete for processor time; the default is 1024.
    package var cpuShares: Int64?
    /// The processors that it may use, such as `0-2,4`.
    package var cpuSet: String?
    /// The memory nodes that it may use, such as `0-1`.
    package var memorySet: String?

    package init(memory: Int64? = nil, memorySwap: Int64? = nil, cpus: Double? = nil, processes: Int64? = nil) {
        self.memory = memory
        self.memorySwap = memorySwap
        self.cpus = cpus
        self.processes = processes
    }

    package var isEmpty: Bool { self == ContainerResources() }
}

extension HostConfig {
    /// The limits for a control group.
    package var resources: ContainerResources {
        var resources = ContainerResources(
            memory: memory > 0 ? memory : nil, memorySwap: memorySwap,
            cpus: nanoCPUs > 0 ? Double(nanoCPUs) / 1e9 : nil,
            processes: pidsLimit > 0 ? pidsLimit : nil)
        resources.cpuShares = cpuShares
        resources.cpuSet = cpuSet
        resources.memorySet = memorySet
        return resources
    }
}

/// A new process in a running container.
package struct ExecSpec: Sendable {
    package var arguments: [String]
    /// The container's environment with the additions of the command line.
    package var environment: [String]
    package var workingDirectory: String
    package var user: String
    package var terminal: Bool
    package var openStdin: Bool
    package var detached = false
    /// The settings of the host: groups, limits, and with `privileged` all capabilities and no seccomp filter.
    package var host = HostConfig()
    /// The capabilities of the container.
    package var capabilities = Capabilities.containerDefault
    package var seccomp = LaunchSpec.Seccomp.standard
    package var noNewPrivileges = false
    package var initialSize: TerminalSize?
    /// A host folder with programs, and the path at which only this process sees it; `nil` for none.
    package var toolbox: (folder: String, place: String)?

    package init(
        arguments: [String], environment: [String] = [], workingDirectory: String = "/", user: String = "",
        terminal: Bool = false, openStdin: Bool = false
    ) {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.user = user
        self.terminal = terminal
        self.openStdin = openStdin
    }
}
