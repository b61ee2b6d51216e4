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
        for (name, target) in Self.links {
            try check("symlink", path: name) { symlinkat(target, raw, name) }
        }
        for device in plan.devices {
            guard device.path.hasPrefix("/dev/") else {
                try make(device, as: device.path)
                continue
            }
            try make(device, as: mount.destination + device.path.dropFirst(4))
        }
    }

    /// A node; where none may be made (user namespaces), the host's own is bound on an empty file.
    private mutating func make(_ device: DevicePlan, as path: String) throws(SystemCallError) {
        let folder = path.split(separator: "/").dropLast().joined(separator: "/")
        try makeDirectories(folder)
        let parent = try parentOf(path)
        let kind: UInt32 = device.isBlock ? 0o060000 : 0o020000
        if FileNodes.make(
            parent.name, in: parent.directory, mode: kind | device.mode, major: device.major, minor: device.minor)
        {
            return
        }
        guard errno == EPERM else {
            if errno == EEXIST { return }
            throw SystemCallError("mknod", path: path)
        }
        let raw = parent.directory.raw
        let file = parent.name.withPath { openat(raw, $0, O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0o600) }
        guard file >= 0 else { throw SystemCallError("create", path: path) }
        close(file)
        let place = try openRoot(path, OpenFlags.link)
        try Mounts.attach(Mounts.clone(device.hostPath, recursive: false), on: place)
    }
}
