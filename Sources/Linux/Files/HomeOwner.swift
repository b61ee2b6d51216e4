package import Basics
import Glibc

/// A home is written to by its owner alone, also not by root: a file that another makes there is 0600 and theirs, and
/// the owner's shale could not read it.
package enum HomeOwner {
    /// Throws `denied` for a folder of another user's that could be written to; one that can only be looked at stays
    /// so.
    package static func refuseForeign(_ home: String) throws(ShaleError) {
        guard let status = try? FileStatus.of(hostPath: home, followingLink: true), status.kind == .directory,
            status.uid != geteuid(), access(home, W_OK) == 0
        else { return }
        let owner = name(of: status.uid)
        throw ShaleError(
            .denied, "home \(home.visible): belongs to \(owner), who could not use what is written to it now",
            hint: geteuid() == 0
                ? "sudo -u \(owner.shellQuoted) shale …, or another home with --home" : "choose another with --home")
    }

    /// A user's name; one without a name as sudo takes it.
    private static func name(of uid: UInt32) -> String {
        getpwuid(uid).flatMap { $0.pointee.pw_name.map { String(cString: $0) } } ?? "#\(uid)"
    }
}
