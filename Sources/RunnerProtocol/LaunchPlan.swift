/// Everything `shale-runner` needs to start one container: finished, flat, with nothing left to look up but users.
///
/// The runner executes it step by step and answers with the step, the path and the errno when one fails.
package struct LaunchPlan: Sendable, Equatable {
    /// Raised with every change of the encoding; shell and runner must agree.
    package static let version: UInt16 = 9

    package var containerID = ""
    package var hostname = ""
    /// Its NIS domain's name; empty for the host's.
    package var domainname = ""
    /// Where the runner writes `state.json`, by rename.
    package var statePath = ""
    /// Docker's json-file log, appended to; empty for none.
    package var logPath = ""
    /// Bytes after which the log is renamed to `log.1` and a new one begins (rotation); 0 for never.
    package var logLimit: UInt64 = 0
    /// How many files there are then, the one that is written to among them.
    package var logFiles: UInt32 = 1
    /// Where the start and the end of the container are told (`events`), appended to; empty for nowhere.
    package var eventsPath = ""
    /// What is told with them: a JSON object of texts.
    package var eventAttributes = ""
    /// What is told of each volume that it has: a JSON object of texts, its `name` among them.
    package var eventVolumes: [String] = []
    /// The folder of `control.sock`, `runner.lock` and `stubs.json`.
    package var folder = ""
    package var root = RootPlan()
    package var process = ProcessPlan()
    package var mounts: [MountPlan] = []
    package var maskedPaths: [String] = []
    package var readOnlyPaths: [String] = []
    package var devices: [DevicePlan] = []
    /// Whether its processes may open those, and the standard ones, and no others.
    package var restrictsDevices = false
    /// Keys as paths below `/proc/sys`; failures in a user namespace are ignored.
    package var sysctls: [SysctlPlan] = []
    /// A network namespace of its own with nothing but a loopback interface.
    package var ownNetwork = false
    /// A network from that namespace to outside, and the host's ports that lead into it; `nil` for none.
    package var network: NetworkPlan?
    /// Another container's network instead of one of its own; with `ownNetwork`.
    package var sharedNetwork: SharedNetwork?
    package var health: HealthPlan?
    /// `nil` for a program that is not started again.
    package var restart: RestartPlan?
    /// Keeps the host's UTS namespace and so its name.
    package var hostUTS = false
    package var cgroup: CgroupPlan?
    /// Whether the runner leaves its parent at once.
    package var detached = false
    /// Whether the connection that brought the plan is attached to the container's streams.
    package var attached = false
    package var openStdin = false
    /// Closes the container's stdin when the first attached client ends its own (`run -i`).
    package var stdinOnce = false
    /// Runs a small process 1 that reaps and forwards signals (`--init`).
    package var reaper = false
    /// Whether it is killed when whoever started it goes away.
    package var endsWithLauncher = false
    /// A file of the container's, made by its process 1 (`reaper`), for what was typed and not read; empty for none.
    package var typedAhead = ""
    /// What the runner becomes after the container's end (`shale rm ID`), unless the shell that started it in the
    /// foreground is there to see the end; empty for nothing.
    package var afterExit: [String] = []
    /// The folder where holders of the user namespace note their pids; empty as real root.
    package var holderFolder = ""
    /// Whether the runner tells how long each step took, before it says that the program has started.
    package var timesSteps = false

    package init() {}
}

/// The container's root: an overlay of layers, or a directory as it is.
package struct RootPlan: Sendable, Equatable {
    /// Read-only layers, top first; empty for a plain directory.
    package var lowers: [String] = []
    /// The writable layer, or the plain directory.
    package var upper = ""
    package var work = ""
    /// Overlay attributes under `user.overlay.`, as in a user namespace.
    package var userXattr = false
    /// Spares the sync of the upper's file system at unmount; for containers that are deleted.
    package var volatile = false
    package var readOnly = false

    package init() {}
}

/// What a process in the container is: its words, ids, limits and rights.
package struct ProcessPlan: Sendable, Equatable {
    package var arguments: [String] = []
    package var environment: [String] = []
    package var workingDirectory = "/"
    /// `name|uid[:group|gid]`, looked up in the container's own files.
    package var user = ""
    package var additionalGroups: [String] = []
    /// The bounding set as a mask; also effective and permitted for uid 0.
    package var capabilities: UInt64 = 0
    package var noNewPrivileges = false
    package var limits: [LimitPlan] = []
    /// Written below `/proc/self` before the program starts: what the kernel keeps of each process.
    package var kernelFiles: [KernelFilePlan] = []
    /// The filter as the kernel takes it; empty for none.
    package var seccomp: [UInt8] = []
    package var terminal = false
    package var rows: UInt16 = 0
    package var columns: UInt16 = 0
    package var openStdin = false
    /// A folder of the host's with programs that a process joining a container is to see; empty for none.
    package var toolbox = ""
    /// Where this process and its children see it, and nobody else.
    package var toolboxPlace = ""

    package init() {}
}

