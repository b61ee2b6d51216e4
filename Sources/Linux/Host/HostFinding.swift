import CLinux
import Glibc

/// One thing about this host that decides what shale can do, as `doctor` lists it.
package struct HostFinding: Sendable, Hashable {
    package enum Verdict: String, Sendable, Hashable {
        case good
        /// Works, with less than there could be.
        case limited
        case missing
    }
    /// What was looked at: `kernel`, `overlay`, ….
    package var subject: String
    package var verdict: Verdict
    /// What was found.
    package var detail: String
    /// What would make it better; `nil` when nothing need be done.
    package var advice: String?

    package init(_ subject: String, _ verdict: Verdict, _ detail: String, advice: String? = nil) {
        self.subject = subject
        self.verdict = verdict
        self.detail = detail
        self.advice = advice
    }
}

/// What the kernel and this process's rights allow; nothing is changed by looking.
package enum HostFacts {
    /// Looks at everything that needs no other library; `home` decides which file system is meant.
    package static func findings(home: String) -> [HostFinding] {
        [kernel(), privileges(), userNamespaces(), idRanges(), overlay(home), seccomp(), cgroups()]
    }

    static func kernel(_ version: KernelVersion = .current, release: String = KernelVersion.release) -> HostFinding {
        if version < KernelVersion(5, 8) {
            return HostFinding(
                "kernel", .missing, "Linux \(release)", advice: "shale needs Linux 5.8 (openat2, pidfds), better 5.12")
        }
        if version < KernelVersion(5, 12) {
            return HostFinding(
                "kernel", .limited, "Linux \(release)",
                advice: "overlays for ordinary users need Linux 5.11, read-only mounts of whole trees 5.12")
        }
        return HostFinding("kernel", .good, "Linux \(release)")
    }

    private static func privileges() -> HostFinding {
        let hasAdmin = Capabilities.effective().contains(.sysAdmin)
        if UserNamespace.isInside {
            return hasAdmin
                ? HostFinding("privileges", .good, "root of a user namespace")
                : HostFinding("privileges", .missing, "in a user namespace, without CAP_SYS_ADMIN")
        }
        if geteuid() == 0 {
            return hasAdmin
                ? HostFinding("privileges", .good, "root")
                : HostFinding(
                    "privileges", .limited, "root without CAP_SYS_ADMIN",
                    advice: "inside a container: run that one with --privileged, or allow it user namespaces")
        }
        return HostFinding("privileges", .limited, "an ordinary user: works in a user namespace")
    }

    private static func number(in path: String) -> Int? {
        (try? WholeFile.read(path, limit: 64)).flatMap { bytes in
            Int(String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self))
        }
    }

    private static func userNamespaces() -> HostFinding {
        if number(in: "/proc/sys/user/max_user_namespaces") == 0 {
            return HostFinding(
                "user namespaces", .missing, "user.max_user_namespaces is 0",
                advice: "sysctl user.max_user_namespaces=15000")
        }
        if number(in: "/proc/sys/kernel/unprivileged_userns_clone") == 0 {
            return HostFinding(
                "user namespaces", .limited, "only root may make them",
                advice: "sysctl kernel.unprivileged_userns_clone=1")
        }
        if number(in: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 {
            return HostFinding(
                "user namespaces", .limited, "AppArmor takes their rights from ordinary users' programs",
                advice: "an AppArmor profile for shale, or sysctl kernel.apparmor_restrict_unprivileged_userns=0")
        }
        guard access("/proc/self/ns/user", F_OK) == 0 else {
            return HostFinding("user namespaces", .missing, "the kernel is built without them")
        }
        return HostFinding("user namespaces", .good, "available")
    }

    /// Ids below root for an ordinary user's containers.
    private static func idRanges() -> HostFinding {
        let subject = "subordinate ids"
        if geteuid() == 0, !UserNamespace.isInside { return HostFinding(subject, .good, "not needed by root") }
        if UserNamespace.isInside {
            let map = (try? WholeFile.read("/proc/self/uid_map", limit: 64 << 10)) ?? []
            let lines = String(decoding: map, as: UTF8.self).split(separator: "\n")
            let count = lines.reduce(UInt64(0)) { sum, line in
                sum &+ (line.split(separator: " ").last.flatMap { UInt64($0) } ?? 0)
            }
            return count > 1
                ? HostFinding(subject, .good, "\(count) ids")
                : HostFinding(
                    subject, .limited, "one id only: files and processes of other users cannot be had",
                    advice: "install uidmap and add a range: usermod --add-subuids 100000-165535"
                        + " --add-subgids 100000-165535 USER")
        }
        let uids = UserNamespace.idMap(own: geteuid(), file: "/etc/subuid") != nil
        let gids = UserNamespace.idMap(own: getegid(), file: "/etc/subgid") != nil
        guard uids, gids else {
            return HostFinding(
                subject, .limited, "none for this user in /etc/subuid and /etc/subgid",
                advice: "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER")
        }
        let hasHelpers = ["newuidmap", "newgidmap"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }
        return hasHelpers
            ? HostFinding(subject, .good, "a range in /etc/subuid and /etc/subgid")
            : HostFinding(subject, .limited, "newuidmap is not installed", advice: "install the package uidmap")
    }

    // MARK: Overlay

    private static let fileSystems: [(type: Int, name: String, isFitForUpper: Bool)] = [
        (0xEF53, "ext4", true), (0x5846_5342, "xfs", true), (0x9123_683E, "btrfs", true), (0x0102_1994, "tmpfs", true),
        (0x794C_7630, "overlayfs", false), (0x6969, "nfs", false), (0x2FC1_2FC1, "zfs", true),
        (0x6573_5546, "fuse", false), (0xFF53_4D42, "cifs", false), (0x0102_1997, "9p", false),
    ]

    /// Tries it: an overlay of two directories of the home, mounted nowhere.
    private static func overlay(_ home: String) -> HostFinding {
        let type = home.withPath { shale_statfs_type($0) }
        let found = fileSystems.first { $0.type == type }
        let name = found?.name ?? "a file system of type \(String(UInt32(truncatingIfNeeded: type), radix: 16))"
        guard Capabilities.effective().contains(.sysAdmin) else {
            return HostFinding("overlay", .limited, "home on \(name); tried once in a user namespace")
        }
        var template = Array("\(home)/overlay-trial-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            return HostFinding("overlay", .missing, "home \(home): \(SystemCallError.words(of: errno))")
        }
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
            return HostFinding("overlay", .good, "works, home on \(name)")
        } catch {
            let advice =
                found?.isFitForUpper == false
                ? "use a --home on ext4, xfs, btrfs or tmpfs" : "modprobe overlay; Linux 5.11 for ordinary users"
            return HostFinding("overlay", .missing, "home on \(name): \(error.reason)", advice: advice)
        }
    }

    private static func seccomp() -> HostFinding {
        shale_seccomp_available() == 1
            ? HostFinding("seccomp", .good, "system call filters")
            : HostFinding("seccomp", .missing, "the kernel has no system call filters")
    }

    /// What an ordinary user has of the control groups.
    private static func delegation(_ groups: ControlGroups, _ detail: String) -> HostFinding {
        let wanted = ["memory", "cpu", "pids"]
        let own = groups.legacy.filter { access("\($0.value)/shale", W_OK) == 0 }
        let missing = wanted.filter { own[$0] == nil }
        if missing.isEmpty { return HostFinding("cgroups", .good, "\(detail), with memory, cpu and pids handed over") }
        let legacy = missing.compactMap { groups.legacy[$0] }
        let advice =
            legacy.isEmpty
            ? "with systemd: systemd-run --user --scope -p Delegate=yes shale"
            : "as root: install -d -o USER " + legacy.map { "\($0)/shale" }.joined(separator: " ")
        return HostFinding(
            "cgroups", .limited, "\(detail): limits need a group delegated to this user", advice: advice)
    }

    private static func cgroups() -> HostFinding {
        let groups = ControlGroups.current
        var parts: [String] = []
        if groups.unified != nil { parts.append("v2") }
        if !groups.legacy.isEmpty { parts.append("v1") }
        guard !parts.isEmpty else {
            return HostFinding(
                "cgroups", .limited, "not mounted: no limits; pause stops processes one by one")
        }
        let controllers = groups.unifiedControllers.union(groups.legacy.keys)
        let missing = ["memory", "cpu", "pids"].filter { !controllers.contains($0) }
        let detail = parts.joined(separator: " and ")
        guard !UserNamespace.isInside, geteuid() == 0 else { return delegation(groups, detail) }
        return missing.isEmpty
            ? HostFinding("cgroups", .good, "\(detail), with memory, cpu and pids")
            : HostFinding("cgroups", .limited, "\(detail), without \(missing.joined(separator: ", "))")
    }
}
