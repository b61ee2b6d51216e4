import CLinux
import Glibc

/// A set of capabilities (`capabilities(7)`), bit by number.
package struct Capabilities: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Names without `CAP_`, in the kernel's order.
    package static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
        "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE",
        "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP",
        "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF",
        "CHECKPOINT_RESTORE",
    ]

    /// All 41 that have a name.
    package static let all = Capabilities(rawValue: (1 << UInt64(names.count)) - 1)

    /// The 14 a container gets.
    package static let containerDefault = Capabilities(rawValue: 0xA804_25FB)

    package static let makeNode = Capabilities(rawValue: 1 << 27)
    package static let sysPtrace = Capabilities(rawValue: 1 << 19)
    package static let sysAdmin = Capabilities(rawValue: 1 << 21)

    /// One capability by name: `NET_ADMIN`, `cap_net_admin`; `ALL` is every one; `nil` for an unknown name.
    package init?(name: String) {
        var name = name.uppercased()
        if name.hasPrefix("CAP_") { name.removeFirst(4) }
        if name == "ALL" {
            self = .all
            return
        }
        guard let number = Capabilities.names.firstIndex(of: name) else { return nil }
        self.init(rawValue: 1 << UInt64(number))
    }

    /// The members' names with `CAP_`, in the kernel's order.
    package var names: [String] {
        Capabilities.names.enumerated().filter { rawValue >> UInt64($0.offset) & 1 == 1 }.map { "CAP_\($0.element)" }
    }

    /// What this process may use now.
    package static func effective() -> Capabilities {
        var effective: UInt64 = 0
        var permitted: UInt64 = 0
        var inheritable: UInt64 = 0
        guard shale_capget(&effective, &permitted, &inheritable) == 0 else { return [] }
        return Capabilities(rawValue: effective)
    }

    /// The capabilities the running kernel has, as the bounding set tells.
    package static func bounding() -> Capabilities {
        var mask: UInt64 = 0
        for number in 0..<UInt64(64) {
            switch shale_prctl(Int32(SHALE_PR_CAPBSET_READ), UInt(number), 0, 0, 0) {
            case 1: mask |= 1 << number
            case 0: continue
            default: return Capabilities(rawValue: mask)
            }
        }
        return Capabilities(rawValue: mask)
    }
}
