import CLinux
import Glibc

/// Kinds of namespaces (`namespaces(7)`), by their clone flags.
package struct NamespaceKinds: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let mount = NamespaceKinds(rawValue: UInt64(SHALE_CLONE_NEWNS))
    package static let cgroup = NamespaceKinds(rawValue: UInt64(SHALE_CLONE_NEWCGROUP))
    package static let uts = NamespaceKinds(rawValue: UInt64(SHALE_CLONE_NEWUTS))
    package static let ipc = NamespaceKinds(rawValue: UInt64(SHALE_CLONE_NEWIPC))
    package static let user = NamespaceKinds(rawValue: UInt64(SHALE_CLONE_NEWUSER))
    package static let pid = NamespaceKinds(rawValue: UInt64(SHALE_CLONE_NEWPID))
    package static let network = NamespaceKinds(rawValue: UInt64(SHALE_CLONE_NEWNET))

    /// Each kind with its name below `/proc/PID/ns`, the user namespace first: it gives the right to join the others.
    static let files: [(kind: NamespaceKinds, name: String)] = [
        (.user, "user"), (.mount, "mnt"), (.cgroup, "cgroup"), (.uts, "uts"), (.ipc, "ipc"), (.network, "net"),
        (.pid, "pid"),
    ]
}

/// Entering namespaces, for single-threaded programs.
package enum Namespaces {
    /// Forks into new namespaces and, if given, a v2 cgroup's directory; 0 in the child.
    ///
    /// Throws the error of `clone(2)`.
    package static func fork(
        into kinds: NamespaceKinds = [], cgroup: Int32 = -1, asSibling: Bool = false
    ) throws(SystemCallError) -> Int32 {
        let flags = kinds.rawValue | (asSibling ? UInt64(SHALE_CLONE_PARENT) : 0)
        return try check("clone") { shale_clone(flags, cgroup) }
    }

    /// Moves this process into new namespaces.
    ///
    /// Throws the error of `unshare(2)`.
    package static func unshare(_ kinds: NamespaceKinds) throws(SystemCallError) {
        try check("unshare") { shale_unshare(Int32(truncatingIfNeeded: kinds.rawValue)) }
    }

    /// Joins the namespaces of a process: all at once by its pidfd, else one by one.
    ///
    /// Throws the error of `pidfd_open(2)`, `setns(2)` or of opening a namespace's file.
    package static func join(_ kinds: NamespaceKinds, of pid: Int32) throws(SystemCallError) {
        let process = OwnedFD(adopting: try check("pidfd_open") { shale_pidfd_open(pid) })
        if shale_setns(process.raw, Int32(truncatingIfNeeded: kinds.rawValue)) == 0 { return }
        guard errno == EINVAL else { throw SystemCallError("setns") }
        // Before Linux 5.8; all files are opened first, for the mount namespace takes the others out of sight.
        var open: [(fd: Int32, kind: NamespaceKinds)] = []
        defer { for (fd, _) in open { close(fd) } }
        for (kind, name) in NamespaceKinds.files where kinds.contains(kind) {
            open.append((try OwnedFD.open("/proc/\(pid)/ns/\(name)", O_RDONLY).release(), kind))
        }
        for (fd, kind) in open {
            try check("setns") { shale_setns(fd, Int32(truncatingIfNeeded: kind.rawValue)) }
        }
    }

    /// Joins a namespace by a descriptor of its file.
    ///
    /// Throws the error of `setns(2)`.
    package static func join(_ kind: NamespaceKinds, by descriptor: Int32) throws(SystemCallError) {
        try check("setns") { shale_setns(descriptor, Int32(truncatingIfNeeded: kind.rawValue)) }
    }

    /// Makes `path` the root of this mount namespace; it must be a mount's root, and is the working directory after.
    ///
    /// Throws the error of `pivot_root(2)` or of a call around it.
    package static func pivotRoot(to root: borrowing OwnedFD) throws(SystemCallError) {
        let raw = root.raw
        try check("fchdir") { fchdir(raw) }
        try check("pivot_root") { shale_pivot_root(".", ".") }
        // The old root lies on top of the new one now, under the same name.
        try check("umount") { shale_umount(".", Int32(SHALE_MNT_DETACH)) }
        try check("chdir") { chdir("/") }
    }

    /// Names the host of this UTS namespace.
    ///
    /// Throws the error of `sethostname(2)`.
    package static func setHostname(_ name: String) throws(SystemCallError) {
        let count = name.pathBytes.count
        try check("sethostname") { name.withPath { shale_sethostname($0, count) } }
    }

    /// Names the NIS domain of this UTS namespace.
    ///
    /// Throws the error of `setdomainname(2)`.
    package static func setDomainname(_ name: String) throws(SystemCallError) {
        let count = name.pathBytes.count
        try check("setdomainname") { name.withPath { shale_setdomainname($0, count) } }
    }

    /// Switches the loopback interface of this network namespace on.
    ///
    /// Throws the error of `ioctl(2)`.
    package static func bringLoopbackUp() throws(SystemCallError) {
        try check("loopback") { shale_loopback_up() }
    }
}
