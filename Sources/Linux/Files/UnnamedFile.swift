internal import CLinux
import Glibc
import Synchronization

/// A file that gets its name when all is written, in place of what had the name before.
///
/// Until then it has no name (`O_TMPFILE`): a process that is killed on the way leaves nothing behind. Where a file
/// system knows no such files it is written beside its place, and what a killed process left there goes with the next
/// write. What is not a regular file, such as `/dev/null`, is written to in place, and never replaced.
package final class UnnamedFile: Sendable {
    package let descriptor: OwnedFD
    private let path: String
    /// Its name so far, where it has one.
    private let aside: String?
    private let isPut = Atomic(false)
    /// Whether what is there is written to.
    private let isInPlace: Bool

    /// Opens it for the place `path`; throws what stands in the way there.
    ///
    /// With `followingLink` a link at its end stays, and the file that it leads to is the place: for what a person
    /// named.
    package init(for path: String, mode: UInt32, followingLink: Bool = false) throws(SystemCallError) {
        let path = followingLink ? try Self.behindLinks(path) : path
        self.path = path
        isInPlace = Self.isNoPlainFile(path)
        guard !isInPlace else {
            aside = nil
            do throws(SystemCallError) {
                descriptor = try OwnedFD.open(path, O_WRONLY)
            } catch {
                throw SystemCallError(error.call, path: path, errno: error.errno)
            }
            return
        }
        let (folder, _) = Self.parts(of: path)
        var opened: OwnedFD?
        do throws(SystemCallError) {
            opened = try OwnedFD.open(folder, O_WRONLY | Self.unnamed, mode: mode)
        } catch {
            // Old kernels take it for the opening of a directory.
            guard [EOPNOTSUPP, EISDIR, EINVAL].contains(error.errno) else {
                throw SystemCallError(error.call, path: path, errno: error.errno)
            }
        }
        if let opened = opened.take() {
            descriptor = opened
            aside = nil
        } else {
            Self.sweep(besides: path)
            let name = Self.newName(beside: path)
            do throws(SystemCallError) {
                descriptor = try OwnedFD.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: mode)
            } catch {
                throw SystemCallError(error.call, path: path, errno: error.errno)
            }
            aside = name
        }
        // As long as it is open, nobody sweeps it.
        flock(descriptor.raw, LOCK_EX | LOCK_NB)
    }

    /// Syncs the file and gives it its name.
    ///
    /// Throws the error of syncing or naming the file.
    package func put(syncing: Bool = true) throws(SystemCallError) {
        guard !isInPlace else { return }
        do throws(SystemCallError) {
            if syncing { try descriptor.sync() }
            if let aside {
                try check("rename", path: path) { aside.withPath { from in path.withPath { rename(from, $0) } } }
            } else {
                try link()
            }
            isPut.store(true, ordering: .relaxed)
            if syncing { try WholeFile.syncFolder(Self.parts(of: path).folder) }
        } catch {
            throw SystemCallError(error.call, path: path, errno: error.errno)
        }
    }

    deinit {
        if let aside, !isPut.load(ordering: .relaxed) { _ = aside.withPath { unlink($0) } }
    }

    /// Writes a person's small file whole.
    ///
    /// Throws the error of making, writing or naming the file.
    package static func write(
        _ bytes: [UInt8], to path: String, mode: UInt32, syncing: Bool = true, followingLink: Bool = false
    ) throws(SystemCallError) {
        let file = try UnnamedFile(for: path, mode: mode, followingLink: followingLink)
        do throws(SystemCallError) {
            try file.descriptor.write(bytes)
        } catch {
            throw SystemCallError(error.call, path: path, errno: error.errno)
        }
        try file.put(syncing: syncing)
    }

    private func link() throws(SystemCallError) {
        let itself = "/proc/self/fd/\(descriptor.raw)"
        func name(_ target: String) -> Bool {
            target.withPath { linkat(AT_FDCWD, itself, AT_FDCWD, $0, AT_SYMLINK_FOLLOW) } == 0
        }
        if name(path) { return }
        guard errno == EEXIST else { throw SystemCallError("link", path: path) }
        // A link takes no other's place: it is named beside it first.
        Self.sweep(besides: path)
        let aside = Self.newName(beside: path)
        guard name(aside) else { throw SystemCallError("link", path: path) }
        let done = aside.withPath { from in path.withPath { rename(from, $0) } }
        guard done == 0 else {
            let error = SystemCallError("rename", path: path)
            _ = aside.withPath { unlink($0) }
            throw error
        }
    }

    /// Where the links at a path's end lead, also one that leads to nothing yet; those of `/dev` and `/proc` stay.
    private static func behindLinks(_ path: String) throws(SystemCallError) -> String {
        var place = path
        for _ in 0..<40 {
            guard (try? FileStatus.of(hostPath: place))?.kind == .symlink, !isNoPlainFile(place) else { return place }
            var buffer = [CChar](repeating: 0, count: 4097)
            let count = readlink(place, &buffer, buffer.count - 1)
            guard count > 0 else { return place }
            let target = String(pathBytes: buffer[..<count].map { UInt8(bitPattern: $0) })
            let folder = parts(of: place).folder
            place = target.hasPrefix("/") ? target : "\(folder)/\(target)"
        }
        throw SystemCallError("open", path: path, errno: ELOOP)
    }

    /// A device, a pipe, a socket; or a link of `/dev`, `/dev/stdout` say, whatever it leads to at the moment.
    private static func isNoPlainFile(_ path: String) -> Bool {
        guard let status = try? FileStatus.of(hostPath: path, followingLink: true) else { return false }
        if status.kind != .regular { return status.kind != .directory }
        let isOfSystem = ["/dev/", "/proc/"].contains { path.utf8.starts(with: $0.utf8) }
        return isOfSystem && (try? FileStatus.of(hostPath: path))?.kind == .symlink
    }

    private static let unnamed = shale_o_tmpfile()

    private static func parts(of path: String) -> (folder: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let name = String(path[path.utf8.index(after: slash)...])
        return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
    }

    private static func newName(beside path: String) -> String {
        "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max))~"
    }

    /// Removes what processes that are gone left beside a place.
    private static func sweep(besides path: String) {
        let (folder, name) = parts(of: path)
        guard let folder = try? RootDirectory(hostPath: folder), let names = try? folder.names(in: "/") else { return }
        for other in names where isLeftover(other, of: name) {
            guard let file = try? folder.descriptor.open(other, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
                (try? FileStatus.of(file))?.kind == .regular, flock(file.raw, LOCK_EX | LOCK_NB) == 0
            else { continue }
            try? folder.descriptor.unlink(other)
        }
    }

    /// `NAME.PROCESS-NUMBER~`.
    private static func isLeftover(_ other: String, of name: String) -> Bool {
        guard other.hasPrefix(name + "."), other.hasSuffix("~") else { return false }
        let parts = other.dropFirst(name.count + 1).dropLast().split(separator: "-", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } }
    }
}
