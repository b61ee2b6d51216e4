import ArgumentParser
import Basics
import Containers
import Images
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

    @OptionGroup var process: ProcessFlags
    @Option(name: .customLong("env-file"), parsing: .unconditionalSingleValue, help: "Read variables from a file")
    var environmentFiles: [String] = []
    @Option(
        name: [.customShort("l", allowingJoined: true), .customLong("label")], parsing: .unconditionalSingleValue,
        help: "Set a label (NAME=VALUE)")
    var labels: [String] = []
    @Option(name: .customLong("label-file"), parsing: .unconditionalSingleValue, help: "Read labels from a file")
    var labelFiles: [String] = []
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

    @Option(
        name: [.customLong("network"), .customLong("net")], parsing: .unconditional,
        help: "host, none, private or container:NAME")
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
    @OptionGroup var limitFlags: LimitFlags
    @Option(
        name: .customLong("oom-score-adj"), parsing: .unconditional,
        help: "How early it is killed when memory runs out: -1000 to 1000")
    var oomScoreAdj = 0
    @Option(parsing: .unconditionalSingleValue, help: "NAME=VALUE of a kernel parameter") var sysctl: [String] = []
    @Flag(name: .customLong("init"), help: "Run a small first process that reaps and forwards signals")
    var initProcess = false
    @Option(name: .customLong("log-driver"), parsing: .unconditional, help: "json-file or none")
    var logDriver: String?
    @Option(
        name: .customLong("log-opt"), parsing: .unconditionalSingleValue,
        help: "max-size=SIZE (20m) or max-file=COUNT (5) of the log")
    var logOptions: [String] = []

    @Option(name: .customLong("health-cmd"), parsing: .unconditional, help: "Command that tells whether it is well")
    var healthCommand: String?
    @Option(name: .customLong("health-interval"), parsing: .unconditional, help: "Time between two checks (30s)")
    var healthInterval: String?
    @Option(name: .customLong("health-timeout"), parsing: .unconditional, help: "Time a check may take (30s)")
    var healthTimeout: String?
    @Option(name: .customLong("health-retries"), parsing: .unconditional, help: "Failures that make it unhealthy (3)")
    var healthRetries: Int?
    @Option(
        name: .customLong("health-start-period"), parsing: .unconditional, help: "Time in which failures do not count")
    var healthStartPeriod: String?
    @Option(
        name: .customLong("health-start-interval"), parsing: .unconditional, help: "Time between checks meanwhile (5s)")
    var healthStartInterval: String?
    @Flag(name: .customLong("no-healthcheck"), help: "Without the image's health check") var noHealthCheck = false

    @Option(name: .customLong("cidfile"), parsing: .unconditional, help: "Write the id to this file")
    var cidFile: String?
    @Option(parsing: .unconditional, help: "missing, always or never") var pull = "missing"
    @Option(parsing: .unconditional, help: "OS/ARCH of the image") var platform: String?
    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "No progress of a pull") var isQuiet = false

    @Option(parsing: .unconditional, help: "When it ends: no, always, unless-stopped or on-failure[:MAX]")
    var restart: String?
    @Flag(name: .customLong("sig-proxy"), inversion: .prefixedNo, help: .hidden) var signalProxy = true

    package init() {}

    /// The same as the engine takes it.
    func runOptions(
        imageAndCommand: [String], verb: String, _ shell: ShellContext
    ) throws(ShaleError) -> RunOptions {
        if !signalProxy {
            throw ShaleError(.unsupported, "\(verb): --sig-proxy=false is not supported", exitStatus: 125)
        }
        var words = imageAndCommand
        if words.first == "--" { words.removeFirst() }
        if let flag = words.first, flag.hasPrefix("-"), flag != "-" {
            throw RefusedFlags.refusal(of: flag, verb: verb)
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
        options.host.autoRemove = autoRemove
        options.name = name
        options.attach = attach
        options.detachKeys = detachKeys
        options.environment = process.environment
        options.environmentFiles = environmentFiles
        options.labels = labels
        options.labelFiles = labelFiles
        options.workingDirectory = process.workingDirectory
        options.user = process.user
        options.host.groupAdd = groups
        options.entrypoint = entrypoint
        options.hostname = hostname
        options.domainname = domainname
        options.stopSignal = stopSignal
        options.stopTimeout = stopTimeout
        options.volumes = volumes
        options.mounts = mount
        options.tmpfs = tmpfs
        options.volumesFrom = volumesFrom
        options.host.readOnlyRoot = readOnly
        options.host.devices = device
        options.sharedMemory = sharedMemory
        options.network = network
        options.host.ports = publish
        options.host.publishAll = publishAll
        options.expose = expose
        options.extraHosts = extraHosts
        options.host.dns = dns
        options.host.dnsSearch = dnsSearch
        options.host.dnsOptions = dnsOptions
        options.addedCapabilities = addedCapabilities
        options.droppedCapabilities = droppedCapabilities
        options.host.privileged = privileged
        options.securityOptions = securityOptions
        options.host.ulimits = limits
        options.resources = limitFlags.options
        options.restart = restart
        guard (-1000...1000).contains(oomScoreAdj) else {
            throw ShaleError(
                .invalid, "Invalid value \(oomScoreAdj), range for oom score adj is [-1000, 1000]", exitStatus: 125)
        }
        options.host.oomScoreAdj = oomScoreAdj
        options.host.sysctls = sysctl
        options.host.useInit = initProcess
        options.host.logDriver = logDriver
        options.host.logOptions = logOptions
        options.health.command = healthCommand
        options.health.interval = healthInterval
        options.health.timeout = healthTimeout
        options.health.retries = healthRetries
        options.health.startPeriod = healthStartPeriod
        options.health.startInterval = healthStartInterval
        options.health.isOff = noHealthCheck
        options.host.containerIDFile = cidFile
        options.pull = policy
        options.platform = try Platform.option(platform)
        options.hostDirectory = shell.hostDirectory
        return options
    }
}

/// Docker's options that this engine does not carry out: known, so that they are refused by name.
///
/// They are not declared as options, because each declared option makes every start of a container slower. The parser
/// takes an unknown flag as the first word of the command, and there it is looked up.
enum RefusedFlags {
    private static let names: Set<String> = [
        "annotation", "blkio-weight", "blkio-weight-device", "cgroup-parent", "cgroupns", "cpu-count", "cpu-percent",
        "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime",
        "device-cgroup-rule", "device-read-bps", "device-read-iops", "device-write-bps", "device-write-iops",
        "disable-content-trust", "gpus", "io-maxbandwidth", "io-maxiops", "ip", "ip6", "ipc", "isolation",
        "kernel-memory", "link", "link-local-ip", "mac-address", "memory-reservation",
        "memory-swappiness", "network-alias", "net-alias", "oom-kill-disable", "pid",
        "runtime", "storage-opt", "use-api-socket", "userns", "uts", "volume-driver",
    ]

    /// The error for a flag in the place of the image.
    static func refusal(of word: String, verb: String) -> ShaleError {
        let name = word.drop { $0 == "-" }.prefix { $0 != "=" }
        if word.hasPrefix("--"), names.contains(String(name)) {
            return ShaleError(.unsupported, "\(verb): \(word.prefix { $0 != "=" }) is not supported", exitStatus: 125)
        }
        return CommandTable.unknownFlag(word, of: verb)
    }
}
