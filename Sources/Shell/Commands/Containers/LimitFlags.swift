import ArgumentParser
import Containers

/// The limits that `run`, `create` and `update` take.
struct LimitFlags: ParsableArguments {
    @Option(
        name: [.customShort("m", allowingJoined: true), .customLong("memory")], parsing: .unconditional,
        help: "Limit of memory")
    var memory: String?
    @Option(
        name: .customLong("memory-swap"), parsing: .unconditional,
        help: "Limit of memory and swap together, -1 for none")
    var memorySwap: String?
    @Option(parsing: .unconditional, help: "Limit of processors") var cpus: String?
    @Option(
        name: [.customShort("c", allowingJoined: true), .customLong("cpu-shares")], parsing: .unconditional,
        help: "Weight beside others for a busy processor (1024)")
    var cpuShares: Int64?
    @Option(name: .customLong("cpuset-cpus"), parsing: .unconditional, help: "Processors it may run on (0-3, 0,1)")
    var cpuSet: String?
    @Option(name: .customLong("cpuset-mems"), parsing: .unconditional, help: "Memory nodes it may use (0-3, 0,1)")
    var memorySet: String?
    @Option(name: .customLong("pids-limit"), parsing: .unconditional, help: "Limit of processes")
    var processLimit: Int64?

    var options: LimitOptions {
        var options = LimitOptions()
        options.memory = memory
        options.memorySwap = memorySwap
        options.cpus = cpus
        options.cpuShares = cpuShares
        options.cpuSet = cpuSet
        options.memorySet = memorySet
        options.processes = processLimit
        return options
    }
}
