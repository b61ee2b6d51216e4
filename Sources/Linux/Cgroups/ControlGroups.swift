import Glibc

/// Where this host's control group hierarchies are mounted, and where in them this process is.
package struct ControlGroups: Sendable, Hashable {
    /// The v2 hierarchy's mount point.
    package var unified: String?
    /// The group that is seen at that mount point, another than `/` inside some containers.
    private var unifiedRoot = "/"
    /// Mount points of v1 hierarchies by controller.
    package var legacy: [String: String]
    /// The directory of this process's own v2 group; `nil` without one, or where it is not to be seen.
    package var own: String?

    /// As mounted now.
    package static let current = ControlGroups(
        mountInfo: (try? WholeFile.read("/proc/self/mountinfo", limit: 16 << 20)) ?? [],
        membership: (try? WholeFile.read("/proc/self/cgroup", limit: 64 << 10)) ?? [])

    /// From the texts of `/proc/self/mountinfo` (`proc(5)`) and `/proc/self/cgroup` (`cgroups(7)`).
    package init(mountInfo bytes: [UInt8], membership: [UInt8] = []) {
        unified = nil
        legacy = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.contains(" - cgroup") {
            let fields = line.split(separator: " ", omittingEmptySubsequences: true)
            guard let dash = fields.firstIndex(of: "-"), fields.count > dash + 3, dash > 4 else { continue }
            let place = String(fields[4])
            if fields[dash + 1] == "cgroup2" {
                if unified == nil { (unified, unifiedRoot) = (place, String(fields[3])) }
            } else if fields[dash + 1] == "cgroup" {
                for option in fields[dash + 3].split(separator: ",") where option != "rw" && option != "ro" {
                    legacy[String(option)] = legacy[String(option)] ?? place
                }
            }
        }
        own = unifiedDirectory(membership: membership)
    }

    /// The directory of a process's v2 group, from the text of its `/proc/PID/cgroup`; `nil` where it is not seen.
    package func unifiedDirectory(membership: [UInt8]) -> String? {
        let line = String(decoding: membership, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("0::/") }
        // `/..` is outside of this control group namespace.
        guard let unified, let group = line?.dropFirst(3), !group.split(separator: "/").contains("..") else {
            return nil
        }
        if group == unifiedRoot { return unified }
        let prefix = unifiedRoot == "/" ? "/" : unifiedRoot + "/"
        return group.hasPrefix(prefix) ? "\(unified)/\(group.dropFirst(prefix.utf8.count))" : nil
    }

    /// Controllers of the v2 hierarchy.
    package var unifiedControllers: Set<String> { unified.map(Self.controllers) ?? [] }

    /// The controllers that a v2 group has, and may hand on to groups in it.
    package static func controllers(of group: String) -> Set<String> {
        guard let bytes = try? WholeFile.read(group + "/cgroup.controllers", limit: 4096) else { return [] }
        return Set(
            String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" }).map(String.init))
    }
}
