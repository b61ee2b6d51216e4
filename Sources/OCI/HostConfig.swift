/// What the host gives a container, from the options of `run` to its runner (docker's `HostConfig`).
///
/// A member that is added here needs a default: a record that an older shale wrote lacks it.
package struct HostConfig: Sendable, Hashable, Codable {
    /// `host`, `none`, `private` or `container:ID`; `default` stands for no choice: the host's network, but an
    /// `/etc/hosts` of its own.
    package var networkMode = "default"
    /// The network in force: `default` means `host`.
    package var network: String { networkMode == "default" ? "host" : networkMode }
    /// The container whose network it shares.
    package var networkContainer: String? {
        networkMode.hasPrefix("container:") ? String(networkMode.dropFirst(10)) : nil
    }
    package var autoRemove = false
    package var privileged = false
    package var readOnlyRoot = false
    package var useInit = false
    /// `SOURCE:DESTINATION[:OPTIONS]`, as given.
    package var binds: [String] = []
    package var mounts: [MountRecord] = []
    /// Destination → options.
    package var tmpfs: [String: String] = [:]
    package var capAdd: [String] = []
    package var capDrop: [String] = []
    package var securityOptions: [String] = []
    /// `host:address`.
    package var extraHosts: [String] = []
    package var dns: [String] = []
    package var dnsSearch: [String] = []
    package var dnsOptions: [String] = []
    /// `NAME=VALUE` each, names with dots.
    package var sysctls: [String] = []
    package var groupAdd: [String] = []
    package var devices: [String] = []
    /// Published ports as given (`8080:80/tcp`).
    package var ports: [String] = []
    package var publishAll = false
    /// Bytes; 0 is no limit.
    package var memory: Int64 = 0
    /// Bytes of memory and swap together; -1 without bound, `nil` for twice the memory.
    package var memorySwap: Int64?
    /// Billionths of a processor; 0 is no limit.
    package var nanoCPUs: Int64 = 0
    package var cpuShares: Int64?
    package var cpuSet: String?
    /// Memory nodes, `0-1,3` say.
    package var memorySet: String?
    /// 0 is no limit.
    package var pidsLimit: Int64 = 0
    /// How early the kernel kills its processes when memory runs out: -1000 (never) to 1000 (first).
    package var oomScoreAdj = 0
    /// `nofile=1024:2048`, as given.
    package var ulimits: [String] = []
    /// Bytes of `/dev/shm`; `nil` for docker's 64 MiB.
    package var shmSize: Int64?
    /// Docker's restart policy, such as `no` or `always`.
    package var restartPolicy: String?
    /// How often `on-failure` starts it again at most.
    package var restartLimit: Int?
    package var containerIDFile: String?
    /// `none`, or `nil` for docker's json-file.
    package var logDriver: String?
    /// `max-size=10m`, as given.
    package var logOptions: [String] = []

    package init() {}
}

/// One mount as the command line made it.
package struct MountRecord: Sendable, Hashable, Codable {
    /// `bind`, `volume` or `tmpfs`.
    package var type: String
    /// A host path; a volume's own folder; empty for tmpfs.
    package var source: String
    package var destination: String
    package var readOnly: Bool
    /// The volume's name, for `volume`.
    package var name: String?
    package var options: String?

    package init(
        type: String, source: String, destination: String, readOnly: Bool = false, name: String? = nil,
        options: String? = nil
    ) {
        self.type = type
        self.source = source
        self.destination = destination
        self.readOnly = readOnly
        self.name = name
        self.options = options
    }
}
