import Basics
import Glibc
import Linux
import RunnerProtocol

/// The facts about the cgroup file systems that decide where groups can be made.
struct CgroupAccess {
    /// Whether shale is an ordinary user, or root only in a user namespace.
    ///
    /// It can then write only to groups that were delegated to its user.
    var isOrdinary: Bool
    var exists: (String) -> Bool
    var isWritable: (String) -> Bool
    /// The controllers that a v2 group can enable for its children.
    var controllers: (String) -> Set<String>

    /// The facts of this host.
    static var current: CgroupAccess {
        CgroupAccess(
            isOrdinary: LaunchPlanner.isInUserNamespace || geteuid() != 0, exists: { access($0, F_OK) == 0 },
            isWritable: { access($0, W_OK) == 0 }, controllers: ControlGroups.controllers)
    }
}

/// Chooses the control groups of a container.
///
/// It is one directory in the v2 hierarchy when that can be written: this takes about 0.05 ms and provides the freezer.
/// Groups in v1 hierarchies are made only for a requested limit, or for the freezer when there is no v2.
struct CgroupPlanner {
    let groups: ControlGroups
    var host = CgroupAccess.current

    private static let ownFolder = "shale"

    private static func name(_ id: String) -> String { String(id.prefix(32)) }

    /// All directories that a container with this ID can have had.
    func folders(of id: String) -> [String] {
        let own = unifiedTop().map { ["\($0)/\(Self.ownFolder)/\(Self.name(id))"] } ?? []
        return own + Set(groups.legacy.values).sorted().map { "\($0)/\(Self.ownFolder)/\(Self.name(id))" }
    }

    /// The folder of all groups, relative to the root of a hierarchy.
    private static func folder(_ parent: String) throws(ShaleError) -> String {
        let parts = parent.split(separator: "/")
        guard !parts.isEmpty else { return ownFolder }
        guard !parts.contains("..") else {
            throw ShaleError(.usage, "invalid cgroup parent \(parent.visible)")
        }
        return parts.joined(separator: "/")
    }

    /// The v2 group of a running container.
    ///
    /// It can be in another place than a new group would be, because the container can have been started from another
    /// group of this user.
    func unifiedFolder(of id: String, pid: Int32) -> String? {
        let membership = (try? WholeFile.read("/proc/\(pid)/cgroup", limit: 64 << 10)) ?? []
        return groups.unifiedDirectory(membership: membership).flatMap { $0.hasSuffix("/\(Self.name(id))") ? $0 : nil }
    }

    /// Plans the groups of a container.
    ///
    /// `parent` is the group that contains them (`--cgroup-parent`); empty for shale's own.
    func plan(
        _ resources: ContainerResources, containerID: String, parent: String = ""
    ) throws(ShaleError) -> CgroupPlan? {
        let name = Self.name(containerID)
        let folder = try Self.folder(parent)
        var plan = CgroupPlan()
        if let top = unifiedTop() { plan.unified = "\(top)/\(folder)/\(name)" }
        if plan.unified.isEmpty, let freezer = legacyMount("freezer") {
            plan.legacy.append("\(freezer)/\(folder)/\(name)")
        }
        if !parent.isEmpty {
            // As with docker, in every hierarchy, except cpuset: it accepts no process before its processors are set.
            plan.legacy = groups.legacy.filter { $0.key != "cpuset" && host.isWritable($0.value) }
                .map { "\($0.value)/\(folder)/\(name)" }.sorted()
            guard !plan.unified.isEmpty || !plan.legacy.isEmpty else {
                throw ShaleError(
                    .unsupported, "--cgroup-parent: no control group may be made here", hint: "doctor")
            }
        }
        let wanted = limits(resources)
        guard !wanted.isEmpty else { return plan.unified.isEmpty && plan.legacy.isEmpty ? nil : plan }
        let unifiedControllers = unifiedControllers()
        var enabled: Set<String> = []
        for limit in wanted {
            if unifiedControllers.contains(limit.controller) {
                enabled.insert(limit.controller)
                for (file, value) in limit.unified {
                    plan.settings.append(CgroupSetting(path: "\(plan.unified)/\(file)", value: value))
                }
            } else if let mount = legacyMount(limit.controller) {
                let path = "\(mount)/\(folder)/\(name)"
                if !plan.legacy.contains(path) { plan.legacy.append(path) }
                if limit.controller == "cpuset" { plan.settings += cpuSetBase(mount, folder) }
                for (file, value) in limit.legacy {
                    plan.settings.append(CgroupSetting(path: "\(path)/\(file)", value: value))
                }
            } else {
                throw ShaleError(
                    .unsupported, "\(limit.option): no \(limit.controller) control group may be used here",
                    hint: "doctor")
            }
        }
        plan.settings.insert(contentsOf: enabling(enabled, plan.unified), at: 0)
        return plan
    }

    /// The controllers with which limits can be set on this host.
    var available: Set<String> {
        unifiedControllers().union(groups.legacy.keys.filter { legacyMount($0) != nil })
    }

    /// The controllers that the parent of the containers' groups can enable.
    private func unifiedControllers() -> Set<String> { unifiedTop().map(host.controllers) ?? [] }

