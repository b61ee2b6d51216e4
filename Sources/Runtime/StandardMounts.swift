import Basics
import Glibc
import Linux
import OCI
import RunnerProtocol

/// Docker's default mounts, device nodes, and masked and read-only paths.
extension LaunchPlanner {
    static let maskedPaths = [
        "/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
        "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ]
    static let readOnlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    private static let guarded: MountFlags = [.noSuid, .noExec, .noDev]

    /// The mounts in the order in which they are made: file systems, the container's own files, and those of the user.
    static func mounts(_ spec: LaunchSpec) throws(ShaleError) -> [MountPlan] {
        let systemFlags = spec.host.privileged ? guarded : guarded.union(.readOnly)
        var mounts = [
            fileSystem("proc", "/proc", guarded),
            MountPlan(
                .devices, source: "tmpfs", destination: "/dev",
                flags: MountFlags([.noSuid, .strictAccessTime]).rawValue, data: "mode=755,size=65536k"),
            fileSystem("devpts", "/dev/pts", [.noSuid, .noExec], "newinstance,ptmxmode=0666,mode=0620,gid=5"),
            fileSystem("sysfs", "/sys", systemFlags),
            MountPlan(
                .cgroup, source: "cgroup", destination: "/sys/fs/cgroup", flags: systemFlags.rawValue,
                readOnly: !spec.host.privileged, required: false),
            fileSystem("mqueue", "/dev/mqueue", guarded),
            fileSystem("tmpfs", "/dev/shm", guarded, "mode=1777,size=\(spec.host.shmSize ?? 64 << 20)", label: "shm"),
        ]
        mounts += outerFirst(try userMounts(spec) + networkFiles(spec))
        return mounts
    }

    private static func fileSystem(
        _ type: String, _ destination: String, _ flags: MountFlags, _ data: String = "", label: String = ""
    ) -> MountPlan {
        var plan = MountPlan(.fileSystem, source: type, destination: destination, flags: flags.rawValue, data: data)
        plan.label = label
        return plan
    }

    /// Whether the user mounts something at a path.
    private static func hides(_ spec: LaunchSpec, _ destination: String) -> Bool {
        spec.mounts.contains { $0.destination == destination }
    }

    /// The mounts of hosts, hostname and resolver files.
    ///
    /// They are also made on a user's mount at `/etc`; there a file without a mount point is left out.
    private static func networkFiles(_ spec: LaunchSpec) -> [MountPlan] {
        let own = spec.mounts.map(\.destination) + spec.temporaryMounts.map(\.destination)
        return NetworkFiles.destinations.filter { !hides(spec, $0.destination) }.map { name, destination in
            MountPlan(
                .bind, source: "\(NetworkFiles.folder(spec))/\(name)", destination: destination,
                readOnly: spec.host.readOnlyRoot, required: !own.contains { destination.hasPrefix($0 + "/") })
        }
    }

    /// Sorts outer mount points first, so that no mount covers another.
    private static func outerFirst(_ mounts: [MountPlan]) -> [MountPlan] {
        func depth(_ mount: MountPlan) -> Int { mount.destination.pathParts.count }
        return mounts.enumerated().sorted {
            (depth($0.element), $0.offset) < (depth($1.element), $1.offset)
        }.map(\.element)
    }

    private static func userMounts(_ spec: LaunchSpec) throws(ShaleError) -> [MountPlan] {
        var mounts: [MountPlan] = []
        for mount in spec.mounts {
            let destination = try checked(mount.destination, isBind: true)
            mounts.append(
                MountPlan(.bind, source: mount.source, destination: destination, readOnly: mount.readOnly))
        }
        for mount in spec.temporaryMounts { mounts.append(try temporary(mount)) }
        return mounts
    }

    /// Checks that a mount point is an absolute path, not the root, and not in `/proc`, whose files must not be
    /// replaced.
    ///
    /// Links of the image are checked by the runner.
    private static func checked(_ destination: String, isBind: Bool = false) throws(ShaleError) -> String {
        guard destination.hasPrefix("/") else {
            throw ShaleError(
                .invalid, "invalid mount config: invalid mount path: '\(destination)' mount path must be absolute")
        }
        var parts: [Substring] = []
        for part in destination.pathParts where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        guard !parts.isEmpty else {
            throw ShaleError(.invalid, "invalid specification: destination can't be '/'")
        }
        let isReplaceable = isBind && ProcessFiles.replaceable.contains(parts.dropFirst().joined(separator: "/"))
        guard parts[0] != "proc" || isReplaceable else {
            throw ShaleError(.invalid, "\"\(destination)\" cannot be mounted because it is inside /proc")
        }
        return "/" + parts.joined(separator: "/")
    }

    /// The mount flags of a tmpfs by name, and whether the name sets or clears them.
    private static let temporaryFlags: [Substring: (MountFlags, Bool)] = [
        "ro": (.readOnly, true), "rw": (.readOnly, false), "noexec": (.noExec, true), "exec": (.noExec, false),
        "nosuid": (.noSuid, true), "suid": (.noSuid, false), "nodev": (.noDev, true), "dev": (.noDev, false),
        "sync": (.synchronous, true), "async": (.synchronous, false), "noatime": (.noAccessTime, true),
        "atime": (.noAccessTime, false), "nodiratime": (.noDirectoryAccessTime, true),
        "diratime": (.noDirectoryAccessTime, false), "relatime": (.relativeAccessTime, true),
        "norelatime": (.relativeAccessTime, false), "strictatime": (.strictAccessTime, true),
        "nostrictatime": (.strictAccessTime, false),
    ]

    private static func temporary(_ mount: TemporaryMount) throws(ShaleError) -> MountPlan {
        let destination = try checked(mount.destination)
        var flags = guarded
        var data: [Substring] = []
        for option in mount.options.split(separator: ",") {
            if let (flag, isSet) = temporaryFlags[option] {
                // When options contradict each other, the last one is used.
                if isSet { flags.insert(flag) } else { flags.remove(flag) }
                continue
            }
            switch option {
            case "defaults": continue
            case _
            where ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"].contains(option.prefix { $0 != "=" }):
                data.append(option)
            default: throw ShaleError(.invalid, "invalid tmpfs option \"\(option)\"")
            }
        }
        return MountPlan(
            .fileSystem, source: "tmpfs", destination: destination, flags: flags.rawValue,
            data: data.joined(separator: ","))
    }

    // MARK: Devices

    private static let standardDevices: [(name: String, major: UInt32, minor: UInt32)] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ]

