import Basics
import Glibc
import Linux
import RunnerProtocol
import Testing

@testable import Runtime

/// A host, who runs shale on it, and where a limited container's groups come to lie.
struct CgroupRow: Sendable, CustomTestStringConvertible {
    enum Layout: String, Sendable { case unified, legacy, hybrid, none }
    var name: String
    var layout: Layout
    var membership = "0::/"
    /// The directories that may be written; `nil` for root, who may write all of them.
    var writable: [String]?
    var controllers: [String: Set<String>] = [:]
    /// Below the v2 mount point; `nil` without one.
    var unified: String?
    /// Controllers whose v1 group is made.
    var legacy: [String] = []
    var available: Set<String>
    var testDescription: String { name }

    static let all: Set<String> = ["memory", "cpu", "pids"]

    private static let lines: [Layout: String] = [
        .unified: "1 1 0:1 / /cg rw - cgroup2 cgroup2 rw",
        .legacy: ["memory", "cpu", "pids", "freezer"].map { "1 1 0:1 / /cg/\($0) rw - cgroup cgroup rw,\($0)" }
            .joined(separator: "\n"),
        .none: "1 1 0:1 / /cg rw - tmpfs tmpfs rw",
    ]

    var planner: CgroupPlanner {
        let text =
            layout == .hybrid
            ? Self.lines[.legacy, default: ""] + "\n1 1 0:1 / /cg/unified rw - cgroup2 cgroup2 rw"
            : Self.lines[layout, default: ""]
        let groups = ControlGroups(mountInfo: Array(text.utf8), membership: Array((membership + "\n").utf8))
        let (writable, controllers) = (writable, controllers)
        return CgroupPlanner(
            groups: groups,
            host: CgroupAccess(
                isOrdinary: writable != nil, exists: { writable?.contains($0) ?? true },
                isWritable: { writable?.contains($0) ?? true }, controllers: { controllers[$0] ?? [] }))
    }
}

@Suite("where control groups are made") struct CgroupPlannerTests {
    private static let session = "0::/user.slice/user-1000.slice/session-1.scope"
    private static let manager = "/cg/user.slice/user-1000.slice/user@1000.service/app.slice"

    private static let rows = [
        CgroupRow(
            name: "root on v2", layout: .unified, controllers: ["/cg": CgroupRow.all.union(["io"])],
            unified: "/cg/shale",
            available: CgroupRow.all.union(["io"])),
        CgroupRow(
            name: "root on v1", layout: .legacy, legacy: ["freezer", "memory", "cpu", "pids"],
            available: CgroupRow.all.union(["freezer"])),
        CgroupRow(
            name: "root on both", layout: .hybrid, unified: "/cg/unified/shale", legacy: ["memory", "cpu", "pids"],
            available: CgroupRow.all.union(["freezer"])),
        CgroupRow(
            name: "root on both, pids moved to v2", layout: .hybrid, controllers: ["/cg/unified": ["pids"]],
            unified: "/cg/unified/shale", legacy: ["memory", "cpu"], available: CgroupRow.all.union(["freezer"])),
        CgroupRow(name: "nothing is mounted", layout: .none, available: []),
        CgroupRow(
            name: "a user, nothing handed over", layout: .unified, membership: session, writable: [], available: []),
        CgroupRow(
            name: "a user in a scope of his own manager", layout: .unified,
            membership: "0::" + manager.dropFirst(3) + "/run-1.scope", writable: [manager, manager + "/run-1.scope"],
            controllers: [manager: CgroupRow.all], unified: manager + "/shale", available: CgroupRow.all),
        CgroupRow(
            name: "and the manager was not given all", layout: .unified,
            membership: "0::" + manager.dropFirst(3) + "/run-1.scope", writable: [manager, manager + "/run-1.scope"],
            controllers: [manager: ["memory", "pids"]], unified: manager + "/shale", available: ["memory", "pids"]),
        CgroupRow(
            name: "a user's system service with Delegate=yes", layout: .unified,
            membership: "0::/system.slice/a.service",
            writable: ["/cg/system.slice/a.service"], controllers: ["/cg/system.slice/a.service": CgroupRow.all],
            unified: "/cg/system.slice/a.service/shale", available: CgroupRow.all),
        CgroupRow(
            name: "root of a container's user namespace", layout: .unified, writable: ["/cg"],
            controllers: ["/cg": CgroupRow.all], unified: "/cg/shale", available: CgroupRow.all),
        CgroupRow(name: "the same, nothing handed over", layout: .unified, writable: [], available: []),
        CgroupRow(
            name: "outside of what is seen", layout: .unified, membership: "0::/../x", writable: ["/cg", "/"],
            available: []),
        CgroupRow(
            name: "a user on v1 with two folders", layout: .legacy, membership: "2:memory:/",
            writable: ["/cg/memory/shale", "/cg/pids/shale"], legacy: ["memory", "pids"], available: ["memory", "pids"]),
        CgroupRow(name: "a user on both, nothing handed over", layout: .hybrid, writable: [], available: []),
    ]

    private static let id = String(repeating: "a1", count: 32)

    private static func resources(_ available: Set<String>) -> ContainerResources {
        var resources = ContainerResources()
        if available.contains("memory") { resources.memory = 64 << 20 }
        if available.contains("cpu") { resources.cpus = 1.5 }
        if available.contains("pids") { resources.processes = 5 }
        return resources
    }