/// A value for one of the kernel's files of a process: `name` below `/proc/self`.
package struct KernelFilePlan: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

package struct MountPlan: Sendable, Equatable {
    package enum Kind: UInt8, Sendable {
        /// A host path.
        case bind
        /// A file system type in `source`, with `data`.
        case fileSystem
        /// The container's `/dev`: a tmpfs with its nodes and links.
        case devices
        /// The cgroup hierarchy, as seen from the container's own.
        case cgroup
    }
    package var kind: Kind
    /// A host path, or a file system's type.
    package var source: String
    /// What the mount table calls a file system; its type when empty.
    package var label = ""
    package var destination: String
    /// `MS_*` bits.
    package var flags: UInt64
    package var data: String
    package var readOnly: Bool
    /// Whether failing is the container's failure.
    package var required: Bool

    package init(
        _ kind: Kind, source: String, destination: String, flags: UInt64 = 0, data: String = "",
        readOnly: Bool = false, required: Bool = true
    ) {
        self.kind = kind
        self.source = source
        self.destination = destination
        self.flags = flags
        self.data = data
        self.readOnly = readOnly
        self.required = required
    }
}

/// A node made in the container's `/dev` (or bound from the host's where nodes may not be made).
package struct DevicePlan: Sendable, Equatable {
    package var path: String
    /// The host's path for the bind.
    package var hostPath: String
    package var isBlock: Bool
    package var major: UInt32
    package var minor: UInt32
    /// Permission bits.
    package var mode: UInt32
    /// What its processes may do with it: 1 make, 2 read, 4 write.
    package var access: UInt32

    package init(
        path: String, hostPath: String, isBlock: Bool = false, major: UInt32, minor: UInt32, mode: UInt32 = 0o666,
        access: UInt32 = 7
    ) {
        self.access = access
        self.path = path
        self.hostPath = hostPath
        self.isBlock = isBlock
        self.major = major
        self.minor = minor
        self.mode = mode
    }
}

package struct SysctlPlan: Sendable, Equatable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

package struct LimitPlan: Sendable, Equatable {
    /// `RLIMIT_*`.
    package var resource: Int32
    package var soft: UInt64
    package var hard: UInt64

    package init(resource: Int32, soft: UInt64, hard: UInt64) {
        self.resource = resource
        self.soft = soft
        self.hard = hard
    }
}

/// The directories that become the container's control groups, and what is written into them.
package struct CgroupPlan: Sendable, Equatable {
    /// A directory to make in the unified (v2) hierarchy; empty where there is none to write in.
    package var unified = ""
    /// Directories to make in v1 hierarchies.
    package var legacy: [String] = []
    /// File and text, written after the directories are made and before the process starts.
    package var settings: [CgroupSetting] = []

    package init() {}

    /// The same for a v2 group that lies elsewhere: the container was started from another group of its user's.
    package func moved(to group: String) -> CgroupPlan {
        guard !group.isEmpty, !unified.isEmpty, group != unified else { return self }
        var moved = self
        moved.unified = group
        moved.settings = settings.flatMap { setting in
            if setting.path.hasPrefix(unified + "/") {
                return [CgroupSetting(path: group + setting.path.dropFirst(unified.count), value: setting.value)]
            }
            guard setting.path.hasSuffix("/cgroup.subtree_control") else { return [setting] }
            let parent = group.split(separator: "/").dropLast()
            return [parent.dropLast(), parent].map {
                CgroupSetting(path: "/\($0.joined(separator: "/"))/cgroup.subtree_control", value: setting.value)
            }
        }
        return moved
    }

    /// These groups and settings with those of another in place of the same files'.
    package func merging(_ other: CgroupPlan) -> CgroupPlan {
        var merged = self
        if merged.unified.isEmpty { merged.unified = other.unified }
        merged.legacy += other.legacy.filter { !legacy.contains($0) }
        // What is enabled for a group stays so.
        let replaced = Set(other.settings.map(\.path).filter { !$0.hasSuffix("cgroup.subtree_control") })
        merged.settings = settings.filter { !replaced.contains($0.path) } + other.settings
        return merged
    }
}

package struct CgroupSetting: Sendable, Equatable {
    package var path: String
    package var value: String

    package init(path: String, value: String) {
        self.path = path
        self.value = value
    }
}
