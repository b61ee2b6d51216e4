// TreeCopy(from: RootDirectory, to: RootDirectory, options: TreeCopyOptions)
//     .copy(_ source: String, to destination: String, cancellation: Cancellation) throws(ShaleError) -> CopiedTree
//
// `destination` is the path of the copy itself, as for `cp -T`: a file is replaced, and a directory is merged. The
// caller decides between "into the directory" and "as that name" (docker's rules for cp and COPY differ).

package import Basics
package import Dockerfiles
import Glibc
package import Linux

/// The options of `TreeCopy`.
package struct TreeCopyOptions: Sendable {
    /// Whether one entry of the source is copied.
    package enum Inclusion: Sendable {
        case include
        /// Leaves a file out.
        ///
        /// A directory is made only if something in it is included.
        case skip
        /// Leaves out a directory with its content.
        case prune
    }

    package struct Owner: Sendable, Hashable {
        package var uid: UInt32
        package var gid: UInt32

        package init(uid: UInt32, gid: UInt32) {
            self.uid = uid
            self.gid = gid
        }

        package static let root = Owner(uid: 0, gid: 0)
    }

    /// The owner of all copied files; `nil` to keep the owners.
    package var owner: Owner?
    /// The change of the permission bits of all copied files and directories (`--chmod`); `nil` for none.
    package var mode: ModeChange?
    package var keepTimes = true
    package var keepAttributes = true
    /// Called for each entry except the top one, with its path relative to `source`, such as `a/b`.
    package var include: (@Sendable (_ path: String, _ isDirectory: Bool) -> Inclusion)?
    /// Called with the number of bytes of file content that were copied since the last call.
    package var moved: (@Sendable (_ bytes: Int64) -> Void)?
    /// Whether a link at `source` is followed, and not copied.
    package var followSourceLink = false
    /// Whether a link at `destination` is followed inside the root, and not replaced.
    package var followDestinationLink = true
    /// Whether missing directories above `destination` are made.
    ///
    /// Their owner is `owner` or root.
    package var makeParents = false
    /// The mode of these directories.
    package var parentMode: UInt32 = 0o755
    /// Whether a file may replace a directory and the reverse (`COPY`).
    ///
    /// Otherwise this is an error, as with `cp`.
    package var replacesOtherKinds = true
    /// Whether it is an error when a directory would replace a link to a directory (`COPY`, as with BuildKit).
    package var keepsDirectoryLinks = false
    /// Whether an existing directory at `destination` gets the source's owner and mode.
    ///
    /// Deeper directories always get them.
    package var updatesTopDirectory = false
    /// Whether existing directories keep their owner, mode and time (`cp` to the host).
    package var keepsDirectories = false

    package init() {}
}

/// The numbers of copied files and bytes.
package struct CopiedTree: Sendable, Equatable {
    /// The number of files, links and special files.
    package var files = 0
    package var directories = 0
    /// The size of all file content, in bytes.
    package var bytes: Int64 = 0
    /// The size of a tar of it without its end, in bytes: a header for each entry, and content in blocks of 512 bytes.
    var blockBytes: Int64 = 0

    /// The size of the tar that docker would send, in bytes.
    package var archiveBytes: Int64 { blockBytes + 512 * Int64(files + directories) + 1024 }
}

/// Copies files, directories, links and special files from one root to another.
///
/// Links inside the source are not followed, nor links at the destination except the top one. So a hostile tree can
/// neither read outside its root nor write outside the target. Hard links between copied files are kept. Sockets are
/// left out, as with docker. Content is shared or copied by the kernel when possible.
package struct TreeCopy {
    private let source: RootDirectory
    private let target: RootDirectory
    private let options: TreeCopyOptions

    package init(from source: RootDirectory, to target: RootDirectory, options: TreeCopyOptions = TreeCopyOptions()) {
        self.source = source
        self.target = target
        self.options = options
    }

    /// Copies the file or directory at `source` to the path `destination`.
    ///
    /// - Throws: `notFound` when the source or the directory above the destination is missing, `conflict` when a
    ///   directory stands where a file should go or the other way round, `cancelled`, and what the kernel answers.
    @discardableResult
    package func copy(
        _ source: String, to destination: String, cancellation: Cancellation = Cancellation()
    ) throws(ShaleError) -> CopiedTree {
        var run = TreeCopyRun(source: self.source, target: target, options: options, cancellation: cancellation)
        do throws(SystemCallError) {
            try run.copyTop(source, to: destination)
        } catch {
            if let refusal = run.refusal { throw refusal }
            if error.errno == ECANCELED { throw ShaleError(.cancelled, "interrupted") }
            throw error.shaleError("copy \(run.current)")
        }
        return run.copied
    }
}
