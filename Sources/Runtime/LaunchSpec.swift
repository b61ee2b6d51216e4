package import Linux
package import OCI
package import RunnerProtocol

/// What is to run, where, and with which rights, before the host's facts are put in.
package struct LaunchSpec: Sendable {
    package enum Network: Sendable, Hashable {
        /// The host's own.
        case host
        /// A loopback interface and nothing else.
        case none
        /// One of its own, with a way out, and ports of the host's that lead in.
        case `private`([PublishedPort])
        /// Another container's: its id, the folder of its runner's socket, and that of the files that name its hosts;
        /// `isHost` when that network is the host's.
        case shared(containerID: String, folder: String, files: String, isHost: Bool)
    }
    package enum Seccomp: Sendable, Hashable {
        /// docker's default profile.
        case standard
        case unconfined
        /// A JSON file of the host's.
        case profile(path: String)
    }

    package var containerID: String
    /// Empty for the first 12 digits of the id, or the host's name with its network.
    package var hostname = ""
    package var domainname = ""
    /// Read-only layers, top first; empty for a plain directory as root.
    package var lowerPaths: [String]
    /// The writable layer, or the plain directory itself.
    package var upperPath: String
    package var workPath: String
    /// For what is deleted, `--rm` and build steps: spares the sync of the upper's file system when the container
    /// ends, and its last state when the shell that started it sees the end itself.
    package var volatile = false
    /// Whether it is killed when the shell that started it ends: nobody else needs a build step.
    package var endsWithLauncher = false
    /// A path in the container where what was typed and not read is written at the end; empty for none.
    ///
    /// Only with `host.useInit` and a terminal.
    package var typedAhead = ""
    package var arguments: [String]
    /// As image and command line say it; `PATH`, `HOSTNAME`, `TERM` and `HOME` are added where missing.
    package var environment: [String] = []
    package var workingDirectory = "/"
    /// `name|uid[:group|gid]`, looked up in the container's own files when it starts.
    package var user = ""
    package var terminal = false
    package var openStdin = false
    package var mounts: [BindMount] = []
    package var temporaryMounts: [TemporaryMount] = []
    package var network = Network.host
    /// Whether `/etc/hosts` is the host's, with its network.
    package var hasHostNames = true
    package var capabilities = Capabilities.containerDefault
    package var seccomp = Seccomp.standard
    package var noNewPrivileges = false
    /// docker's json-file log; empty for none.
    package var logPath: String
    package var logRotation = LogRotation()
    package var health: HealthProbe?
    package var restart: RestartPlan?
    package var statePath: String
    /// Where its start and its end are told (`events`), and a JSON object of texts that is told with them; one more for
    /// each volume.
    package var events: (path: String, attributes: String, volumes: [String]) = ("", "", [])
    /// The container's folder: control socket, lock, stubs, and the files bound at `/etc/hosts` and so on.
    package var socketDirectory: String
    package var initialSize: TerminalSize?
    /// What the host gives it; its mounts, ports and network are those above, of this host already.
    package var host = HostConfig()
    /// `--cgroup-parent`: the control group to make the container's in, below the top; empty for shale's own.
    package var cgroupParent = ""
    /// What the runner becomes at the end, `shale --home H rm -f ID` for `--rm`.
    ///
    /// In the foreground only if nobody is there any more to see the end: detached by keys, or killed.
    package var afterExit: [String] = []
    /// The home, whose `run/ns` notes the runner as a holder of the user namespace.
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

/// A host file or directory seen in the container.
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

/// When a log is started again, and how much of the old is kept; docker's `max-size` and `max-file`.
package struct LogRotation: Sendable, Hashable {
    /// Bytes of a file; 0 for no limit.
    ///
    /// The bounds of docker's `local` driver, because `json-file` has none.
    package var size: UInt64 = 20_000_000
    package var files: UInt32 = 5

    package init() {}
}

/// A command that checks the container's health; times are in milliseconds.
package struct HealthProbe: Sendable, Hashable {
    package var arguments: [String]
    package var interval: Int64 = 30_000
    package var timeout: Int64 = 30_000
    package var startPeriod: Int64 = 0
    package var startInterval: Int64 = 5000
    package var retries: Int32 = 3

    package init(arguments: [String]) { self.arguments = arguments }
}

/// Limits of the container's control group; `nil` for none.
package struct ContainerResources: Sendable, Hashable {
    /// Bytes.
    package var memory: Int64?
    /// Bytes of memory and swap together; -1 for unlimited swap.
    package var memorySwap: Int64?
    /// Processors, `1.5` say.
    package var cpus: Double?
    package var processes: Int64?
    /// Its weight beside others for a busy processor; 1024 is usual.
    package var cpuShares: Int64?
    /// The processors it may run on, `0-2,4` say.
    package var cpuSet: String?
    /// The memory nodes it may use, `0-1` say.
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
    /// Its limits, for a control group.
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

/// Another process in a running container.
package struct ExecSpec: Sendable {
    package var arguments: [String]
    /// The container's own, with what the command line adds.
    package var environment: [String]
    package var workingDirectory: String
    package var user: String
    package var terminal: Bool
    package var openStdin: Bool
    package var detached = false
    /// What the host gives it: groups, limits, and with `privileged` every capability and no seccomp filter.
    package var host = HostConfig()
    /// The container's own set.
    package var capabilities = Capabilities.containerDefault
    package var seccomp = LaunchSpec.Seccomp.standard
    package var noNewPrivileges = false
    package var initialSize: TerminalSize?
    /// A folder of the host's with programs, and where this process alone sees it; `nil` for none.
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
