import Basics
import Glibc
import Linux
import RunnerProtocol

/// Places below the container's root to mount on, made where they are missing.
struct MountPoints {
    private static let longestChain = 40

    let root: RootDirectory
    /// What was made, so that `diff` and `commit` can leave it out.
    private(set) var stubs: [String] = []

    private let device: UInt64?

    init(root: RootDirectory) {
        self.root = root
        device = try? FileStatus.of(root.descriptor).device
    }

    /// The place a path leads to, links followed inside the root; made as a directory or an empty file if missing.
    mutating func place(
        _ path: String, directory: Bool, restoringTimes: Bool = true
    ) throws(SystemCallError) -> OwnedFD {
        do throws(SystemCallError) {
            return try root.open(path, OpenFlags.path)
        } catch {
            guard error.errno == ENOENT else { throw error }
        }
        let made = try make(path, directory: directory, restoringTimes: restoringTimes)
        return try root.open(made, OpenFlags.path)
    }

    /// The same for a path that may not lead elsewhere by a link at its end.
    mutating func placeWithoutLink(_ path: String) throws(SystemCallError) -> OwnedFD {
        do throws(SystemCallError) {
            return try root.open(path, OpenFlags.link | O_DIRECTORY)
        } catch {
            // A link there is ENOTDIR, and stays an error.
            guard error.errno == ENOENT else { throw error }
        }
        let made = try make(path, directory: true, restoringTimes: true)
        return try root.open(made, OpenFlags.link | O_DIRECTORY)
    }

    /// Walks component by component, following links by hand, and makes what is missing.
    private mutating func make(
        _ path: String, directory: Bool, restoringTimes: Bool
    ) throws(SystemCallError) -> String {
        var pending = Array(path.pathParts.map(String.init).reversed())
        var walked: [String] = []
        var links = 0
        while let name = pending.popLast() {
            if name == "." { continue }
            if name == ".." {
                _ = walked.popLast()
                continue
            }
            let here = (walked + [name]).joined(separator: "/")
            if let target = try link(at: here) {
                links += 1
                guard links <= Self.longestChain else { throw SystemCallError("mount", path: path, errno: ELOOP) }
                if target.isAbsolutePath { walked = [] }
                pending += target.pathParts.map(String.init).reversed()
                continue
            }
            try makeEntry(here, directory: directory || !pending.isEmpty, restoringTimes: restoringTimes)
            walked.append(name)
        }
        return walked.joined(separator: "/")
    }

    private func link(at path: String) throws(SystemCallError) -> String? {
        do throws(SystemCallError) {
            return try root.status(path).kind == .symlink ? try root.readLink(path) : nil
        } catch {
            if error.errno == ENOENT { return nil }
            throw error
        }
    }

    private mutating func makeEntry(
        _ path: String, directory: Bool, restoringTimes: Bool
    ) throws(SystemCallError) {
        let parent = try root.parent(of: path)
        let (raw, name) = (parent.directory.raw, parent.name)
        let before = try FileStatus.of(parent.directory)
        let result =
            directory
            ? name.withPath { mkdirat(raw, $0, 0o755) }
            : name.withPath { openat(raw, $0, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0o755) }
        guard result != -1 else {
            if errno == EEXIST { return }
            throw SystemCallError(directory ? "mkdir" : "create", path: path)
        }
        if !directory { close(result) }
        guard restoringTimes else { return }
        parent.directory.restoreModified(before.modified)
        // Not those in a file system that was mounted here a moment ago.
        if before.device == device { stubs.append("/" + path) }
    }
}

/// Flags of `open(2)` that the plain module does not show.
enum OpenFlags {
    static let path = OwnedFD.pathOnly
    static let link = OwnedFD.pathOnly | O_NOFOLLOW
}
