import ArgumentParser
import Basics
import Building
import Containers
import Dockerfiles
import Linux
import OCI

/// What a `RUN` may use: limits as docker's classic builder takes them, and buildx's `--resource`.
struct BuildLimits: ParsableArguments {
    @Option(name: .customLong("cgroup-parent"), help: "The control group that those of RUN are made in.")
    var cgroupParent = ""
    @Option(name: .customLong("ulimit"), help: "Limit of RUN: NAME=SOFT[:HARD].") var limits: [String] = []
    @Option(
        name: [.customShort("m", allowingJoined: true), .customLong("memory")], help: "Memory of RUN, bytes or 512m.")
    var memory: String?
    @Option(
        name: .customLong("memory-swap"), parsing: .unconditional,
        help: "Memory and swap of RUN together, -1 for no limit.")
    var memorySwap: String?
    @Option(
        name: [.customShort("c", allowingJoined: true), .customLong("cpu-shares")],
        help: "Weight of RUN for a busy processor (1024).")
    var cpuShares: Int64?
    @Option(name: .customLong("cpu-quota"), parsing: .unconditional, help: "Microseconds of processor in each period.")
    var cpuQuota: Int64?
    @Option(name: .customLong("cpu-period"), help: "The period of --cpu-quota in microseconds (100000).")
    var cpuPeriod: Int64?
    @Option(name: .customLong("cpuset-cpus"), help: "Processors that RUN may use (0-3, 0,1).") var cpuSet: String?
    @Option(name: .customLong("cpuset-mems"), help: "Memory nodes that RUN may use (0-3, 0,1).") var memorySet: String?
    @Option(
        name: .customLong("resource"),
        help: """
            The same limits, as buildx has them: memory=2g, memory-swap, cpu-shares, cpu-quota, cpu-period, cpuset-cpus, \
            cpuset-mems.
            """)
    var resources: [String] = []
    @Option(name: .customLong("shm-size"), help: "Size of RUN's /dev/shm.") var sharedMemory: String?
    @Option(
        name: .customLong("security-opt"), help: "For RUN: seccomp=FILE, seccomp=unconfined or no-new-privileges.")
    var securityOptions: [String] = []

    /// Writes them into a build's options; returns a warning for each limit that cannot be held here.
    ///
    /// Throws docker's words for what is malformed or out of range.
    func write(to steps: inout StepOptions, hostDirectory: String) throws(ShaleError) -> [String] {
        steps.cgroupParent = cgroupParent
        for limit in limits { _ = try ResourceLimit(parsing: limit) }
        steps.host.ulimits = limits
        if let sharedMemory { steps.host.shmSize = try ByteSize.bytes(sharedMemory, .binary, flag: "--shm-size") }
        steps.host.securityOptions = try ContainerEngine.security(securityOptions, relativeTo: hostDirectory)
        return try ContainerEngine.limit(&steps.host, by: options())
    }

    private func options() throws(ShaleError) -> LimitOptions {
        var all = self
        for text in resources {
            for (key, value) in try OptionFields(parsing: text).values() { try all.set(key, to: value) }
        }
        var options = LimitOptions()
        options.memory = all.memory
        options.memorySwap = all.memorySwap
        options.cpuShares = all.cpuShares
        options.cpuSet = all.cpuSet
        options.memorySet = all.memorySet
        let period = all.cpuPeriod ?? 0
        guard period == 0 || (1_000...1_000_000).contains(period) else {
            throw ShaleError(
                .invalid, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)")
        }
        if let quota = all.cpuQuota, quota > 0 {
            guard quota >= 1_000 else {
                throw ShaleError(.invalid, "CPU cfs quota can not be less than 1ms (i.e. 1000)")
            }
            options.cpus = String(Double(quota) / Double(period == 0 ? 100_000 : period))
        }
        return options
    }

    private mutating func set(_ key: String, to value: String) throws(ShaleError) {
        func number() throws(ShaleError) -> Int64 {
            guard let number = Int64(value) else {
                throw ShaleError(.usage, "--resource: invalid value \"\(value.visible)\" for \(key)")
            }
            return number
        }
        switch key {
        case "memory": memory = value
        case "memory-swap": memorySwap = value
        case "cpu-shares": cpuShares = try number()
        case "cpu-quota": cpuQuota = try number()
        case "cpu-period": cpuPeriod = try number()
        case "cpuset-cpus": cpuSet = value
        case "cpuset-mems": memorySet = value
        default: throw ShaleError(.usage, "--resource: unknown resource \(key.visible)")
        }
    }
}
