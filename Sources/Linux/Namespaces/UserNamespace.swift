package import Basics
import CLinux
import Glibc

/// How this process came to be root enough to mount.
package enum UserNamespaceEntry: Sendable, Hashable {
    /// It is root with `CAP_SYS_ADMIN` already, in whatever namespace.
    case notNeeded
    /// Joined the namespace that another process of the same home keeps alive.
    case joined(pid: Int32)
    /// A new one, with the ranges of `/etc/subuid` and `/etc/subgid`.
    case ranges
    /// A new one with this user's id only, as root; says why.
    case oneID(reason: String)
}

/// The user namespace in which an ordinary user's shale works.
package enum UserNamespace {
    /// Becomes root over a user and mount namespace, before any thread exists; does nothing for root itself.
    ///
    /// Processes of one home share one namespace, found by the notes in `HOME/run/ns` (a file a holder, named by its
    /// pid, with its start time). Throws `denied` where the kernel lets this user make none.
    @discardableResult
    package static func enter(home: String) throws(ShaleError) -> UserNamespaceEntry {
        if geteuid() == 0, Capabilities.effective().contains(.sysAdmin) { return .notNeeded }
        try HomeOwner.refuseForeign(home)
        do throws(SystemCallError) {
            let folder = try makeFolders(home)
            let lock = try FileLock.waiting(on: home + "/run/lock", exclusive: true)
            defer { withExtendedLifetime(lock) {} }
            if let pid = joinHolder(in: folder) {
                writeNote(at: "\(folder)/\(getpid())")
                return .joined(pid: pid)
            }
            let entry = try create()
            writeNote(at: "\(folder)/\(getpid())")
            return entry
        } catch {
            if error.errno == EACCES || error.errno == EPERM, let refusal = foreignHome(home) { throw refusal }
            throw error.shaleError("user namespace: \(error.call)")
                .hinting("an ordinary user needs unprivileged user namespaces; `shale doctor` says what is missing")
        }
    }

    /// The error for a home that is another user's; `nil` for one's own.
    private static func foreignHome(_ home: String) -> ShaleError? {
        var status = stat()
        let isThere = home.withPath { stat($0, &status) } == 0
        let owner =
            isThere ? "belongs to \(status.st_uid == 0 ? "root" : "user \(status.st_uid)")" : "cannot be reached"
        guard !isThere || status.st_uid != geteuid() else { return nil }
        return ShaleError(
            .denied, "home \(home) \(owner)", cause: SystemCallError.words(of: EACCES),
            hint: "shale --home DIR, or unset SHALE_HOME for a home of your own")
    }

    /// Whether this process is in a user namespace other than the first: its id map is not the identity of all ids.
    package static let isInside: Bool = {
        guard let bytes = try? WholeFile.read("/proc/self/uid_map", limit: 64 << 10) else { return false }
        let fields = String(decoding: bytes, as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
        return fields != ["0", "0", "4294967295"]
    }()

    /// Where holders leave their notes.
    package static func holderFolder(home: String) -> String { home + "/run/ns" }

    /// Notes that this process holds the namespace.
    package static func writeNote(at path: String) {
        guard let time = startTime(of: getpid()) else { return }
        try? OwnedFD.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW).write(Array(time.utf8))
    }

    private static func makeFolders(_ home: String) throws(SystemCallError) -> String {
        var path = ""
        for part in (home + "/run/ns").split(separator: "/") {
            path += "/" + part
            if path.withPath({ mkdir($0, 0o700) }) != 0, errno != EEXIST {
                throw SystemCallError("mkdir", path: path)
            }
        }
        return path
    }

    // MARK: Joining

    private static func joinHolder(in folder: String) -> Int32? {
        guard let own = namespaceID(of: "self"), let directory = try? OwnedFD.open(folder, O_RDONLY | O_DIRECTORY)
        else { return nil }
        for name in (try? DirectoryEntries.names(of: directory)) ?? [] {
            let note = "\(folder)/\(name)"
            guard let pid = Int32(name), let text = try? WholeFile.read(note, limit: 64),
                startTime(of: pid) == String(decoding: text, as: UTF8.self), let id = namespaceID(of: name), id != own
            else {
                // Its holder has ended (or its number is someone else's by now).
                unlink(note)
                continue
            }
            if join(pid) { return pid }
        }
        return nil
    }

    private static func join(_ pid: Int32) -> Bool {
        guard let user = try? OwnedFD.open("/proc/\(pid)/ns/user", O_RDONLY),
            let mount = try? OwnedFD.open("/proc/\(pid)/ns/mnt", O_RDONLY)
        else { return false }
        let directory = ProcessCalls.workingDirectory()
        guard shale_setns(user.raw, newUser) == 0 else { return false }
        guard shale_setns(mount.raw, newMount) == 0 else { return false }
        if let directory { _ = directory.withPath { chdir($0) } }
        return geteuid() == 0
    }

    private static let newUser = Int32(SHALE_CLONE_NEWUSER)
    private static let newMount = Int32(SHALE_CLONE_NEWNS)

    private static func namespaceID(of process: String) -> UInt64? {
        try? FileStatus.of(hostPath: "/proc/\(process)/ns/user", followingLink: true).inode
    }

    /// Field 22 of `/proc/PID/stat`: clock ticks since boot, which together with the pid names a process.
    package static func startTime(of pid: Int32) -> String? {
        guard let bytes = try? WholeFile.read("/proc/\(pid)/stat", limit: 4096),
            let end = bytes.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
        return fields.count > 19 ? String(decoding: fields[19], as: UTF8.self) : nil
    }

    // MARK: Making one

    private static func create() throws(SystemCallError) -> UserNamespaceEntry {
        let uids = idMap(own: geteuid(), file: "/etc/subuid")
        let gids = idMap(own: getegid(), file: "/etc/subgid")
        var step: Int32 = 0
        let result: Int32
        if let uids, let gids {
            result = ProcessCalls.withStringList(uids) { uids in
                ProcessCalls.withStringList(gids) { gids in shale_enter_user_namespace(uids, gids, &step) }
            }
        } else {
            result = shale_enter_user_namespace(nil, nil, &step)
        }
        guard result == 0 else {
            let names = ["", "unshare", "uid map", "gid map", "setgroups", "mount"]
            throw SystemCallError(names.indices.contains(Int(step)) ? names[Int(step)] : "unshare")
        }
        if uids == nil || gids == nil { return .oneID(reason: "no range for this user in /etc/subuid and /etc/subgid") }
        return step == 0 ? .ranges : .oneID(reason: "newuidmap refused the range of /etc/subuid, or is not installed")
    }

    /// Arguments for newuidmap: this user as root, then every range in turn; `nil` without a range.
    package static func idMap(own: UInt32, file: String) -> [String]? {
        let user = getpwuid(geteuid()).flatMap { $0.pointee.pw_name.map { String(cString: $0) } }
        guard let bytes = try? WholeFile.read(file, limit: 1 << 20) else { return nil }
        var arguments = ["0", String(own), "1"]
        var next: UInt64 = 1
        for (start, count) in ranges(in: String(decoding: bytes, as: UTF8.self), uid: geteuid(), user: user) {
            arguments += [String(next), String(start), String(count)]
            next += UInt64(count)
            if arguments.count >= 30 || next > 0xFFFF_0000 { break }
        }
        return next > 1 ? arguments : nil
    }

    /// A user's lines of the text of `/etc/subuid` or `/etc/subgid`; both name users, by name or number (`subgid(5)`).
    static func ranges(in text: String, uid: UInt32, user: String?) -> [(start: UInt32, count: UInt32)] {
        text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: ":")
            guard fields.count == 3, fields[0] == String(uid) || user.map({ fields[0] == $0 }) == true,
                let start = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0
            else { return nil }
            return (start, count)
        }
    }
}
