/// What the kernel and this process's rights allow, each with the command that mends what is lacking.
package enum HostFacts {
    /// Looks at everything that needs no other library; `home` decides which file system is meant.
    package static func findings(home: String) -> [HostFinding] { findings(HostReadings(home: home)) }

    /// The verdicts on what was read.
    package static func findings(_ host: HostReadings) -> [HostFinding] {
        [kernel(host), privileges(host), userNamespaces(host), idRanges(host), overlay(host), seccomp(host)]
    }

    private static func version(_ host: HostReadings) -> KernelVersion {
        KernelVersion(host.release) ?? KernelVersion(0, 0)
    }

    private static func kernel(_ host: HostReadings) -> HostFinding {
        let found = "Linux \(host.release)"
        if version(host) < KernelVersion(5, 8) {
            return HostFinding(
                "kernel", .missing, found, advice: "shale needs Linux 5.8 (openat2, pidfds), better 5.12")
        }
        if version(host) < KernelVersion(5, 12) {
            return HostFinding(
                "kernel", .limited, found,
                advice: "overlays for ordinary users need Linux 5.11, read-only mounts of whole trees 5.12")
        }
        return HostFinding("kernel", .good, found)
    }

    private static func privileges(_ host: HostReadings) -> HostFinding {
        if host.isInside {
            return host.mayMount
                ? HostFinding("privileges", .good, "root of a user namespace")
                : HostFinding("privileges", .missing, "in a user namespace, without CAP_SYS_ADMIN")
        }
        if host.isRoot {
            return host.mayMount
                ? HostFinding("privileges", .good, "root")
                : HostFinding(
                    "privileges", .limited, "root without CAP_SYS_ADMIN",
                    advice: "inside a container: run that one with --privileged, or allow it user namespaces")
        }
        return HostFinding("privileges", .missing, "an ordinary user, without a user namespace to be root in")
    }

    // MARK: User namespaces

    private static func userNamespaces(_ host: HostReadings) -> HostFinding {
        let subject = "user namespaces"
        guard host.hasUserNamespaces else {
            return HostFinding(
                subject, host.mayMount ? .limited : .missing, "the kernel is built without them",
                advice: "only root may use shale here; others need a kernel with CONFIG_USER_NS")
        }
        if host.isInside, host.mayMount { return HostFinding(subject, .good, "in one") }
        var reasons: [String] = []
        var commands: [String] = []
        if host.maximumNamespaces == 0 {
            reasons.append("user.max_user_namespaces is 0")
            commands.append("sysctl -w user.max_user_namespaces=15000")
        }
        if host.unprivilegedClone == 0 {
            reasons.append("only root may make them")
            commands.append("sysctl -w kernel.unprivileged_userns_clone=1")
        }
        if host.appArmorRestriction == 1 {
            reasons.append("AppArmor takes the rights in them from ordinary users' programs")
            commands.append("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0")
        }
        if !reasons.isEmpty {
            // Root does not need it.
            let verdict: HostFinding.Verdict = host.mayMount ? .limited : .missing
            return HostFinding(
                subject, verdict, reasons.joined(separator: "; "),
                advice: "as root: " + commands.joined(separator: " && "))
        }
        if host.mayMount { return HostFinding(subject, .good, "available") }
        return HostFinding(
            subject, .missing, "the kernel refuses them to this process",
            advice: "inside a container: run that one with --privileged, or with --security-opt seccomp=unconfined"
                + " and apparmor=unconfined")
    }

    // MARK: Ids

    /// Ids below root for an ordinary user's containers.
    private static func idRanges(_ host: HostReadings) -> HostFinding {
        let subject = "subordinate ids"
        if host.isRoot, host.mayMount { return HostFinding(subject, .good, "not needed by root") }
        if host.isInside, host.mappedIDs > 1 { return HostFinding(subject, .good, "\(host.mappedIDs) ids") }
        let (reasons, commands) = lackingForRanges(host)
        guard !reasons.isEmpty else {
            return host.isInside
                ? HostFinding(
                    subject, .limited, "one id only: newuidmap refuses the ranges of /etc/subuid and /etc/subgid",
                    advice: "look for lines that overlap or name ids twice: grep -n . /etc/subuid /etc/subgid")
                : HostFinding(subject, .good, "a range in /etc/subuid and /etc/subgid")
        }
        let meaning = "one id only, files and processes of other users cannot be had: "
        return HostFinding(
            subject, .limited, meaning + reasons.joined(separator: "; "), advice: commands.joined(separator: "\n"))
    }

    private static func lackingForRanges(_ host: HostReadings) -> (reasons: [String], commands: [String]) {
        var reasons: [String] = []
        var root: [String] = []
        if host.helper == .missing {
            reasons.append("newuidmap is not installed")
            root.append("apt-get install uidmap")
        }
        if host.helper == .powerless {
            reasons.append("newuidmap has lost its setuid bit")
            root.append("chmod u+s \"$(command -v newuidmap)\" \"$(command -v newgidmap)\"")
        }
        let lacking = [("subuid", host.userRanges), ("subgid", host.groupRanges)].filter { _, text in
            UserNamespace.ranges(in: text, uid: host.uid, user: host.user).isEmpty
        }.map(\.0)
        if !lacking.isEmpty {
            reasons.append(
                "no range for this user in " + lacking.map { "/etc/\($0)" }.joined(separator: " and "))
            root.append(addingRanges(lacking, host))
        }
        var commands = root.isEmpty ? [] : ["as root: " + root.joined(separator: " && ")]
        if host.gainsNoRights {
            reasons.append("newuidmap may gain no rights here (no_new_privs)")
            commands.append("start shale from a shell without no_new_privs (systemd: NoNewPrivileges=no)")
        }
        return (reasons, commands)
    }

    /// The command that gives this user 65536 ids that no one else has.
    private static func addingRanges(_ files: [String], _ host: HostReadings) -> String {
        let ends = (host.userRanges + "\n" + host.groupRanges).split(separator: "\n").compactMap { line -> UInt64? in
            let fields = line.split(separator: ":")
            guard fields.count == 3, let start = UInt64(fields[1]), let count = UInt64(fields[2]) else { return nil }
            return start &+ count
        }
        let start = max(100_000, ends.max() ?? 0)
        guard let user = host.user else {
            // usermod knows names only.
            let files = files.map { "/etc/\($0)" }.joined(separator: " ")
            return "echo \(host.uid):\(start):65536 | tee -a \(files)"
        }
        let options = files.map { "--add-\($0)s \(start)-\(start + 65535)" }
        return "usermod \(options.joined(separator: " ")) \(user)"
    }

    // MARK: Overlay

    private static let fileSystems: [(type: Int, name: String, isFitForUpper: Bool)] = [
        (0xEF53, "ext4", true), (0x5846_5342, "xfs", true), (0x9123_683E, "btrfs", true), (0x0102_1994, "tmpfs", true),
        (0x794C_7630, "overlayfs", false), (0x6969, "nfs", false), (0x2FC1_2FC1, "zfs", true),
        (0x6573_5546, "fuse", false), (0xFF53_4D42, "cifs", false), (0x0102_1997, "9p", false),
    ]

    private static func overlay(_ host: HostReadings) -> HostFinding {
        let known = fileSystems.first { $0.type == host.fileSystem }
        let name =
            known?.name ?? "a file system of type \(String(UInt32(truncatingIfNeeded: host.fileSystem), radix: 16))"
        switch host.overlay {
        case .works: return HostFinding("overlay", .good, "works, home on \(name)")
        case .notTried:
            return HostFinding("overlay", .limited, "home on \(name); not tried without the right to mount")
        case .noPlace(let errno):
            return HostFinding(
                "overlay", .missing, "home \(host.home): \(SystemCallError.words(of: errno))",
                advice: "name one that you may write to: shale --home DIR")
        case .refused(let errno):
            return HostFinding(
                "overlay", .missing, "home on \(name): \(SystemCallError.words(of: errno))",
                advice: overlayAdvice(host, isFit: known?.isFitForUpper ?? true))
        }
    }

    private static func overlayAdvice(_ host: HostReadings, isFit: Bool) -> String {
        if !host.hasOverlayDriver { return "as root: modprobe overlay" }
        if !isFit { return "name a home on ext4, xfs, btrfs or tmpfs: shale --home DIR" }
        if host.isInside, version(host) < KernelVersion(5, 11) {
            return "ordinary users need Linux 5.11 or newer for it: as root, apt-get install linux-image-amd64"
        }
        return host.isInside
            ? "this kernel has no overlays for ordinary users on such a home: another --home, or run shale as root"
            : "name a home on ext4, xfs, btrfs or tmpfs: shale --home DIR"
    }

    private static func seccomp(_ host: HostReadings) -> HostFinding {
        host.hasSeccomp
            ? HostFinding("seccomp", .good, "system call filters")
            : HostFinding("seccomp", .missing, "the kernel has no system call filters")
    }
}
