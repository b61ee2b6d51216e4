package import Basics
import CLinux
import Glibc

/// The parts of an overlay mount.
package struct OverlayParts: Sendable, Hashable {
    /// Read-only layers, top first, each once.
    package private(set) var lowers: [String]
    /// `nil` (with `work`) for a read-only overlay.
    package var upper: String?
    package var work: String?
    /// Attributes under `user.overlay.`, as in a user namespace.
    package var userXattr: Bool
    /// Spares the sync of the upper's file system at unmount.
    package var volatile: Bool

    package init(
        lowers: [String], upper: String? = nil, work: String? = nil, userXattr: Bool = false, volatile: Bool = false
    ) {
        // The kernel refuses a layer that is there twice (ELOOP), as when a step repeats what an earlier one did. All
        // that the lower one has or hides, the upper one has or hides too.
        var seen: Set<String> = []
        self.lowers = lowers.filter { seen.insert($0).inserted }
        self.upper = upper
        self.work = work
        self.userXattr = userXattr
        self.volatile = volatile
    }
}

/// Overlay mounts that are detached from the start: a descriptor, in no mount table.
package enum Overlay {

    /// An overlay of these parts, attached nowhere; gone when the descriptor is closed.
    ///
    /// Layers become part of an image when the upper does, so nothing is written there that only this mount
    /// understands: no redirects, no metadata-only copies, no index. Throws the error of the mount call that failed.
    package static func detached(
        _ parts: OverlayParts, usingOldInterface: Bool = false
    ) throws(SystemCallError) -> OwnedFD {
        // An overlay that is only read needs two layers.
        if parts.upper == nil, parts.lowers.count == 1 {
            let only = try Mounts.clone(parts.lowers[0], recursive: false)
            try Mounts.setReadOnly(only, recursive: false)
            return only
        }
        // `lowerdir+` came with Linux 6.5; some kernels before refuse it only at the mount, as an invalid argument.
        if usingOldInterface || KernelVersion.current < KernelVersion(6, 5) { return try old(parts) }
        var held = HeldDirectories()
        do throws(SystemCallError) {
            return try new(parts, &held)
        } catch {
            guard error.errno == ENOSYS || (error.errno == EINVAL && error.path == "lowerdir+") else { throw error }
            return try old(parts)
        }
    }

    private static func new(
        _ parts: OverlayParts, _ held: inout HeldDirectories
    ) throws(SystemCallError) -> OwnedFD {
        let fs = OwnedFD(adopting: try check("fsopen", path: "overlay") { shale_fsopen("overlay") })
        let raw = fs.raw
        func set(_ key: String, _ value: String) throws(SystemCallError) {
            try check("fsconfig", path: key) { value.withPath { shale_fsconfig_string(raw, key, $0) } }
        }
        for lower in parts.lowers { try set("lowerdir+", held.name(of: lower)) }
        if let upper = parts.upper, let work = parts.work {
            try set("upperdir", held.name(of: upper))
            try set("workdir", held.name(of: work))
        }
        for (key, value) in options(parts) {
            if let value {
                // A kernel that does not know one of these options does not have the feature it turns off.
                do throws(SystemCallError) { try set(key, value) } catch {
                    guard error.errno == EINVAL else { throw error }
                }
            } else {
                try check("fsconfig", path: key) { shale_fsconfig_flag(raw, key) }
            }
        }
        try check("mount", path: "overlay") { shale_fsconfig_create(raw) }
        return OwnedFD(adopting: try check("fsmount", path: "overlay") { shale_fsmount(raw, 0) })
    }

    private static func options(_ parts: OverlayParts) -> [(key: String, value: String?)] {
        var options: [(key: String, value: String?)] = []
        if parts.upper != nil {
            // `userxattr` implies the other two, and the kernel refuses them beside it.
            options = parts.userXattr ? [] : [("redirect_dir", "off"), ("metacopy", "off")]
            options.append(("index", "off"))
            if parts.volatile { options.append(("volatile", nil)) }
        }
        if parts.userXattr { options.append(("userxattr", nil)) }
        return options
    }

    /// The way of `mount(2)`: on a directory of its own, cloned, and detached from there again.
    private static func old(_ parts: OverlayParts) throws(SystemCallError) -> OwnedFD {
        var held = HeldDirectories()
        var names: [String] = []
        for lower in parts.lowers { names.append(try held.shortName(of: lower)) }
        var data = "lowerdir=" + names.joined(separator: ":")
        if let upper = parts.upper, let work = parts.work {
            data += ",upperdir=\(try held.shortName(of: upper)),workdir=\(try held.shortName(of: work))"
        }
        for (key, value) in options(parts) { data += "," + (value.map { "\(key)=\($0)" } ?? key) }
        var place = Array("/tmp/shale-mount-XXXXXX".utf8CString)
        guard let made = mkdtemp(&place) else { throw SystemCallError("mkdtemp", path: "/tmp") }
        let path = String(cString: made)
        defer { rmdir(path) }
        try Mounts.mount(source: "overlay", target: path, type: "overlay", data: data)
        defer { try? Mounts.detach(path) }
        return try Mounts.clone(path, recursive: false)
    }

    /// A detached overlay for `cp` into stopped containers and for `COPY` of a build.
    ///
    /// Throws what mounting throws.
    package static func detachedMount(
        lowers: [String], upper: String?, work: String?, form: OverlayForm, volatile: Bool = false
    ) throws(ShaleError) -> OwnedFD {
        do throws(SystemCallError) {
            return try detached(
                OverlayParts(
                    lowers: lowers, upper: upper, work: work, userXattr: form == .user, volatile: volatile))
        } catch {
            throw error.shaleError("overlay of \(lowers.count) layers")
        }
    }
}

/// Directories kept open so that the kernel can be told a short name for each.
private struct HeldDirectories: ~Copyable {
    private var open: [Int32] = []

    deinit { for fd in open { close(fd) } }

    /// `fsconfig(2)` takes 255 bytes; longer paths go through `/proc/self/fd`.
    mutating func name(of path: String) throws(SystemCallError) -> String {
        path.utf8.count > 250 ? try shortName(of: path) : path
    }

    mutating func shortName(of path: String) throws(SystemCallError) -> String {
        let fd = try OwnedFD.open(path, shale_o_path() | O_DIRECTORY).release()
        open.append(fd)
        return "/proc/self/fd/\(fd)"
    }
}
