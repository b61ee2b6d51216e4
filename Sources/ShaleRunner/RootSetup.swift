import Basics
import Glibc
import Linux
import RunnerProtocol

/// Builds the container's file tree in the new mount namespace, and moves into it.
struct RootSetup {
    let plan: LaunchPlan
    private var points: MountPoints
    private let rootMount: OwnedFDBox
    private let guardsDevices: Bool
    /// The multiplexer of the container's own devpts, when it gets a terminal.
    private(set) var terminal: TerminalEnds?
    /// Why nothing may be mounted at the place that the path leads to.
    private var refusal: String?

    /// Mounts the root; the host's tree is still the process's.
    init(_ plan: LaunchPlan, guardsDevices: Bool) throws(StepFailure) {
        self.plan = plan
        self.guardsDevices = guardsDevices
        try step("mount", "/") { () throws(SystemCallError) in
            try Mounts.mount(target: "/", flags: [.private, .recursive])
        }
        let mount = try Self.mountRoot(plan.root)
        if guardsDevices {
            try step("mount", "/") { () throws(SystemCallError) in try Mounts.setNoDevices(mount, recursive: false) }
        }
        let place = try step("open", plan.root.upper) { () throws(SystemCallError) in
            try OwnedFD.open(plan.root.upper, OpenFlags.path | O_DIRECTORY)
        }
        // Any directory can be the mount point: only this process sees it.
        try step("mount", plan.root.upper) { () throws(SystemCallError) in try Mounts.attach(mount, on: place) }
        let duplicate = try step("dup", "/") { () throws(SystemCallError) in try mount.duplicate() }
        points = MountPoints(root: RootDirectory(duplicate))
        rootMount = OwnedFDBox(mount)
    }

    private static func mountRoot(_ root: RootPlan) throws(StepFailure) -> OwnedFD {
        guard !root.lowers.isEmpty else {
            return try step("mount", root.upper) { () throws(SystemCallError) in
                try Mounts.clone(root.upper, recursive: true)
            }
        }
        // A volatile mount that did not end well leaves a mark that forbids the next one.
        let mark = root.work + "/work/incompat/volatile"
        if rmdir(mark + "/dirty") == 0 || errno == ENOTDIR { _ = unlink(mark + "/dirty") }
        rmdir(mark)
        return try step("mount", "overlay") { () throws(SystemCallError) in
            try Overlay.detached(
                OverlayParts(
                    lowers: root.lowers, upper: root.upper, work: root.work, userXattr: root.userXattr,
                    volatile: root.volatile))
        }
    }

    /// Mounts everything below the root, makes it this process's root, and unmounts the host's.
    mutating func enter() throws(StepFailure) {
        for mount in plan.mounts { try self.mount(mount) }
        for sysctl in plan.sysctls { setSysctl(sysctl) }
        for path in plan.readOnlyPaths { try makeReadOnly(path) }
        for path in plan.maskedPaths { try mask(path) }
        if plan.root.readOnly {
            try step("mount", "/") { () throws(SystemCallError) in
                try Mounts.setReadOnly(rootMount.fd, recursive: false)
            }
        }
        StubList.add(points.stubs, in: plan.folder)
        try step("pivot_root", "/") { () throws(SystemCallError) in try Namespaces.pivotRoot(to: rootMount.fd) }
    }

    private mutating func mount(_ mount: MountPlan) throws(StepFailure) {
        let begin = StepClock.isRunning ? SteadyTime.now() : nil
        defer { if let begin { StepClock.add("mount", mount.destination, begin: begin) } }
        do throws(SystemCallError) {
            switch mount.kind {
            case .bind: try bind(mount)
            case .fileSystem: try fileSystem(mount)
            case .devices: try devices(mount)
            case .cgroup: try cgroup(mount)
            }
        } catch {
            if let refusal { throw StepFailure(step: "mount", path: mount.destination, errno: EPERM, words: refusal) }
            guard mount.required else { return }
            var failure = StepFailure("mount", error, path: mount.destination)
            if mount.kind == .bind, error.errno == ENOTDIR {
                failure.words =
                    "error mounting \"\(mount.source)\" to rootfs at \"\(mount.destination)\": not a directory: Are you "
                    + "trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and "
                    + "is the expected type"
            }
            throw failure
        }
    }

