import Glibc
import Testing

@testable import Linux

/// A host, and what `doctor` says of one of its sides.
struct HostRow: Sendable, CustomTestStringConvertible {
    var name: String
    var subject: String
    var verdict: HostFinding.Verdict
    var detail: String
    /// The whole advice.
    var advice: String?
    var change: @Sendable (inout HostReadings) -> Void
    var testDescription: String { name }

    init(
        _ name: String, _ subject: String, _ verdict: HostFinding.Verdict, _ detail: String, _ advice: String? = nil,
        _ change: @escaping @Sendable (inout HostReadings) -> Void
    ) {
        self.name = name
        self.subject = subject
        self.verdict = verdict
        self.detail = detail
        self.advice = advice
        self.change = change
    }
}

@Suite("what a host lacks") struct HostFactsTests {
    /// An ordinary user on a host with all there is, in a user namespace of shale's.
    private static var ordinary: HostReadings {
        var host = HostReadings()
        host.isInside = true
        host.mayMount = true
        host.uid = 1000
        host.user = "ann"
        host.userRanges = "bob:100000:65536\nann:165536:65536\n"
        host.groupRanges = host.userRanges
        host.mappedIDs = 65537
        host.fileSystem = 0xEF53
        host.overlay = .works
        return host
    }

    @Test func nothingIsLacking() {
        for finding in HostFacts.findings(Self.ordinary) {
            #expect(finding.verdict == .good && finding.advice == nil, "\(finding)")
        }
        var root = Self.ordinary
        (root.isInside, root.isRoot, root.uid, root.user) = (false, true, 0, "root")
        (root.userRanges, root.helper) = ("", .missing)
        for finding in HostFacts.findings(root) {
            #expect(finding.verdict == .good && finding.advice == nil, "\(finding)")
        }
    }

    private static let oneID = "one id only, files and processes of other users cannot be had: "

