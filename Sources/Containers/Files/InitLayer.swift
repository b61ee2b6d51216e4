package import Basics
import Glibc
import Images
package import Linux
package import Stores

/// The places every container has whatever its image holds, as docker's: `.dockerenv`, what the container's own files
/// and file systems are mounted on, `/etc/mtab`.
///
/// One folder for all containers of a home, mounted below their images' layers, so that files of the image cover it. It
/// is not part of any image, and `commit` leaves it out.
extension ContainerEngine {
    /// What lies below a container's own changes, top first: its image's layers, and these places.
    func rootPaths(of container: ContainerRecord) throws(ShaleError) -> [String] {
        try lowerPaths(of: container) + [initLayer()]
    }

    /// The same of a container, open.
    ///
    /// Throws what `rootPaths` or opening a layer throws.
    package func roots(of container: ContainerRecord) throws(ShaleError) -> [RootDirectory] {
        try images.directories(rootPaths(of: container))
    }

    /// The folder with these places, made on first use.
    ///
    /// Throws what making the folder and the files in it throws.
    package func initLayer() throws(ShaleError) -> String {
        let path = store.paths.initLayer
        if access(path, F_OK) == 0 { return path }
        let aside = try ScratchFolder(in: store)
        let folder = "\(aside.path)/init"
        try translating(path) {
            try Linux.check("mkdir", path: folder) { mkdir(folder, 0o755) }
            try Self.fill(RootDirectory(hostPath: folder))
            // Another process may have made it meanwhile; its folder is the same.
            if Linux.rename(folder, path) == -1, errno != EEXIST, errno != ENOTEMPTY {
                throw SystemCallError("rename", path: path)
            }
        }
        return path
    }

    private static func fill(_ root: RootDirectory) throws(SystemCallError) {
        fchmod(root.descriptor.raw, 0o755)
        for directory in ["dev", "dev/pts", "dev/shm", "etc", "proc", "sys"] {
            try root.makeDirectories(directory)
            fchmod(try root.open(directory, O_RDONLY | O_DIRECTORY).raw, 0o755)
        }
        for file in [".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"] {
            let made = try root.open(file, O_WRONLY | O_CREAT | O_EXCL, mode: 0o755)
            fchmod(made.raw, 0o755)
        }
        let etc = try root.open("etc", O_RDONLY | O_DIRECTORY)
        try Linux.check("symlink") { symlinkat("/proc/mounts", etc.raw, "mtab") }
    }
}