    // For the parts of this type that stand in other files.
    mutating func mountDevices(_ mount: MountPlan) throws(SystemCallError) {
        let place = try points.placeWithoutLink(mount.destination)
        try Mounts.mount(type: "tmpfs", on: place, flags: MountFlags(rawValue: mount.flags), data: mount.data)
    }
    func openRoot(_ path: String, _ flags: Int32) throws(SystemCallError) -> OwnedFD {
        try points.root.open(path, flags)
    }
    func parentOf(_ path: String) throws(SystemCallError) -> ParentDirectory { try points.root.parent(of: path) }
    func makeDirectories(_ path: String) throws(SystemCallError) { try points.root.makeDirectories(path) }

    /// Refuses a place in the container's `/proc`, and its root, by whatever links the path led there.
    ///
    /// As in runc's `checkProcMount`: what is mounted there could hide what programs trust (CVE-2019-16884). The place
    /// itself is looked at, not its path: another container may change a shared volume's links at any moment.
    private mutating func refuseProtected(_ place: borrowing OwnedFD, _ mount: MountPlan) throws(SystemCallError) {
        let (status, root) = (try FileStatus.of(place), try FileStatus.of(rootMount.fd))
        if status.identity == root.identity {
            refusal = "invalid specification: destination can't be '/': \(mount.destination) leads there"
        } else if let proc = try? FileStatus.of(points.root.open("proc", OpenFlags.link)), proc.device != root.device,
            status.device == proc.device, !(mount.kind == .bind && isReplaceable(status))
        {
            refusal = "\"\(mount.destination)\" cannot be mounted because it is inside /proc"
        } else {
            return
        }
        throw SystemCallError("mount", path: mount.destination, errno: EPERM)
    }

    private func isReplaceable(_ status: FileStatus) -> Bool {
        ProcessFiles.replaceable.contains { name in
            guard let file = try? FileStatus.of(points.root.open("proc/\(name)", OpenFlags.link)) else { return false }
            return file.identity == status.identity
        }
    }

    private mutating func bind(_ mount: MountPlan) throws(SystemCallError) {
        let tree = try Mounts.clone(mount.source, recursive: true)
        let isDirectory = try FileStatus.of(tree).kind == .directory
        let place = try points.place(mount.destination, directory: isDirectory)
        try refuseProtected(place, mount)
        guard try (FileStatus.of(place).kind == .directory) == isDirectory else {
            throw SystemCallError("mount", path: mount.destination, errno: ENOTDIR)
        }
        if mount.readOnly { try Mounts.setReadOnly(tree, recursive: true) }
        if guardsDevices { try Mounts.setNoDevices(tree, recursive: true) }
        try Mounts.attach(tree, on: place)
    }

    private mutating func fileSystem(_ mount: MountPlan) throws(SystemCallError) {
        let flags = MountFlags(rawValue: mount.flags)
        let place =
            isUsersTemporary(mount)
            ? try points.place(mount.destination, directory: true) : try points.placeWithoutLink(mount.destination)
        try refuseProtected(place, mount)
        do throws(SystemCallError) {
            let label = mount.label.isEmpty ? nil : mount.label
            try Mounts.mount(type: mount.source, named: label, on: place, flags: flags, data: mount.data)
        } catch {
            switch (mount.source, error.errno) {
            case ("sysfs", EPERM), ("sysfs", EBUSY):
                // In a user namespace with the host's network: the host's own, read-only.
                let tree = try Mounts.clone("/sys", recursive: true)
                try Mounts.setReadOnly(tree, recursive: true)
                try Mounts.attach(tree, on: place)
            case ("devpts", EINVAL):
                // The tty group may have no id in this user namespace.
                let data = mount.data.split(separator: ",").filter { !$0.hasPrefix("gid=") }.joined(separator: ",")
                try Mounts.mount(type: mount.source, on: place, flags: flags, data: data)
            default: throw error
            }
        }
        if mount.source == "devpts", plan.process.terminal {
            let master = try points.root.open(mount.destination + "/ptmx", O_RDWR | O_NOCTTY)
            terminal = TerminalEnds(try PseudoTerminal(master: master))
            try bindConsole()
        }
    }

    /// Whether it is a `--tmpfs`, whose place may be a link (`/var/run`), as docker has it; a system's own may not.
    private func isUsersTemporary(_ mount: MountPlan) -> Bool {
        mount.source == "tmpfs" && mount.destination != "/dev" && !mount.destination.hasPrefix("/dev/")
    }

