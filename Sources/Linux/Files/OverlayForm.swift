import CLinux
import Glibc

/// How an unpacked layer says "opaque": overlayfs reads `trusted.*` as real root, `user.*` inside a user namespace.
///
/// Both forms write a whiteout as a character device 0:0, which the kernel lets a user namespace make as well.
package enum OverlayForm: String, Sendable, Hashable {
    case trusted
    case user

    /// The form this process must write, told by its id map: the identity of all ids means the first namespace.
    package static let current: OverlayForm = {
        guard let bytes = try? WholeFile.read("/proc/self/uid_map", limit: 64 << 10) else { return .trusted }
        let fields = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
        return fields == ["0", "0", "4294967295"] ? .trusted : .user
    }()

    /// The full name of one of overlayfs's attributes, `opaque` say.
    package func xattrName(_ key: String) -> String {
        switch self {
        case .trusted: "trusted.overlay.\(key)"
        case .user: "user.overlay.\(key)"
        }
    }

    /// Whether an attribute is overlayfs's own, in either form; none is ever taken from or put into an archive.
    package static func isBookkeeping(_ attribute: String) -> Bool {
        attribute.hasPrefix("trusted.overlay.") || attribute.hasPrefix("user.overlay.")
    }

    /// Whether a directory hides what lies below it in other layers.
    package func isOpaque(_ directory: borrowing OwnedFD) -> Bool {
        (try? ExtendedAttributes.value(xattrName("opaque"), of: directory)) == [UInt8(ascii: "y")]
    }

    /// Makes a directory hide what lies below it in other layers.
    ///
    /// Throws the error of setting the attribute.
    package func setOpaque(_ directory: borrowing OwnedFD) throws(SystemCallError) {
        try ExtendedAttributes.set(xattrName("opaque"), to: [UInt8(ascii: "y")], of: directory)
    }

    /// Lets what lies below a directory in other layers be seen again.
    ///
    /// Throws the error of removing the attribute.
    package func removeOpaque(_ directory: borrowing OwnedFD) throws(SystemCallError) {
        try ExtendedAttributes.remove(xattrName("opaque"), of: directory)
    }
}
