import Glibc
import Linux
import RunnerProtocol

/// The container's control groups: made before its first process, removed after its last.
final class ContainerCgroup {
    private var plan: CgroupPlan
    /// The v2 directory, for `clone3` to start processes in; -1 without one.
    private(set) var descriptor: Int32
    private var made: [String] = []
    /// Whether the group lets its processes open no devices but those it was given.
    private(set) var filtersDevices = false

    /// Makes the directories, and writes the limits and the devices that may be opened; `nil` for all of them.
    ///
    /// Without limits a refusal is ignored: the container then shares the runner's group.
    init(_ plan: CgroupPlan?, devices: [DeviceRule]?) throws(StepFailure) {
        var effective = plan ?? CgroupPlan()
        var made: [String] = []
        for path in [effective.unified] + effective.legacy where !path.isEmpty {
            do throws(SystemCallError) {
                try Self.makeDirectory(path)
                made.append(path)
            } catch {
                if !effective.settings.isEmpty {
                    for path in made { rmdir(path) }
                    throw StepFailure("cgroup", error, path: path)
                }
            }
        }
        effective.legacy = effective.legacy.filter(made.contains)
        if !made.contains(effective.unified) { effective.unified = "" }
        self.plan = effective
        self.made = made
        descriptor =
            effective.unified.isEmpty
            ? -1 : (try? OwnedFD.open(effective.unified, O_RDONLY | O_DIRECTORY))?.release() ?? -1
        if let devices, descriptor >= 0 {
            filtersDevices = (try? DeviceFilter.attach(devices, to: descriptor)) != nil
        }
        do throws(StepFailure) {
            try Self.write(effective.settings)
        } catch {
            remove()
            throw error
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    var hasLimits: Bool { !plan.settings.isEmpty }

    /// Continues without the v2 group.
    func continueWithoutUnified() {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        filtersDevices = false
        rmdir(plan.unified)
        made.removeAll { $0 == plan.unified }
        plan.unified = ""
    }

    /// What a child must write its pid into by itself.
    var legacyFiles: [String] { plan.legacy.map { $0 + "/cgroup.procs" } }
    var effectivePlan: CgroupPlan { plan }

    private static func write(_ setting: CgroupSetting) throws(SystemCallError) {
        let bytes = Array(setting.value.utf8)
        do throws(SystemCallError) {
            try OwnedFD.open(setting.path, O_WRONLY).write(bytes)
        } catch {
            // A group hands controllers on only while no process is in it: those that are go into one of its own.
            guard error.errno == EBUSY, setting.path.hasSuffix("/cgroup.subtree_control"),
                let slash = setting.path.lastIndex(of: "/"), empty(String(setting.path[..<slash]))
            else { throw error }
            try OwnedFD.open(setting.path, O_WRONLY).write(bytes)
        }
    }

    /// Moves a group's processes down into `shale-host`; whether all went.
    private static func empty(_ group: String) -> Bool {
        let below = group + "/shale-host"
        guard mkdir(below, 0o755) == 0 || errno == EEXIST else { return false }
        for _ in 0..<10 {
            let text = (try? WholeFile.read(group + "/cgroup.procs", limit: 1 << 20)) ?? []
            let processes = String(decoding: text, as: UTF8.self).split(separator: "\n")
            if processes.isEmpty { return true }
            for process in processes {
                try? OwnedFD.open(below + "/cgroup.procs", O_WRONLY).write(Array(process.utf8))
            }
        }
        return false
    }

    private static func makeDirectory(_ path: String) throws(SystemCallError) {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        if errno == ENOENT, let slash = path.lastIndex(of: "/") {
            try makeDirectory(String(path[..<slash]))
            if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        }
        throw SystemCallError("mkdir", path: path)
    }

    /// Writes settings; one that another stands in the way of (memory above its sum with swap) after the others.
    private static func write(_ settings: [CgroupSetting]) throws(StepFailure) {
        var pending = settings
        while !pending.isEmpty {
            var refused: [(setting: CgroupSetting, error: SystemCallError)] = []
            for setting in pending {
                do throws(SystemCallError) {
                    try write(setting)
                } catch {
                    refused.append((setting, error))
                }
            }
            if let first = refused.first, refused.count == pending.count {
                throw StepFailure("cgroup", first.error, path: first.setting.path)
            }
            pending = refused.map(\.setting)
        }
    }

    /// Sets other limits while the processes of `leader`'s container run; they go into groups they are not in yet.
    func change(_ wanted: CgroupPlan, leader: Int32) throws(StepFailure) {
        let limits = wanted.moved(to: plan.unified)
        let added = limits.legacy.filter { !plan.legacy.contains($0) }
        for path in added {
            try step("cgroup", path) { () throws(SystemCallError) in try Self.makeDirectory(path) }
            made.append(path)
        }
        try Self.write(limits.settings)
        for path in added {
            try step("cgroup", path) { () throws(SystemCallError) in
                try ProcessTree.forEach(of: leader) { pid throws(SystemCallError) in
                    do throws(SystemCallError) {
                        try OwnedFD.open(path + "/cgroup.procs", O_WRONLY).write(Array(String(pid).utf8))
                    } catch {
                        // It has ended meanwhile.
                        if error.errno != ESRCH { throw error }
                    }
                }
            }
        }
        plan = plan.merging(limits)
    }

    /// Removes the directories; the kernel may take a moment to see that they are empty.
    func remove() {
        for path in made {
            var tries = 0
            while rmdir(path) != 0, errno == EBUSY, tries < 50 {
                usleep(2000)
                tries += 1
            }
        }
        made = []
    }

    /// Whether the kernel killed something here because memory ran out.
    var hadOutOfMemory: Bool {
        for file in plan.legacy.map({ $0 + "/memory.oom_control" }) + [plan.unified + "/memory.events"] {
            guard let text = try? WholeFile.read(file, limit: 4096) else { continue }
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix("oom_kill ") {
                return line != "oom_kill 0"
            }
        }
        return false
    }

    // MARK: Freezing

    /// Freezes or thaws all processes of the group; false where there is no such group.
    func setFrozen(_ frozen: Bool) -> Bool {
        if !plan.unified.isEmpty, write(frozen ? "1" : "0", plan.unified + "/cgroup.freeze") {
            return waitFor(frozen ? "frozen 1" : "frozen 0", in: plan.unified + "/cgroup.events")
        }
        for path in plan.legacy {
            let file = path + "/freezer.state"
            guard write(frozen ? "FROZEN" : "THAWED", file) else { continue }
            return waitFor(frozen ? "FROZEN" : "THAWED", in: file)
        }
        return false
    }

    private func write(_ text: String, _ path: String) -> Bool {
        guard let file = try? OwnedFD.open(path, O_WRONLY) else { return false }
        return (try? file.write(Array(text.utf8))) != nil
    }

    private func waitFor(_ line: String, in path: String) -> Bool {
        for _ in 0..<1000 {
            guard let text = try? WholeFile.read(path, limit: 4096) else { return false }
            if String(decoding: text, as: UTF8.self).split(separator: "\n").contains(line[...]) { return true }
            usleep(1000)
        }
        return false
    }
}

/// All processes of a pid namespace.
enum ProcessTree {
    /// Sends a signal to each: stopping them where there is no freezer.
    static func signalAll(of leader: Int32, _ number: Int32) {
        try? forEach(of: leader) { pid throws(SystemCallError) in _ = kill(pid, number) }
    }

    /// Does something with every process in the pid namespace of `leader` until none is new.
    static func forEach(
        of leader: Int32, _ body: (Int32) throws(SystemCallError) -> Void
    ) throws(SystemCallError) {
        guard let namespace = Self.namespace(of: leader) else { return }
        var seen: Set<Int32> = []
        for _ in 0..<20 {
            var grew = false
            for name in (try? DirectoryEntries.names(of: OwnedFD.open("/proc", O_RDONLY | O_DIRECTORY))) ?? [] {
                guard let pid = Int32(name), !seen.contains(pid), Self.namespace(of: pid) == namespace else { continue }
                seen.insert(pid)
                grew = true
                try body(pid)
            }
            if !grew { return }
        }
    }

    private static func namespace(of pid: Int32) -> UInt64? {
        try? FileStatus.of(hostPath: "/proc/\(pid)/ns/pid", followingLink: true).inode
    }
}
