package import Basics
import Glibc
import Images
package import Linux
package import Stores

/// The files that every container has, as with docker: `.dockerenv`, mount points for its files and file systems, and
/// `/etc/mtab`.
///
/// They are in one folder for all containers of a home. It is mounted below the layers of the image, so files of the
/// image replace them. It is not part of an image, and `commit` leaves it out.
extension ContainerEngine {
    /// The layers below a container's own layer, the top first: the layers of its image, and this folder.
    func rootPaths(of container: ContainerRecord) throws(ShaleError) -> [String] {
        try lowerPaths(of: container) + [initLayer()]
    }

    /// The opened layers below a container's own layer.
    ///
    /// Throws what `rootPaths` or opening a layer throws.
    package func roots(of container: ContainerRecord) throws(ShaleError) -> [RootDirectory] {
        try images.directories(rootPaths(of: container))
    }

    /// The folder with these files.
    ///
    /// It is made on first use.
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
            // Another process may have made it meanwhile. Its folder is equal.
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