    @Test(arguments: rows) func places(_ row: CgroupRow) throws {
        let planner = row.planner
        // What lies there beside folders of one's own is no place for limits.
        #expect(planner.available.intersection(CgroupRow.all) == row.available.intersection(CgroupRow.all))
        let plan = try planner.plan(Self.resources(row.available), containerID: Self.id) ?? CgroupPlan()
        let name = "/" + String(repeating: "a1", count: 16)
        #expect(plan.unified == (row.unified.map { $0 + name } ?? ""))
        #expect(plan.legacy.sorted() == row.legacy.map { "/cg/\($0)/shale" + name }.sorted())
        guard let handedOver = row.writable else { return }
        // Nothing is written elsewhere.
        let strayed = plan.settings.map(\.path).filter { path in !handedOver.contains { path.hasPrefix($0 + "/") } }
        #expect(strayed.isEmpty)
    }

    @Test func onV2ControllersAreHandedDown() throws {
        let planner = try #require(Self.rows.first).planner
        let plan = try #require(try planner.plan(Self.resources(CgroupRow.all), containerID: Self.id))
        let own = "/cg/shale/" + String(repeating: "a1", count: 16)
        #expect(
            plan.settings.map { "\($0.path) \($0.value)" } == [
                "/cg/cgroup.subtree_control +cpu +memory +pids", "/cg/shale/cgroup.subtree_control +cpu +memory +pids",
                "\(own)/memory.max 67108864", "\(own)/memory.swap.max 67108864", "\(own)/cpu.max 150000 100000",
                "\(own)/pids.max 5",
            ])
    }

    /// A container started from another group of its user's keeps its place.
    @Test func limitsFollowTheGroup() {
        var plan = CgroupPlan()
        plan.unified = "/cg/shale/a"
        plan.settings = [
            CgroupSetting(path: "/cg/shale/cgroup.subtree_control", value: "+cpu"),
            CgroupSetting(path: "/cg/shale/a/cpu.max", value: "1 2"), CgroupSetting(path: "/v1/cpu/x", value: "3"),
        ]
        #expect(
            plan.moved(to: "/cg/user/shale/a").settings.map { "\($0.path) \($0.value)" } == [
                "/cg/user/cgroup.subtree_control +cpu", "/cg/user/shale/cgroup.subtree_control +cpu",
                "/cg/user/shale/a/cpu.max 1 2", "/v1/cpu/x 3",
            ])
        #expect(plan.moved(to: "") == plan && plan.moved(to: "/cg/shale/a") == plan)
    }

    @Test func aLimitThatCannotHoldIsAnError() {
        let row = CgroupRow(name: "", layout: .unified, writable: [], available: [])
        let error = #expect(throws: ShaleError.self) {
            try row.planner.plan(Self.resources(["cpu"]), containerID: Self.id)
        }
        #expect(error?.code == .unsupported)
    }

    /// What `doctor` says, and the command that mends it.
    @Test(
        arguments: [
            ("root on v2", true, "v2, with memory, cpu and pids", nil),
            ("root on both", true, "v2 and v1, with memory, cpu and pids", nil),
            (
                "nothing is mounted", true, "not mounted: no limits; pause stops processes one by one",
                "as root: mount -t cgroup2 none /sys/fs/cgroup"
            ),
            (
                "a user, nothing handed over", true,
                "v2, no limits of memory, cpu, pids: they need a group delegated to this user",
                "systemd-run --user --scope -p Delegate=yes shale"
            ),
            (
                "a user, nothing handed over", false,
                "v2, no limits of memory, cpu, pids: they need a group delegated to this user",
                "as root: cd /cg && echo '+memory +cpu +pids' > cgroup.subtree_control && mkdir -p ann/shell"
                    + " && chown ann ann ann/cgroup.procs ann/cgroup.subtree_control && chown -R ann ann/shell"
                    + " && echo 77 > ann/shell/cgroup.procs"
            ),
            (
                "and the manager was not given all", true,
                "v2, no limits of cpu: they need a group delegated to this user",
                "as root: mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory"
                    + " pids\\n' > /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload;"
                    + " then log in anew"
            ),
            (
                "a user on v1 with two folders", true, "v1, no limits of cpu: they need a group delegated to this user",
                "as root: install -d -o ann /cg/cpu/shale"
            ),
        ] as [(String, Bool, String, String?)])
    func told(_ name: String, hasSystemd: Bool, detail: String, advice: String?) throws {
        let row = try #require(Self.rows.first { $0.name == name })
        let finding = CgroupFinding(planner: row.planner, user: "ann", shell: 77, hasSystemd: hasSystemd).finding
        #expect(finding == HostFinding("cgroups", advice == nil ? .good : .limited, detail, advice: advice))
    }

    @Test(
        arguments: [
            ("/usr/bin/slirp4netns", 0, "/usr/bin/slirp4netns", nil),
            (
                nil, 0, "slirp4netns is not installed: no --network private, no -p",
                "as root: apt-get install slirp4netns"
            ),
            (
                "/usr/bin/slirp4netns", EACCES, "/dev/net/tun: permission denied: no --network private, no -p",
                "as root: chmod 0666 /dev/net/tun"
            ),
            (
                nil, ENOENT,
                "slirp4netns is not installed; /dev/net/tun: no such file or directory: no --network private, no -p",
                "as root: apt-get install slirp4netns && modprobe tun"
            ),
        ] as [(String?, Int32, String, String?)])
    func networks(_ program: String?, device: Int32, detail: String, advice: String?) {
        let finding = NetworkProgram.finding(program: program, device: device)
        #expect(
            finding == HostFinding("private networks", advice == nil ? .good : .limited, detail, advice: advice))
    }
}
