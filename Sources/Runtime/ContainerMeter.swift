import Glibc
import Linux

/// The counters of a container's control groups; `nil` for a value that no group counts.
package struct ContainerMeter: Sendable {
    /// The processor time, in microseconds.
    package var processorTime: Int64?
    /// The memory in use, in bytes, without cache that the kernel can free at once.
    package var memory: Int64?
    package var processes: Int?

    /// Reads the groups of a running container.
    ///
    /// `pid` is its first process.
    package init(containerID: String, pid: Int32) {
        let planner = CgroupPlanner(groups: .current)
        let own = planner.unifiedFolder(of: containerID, pid: pid).map { [$0] } ?? []
        for folder in own + planner.folders(of: containerID) {
            processorTime =
                processorTime ?? Self.number("usage_usec", in: folder + "/cpu.stat")
                ?? Self.number(in: folder + "/cpuacct.usage").map { $0 / 1000 }
            memory = memory ?? Self.memory(folder)
            processes = processes ?? Self.number(in: folder + "/pids.current").map { Int($0) }
        }
    }

    /// The limits that a container can have on this host: `memory`, `cpu`, `pids`.
    package static var availableLimits: Set<String> { CgroupPlanner(groups: .current).available }

    private static func memory(_ folder: String) -> Int64? {
        let isUnified = access(folder + "/memory.current", F_OK) == 0
        guard let used = number(in: folder + (isUnified ? "/memory.current" : "/memory.usage_in_bytes")) else {
            return nil
        }
        let idle = number(isUnified ? "inactive_file" : "total_inactive_file", in: folder + "/memory.stat") ?? 0
        return max(0, used - idle)
    }

    private static func number(in path: String) -> Int64? {
        (try? WholeFile.read(path, limit: 64)).flatMap { bytes in
            Int64(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
        }
    }

    private static func number(_ key: String, in path: String) -> Int64? {
        guard let bytes = try? WholeFile.read(path, limit: 64 << 10) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == key { return Int64(words[1]) }
        }
        return nil
    }
}
