import Testing

@testable import Linux

/// One kind of host: its mounts, this process's groups, and what shale makes of them.
struct HierarchyRow: Sendable, CustomTestStringConvertible {
    var name: String
    var mounts: String
    var membership: String
    var unified: String?
    var own: String?
    var legacy: [String: String] = [:]
    var testDescription: String { name }
}

@Suite("control groups") struct ControlGroupsTests {
    private static let v2 = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"
    private static let hybrid = """
        24 1 0:22 / /sys/fs/cgroup rw - tmpfs tmpfs rw
        30 24 0:26 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw
        31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
        32 24 0:28 / /sys/fs/cgroup/systemd rw shared:5 - cgroup cgroup rw,xattr,name=systemd
        """
    private static let controllers = [
        "cpu": "/sys/fs/cgroup/cpu,cpuacct", "cpuacct": "/sys/fs/cgroup/cpu,cpuacct", "xattr": "/sys/fs/cgroup/systemd",
        "name=systemd": "/sys/fs/cgroup/systemd",
    ]

    private static let rows = [
        HierarchyRow(name: "nothing", mounts: "", membership: ""),
        HierarchyRow(name: "not a table", mounts: "\u{FF} - cgroup2", membership: "0:"),
        HierarchyRow(
            name: "v2, at its top", mounts: v2, membership: "0::/\n", unified: "/sys/fs/cgroup", own: "/sys/fs/cgroup"),
        HierarchyRow(
            name: "v2, in a session of systemd's", mounts: v2,
            membership: "0::/user.slice/user-1000.slice/session-1.scope\n", unified: "/sys/fs/cgroup",
            own: "/sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope"),
        HierarchyRow(
            name: "v1 only",
            mounts: hybrid.split(separator: "\n").filter { !$0.contains("cgroup2") }
                .joined(separator: "\n"), membership: "2:cpu,cpuacct:/\n1:name=systemd:/\n", legacy: controllers),
        HierarchyRow(
            name: "hybrid", mounts: hybrid, membership: "2:cpu,cpuacct:/a\n1:name=systemd:/b\n0::/c/d\n",
            unified: "/sys/fs/cgroup/unified", own: "/sys/fs/cgroup/unified/c/d", legacy: controllers),
        HierarchyRow(
            name: "v2 in a container with a control group namespace", mounts: v2, membership: "0::/\n",
            unified: "/sys/fs/cgroup", own: "/sys/fs/cgroup"),
        HierarchyRow(
            name: "v2 in a container that shares the host's",
            mounts: "30 24 0:26 /docker/ab /sys/fs/cgroup ro,nosuid - cgroup2 cgroup ro",
            membership: "0::/docker/ab/shell\n", unified: "/sys/fs/cgroup",
            own: "/sys/fs/cgroup/shell"),
        HierarchyRow(
            name: "and is at the top of what it sees",
            mounts: "30 24 0:26 /docker/ab /sys/fs/cgroup ro,nosuid - cgroup2 cgroup ro",
            membership: "0::/docker/ab\n", unified: "/sys/fs/cgroup",
            own: "/sys/fs/cgroup"),
        HierarchyRow(
            name: "a group beside the one that is mounted",
            mounts: "30 24 0:26 /docker/ab /sys/fs/cgroup ro,nosuid - cgroup2 cgroup ro",
            membership: "0::/docker/abc\n", unified: "/sys/fs/cgroup"),
        HierarchyRow(
            name: "a group outside of this namespace", mounts: v2, membership: "0::/../other\n",
            unified: "/sys/fs/cgroup"),
    ]

    @Test(arguments: rows) func hierarchies(_ row: HierarchyRow) {
        let groups = ControlGroups(mountInfo: Array(row.mounts.utf8), membership: Array(row.membership.utf8))
        #expect(groups.unified == row.unified)
        #expect(groups.own == row.own)
        #expect(groups.legacy == row.legacy)
    }
}
