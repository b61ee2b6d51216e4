import CLinux
import Glibc

/// What `doctor` reads of this host; its verdicts are worked out from these values alone.
package struct HostReadings: Sendable, Hashable {
    /// newuidmap or newgidmap.
    package enum Helper: Sendable, Hashable {
        case missing
        /// Installed, with neither the setuid bit nor file capabilities.
        case powerless
        case ready
    }
    /// How the trial of an overlay ended.
    package enum Trial: Sendable, Hashable {
        case works
        case refused(errno: Int32)
        /// The home could not take the trial's folders.
        case noPlace(errno: Int32)
        /// Not without the right to mount.
        case notTried
    }

    package var release = "6.1.0"
    /// Root of the first user namespace.
    package var isRoot = false
    /// In another user namespace than the first.
    package var isInside = false
    /// `CAP_SYS_ADMIN` is there.
    package var mayMount = false
    /// No program can gain rights: `no_new_privs` is set.
    package var gainsNoRights = false
    /// Who started shale, outside of a user namespace of its own.
    package var uid: UInt32 = 0
    /// That user's name, if there is one.
    package var user: String?
    package var hasUserNamespaces = true
    /// Settings of the kernel; `nil` where there is none such.
    package var maximumNamespaces: Int?
    package var unprivilegedClone: Int?
    package var appArmorRestriction: Int?
    /// How many ids there are in this namespace.
    package var mappedIDs: UInt64 = 1
    /// The texts of `/etc/subuid` and `/etc/subgid`.
    package var userRanges = ""
    package var groupRanges = ""
    package var helper = Helper.ready
    package var home = "/home"
    package var fileSystem = 0
    package var overlay = Trial.notTried
    package var hasOverlayDriver = true
    package var hasSeccomp = true

    package init() {}

    /// As this host is now; an overlay is tried below `home` and leaves nothing.
    package init(home: String) {
        release = KernelVersion.release
        isInside = UserNamespace.isInside
        isRoot = geteuid() == 0 && !isInside
        mayMount = Capabilities.effective().contains(.sysAdmin)
        gainsNoRights = Self.text("/proc/self/status").split(separator: "\n").contains("NoNewPrivs:\t1")
        let map = Self.text("/proc/self/uid_map").split(separator: "\n").map { $0.split(separator: " ") }
        mappedIDs = map.reduce(0) { $0 &+ ($1.last.flatMap { UInt64($0) } ?? 0) }
        // In a namespace of shale's own its root stands for whoever started it.
        let outside = map.first { $0.count == 3 && $0[0] == "0" }.flatMap { UInt32($0[1]) }
        uid = isInside ? outside ?? geteuid() : geteuid()
        user = getpwuid(uid).flatMap { $0.pointee.pw_name.map { String(cString: $0) } }
        hasUserNamespaces = access("/proc/self/ns/user", F_OK) == 0
        maximumNamespaces = Self.number("/proc/sys/user/max_user_namespaces")
        unprivilegedClone = Self.number("/proc/sys/kernel/unprivileged_userns_clone")
        appArmorRestriction = Self.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
        userRanges = Self.text("/etc/subuid")
        groupRanges = Self.text("/etc/subgid")
        helper = Self.helpers()
        self.home = home
        fileSystem = home.withPath { shale_statfs_type($0) }
        overlay = mayMount ? Self.tryOverlay(home) : .notTried
        hasOverlayDriver = Self.text("/proc/filesystems").split(separator: "\n").contains("nodev\toverlay")
        hasSeccomp = shale_seccomp_available() == 1
    }

    private static func text(_ path: String) -> String {
        (try? WholeFile.read(path, limit: 1 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private static func number(_ path: String) -> Int? { Int(text(path).prefix { $0 != "\n" }) }

    /// The worse of the two.
    private static func helpers() -> Helper {
        let states = ["newuidmap", "newgidmap"].map(helper)
        return [.missing, .powerless].first { states.contains($0) } ?? .ready
    }

    private static func helper(_ name: String) -> Helper {
        guard let found = HostProgram.find(name, searchPath: HostProgram.searchPath),
            let status = try? FileStatus.of(hostPath: found, followingLink: true)
        else { return .missing }
        if status.permissions & 0o4000 != 0 { return .ready }
        // Rights given outside of a user namespace are there, and not shown in it.
        let rights = found.withPath { shale_lgetxattr($0, "security.capability", nil, 0) }
        return rights > 0 || errno != ENODATA ? .ready : .powerless
    }

    /// An overlay of two directories of the home, mounted nowhere.
    private static func tryOverlay(_ home: String) -> Trial {
        var template = Array("\(home)/overlay-trial-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { return .noPlace(errno: errno) }
        let folder = String(cString: made)
        let parts = ["lower", "upper", "work"].map { "\(folder)/\($0)" }
        defer {
            chmod(folder + "/work/work", 0o700)
            for path in [folder + "/work/work/incompat", folder + "/work/work"] + parts + [folder] { rmdir(path) }
        }
        for part in parts { mkdir(part, 0o700) }
        do throws(SystemCallError) {
            _ = try Overlay.detached(
                OverlayParts(
                    lowers: [parts[0]], upper: parts[1], work: parts[2], userXattr: UserNamespace.isInside))
            return .works
        } catch {
            return .refused(errno: error.errno)
        }
    }
}
