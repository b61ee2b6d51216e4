import Glibc

/// Where this host's control group hierarchies are mounted.
package struct ControlGroups: Sendable, Hashable {
    /// The v2 hierarchy's mount point.
    package var unified: String?
    /// Mount points of v1 hierarchies by controller.
    package var legacy: [String: String]

    /// As mounted now.
    package static let current = ControlGroups(
        mountInfo: (try? WholeFile.read("/proc/self/mountinfo", limit: 16 << 20)) ?? [])

    /// From the text of `/proc/self/mountinfo` (`proc(5)`).
    package init(mountInfo bytes: [UInt8]) {
        unified = nil
        legacy = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.contains(" - cgroup") {
            let halves = line.split(separator: " ", omittingEmptySubsequences: true)
            guard let dash = halves.firstIndex(of: "-"), halves.count > dash + 3, halves.count > 4 else { continue }
            let place = String(halves[4])
            if halves[dash + 1] == "cgroup2" {
                unified = unified ?? place
            } else {
                for option in halves[dash + 3].split(separator: ",") where option != "rw" && option != "ro" {
                    legacy[String(option)] = legacy[String(option)] ?? place
                }
            }
        }
    }

    /// This process's own group in the v2 hierarchy, a path below its mount point; `nil` without one.
    package static func ownUnifiedPath() -> String? {
        guard let bytes = try? WholeFile.read("/proc/self/cgroup", limit: 64 << 10) else { return nil }
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("0::") {
            return String(line.dropFirst(3))
        }
        return nil
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
