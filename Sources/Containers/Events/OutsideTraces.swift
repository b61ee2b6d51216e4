import Basics
import Linux

/// What a container's processes left outside its layer: in the memory file systems below `/dev`, and in the files that
/// it gets when it starts.
enum OutsideTraces {
    /// Whether there is any, in a container whose first process is `pid`.
    static func exist(beside pid: Int32, since start: Timestamp?) -> Bool {
        guard pid > 0, let root = try? RootDirectory(hostPath: "/proc/\(pid)/root") else { return false }
        for directory in ["/dev/shm", "/dev/mqueue"] where (try? root.names(in: directory))?.isEmpty == false {
            return true
        }
        // Nothing but devices, links and the kernel's own directories is there at the start.
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