    /// The mount point of a v1 controller, when a group can be made there: by root, or below a delegated folder.
    private func legacyMount(_ controller: String) -> String? {
        guard let mount = groups.legacy[controller] else { return nil }
        let folder = "\(mount)/\(Self.ownFolder)"
        return host.isWritable(host.exists(folder) ? folder : mount) ? mount : nil
    }

    /// The parent of new groups: for root the top of the hierarchy, otherwise the delegated group above this process's
    /// group, or that group itself.
    func unifiedTop() -> String? {
        guard let unified = groups.unified else { return nil }
        if !host.isOrdinary { return host.isWritable(unified) ? unified : nil }
        guard let own = groups.own else { return nil }
        let parent = own.lastIndex(of: "/").map { String(own[..<$0]) } ?? ""
        return [parent, own].first { $0.utf8.count >= unified.utf8.count && host.isWritable($0) }
    }

    /// The settings that enable controllers.
    ///
    /// Every group above must enable a controller for its children.
    private func enabling(_ controllers: Set<String>, _ unified: String) -> [CgroupSetting] {
        guard !controllers.isEmpty, var group = unifiedTop() else { return [] }
        let text = controllers.sorted().map { "+\($0)" }.joined(separator: " ")
        var settings: [CgroupSetting] = []
        for part in unified.dropFirst(group.utf8.count).split(separator: "/") {
            settings.append(CgroupSetting(path: group + "/cgroup.subtree_control", value: text))
            group += "/\(part)"
        }
        return settings
    }

    /// The setting for swap; empty when the kernel does not count swap.
    private func swap(_ both: Int64) -> [(file: String, value: String)] {
        let file = "memory.memsw.limit_in_bytes"
        guard let mount = groups.legacy["memory"], access("\(mount)/\(file)", F_OK) == 0 else { return [] }
        return [(file, String(max(-1, both)))]
    }

    /// The settings without which a v1 cpuset group accepts no process: processors and memory nodes, from those of its
    /// parent.
    private func cpuSetBase(_ mount: String, _ folder: String) -> [CgroupSetting] {
        ["cpuset.cpus", "cpuset.mems"].compactMap { file in
            guard let bytes = try? WholeFile.read("\(mount)/\(file)", limit: 4096) else { return nil }
            let text = String(decoding: bytes, as: UTF8.self).filter { $0 != "\n" }
            return CgroupSetting(path: "\(mount)/\(folder)/\(file)", value: text)
        }
    }

    private struct Limit {
        var option: String
        var controller: String
        var unified: [(file: String, value: String)]
        var legacy: [(file: String, value: String)]
    }

    private func limits(_ resources: ContainerResources) -> [Limit] {
        var limits: [Limit] = []
        if let memory = resources.memory {
            // As with docker, the same amount of swap again, unless the option says another.
            let (total, overflow) = memory.multipliedReportingOverflow(by: 2)
            let both = resources.memorySwap ?? (overflow ? -1 : total)
            limits.append(
                Limit(
                    option: "--memory", controller: "memory",
                    unified: [
                        ("memory.max", String(memory)),
                        ("memory.swap.max", both < 0 ? "max" : String(max(0, both - memory))),
                    ],
                    legacy: [("memory.limit_in_bytes", String(memory))] + swap(both)))
        }
        if let cpus = resources.cpus, cpus > 0, cpus < 1e6 {
            let quota = Int64(cpus * 100_000)
            limits.append(
                Limit(
                    option: "--cpus", controller: "cpu", unified: [("cpu.max", "\(quota) 100000")],
                    legacy: [("cpu.cfs_period_us", "100000"), ("cpu.cfs_quota_us", String(quota))]))
        }
        if let processes = resources.processes {
            let text = processes <= 0 ? "max" : String(processes)
            limits.append(
                Limit(
                    option: "--pids-limit", controller: "pids", unified: [("pids.max", text)],
                    legacy: [("pids.max", text)]))
        }
        return limits + processorLimits(resources)
    }

    private func processorLimits(_ resources: ContainerResources) -> [Limit] {
        var limits: [Limit] = []
        if let shares = resources.cpuShares, (2...262_144).contains(shares) {
            // Converts from the scale of v1 to that of v2, as other runtimes do.
            let weight = 1 + (shares - 2) * 9999 / 262_142
            limits.append(
                Limit(
                    option: "--cpu-shares", controller: "cpu", unified: [("cpu.weight", String(weight))],
                    legacy: [("cpu.shares", String(shares))]))
        }
        if resources.cpuSet != nil || resources.memorySet != nil {
            let sets = [("cpuset.mems", resources.memorySet), ("cpuset.cpus", resources.cpuSet)]
            limits.append(
                Limit(
                    option: resources.cpuSet == nil ? "--cpuset-mems" : "--cpuset-cpus", controller: "cpuset",
                    unified: sets.compactMap { file, value in value.map { (file: file, value: $0) } },
                    // A v1 group needs both settings. One that was not requested is copied from its parent.
                    legacy: sets.map { file, value in (file: file, value: value ?? legacySet(file)) }))
        }
        return limits
    }

    private func legacySet(_ file: String) -> String {
        let bytes = groups.legacy["cpuset"].flatMap { try? WholeFile.read("\($0)/\(file)", limit: 4096) }
        return String(decoding: bytes ?? [], as: UTF8.self).filter { $0 != "\n" }
    }
}
