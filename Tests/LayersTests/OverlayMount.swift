import Basics
import Glibc
import Layers
import Linux
import TestSupport

/// A real overlay over layers of a test, mounted by the kernel; what is done in it lands in an upper directory.
final class OverlayMount {
    let home = TemporaryDirectory()
    let lowers: [String]
    private var isMounted = false

    var upperPath: String { home.path + "/upper" }
    var merged: String { home.path + "/merged" }

    /// `lowers` from the top, none of them empty.
    init(lowers: [String]) throws {
        self.lowers = lowers
        for name in ["upper", "work", "merged"] { try RootDirectory(hostPath: home.path).makeDirectories(name) }
        // `userxattr` implies the rest, and the kernel refuses to hear it twice.
        let form = OverlayForm.current == .user ? ",userxattr" : ",redirect_dir=off,metacopy=off,index=off"
        let options =
            "lowerdir=\(lowers.joined(separator: ":")),upperdir=\(upperPath),workdir=\(home.path)/work"
            + form
        try Peer("mount").run(["-t", "overlay", "overlay", "-o", options, merged])
        isMounted = true
    }

    deinit { unmount() }

    func unmount() {
        guard isMounted else { return }
        isMounted = false
        _ = try? Peer("umount").run(["-l", merged])
    }

    /// Runs a shell script in the mounted tree.
    func run(_ script: String) throws { try Peer("sh").run(["-ec", "cd \"$0\"\n\(script)", merged]) }

    /// Whether this process may mount an overlay.
    static let isPossible: Bool = {
        let lower = TemporaryDirectory()
        return (try? OverlayMount(lowers: [lower.path])) != nil
    }()
}