    private mutating func bindConsole() throws(SystemCallError) {
        guard let terminal else { return }
        let device = try points.root.open("dev", O_RDONLY | O_DIRECTORY)
        let file = openat(device.raw, "console", O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0o600)
        if file >= 0 { close(file) }
        let place = try points.root.open("dev/console", OpenFlags.link)
        let tree = try Mounts.clone("/proc/self/fd/\(terminal.slave)", recursive: false)
        try Mounts.attach(tree, on: place)
    }

    private mutating func cgroup(_ mount: MountPlan) throws(SystemCallError) {
        let place = try points.placeWithoutLink(mount.destination)
        let flags = MountFlags(rawValue: mount.flags)
        if let groups = plan.cgroup?.legacy, !groups.isEmpty {
            try legacyGroups(groups, on: place, mount)
            return
        }
        do throws(SystemCallError) {
            // Not by mount(2), which refuses it over the host's own, if that came here with the host's /sys.
            try Mounts.attach(Mounts.detached(type: "cgroup2", flags: flags), on: place)
        } catch {
            guard mount.readOnly else { throw error }
            let tree = try Mounts.clone("/sys/fs/cgroup", recursive: true)
            try Mounts.setReadOnly(tree, recursive: true)
            try Mounts.attach(tree, on: place)
        }
    }

    /// The container's own v1 groups, each where its hierarchy is mounted on the host: programs read their limits
    /// there.
    private func legacyGroups(
        _ groups: [String], on place: borrowing OwnedFD, _ mount: MountPlan
    ) throws(SystemCallError) {
        try Mounts.mount(type: "tmpfs", on: place, flags: [.noSuid, .noExec, .noDev], data: "mode=755,size=64k")
        let folder = try points.root.open(mount.destination, O_RDONLY | O_DIRECTORY)
        for group in groups {
            // …/HIERARCHY/shale/ID
            guard let name = group.split(separator: "/").dropLast(2).last.map(String.init) else { continue }
            let raw = folder.raw
            try check("mkdir", path: name) { name.withPath { mkdirat(raw, $0, 0o755) } }
            let tree = try Mounts.clone(group, recursive: false)
            if mount.readOnly { try Mounts.setReadOnly(tree, recursive: false) }
            try Mounts.attach(tree, on: points.root.open("\(mount.destination)/\(name)", OpenFlags.path | O_DIRECTORY))
        }
        if mount.readOnly { try Mounts.setReadOnly(folder, recursive: false) }
    }

    private mutating func makeReadOnly(_ path: String) throws(StepFailure) {
        do throws(SystemCallError) {
            let place = try points.root.open(path, OpenFlags.link)
            let tree = try Mounts.clone(of: place, recursive: true)
            try Mounts.setReadOnly(tree, recursive: true)
            try Mounts.attach(tree, on: place)
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return }
            throw StepFailure("read-only path", error, path: path)
        }
    }

    /// Hides a file behind the null device, a directory behind an empty file system.
    private mutating func mask(_ path: String) throws(StepFailure) {
        do throws(SystemCallError) {
            let place = try points.root.open(path, OpenFlags.link)
            if try FileStatus.of(place).kind == .directory {
                try Mounts.mount(type: "tmpfs", on: place, flags: .readOnly, data: "nr_blocks=1,nr_inodes=2")
            } else {
                let null = try points.root.open("dev/null", OpenFlags.link)
                let status = try FileStatus.of(null)
                guard status.kind == .characterDevice, status.rdevMajor == 1, status.rdevMinor == 3 else {
                    throw SystemCallError("mask", path: path, errno: ENODEV)
                }
                try Mounts.attach(Mounts.clone(of: null, recursive: false), on: place)
            }
        } catch {
            if error.errno == ENOENT || error.errno == ENOTDIR { return }
            throw StepFailure("mask", error, path: path)
        }
    }

    /// A failure is ignored: which keys exist, and which values a user namespace may set, depends on the kernel.
    private func setSysctl(_ sysctl: SysctlPlan) {
        guard !sysctl.key.contains(".."),
            let file = try? points.root.open("proc/sys/" + sysctl.key, O_WRONLY | O_NOFOLLOW)
        else { return }
        try? file.write(Array(sysctl.value.utf8))
    }
}

/// A descriptor inside a copyable value.
final class OwnedFDBox {
    let fd: OwnedFD
    init(_ fd: consuming OwnedFD) { self.fd = fd }
}

/// A terminal's descriptors in a child: bare numbers, for they must last until the program has them.
struct TerminalEnds {
    let master: Int32
    let slave: Int32

    init(_ terminal: consuming PseudoTerminal) {
        let ends = terminal.release()
        master = ends.master
        slave = ends.slave
    }
}
