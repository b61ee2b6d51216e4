package import Basics
import Glibc
package import Linux

extension SystemCallError {
    /// The same as ``shaleError(_:)`` for a file of the store's own: one that is another user's says how to get it
    /// back.
    package func storeError(_ doing: String, at path: String) -> ShaleError {
        let error = shaleError(doing)
        guard errno == EACCES || errno == EPERM else { return error }
        return error.hinting(Self.wayToOwn(path))
    }

    /// What gives a home back to the user of this process.
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
