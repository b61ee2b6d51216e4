import CSeccomp
import Glibc
package import Linux

/// Checks what containers can do on this host.
package enum ContainerDoctor {
    /// The findings about the host and about the programs that containers need.
    ///
    /// Nothing is changed.
    package static func findings(home: String, runnerPath: String) -> [HostFinding] {
        let host = HostReadings(home: home)
        let groups = CgroupFinding(
            planner: CgroupPlanner(groups: .current), user: host.user ?? String(host.uid), shell: getppid(),
            hasSystemd: access("/run/systemd/system", F_OK) == 0)
        return HostFacts.findings(host) + [groups.finding, library(), runner(runnerPath), NetworkProgram.finding]
    }

    private static func library() -> HostFinding {
        if let problem = shale_seccomp_load_library() {
            return HostFinding(
                "libseccomp", .limited, String(cString: problem),
                advice: "as root: apt-get install libseccomp2; without it only --security-opt seccomp=unconfined runs")
        }
        return HostFinding("libseccomp", .good, "loads")
    }

    private static func runner(_ path: String) -> HostFinding {
        access(path, X_OK) == 0
            ? HostFinding("shale-runner", .good, path)
            : HostFinding(
                "shale-runner", .missing, "\(path): \(SystemCallError.words(of: errno))",
                advice: "copy shale-runner beside shale, or name it with SHALE_RUNNER")
    }
}

/// The finding about limits: those that this user's containers can have, and how to get the others.
struct CgroupFinding {
    let planner: CgroupPlanner
    let user: String
    /// The process ID of the shell that runs `doctor`.
    let shell: Int32
    let hasSystemd: Bool

    var finding: HostFinding {
        let groups = planner.groups
        let kinds = (groups.unified == nil ? [] : ["v2"]) + (groups.legacy.isEmpty ? [] : ["v1"])
        guard !kinds.isEmpty else {
            return HostFinding(
                "cgroups", .limited, "not mounted: no limits; pause stops processes one by one",
                advice: "as root: mount -t cgroup2 none /sys/fs/cgroup")
        }
        let detail = kinds.joined(separator: " and ")
        let missing = ["memory", "cpu", "pids"].filter { !planner.available.contains($0) }
        if missing.isEmpty {
            return HostFinding("cgroups", .good, "\(detail), with memory, cpu and pids")
        }
        let lacking = missing.joined(separator: ", ")
        guard planner.host.isOrdinary else {
            return HostFinding("cgroups", .limited, "\(detail), no limits of \(lacking)", advice: adviceForRoot)
        }
        return HostFinding(
            "cgroups", .limited, "\(detail), no limits of \(lacking): they need a group delegated to this user",
            advice: advice(missing))
    }

    private var adviceForRoot: String {
        let mounts = [planner.groups.unified].compactMap { $0 } + planner.groups.legacy.values.sorted()
        return mounts.contains(where: planner.host.isWritable)
            ? "the kernel has not switched these on: look for cgroup_disable= in /proc/cmdline"
            : "they are mounted read-only; inside a container: run that one with --privileged"
    }

    private func advice(_ missing: [String]) -> String {
        let legacy = missing.compactMap { planner.groups.legacy[$0] }
        if !legacy.isEmpty {
            return "as root: install -d -o \(user) " + legacy.map { "\($0)/shale" }.joined(separator: " ")
        }
        if hasSystemd {
            guard planner.unifiedTop() != nil else { return "systemd-run --user --scope -p Delegate=yes shale" }
            return "as root: mkdir -p /etc/systemd/system/user@.service.d"
                + " && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n'"
                + " > /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload; then log in anew"
        }
        let top = planner.groups.unified ?? "/sys/fs/cgroup"
        return "as root: cd \(top) && echo '+memory +cpu +pids' > cgroup.subtree_control && mkdir -p \(user)/shell"
            + " && chown \(user) \(user) \(user)/cgroup.procs \(user)/cgroup.subtree_control"
            + " && chown -R \(user) \(user)/shell && echo \(shell) > \(user)/shell/cgroup.procs"
    }
}
