import Basics
import Linux

/// Files that a container's processes left outside its layer: in the memory file systems below `/dev`, and in the files
/// that are made for it at its start, such as `/etc/hosts`.
enum OutsideTraces {
    /// Whether there are any in a container whose first process is `pid`.
    static func exist(beside pid: Int32, since start: Timestamp?) -> Bool {
        guard pid > 0, let root = try? RootDirectory(hostPath: "/proc/\(pid)/root") else { return false }
        for directory in ["/dev/shm", "/dev/mqueue"] where (try? root.names(in: directory))?.isEmpty == false {
            return true
        }
        // At the start there are only devices, links and the kernel's directories.
        for name in (try? root.names(in: "/dev")) ?? [] {
            let kind = (try? root.status("/dev/\(name)"))?.kind
            if kind == .regular { return true }
            if kind == .directory, !["shm", "mqueue", "pts"].contains(name) { return true }
        }
        guard let start else { return false }
        for file in ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"] {
            guard let status = try? root.status(file) else { continue }
            if status.changed > start { return true }
        }
        return false
    }
}
