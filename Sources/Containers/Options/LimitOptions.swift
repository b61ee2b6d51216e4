import Basics
import Glibc
import Linux
import OCI
import Runtime
import Stores

/// The limits of `run`, `create` and `update`, as they were written; `nil` for those that were not.
package struct LimitOptions: Sendable, Hashable {
    /// A size in bytes as docker writes it (`64m`).
    package var memory: String?
    package var memorySwap: String?
    package var cpus: String?
    package var cpuShares: Int64?
    package var cpuSet: String?
    package var processes: Int64?

    package init() {}

    package var isEmpty: Bool { self == LimitOptions() }
}

/// The same, read by docker's rules.
struct ContainerLimits: Sendable, Hashable {
    private(set) var memory: Int64?
    /// -1 for no bound.
    private(set) var memorySwap: Int64?
    private(set) var nanoCPUs: Int64?
    private(set) var cpuShares: Int64?
    private(set) var cpuSet: String?
    private(set) var processes: Int64?

    init() {}

    init(_ options: LimitOptions) throws(ShaleError) {
        if let text = options.memory {
            memory = try ByteSize.bytes(text, .binary, flag: "-m, --memory")
            if memory == 0 { memory = nil }
        }
        if let text = options.memorySwap {
            memorySwap = text == "-1" ? -1 : try ByteSize.bytes(text, .binary, flag: "--memory-swap")
            if memorySwap == 0 { memorySwap = nil }
        }
        if let memory, memory < 6 << 20 { throw ShaleError(.invalid, "Minimum memory limit allowed is 6MB") }
        nanoCPUs = try Self.nanoCPUs(options.cpus)
        cpuShares = try Self.shares(options.cpuShares)
        cpuSet = try Self.processors(options.cpuSet)
        processes = options.processes.map { max(0, $0) }
    }

    /// Checks that need several limits of a container together.
    func check() throws(ShaleError) {
        guard let memorySwap, memorySwap > 0 else { return }
        guard let memory else {
            throw ShaleError(
                .invalid, "You should always set the Memory limit when using Memoryswap limit, see usage")
        }
        guard memorySwap >= memory else {
            throw ShaleError(.invalid, "Minimum memoryswap limit should be larger than memory limit, see usage")
        }
    }

    private static func nanoCPUs(_ text: String?) throws(ShaleError) -> Int64? {
        guard let text else { return nil }
        guard let number = Double(text), number.isFinite, abs(number) < 1e6 else {
            throw ShaleError(
                .usage, "invalid argument \"\(text)\" for \"--cpus\" flag",
                cause: "failed to parse \(text) as a rational number")
        }
        let processors = Workers.processors
        // For less than a hundredth the quota would be below the kernel's minimum.
        guard number == 0 || (number >= 0.01 && number <= Double(processors)) else {
            throw ShaleError(
                .invalid,
                "range of CPUs is from 0.01 to \(processors).00, as there are only \(processors) CPUs available")
        }
        return number == 0 ? nil : Int64(number * 1e9)
    }

    private static func shares(_ number: Int64?) throws(ShaleError) -> Int64? {
        guard let number, number != 0 else { return nil }
        guard number >= 2 else { throw ShaleError(.invalid, "the minimum allowed cpu-shares is 2") }
        guard number <= 262_144 else { throw ShaleError(.invalid, "the maximum allowed cpu-shares is 262144") }
        return number
    }

    /// A list such as `0-2,4`, of processors that are there.
    private static func processors(_ text: String?) throws(ShaleError) -> String? {
        guard let text, !text.isEmpty else { return nil }
        let available = Workers.processors
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2, 0 <= first, first <= last
            else {
                throw ShaleError(
                    .invalid, "invalid value \"\(text)\" for cpuset cpus", cause: "invalid format: \(text)")
            }
            guard last < available else {
                throw ShaleError(
                    .invalid,
                    "requested CPUs are not available - requested \(text), available: "
                        + (available == 1 ? "0" : "0-\(available - 1)"))
            }
        }
        return text
    }

    // MARK: What may be limited here

    /// Each that was asked for, with the controller it needs.
    private var wanted: [(option: String, controller: String, forget: (inout ContainerLimits) -> Void)] {
        var list: [(option: String, controller: String, forget: (inout ContainerLimits) -> Void)] = []
        if memory != nil || memorySwap != nil {
            list.append(
                (
                    memory == nil ? "--memory-swap" : "--memory", "memory",
                    {
                        $0.memory = nil
                        $0.memorySwap = nil
                    }
                ))
        }
        if nanoCPUs != nil { list.append(("--cpus", "cpu", { $0.nanoCPUs = nil })) }
        if cpuShares != nil { list.append(("--cpu-shares", "cpu", { $0.cpuShares = nil })) }
        if cpuSet != nil { list.append(("--cpuset-cpus", "cpuset", { $0.cpuSet = nil })) }
        if (processes ?? 0) > 0 { list.append(("--pids-limit", "pids", { $0.processes = nil })) }
        return list
    }

    /// Drops those that no control group here can enforce, and returns a warning for each.
    mutating func dropImpossible() -> [String] {
        let wanted = wanted
        guard !wanted.isEmpty else { return [] }
        let available = ContainerMeter.availableLimits
        var words: [String] = []
        for (option, controller, forget) in wanted where !available.contains(controller) {
            forget(&self)
            words.append("\(option): no \(controller) control group may be used here")
        }
        return words
    }

    func write(to host: inout HostConfig) {
        host.memory = memory ?? host.memory
        host.memorySwap = memorySwap ?? host.memorySwap
        host.nanoCPUs = nanoCPUs ?? host.nanoCPUs
        host.cpuShares = cpuShares ?? host.cpuShares
        host.cpuSet = cpuSet ?? host.cpuSet
        host.pidsLimit = processes ?? host.pidsLimit
    }
}
