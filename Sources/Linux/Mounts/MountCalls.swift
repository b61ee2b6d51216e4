import CLinux
import Glibc

/// Flags of `mount(2)`, by name.
package struct MountFlags: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let readOnly = MountFlags(rawValue: 1)
    package static let noSuid = MountFlags(rawValue: 2)
    package static let noDev = MountFlags(rawValue: 4)
    package static let noExec = MountFlags(rawValue: 8)
    package static let remount = MountFlags(rawValue: 32)
    package static let synchronous = MountFlags(rawValue: 16)
    package static let noAccessTime = MountFlags(rawValue: 1024)
    package static let noDirectoryAccessTime = MountFlags(rawValue: 2048)
    package static let relativeAccessTime = MountFlags(rawValue: 1 << 21)
    package static let bind = MountFlags(rawValue: 4096)
    package static let recursive = MountFlags(rawValue: 16384)
    package static let `private` = MountFlags(rawValue: 1 << 18)
    package static let slave = MountFlags(rawValue: 1 << 19)
    package static let strictAccessTime = MountFlags(rawValue: 1 << 24)
}

/// The mount calls, on descriptors wherever the kernel allows.
package enum Mounts {
    /// `mount(2)` on a path of the host's own, or of a root that is already this process's.
    ///
    /// Throws the error of `mount(2)`.
    package static func mount(
        source: String? = nil, target: String, type: String? = nil, flags: MountFlags = [], data: String? = nil
    ) throws(SystemCallError) {
        try check("mount", path: target) {
            target.withPath { target in
                withOptional(source) { source in
                    withOptional(type) { type in
                        withOptional(data) { shale_mount(source, target, type, UInt(flags.rawValue), $0) }
                    }
                }
            }
        }
    }

    private static func withOptional<Result>(
        _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let text else { return body(nil) }
        return text.withPath { body($0) }
    }

    /// Mounts a file system on what an `O_PATH` descriptor refers to, whatever its path is by now.
    ///
    /// Throws the error of `mount(2)`.
    package static func mount(
        type: String, named source: String? = nil, on target: borrowing OwnedFD, flags: MountFlags = [],
        data: String? = nil
    ) throws(SystemCallError) {
        try mount(source: source ?? type, target: "/proc/self/fd/\(target.raw)", type: type, flags: flags, data: data)
    }

    /// A new mount that is attached nowhere (`fsopen(2)`, `fsmount(2)`); `flags` are those that `fsmount` takes too:
    /// `readOnly`, `noSuid`, `noDev`, `noExec`.
    ///
    /// Throws the error of the call that failed.
    package static func detached(type: String, flags: MountFlags = []) throws(SystemCallError) -> OwnedFD {
        let fs = OwnedFD(adopting: try check("fsopen", path: type) { type.withPath { shale_fsopen($0) } })
        let raw = fs.raw
        // Named as `mount(2)` would have it named in the mount table.
        try check("fsconfig", path: type) { type.withPath { shale_fsconfig_string(raw, "source", $0) } }
        try check("mount", path: type) { shale_fsconfig_create(raw) }
        let attributes = UInt32(truncatingIfNeeded: flags.rawValue & 15)
        return OwnedFD(adopting: try check("fsmount", path: type) { shale_fsmount(raw, attributes) })
    }

    /// A detached copy of the mount at a path (`open_tree(2)`), with what is mounted below it if `recursive`.
    ///
    /// Throws the error of `open_tree(2)`.
    package static func clone(_ path: String, recursive: Bool) throws(SystemCallError) -> OwnedFD {
        OwnedFD(
            adopting: try check("open_tree", path: path) {
                path.withPath { shale_open_tree(AT_FDCWD, $0, 1, recursive ? 1 : 0) }
            })
    }

    /// The same of what a descriptor refers to.
    ///
    /// Throws the error of `open_tree(2)`.
    package static func clone(
        of fd: borrowing OwnedFD, recursive: Bool
    ) throws(SystemCallError) -> OwnedFD {
        let raw = fd.raw
        return OwnedFD(adopting: try check("open_tree") { shale_open_tree(raw, "", 1, recursive ? 1 : 0) })
    }

    /// Attaches a detached mount (`move_mount(2)`).
    ///
    /// Throws the error of `move_mount(2)`.
    package static func attach(
        _ mount: borrowing OwnedFD, on target: borrowing OwnedFD
    ) throws(SystemCallError) {
        let (from, to) = (mount.raw, target.raw)
        try check("move_mount") { shale_move_mount(from, to) }
    }

    /// Makes a mount read-only, with what is mounted below it if `recursive` (`mount_setattr(2)`, Linux 5.12).
    ///
    /// Throws the error of `mount_setattr(2)`.
    package static func setReadOnly(
        _ mount: borrowing OwnedFD, recursive: Bool
    ) throws(SystemCallError) {
        let raw = mount.raw
        try check("mount_setattr") {
            shale_mount_setattr(raw, recursive ? 1 : 0, UInt64(SHALE_MOUNT_ATTR_RDONLY), 0)
        }
    }

    /// Lets no device be opened through a mount, nor through what is mounted below it if `recursive`.
    ///
    /// Throws the error of `mount_setattr(2)`.
    package static func setNoDevices(
        _ mount: borrowing OwnedFD, recursive: Bool
    ) throws(SystemCallError) {
        let raw = mount.raw
        try check("mount_setattr") {
            shale_mount_setattr(raw, recursive ? 1 : 0, UInt64(SHALE_MOUNT_ATTR_NODEV), 0)
        }
    }

    /// Detaches what is mounted at a path (`umount2(2)`, `MNT_DETACH`).
    ///
    /// Throws the error of `umount2(2)`.
    package static func detach(_ path: String) throws(SystemCallError) {
        try check("umount", path: path) { path.withPath { shale_umount($0, Int32(SHALE_MNT_DETACH)) } }
    }
}
