package import Basics
import Glibc
package import Linux

extension SystemCallError {
    /// Like ``shaleError(_:)`` for a file of the store.
    ///
    /// When the file belongs to another user, the hint says how to get it back.
    package func storeError(_ doing: String, at path: String) -> ShaleError {
        let error = shaleError(doing)
        guard errno == EACCES || errno == EPERM else { return error }
        return error.hinting(Self.wayToOwn(path))
    }

    /// The command that gives a home back to this process's user.
    private static func wayToOwn(_ path: String) -> String {
        var home = path
        while let slash = home.lastIndex(of: "/"), slash != home.startIndex {
            home = String(home[..<slash])
            if access(home + "/oci-layout", F_OK) == 0 { break }
        }
        let user = UserNamespace.isInside ? "$USER" : "\(geteuid())"
        let status = (try? FileStatus.of(hostPath: path)) ?? (try? FileStatus.of(hostPath: home))
        if status?.uid == geteuid() { return "chmod -R u+rwX \(home.shellQuoted)" }
        return "sudo chown -R \(user) \(home.shellQuoted)   (it holds files of another user)"
    }
}
