import Linux

/// The extended attributes that archives contain: capabilities of programs and `user.*`, but not those of overlayfs.
///
/// A capability with the root of a user namespace (`VFS_CAP_REVISION_3`) is changed to one without, because this user
/// ID has no meaning on other machines.
enum PortableAttributes {
    static func isPortable(_ name: String) -> Bool {
        name == "security.capability" || (name.hasPrefix("user.") && !OverlayForm.isBookkeeping(name))
    }

    /// The attributes of a name in a directory, sorted.
    static func read(
        _ name: String, in directory: borrowing OwnedFD
    ) throws(SystemCallError) -> [ExtendedAttribute] {
        var found: [ExtendedAttribute] = []
        for attribute in try ExtendedAttributes.names(of: name, in: directory) where isPortable(attribute) {
            guard let value = try ExtendedAttributes.value(attribute, of: name, in: directory) else { continue }
            let bytes = attribute == "security.capability" ? withoutRoot(value) : value
            found.append(ExtendedAttribute(name: attribute, value: bytes))
        }
        return found.sorted { PathOrder.precedes($0.name, $1.name) }
    }

    /// `struct vfs_ns_cap_data` as `struct vfs_cap_data` (linux/capability.h).
    private static func withoutRoot(_ value: [UInt8]) -> [UInt8] {
        guard value.count == 24, value[3] == 3 else { return value }
        var shorter = Array(value[..<20])
        shorter[3] = 2
        return shorter
    }
}
