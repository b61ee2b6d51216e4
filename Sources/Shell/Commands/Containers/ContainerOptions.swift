package import ArgumentParser
import Basics
package import Engine
import OCI

/// The options of `run` and `create`.
package struct ContainerOptions: ParsableArguments {
    @Flag(name: .shortAndLong, help: "Keep standard input open") var interactive = false
    @Flag(name: [.customShort("t"), .customLong("tty")], help: "Give it a terminal") var terminal = false
    @Flag(name: .customLong("rm"), help: "Remove it when it ends") var autoRemove = false
    @Option(parsing: .unconditional, help: "Its name") var name: String?
    @Option(
        name: [.customShort("a", allowingJoined: true), .customLong("attach")], parsing: .unconditionalSingleValue,
        help: "Attach stdin, stdout or stderr")
    var attach: [String] = []
    @Option(
        name: .customLong("detach-keys"), parsing: .unconditional,
        help: "Keys that leave it running (ctrl-p,ctrl-q)")
    var detachKeys: String?

    @Option(
        name: [.customShort("e", allowingJoined: true), .customLong("env")], parsing: .unconditionalSingleValue,
        help: "Set a variable (NAME=VALUE)")
    var environment: [String] = []
    @Option(name: .customLong("env-file"), parsing: .unconditionalSingleValue, help: "Read variables from a file")
    var environmentFiles: [String] = []
    @Option(
        name: [.customShort("l", allowingJoined: true), .customLong("label")], parsing: .unconditionalSingleValue,
        help: "Set a label (NAME=VALUE)")
    var labels: [String] = []
    @Option(name: .customLong("label-file"), parsing: .unconditionalSingleValue, help: "Read labels from a file")
    var labelFiles: [String] = []
    @Option(
        name: [.customShort("w", allowingJoined: true), .customLong("workdir")], parsing: .unconditional,
        help: "Working directory")
    var workingDirectory: String?
    @Option(
        name: [.customShort("u", allowingJoined: true), .customLong("user")], parsing: .unconditional,
        help: "USER[:GROUP], names or ids")
    var user: String?
    @Option(name: .customLong("group-add"), parsing: .unconditionalSingleValue, help: "Another group")
    var groups: [String] = []
    @Option(parsing: .unconditional, help: "Replace the image's entrypoint") var entrypoint: String?
    @Option(
        name: [.customShort("h", allowingJoined: true), .customLong("hostname")], parsing: .unconditional,
        help: "Its host name")
    var hostname: String?
    @Option(parsing: .unconditional, help: "Its domain name") var domainname: String?
    @Option(name: .customLong("stop-signal"), parsing: .unconditional, help: "Signal that stop sends")
    var stopSignal: String?
    @Option(name: .customLong("stop-timeout"), parsing: .unconditional, help: "Seconds stop waits before it kills")
    var stopTimeout: Int?

    @Option(
        name: [.customShort("v", allowingJoined: true), .customLong("volume")], parsing: .unconditionalSingleValue,
        help: "[SOURCE:]DESTINATION[:ro]")
    var volumes: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "type=bind|volume|tmpfs,source=…,target=…")
    var mount: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "DESTINATION[:OPTIONS]") var tmpfs: [String] = []
    @Option(
        name: .customLong("volumes-from"), parsing: .unconditionalSingleValue,
        help: "The mounts of another container")
    var volumesFrom: [String] = []
    @Flag(name: .customLong("read-only"), help: "Let nothing be written to its root") var readOnly = false
    @Option(parsing: .unconditionalSingleValue, help: "A device of the host's") var device: [String] = []
    @Option(name: .customLong("shm-size"), parsing: .unconditional, help: "Size of /dev/shm")
    var sharedMemory: String?

    @Option(name: [.customLong("network"), .customLong("net")], parsing: .unconditional, help: "host or none")
    var network: String?
    @Option(
        name: [.customShort("p", allowingJoined: true), .customLong("publish")], parsing: .unconditionalSingleValue,
        help: "Publish a port")
    var publish: [String] = []
    @Flag(name: [.customShort("P"), .customLong("publish-all")], help: "Publish all exposed ports") var publishAll =
        false
    @Option(parsing: .unconditionalSingleValue, help: "Expose a port") var expose: [String] = []
    @Option(name: .customLong("add-host"), parsing: .unconditionalSingleValue, help: "HOST:IP for /etc/hosts")
    var extraHosts: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "Address of a name server") var dns: [String] = []
    @Option(name: .customLong("dns-search"), parsing: .unconditionalSingleValue, help: "Domain to search")
    var dnsSearch: [String] = []
    @Option(
        name: [.customLong("dns-option"), .customLong("dns-opt")], parsing: .unconditionalSingleValue,
        help: "Option of the resolver")
    var dnsOptions: [String] = []

    @Option(name: .customLong("cap-add"), parsing: .unconditionalSingleValue, help: "Add a capability")
    var addedCapabilities: [String] = []
    @Option(name: .customLong("cap-drop"), parsing: .unconditionalSingleValue, help: "Take a capability away")
    var droppedCapabilities: [String] = []
    @Flag(help: "All capabilities, devices, no masked paths, no filter") var privileged = false
    @Option(
        name: .customLong("security-opt"), parsing: .unconditionalSingleValue,
        help: "seccomp=FILE|unconfined, no-new-privileges")
    var securityOptions: [String] = []
    @Option(name: .customLong("ulimit"), parsing: .unconditionalSingleValue, help: "NAME=SOFT[:HARD]")
    var limits: [String] = []
    @Option(
        name: [.customShort("m", allowingJoined: true), .customLong("memory")], parsing: .unconditional,
        help: "Limit of memory")
    var memory: String?
    @Option(parsing: .unconditional, help: "Limit of processors") var cpus: String?
    @Option(name: .customLong("pids-limit"), parsing: .unconditional, help: "Limit of processes")
    var processLimit: Int64?
    @Option(parsing: .unconditionalSingleValue, help: "NAME=VALUE of a kernel parameter") var sysctl: [String] = []
    @Flag(name: .customLong("init"), help: "Run a small first process that reaps and forwards signals")
    var initProcess = false
    @Option(name: .customLong("log-driver"), parsing: .unconditional, help: "json-file or none")
    var logDriver: String?

    @Option(name: .customLong("cidfile"), parsing: .unconditional, help: "Write the id to this file")
    var cidFile: String?
    @Option(parsing: .unconditional, help: "missing, always or never") var pull = "missing"
    @Option(parsing: .unconditional, help: "OS/ARCH of the image") var platform: String?
    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "No progress of a pull") var isQuiet = false

    @OptionGroup(visibility: .private) var refused: RefusedContainerOptions

    package init() {}

    /// The same as the engine takes it.
    func runOptions(
        imageAndCommand: [String], verb: String, _ shell: ShellContext
    ) throws(ShaleError) -> RunOptions {
        try refused.check(verb)
        var words = imageAndCommand
        if words.first == "--" { words.removeFirst() }
        if let flag = words.first, flag.hasPrefix("-"), flag != "-" {
            throw ShaleError(.usage, "unknown flag: \(flag)", hint: "help \(verb)")
        }
        guard let image = words.first else {
            throw ShaleError(.usage, "'\(verb)' requires at least 1 argument", hint: "\(verb) IMAGE [COMMAND] [ARG…]")
        }
        guard let policy = PullPolicy(rawValue: pull) else {
            throw ShaleError(
                .usage, "invalid pull option: '\(pull)': must be one of \"always\", \"missing\" or \"never\"")
        }
        var options = RunOptions(image: image, command: Array(words.dropFirst()))
        options.interactive = interactive
        options.terminal = terminal
        options.autoRemove = autoRemove
        options.name = name
        options.attach = attach
        options.detachKeys = detachKeys
        options.environment = environment
        options.environmentFiles = environmentFiles
        options.labels = labels
        options.labelFiles = labelFiles
        options.workingDirectory = workingDirectory
        options.user = user
        options.groups = groups
        options.entrypoint = entrypoint
        options.hostname = hostname
        options.domainname = domainname
        options.stopSignal = stopSignal
        options.stopTimeout = stopTimeout
        options.volumes = volumes
        options.mounts = mount
        options.tmpfs = tmpfs
        options.volumesFrom = volumesFrom
        options.readOnly = readOnly
        options.devices = device
        options.sharedMemory = sharedMemory
        options.network = network
        options.publish = publish
        options.publishAll = publishAll
        options.expose = expose
        options.extraHosts = extraHosts
        options.dns = dns
        options.dnsSearch = dnsSearch
        options.dnsOptions = dnsOptions
        options.addedCapabilities = addedCapabilities
        options.droppedCapabilities = droppedCapabilities
        options.privileged = privileged
        options.securityOptions = securityOptions
        options.limits = limits
        options.memory = memory
        options.cpus = cpus
        options.processLimit = processLimit
        options.sysctls = sysctl
        options.initProcess = initProcess
        options.logDriver = logDriver
        options.cidFile = cidFile
        options.pull = policy
        options.platform = try Platform.option(platform)
        options.hostDirectory = shell.hostDirectory
        return options
    }
}