    private static let rows = [
        HostRow(
            "an old kernel", "kernel", .missing, "Linux 4.19.0", "shale needs Linux 5.8 (openat2, pidfds), better 5.12"
        ) {
            $0.release = "4.19.0"
        },
        HostRow(
            "user namespaces used up", "user namespaces", .missing, "user.max_user_namespaces is 0",
            "as root: sysctl -w user.max_user_namespaces=15000"
        ) {
            outside(&$0)
            $0.maximumNamespaces = 0
        },
        HostRow(
            "user namespaces for root alone", "user namespaces", .missing, "only root may make them",
            "as root: sysctl -w kernel.unprivileged_userns_clone=1"
        ) {
            outside(&$0)
            $0.unprivilegedClone = 0
        },
        HostRow(
            "AppArmor in the way", "user namespaces", .missing,
            "AppArmor takes the rights in them from ordinary users' programs",
            "as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        ) {
            $0.mayMount = false
            $0.appArmorRestriction = 1
        },
        HostRow(
            "two switches at once", "user namespaces", .missing,
            "user.max_user_namespaces is 0; only root may make them",
            "as root: sysctl -w user.max_user_namespaces=15000 && sysctl -w kernel.unprivileged_userns_clone=1"
        ) {
            outside(&$0)
            $0.maximumNamespaces = 0
            $0.unprivilegedClone = 0
        },
        HostRow("AppArmor lets shale alone", "user namespaces", .good, "in one") { $0.appArmorRestriction = 1 },
        HostRow(
            "root does without them", "user namespaces", .limited, "user.max_user_namespaces is 0",
            "as root: sysctl -w user.max_user_namespaces=15000"
        ) {
            ($0.isInside, $0.isRoot, $0.maximumNamespaces) = (false, true, 0)
        },
        HostRow(
            "a kernel without", "user namespaces", .missing, "the kernel is built without them",
            "only root may use shale here; others need a kernel with CONFIG_USER_NS"
        ) {
            outside(&$0)
            $0.hasUserNamespaces = false
        },
        HostRow(
            "refused for no reason that is seen", "user namespaces", .missing,
            "the kernel refuses them to this process",
            "inside a container: run that one with --privileged, or with --security-opt seccomp=unconfined"
                + " and apparmor=unconfined"
        ) { outside(&$0) },
        HostRow(
            "without a namespace", "privileges", .missing, "an ordinary user, without a user namespace to be root in"
        ) {
            outside(&$0)
        },
        HostRow(
            "root of a container", "privileges", .limited, "root without CAP_SYS_ADMIN",
            "inside a container: run that one with --privileged, or allow it user namespaces"
        ) {
            outside(&$0)
            $0.isRoot = true
        },
        HostRow(
            "no ranges", "subordinate ids", .limited,
            oneID + "no range for this user in /etc/subuid and /etc/subgid",
            "as root: usermod --add-subuids 165536-231071 --add-subgids 165536-231071 ann"
        ) {
            $0.mappedIDs = 1
            $0.userRanges = "bob:100000:65536\n"
            $0.groupRanges = ""
        },
        HostRow(
            "no range of groups, and no name", "subordinate ids", .limited,
            oneID + "no range for this user in /etc/subgid", "as root: echo 1000:100000:65536 | tee -a /etc/subgid"
        ) {
            $0.mappedIDs = 1
            $0.user = nil
            $0.userRanges = "1000:4000:1000\n"
            $0.groupRanges = "1000:x:1000\n"
        },
        HostRow(
            "nothing at all", "subordinate ids", .limited,
            oneID + "newuidmap is not installed; no range for this user in /etc/subuid and /etc/subgid",
            "as root: apt-get install uidmap && usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ann"
        ) {
            $0.mappedIDs = 1
            ($0.userRanges, $0.groupRanges, $0.helper) = ("", "", .missing)
        },
        HostRow(
            "a helper that lost its right", "subordinate ids", .limited, oneID + "newuidmap has lost its setuid bit",
            "as root: chmod u+s \"$(command -v newuidmap)\" \"$(command -v newgidmap)\""
        ) {
            $0.mappedIDs = 1
            $0.helper = .powerless
        },
        HostRow(
            "no new rights", "subordinate ids", .limited,
            oneID + "newuidmap may gain no rights here (no_new_privs)",
            "start shale from a shell without no_new_privs (systemd: NoNewPrivileges=no)"
        ) {
            $0.mappedIDs = 1
            $0.gainsNoRights = true
        },
        HostRow(
            "ranges that are refused", "subordinate ids", .limited,
            "one id only: newuidmap refuses the ranges of /etc/subuid and /etc/subgid",
            "look for lines that overlap or name ids twice: grep -n . /etc/subuid /etc/subgid"
        ) { $0.mappedIDs = 1 },
        HostRow(
            "ranges, and no namespace to use them in", "subordinate ids", .good,
            "a range in /etc/subuid and /etc/subgid"
        ) { outside(&$0) },
        HostRow(
            "no overlay in the kernel", "overlay", .missing, "home on ext4: no such device",
            "as root: modprobe overlay"
        ) {
            $0.overlay = .refused(errno: ENODEV)
            $0.hasOverlayDriver = false
        },
        HostRow(
            "no overlay for ordinary users", "overlay", .missing, "home on ext4: operation not permitted",
            "ordinary users need Linux 5.11 or newer for it: as root, apt-get install linux-image-amd64"
        ) {
            $0.overlay = .refused(errno: EPERM)
            $0.release = "5.10.0-30-amd64"
        },
        HostRow(
            "a home on nfs", "overlay", .missing, "home on nfs: invalid argument",
            "name a home on ext4, xfs, btrfs or tmpfs: shale --home DIR"
        ) {
            $0.overlay = .refused(errno: EINVAL)
            $0.fileSystem = 0x6969
        },
        HostRow(
            "a home of someone else's", "overlay", .missing, "home /home: permission denied",
            "name one that you may write to: shale --home DIR"
        ) { $0.overlay = .noPlace(errno: EACCES) },
        HostRow("no system call filters", "seccomp", .missing, "the kernel has no system call filters") {
            $0.hasSeccomp = false
        },
    ]

    /// The same user, who could make no namespace.
    private static func outside(_ host: inout HostReadings) {
        (host.isInside, host.mayMount, host.mappedIDs, host.overlay) = (false, false, 1 << 32 - 1, .notTried)
    }

    @Test(arguments: rows) func verdicts(_ row: HostRow) throws {
        var host = Self.ordinary
        row.change(&host)
        let finding = try #require(HostFacts.findings(host).first { $0.subject == row.subject })
        #expect(finding == HostFinding(row.subject, row.verdict, row.detail, advice: row.advice))
    }
}