    static func devices(_ spec: LaunchSpec) throws(ShaleError) -> [DevicePlan] {
        var devices = standardDevices.map { device in
            DevicePlan(
                path: "/dev/\(device.name)", hostPath: "/dev/\(device.name)", major: device.major, minor: device.minor)
        }
        if spec.host.privileged { devices += hostDevices(below: "/dev", except: Set(devices.map(\.path))) }
        for text in spec.host.devices {
            let found = asked(text)
            guard !found.isEmpty else {
                throw ShaleError(
                    .engine, "error gathering device information while adding custom device \"\(text)\"",
                    cause: "no such device")
            }
            devices += found
        }
        return devices
    }

    /// The devices of an option `HOST[:CONTAINER][:rwm]`: one node, or all nodes in a folder.
    private static func asked(_ text: String) -> [DevicePlan] {
        let parts = text.split(separator: ":").map(String.init)
        guard let source = parts.first, let status = try? FileStatus.of(hostPath: source, followingLink: true) else {
            return []
        }
        let inside = parts.count > 1 && parts[1].hasPrefix("/") ? parts[1] : source
        var access: UInt32 = 7
        if let mode = parts.dropFirst().last, !mode.hasPrefix("/") {
            access = (mode.contains("m") ? 1 : 0) | (mode.contains("r") ? 2 : 0) | (mode.contains("w") ? 4 : 0)
        }
        var found: [DevicePlan] = []
        if status.kind == .directory {
            found = hostDevices(below: source, except: []).map { device in
                var device = device
                device.path = inside + (String(device.path.utf8.dropFirst(source.utf8.count)) ?? "")
                return device
            }
        } else if let device = device(source, inside, status) {
            found = [device]
        }
        return found.map { device in
            var device = device
            device.access = access
            return device
        }
    }

    private static func device(_ source: String, _ path: String, _ status: FileStatus) -> DevicePlan? {
        guard status.kind == .characterDevice || status.kind == .blockDevice else { return nil }
        return DevicePlan(
            path: path, hostPath: source, isBlock: status.kind == .blockDevice, major: status.rdevMajor,
            minor: status.rdevMinor, mode: status.permissions & 0o777)
    }

    /// All nodes of the host's `/dev`, for `--privileged`.
    private static func hostDevices(below folder: String, except known: Set<String>) -> [DevicePlan] {
        guard let directory = try? OwnedFD.open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
            let names = try? DirectoryEntries.names(of: directory)
        else { return [] }
        return names.flatMap { name -> [DevicePlan] in
            let path = "\(folder)/\(name)"
            guard !known.contains(path), let status = try? FileStatus.of(hostPath: path) else { return [] }
            if status.kind == .directory {
                return folder == "/dev" && ["pts", "shm", "mqueue", "fd", ".lxc", ".udev"].contains(name)
                    ? [] : hostDevices(below: path, except: known)
            }
            // A container has its own console.
            return path == "/dev/console" ? [] : device(path, path, status).map { [$0] } ?? []
        }
    }
}
