import Basics
import Containers
import Glibc
import Layers
import Linux

extension TreeArchive {
    /// Whether a source is a tar, compressed or not.
    ///
    /// As in docker: it is one when its first header can be read.
    static func isArchive(_ source: any ByteSource) -> Bool {
        guard let reader = try? ArchiveReader(source, subject: "archive") else { return false }
        return ((try? reader.next()) ?? nil) != nil
    }
}

extension FileCopies {
    /// Whether `ADD` would unpack a file.
    static func isArchive(_ path: String, of source: RootDirectory) -> Bool {
        guard let file = try? source.open(path, O_RDONLY | O_NONBLOCK) else { return false }
        return TreeArchive.isArchive(FDSource(file, subject: path))
    }

    /// Unpacks a file when it is a tar, compressed or not; returns false when it is none.
    ///
    /// Throws `cancelled`, and what reading the archive or writing the files throws.
    static func unpack(
        _ path: String, of source: RootDirectory, at directory: String, in root: RootDirectory,
        owner: TreeCopyOptions.Owner?, _ cancellation: Cancellation
    ) throws(ShaleError) -> Bool {
        try translating("ADD failed: \(path)") {
            let probe = try source.open(path, O_RDONLY | O_NONBLOCK)
            guard try FileStatus.of(probe).kind == .regular else { return false }
            guard TreeArchive.isArchive(FDSource(probe, subject: path)) else { return false }
            try root.makeOwnedDirectories(directory, owner: owner ?? .root)
            let file = try source.open(path, O_RDONLY)
            // Links in the archive must not lead outside the destination. Docker's unpacker is chrooted there.
            let top = RootDirectory(try root.open(directory, O_RDONLY | O_DIRECTORY))
            var options = TreeArchive.UnpackOptions(owner: owner.map { ($0.uid, $0.gid) })
            options.keepsTop = true
            _ = try TreeArchive.unpack(
                FDSource(file, subject: path), into: top, subject: path,
                options: options, cancellation: cancellation)
            return true
        }
    }
}
