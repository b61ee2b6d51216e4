import Basics
import Glibc
import Linux
import RunnerProtocol

extension RootSetup {
    private static let links: [(name: String, target: String)] = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"), ("core", "/proc/kcore"),
    ]

    /// Mounts `/dev` and fills it with the plan's nodes and the links that programs expect.
    mutating func devices(_ mount: MountPlan) throws(SystemCallError) {
        try mountDevices(mount)
        let directory = try openRoot(mount.destination, O_RDONLY | O_DIRECTORY)
        let raw = directory.raw
        // As docker's: `core` only where the kernel shows its memory.
        for (name, target) in Self.links where name != "core" || access(target, F_OK) == 0 {
            try check("symlink", path: name) { symlinkat(target, raw, name) }
        }
        // Where the next file systems are mounted.
        for name in ["pts", "shm", "mqueue"] { mkdirat(raw, name, 0o755) }
        for device in plan.devices {
            guard device.path.hasPrefix("/dev/") else {
                try makeElsewhere(device, device.path)
                continue
            }
            let name = String(device.path.dropFirst(5))
            if name.contains("/") {
                try makeElsewhere(device, mount.destination + "/" + name)
            } else {
                try make(device, name, in: directory)
            }
        }
    }

    private func makeElsewhere(_ device: DevicePlan, _ path: String) throws(SystemCallError) {
        try makeDirectories(path.pathParts.dropLast().joined(separator: "/"))
        let parent = try parentOf(path)
        try make(device, parent.name, in: parent.directory)
    }

    /// A node; where none may be made (user namespaces), the host's own is bound on an empty file.
    private func make(
        _ device: DevicePlan, _ name: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) {
        let kind: UInt32 = device.isBlock ? 0o060000 : 0o020000
        if FileNodes.make(name, in: directory, mode: kind | device.mode, major: device.major, minor: device.minor) {
            return
        }
        guard errno == EPERM else {
            if errno == EEXIST { return }
            throw SystemCallError("mknod", path: device.path)
        }
        let raw = directory.raw
        let file = name.withPath { openat(raw, $0, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0o600) }
        guard file >= 0 else { throw SystemCallError("create", path: device.path) }
        close(file)
        let place = name.withPath { openat(raw, $0, OpenFlags.link | O_CLOEXEC) }
        guard place >= 0 else { throw SystemCallError("open", path: device.path) }
        try Mounts.attach(Mounts.clone(device.hostPath, recursive: false), on: OwnedFD(adopting: place))
    }
}

extension LaunchPlan {
    /// The devices that the container's processes may open; `nil` for all.
    var deviceRules: [DeviceRule]? {
        guard restrictsDevices else { return nil }
        return DeviceRule.standard
            + devices.filter { $0.access != 0 }.map {
                DeviceRule(
                    isBlock: $0.isBlock, major: $0.major, minor: $0.minor,
                    access: DeviceRule.Access(rawValue: $0.access))
            }
    }
}
