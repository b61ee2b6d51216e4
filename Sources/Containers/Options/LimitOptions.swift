import Basics
import Glibc
import Linux
import OCI
import Runtime
import Stores

/// The limits of `run`, `create` and `update`, as written; `nil` for those that are not given.
package struct LimitOptions: Sendable, Hashable {
    /// A size in docker's form, such as `64m`.
    package var memory: String?
    package var memorySwap: String?
    package var cpus: String?
    package var cpuShares: Int64?
    package var cpuSet: String?
    /// The memory nodes.
    package var memorySet: String?
    package var processes: Int64?

    package init() {}

    package var isEmpty: Bool { self == LimitOptions() }
}

/// The limits, parsed by docker's rules.
struct ContainerLimits: Sendable, Hashable {
    private(set) var memory: Int64?
    /// Memory and swap together, in bytes; -1 for no limit.
    private(set) var memorySwap: Int64?
    private(set) var nanoCPUs: Int64?
    private(set) var cpuShares: Int64?
    private(set) var cpuSet: String?
    private(set) var memorySet: String?
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
        cpuSet = try Self.set(options.cpuSet, "CPUs", "cpus") { Set(0..<Workers.processors) }
        memorySet = try Self.set(options.memorySet, "memory nodes", "mems", available: Self.memoryNodes)
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
        // For less than 0.01 processors the quota would be below the kernel's minimum.
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

    /// Reads a list of existing processors or memory nodes, such as `0-2,4`.
    private static func set(
        _ text: String?, _ things: String, _ file: String, available: () -> Set<Int>
    ) throws(ShaleError) -> String? {
        guard let text, !text.isEmpty else { return nil }
        let available = available()
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2, 0 <= first, first <= last
            else {
                throw ShaleError(
                    .invalid, "invalid value \"\(text)\" for cpuset \(file)", cause: "invalid format: \(text)")
            }
            guard last <= available.max() ?? 0, (first...last).allSatisfy(available.contains) else {
                throw ShaleError(
                    .invalid,
                    "requested \(things) are not available - requested \(text), available: \(ranges(of: available))")
            }
        }
        return text
    }

    /// The text of a list, such as `0-2,4`.
    private static func ranges(of numbers: Set<Int>) -> String {
        var found: [ClosedRange<Int>] = []
        for number in numbers.sorted() {
            if let last = found.last, last.upperBound == number - 1 {
                found[found.count - 1] = last.lowerBound...number
            } else {
                found.append(number...number)
            }
        }
        return found.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    /// The memory nodes of this machine.
    ///
    /// A machine without the file has one.
    private static func memoryNodes() -> Set<Int> {
        let bytes = (try? WholeFile.read("/sys/devices/system/node/has_memory", limit: 4096)) ?? []
        var nodes: Set<Int> = []
        for part in String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == "," || $0 == "\n" }) {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            if let first = ends.first, let last = ends.last, 0 <= first, first <= last, last < 4096 {
                nodes.formUnion(first...last)
            }
        }
        return nodes.isEmpty ? [0] : nodes
    }

    // MARK: What may be limited here

    /// The requested limits, each with the controller that it needs.
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
        if memorySet != nil { list.append(("--cpuset-mems", "cpuset", { $0.memorySet = nil })) }
        if (processes ?? 0) > 0 { list.append(("--pids-limit", "pids", { $0.processes = nil })) }
        return list
    }

    /// Removes limits that this host's control groups cannot enforce, and returns a warning for each.
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
        host.memorySet = memorySet ?? host.memorySet
        host.pidsLimit = processes ?? host.pidsLimit
    }
}
