// TreeCopy(from: RootDirectory, to: RootDirectory, options: TreeCopyOptions)
//     .copy(_ source: String, to destination: String, cancellation: Cancellation) throws(ShaleError) -> CopiedTree
//
// `destination` names the target itself, as `cp -T` has it: a file is replaced, a directory merged into. Whether "into
// the directory" or "as that name" is meant is the caller's rule (docker's differ between cp and COPY).

package import Basics
package import Dockerfiles
import Glibc
package import Linux

/// How `TreeCopy` copies.
package struct TreeCopyOptions: Sendable {
    /// What becomes of one entry of the source.
    package enum Inclusion: Sendable {
        case include
        /// Leaves a file out; a directory is looked into and made only if something in it is included.
        case skip
        /// Leaves out a directory with all in it.
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

    /// The owner of everything copied; `nil` keeps each source's.
    package var owner: Owner?
    /// What becomes of the permission bits of every file and directory copied (`--chmod`); `nil` keeps each source's.
    package var mode: ModeChange?
    package var keepTimes = true
    package var keepAttributes = true
    /// Asked for every entry but the top one, with its path below `source` (`a/b`, no slash in front).
    package var include: (@Sendable (_ path: String, _ isDirectory: Bool) -> Inclusion)?
    /// Copies what a link at `source` leads to instead of the link.
    package var followSourceLink = false
    /// Goes through a link at `destination` (inside the root) instead of replacing the link.
    package var followDestinationLink = true
    /// Makes missing directories above `destination`, mode 0755, owned by `owner` or root.
    package var makeParents = false
    /// The mode of directories made so.
    package var parentMode: UInt32 = 0o755
    /// Replaces a directory by a file and the other way round (`COPY`); otherwise docker's refusal (`cp`).
    package var replacesOtherKinds = true
    /// Refuses a directory where the target has a link to one, which it would replace (`COPY`, as BuildKit has it).
    package var keepsDirectoryLinks = false
    /// Gives an existing directory at `destination` the source's owner and mode; those deeper always get them.
    package var updatesTopDirectory = false
    /// Leaves every directory that was there its owner, mode and time (`cp` to the host).
    package var keepsDirectories = false

    package init() {}
}

/// What was copied.
package struct CopiedTree: Sendable, Equatable {
    /// Files, links and special files.
    package var files = 0
    package var directories = 0
    /// Bytes of file content.
    package var bytes: Int64 = 0
    /// Bytes a tar of it has without its end: a header an entry, content in blocks of 512.
    var blockBytes: Int64 = 0

    /// Bytes of the tar that docker would have sent.
    package var archiveBytes: Int64 { blockBytes + 512 * Int64(files + directories) + 1024 }
}

/// Copies files, directories, links and special files from one root into another.
///
/// No link inside the source is followed, and none at the destination but the top one: what a hostile tree holds can
/// neither leave its root nor reach into the other. Hard links between copied files are kept. Sockets are left out, as
/// docker's archiver does. Content is shared or copied by the kernel where it can.
package struct TreeCopy {
    private let source: RootDirectory
    private let target: RootDirectory
    private let options: TreeCopyOptions

    package init(from source: RootDirectory, to target: RootDirectory, options: TreeCopyOptions = TreeCopyOptions()) {
        self.source = source
        self.target = target
        self.options = options
    }

    /// Copies what `source` names so that it is what `destination` names.
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