/// Docker's options that this engine does not carry out: known, so that they are refused by name.
package struct RefusedContainerOptions: ParsableArguments {
    @Option(parsing: .unconditionalSingleValue) var annotation: [String] = []
    @Option(name: .customLong("blkio-weight"), parsing: .unconditionalSingleValue) var blkioWeight: [String] = []
    @Option(name: .customLong("blkio-weight-device"), parsing: .unconditionalSingleValue)
    var blkioWeightDevice: [String] = []
    @Option(name: .customLong("cgroup-parent"), parsing: .unconditionalSingleValue) var cgroupParent: [String] = []
    @Option(parsing: .unconditionalSingleValue) var cgroupns: [String] = []
    @Option(name: .customLong("cpu-period"), parsing: .unconditionalSingleValue) var cpuPeriod: [String] = []
    @Option(name: .customLong("cpu-quota"), parsing: .unconditionalSingleValue) var cpuQuota: [String] = []
    @Option(
        name: [.customShort("c", allowingJoined: true), .customLong("cpu-shares")], parsing: .unconditionalSingleValue)
    var cpuShares: [String] = []
    @Option(name: .customLong("cpuset-cpus"), parsing: .unconditionalSingleValue) var cpusetCPUs: [String] = []
    @Option(name: .customLong("cpuset-mems"), parsing: .unconditionalSingleValue) var cpusetMems: [String] = []
    @Option(name: .customLong("device-cgroup-rule"), parsing: .unconditionalSingleValue)
    var deviceCgroupRule: [String] = []
    @Option(name: .customLong("device-read-bps"), parsing: .unconditionalSingleValue) var deviceReadBps: [String] = []
    @Option(name: .customLong("device-write-bps"), parsing: .unconditionalSingleValue)
    var deviceWriteBps: [String] = []
    @Option(parsing: .unconditionalSingleValue) var gpus: [String] = []
    @Option(name: .customLong("health-cmd"), parsing: .unconditionalSingleValue) var healthCommand: [String] = []
    @Option(name: .customLong("health-interval"), parsing: .unconditionalSingleValue)
    var healthInterval: [String] = []
    @Option(name: .customLong("health-retries"), parsing: .unconditionalSingleValue) var healthRetries: [String] = []
    @Option(name: .customLong("health-timeout"), parsing: .unconditionalSingleValue) var healthTimeout: [String] = []
    @Option(name: .customLong("health-start-period"), parsing: .unconditionalSingleValue)
    var healthStartPeriod: [String] = []
    @Option(parsing: .unconditionalSingleValue) var ip: [String] = []
    @Option(parsing: .unconditionalSingleValue) var ip6: [String] = []
    @Option(parsing: .unconditionalSingleValue) var ipc: [String] = []
    @Option(parsing: .unconditionalSingleValue) var isolation: [String] = []
    @Option(parsing: .unconditionalSingleValue) var link: [String] = []
    @Option(name: .customLong("log-opt"), parsing: .unconditionalSingleValue) var logOption: [String] = []
    @Option(name: .customLong("mac-address"), parsing: .unconditionalSingleValue) var macAddress: [String] = []
    @Option(name: .customLong("memory-reservation"), parsing: .unconditionalSingleValue)
    var memoryReservation: [String] = []
    @Option(name: .customLong("memory-swap"), parsing: .unconditionalSingleValue) var memorySwap: [String] = []
    @Option(name: .customLong("memory-swappiness"), parsing: .unconditionalSingleValue)
    var memorySwappiness: [String] = []
    @Option(name: [.customLong("network-alias"), .customLong("net-alias")], parsing: .unconditionalSingleValue)
    var networkAlias: [String] = []
    @Option(name: .customLong("oom-score-adj"), parsing: .unconditionalSingleValue)
    var oomScoreAdjustment: [String] = []
    @Flag(name: .customLong("oom-kill-disable")) var oomKillDisable = false
    @Option(parsing: .unconditionalSingleValue) var pid: [String] = []
    @Option(parsing: .unconditionalSingleValue) var restart: [String] = []
    @Option(parsing: .unconditionalSingleValue) var runtime: [String] = []
    @Option(name: .customLong("storage-opt"), parsing: .unconditionalSingleValue) var storageOption: [String] = []
    @Option(parsing: .unconditionalSingleValue) var userns: [String] = []
    @Option(parsing: .unconditionalSingleValue) var uts: [String] = []
    @Option(name: .customLong("volume-driver"), parsing: .unconditionalSingleValue) var volumeDriver: [String] = []
    // What is already so, or asks for nothing.
    @Flag(name: .customLong("no-healthcheck")) var noHealthcheck = false
    @Flag(name: .customLong("sig-proxy"), inversion: .prefixedNo) var signalProxy = true
    @Flag(name: .customLong("disable-content-trust"), inversion: .prefixedNo) var disablesContentTrust = true

    package init() {}

    fileprivate func check(_ verb: String) throws(ShaleError) {
        let given: [(String, [String])] = [
            ("annotation", annotation), ("blkio-weight", blkioWeight), ("blkio-weight-device", blkioWeightDevice),
            ("cgroup-parent", cgroupParent), ("cpu-period", cpuPeriod), ("cpu-quota", cpuQuota),
            ("cpu-shares", cpuShares), ("cpuset-cpus", cpusetCPUs), ("cpuset-mems", cpusetMems),
            ("device-cgroup-rule", deviceCgroupRule), ("device-read-bps", deviceReadBps),
            ("device-write-bps", deviceWriteBps), ("gpus", gpus), ("health-cmd", healthCommand),
            ("health-interval", healthInterval), ("health-retries", healthRetries),
            ("health-timeout", healthTimeout), ("health-start-period", healthStartPeriod), ("ip", ip), ("ip6", ip6),
            ("isolation", isolation), ("link", link), ("log-opt", logOption), ("mac-address", macAddress),
            ("memory-reservation", memoryReservation), ("memory-swap", memorySwap),
            ("memory-swappiness", memorySwappiness), ("network-alias", networkAlias),
            ("oom-score-adj", oomScoreAdjustment), ("pid", pid), ("runtime", runtime),
            ("storage-opt", storageOption), ("userns", userns), ("uts", uts),
            ("volume-driver", volumeDriver.filter { $0 != "local" }), ("restart", restart.filter { $0 != "no" }),
            ("ipc", ipc.filter { $0 != "private" }), ("cgroupns", cgroupns.filter { $0 != "private" }),
            ("oom-kill-disable", oomKillDisable ? [""] : []),
        ]
        for (flag, values) in given where !values.isEmpty {
            throw ShaleError(.unsupported, "\(verb): --\(flag) is not supported", exitStatus: 125)
        }
        if !signalProxy {
            throw ShaleError(.unsupported, "\(verb): --sig-proxy=false is not supported", exitStatus: 125)
        }
    }
}
