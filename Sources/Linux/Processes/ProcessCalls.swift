import CLinux
import Glibc

/// What a process does to itself between fork and exec.
package enum ProcessCalls {
    /// Asks to be killed when the parent dies; lost with a change of ids: ask again after it.
    ///
    /// Throws the error of `prctl(2)`.
    package static func dieWithParent() throws(SystemCallError) {
        try check("prctl") { shale_prctl(Int32(SHALE_PR_SET_PDEATHSIG), UInt(SIGKILL), 0, 0, 0) }
    }

    /// The name that `ps` shows, at most 15 bytes.
    package static func setName(_ name: String) {
        name.withCString { _ = shale_prctl(Int32(SHALE_PR_SET_NAME), UInt(bitPattern: $0), 0, 0, 0) }
    }

    /// Keeps others in the same namespaces from tracing this process, and from its `/proc` files.
    ///
    /// Throws the error of `prctl(2)`.
    package static func hideFromOthers() throws(SystemCallError) {
        try check("prctl") { shale_prctl(Int32(SHALE_PR_SET_DUMPABLE), 0, 0, 0, 0) }
    }

    /// Keeps this process and its children from gaining rights by a program's set-user-id bit.
    ///
    /// Throws the error of `prctl(2)`.
    package static func setNoNewPrivileges() throws(SystemCallError) {
        try check("prctl") { shale_prctl(Int32(SHALE_PR_SET_NO_NEW_PRIVS), 1, 0, 0, 0) }
    }

    /// Every signal's default action, and none blocked.
    package static func resetSignals() { _ = shale_signals_reset() }

    /// A session keyring of its own; a kernel without keyrings needs none.
    package static func joinNewKeyring() { _ = shale_join_session_keyring() }

    package static func closeOnExec(from first: Int32) { _ = shale_close_range(UInt32(first), .max, 1) }

    /// Closes every descriptor from `first` on but one.
    package static func closeAll(from first: Int32, but kept: Int32) {
        if kept > first { _ = shale_close_range(UInt32(first), UInt32(kept - 1), 0) }
        _ = shale_close_range(UInt32(max(kept + 1, first)), .max, 0)
    }

    /// Copies a descriptor onto a number, to be inherited.
    ///
    /// Throws the error of `dup2(2)`.
    package static func place(_ fd: Int32, at number: Int32) throws(SystemCallError) {
        try check("dup2") { shale_dup3_plain(fd, number) }
    }

    /// Sets a resource limit (`RLIMIT_*`) of this process.
    ///
    /// Throws the error of `setrlimit(2)`.
    package static func setLimit(_ resource: Int32, soft: UInt64, hard: UInt64) throws(SystemCallError) {
        try check("setrlimit") { shale_setrlimit(resource, soft, hard) }
    }

    /// A child that ended: its pid and exit code, 128 and the signal's number for a killed one; `nil` for none.
    package static func reap() -> (pid: Int32, code: Int32)? {
        var status: Int32 = 0
        let pid = shale_reap(&status)
        guard pid > 0 else { return nil }
        return (pid, exitCode(of: status))
    }

    /// A shell's exit status from `wait`'s.
    package static func exitCode(of status: Int32) -> Int32 {
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }

    /// Forks a single-threaded program; 0 in the child.
    ///
    /// Throws the error of `fork(2)`.
    package static func fork() throws(SystemCallError) -> Int32 {
        try check("fork") { shale_fork() }
    }

    /// The working directory's path as the kernel tells it, `nil` for one outside this process's root.
    package static func workingDirectory() -> String? {
        var buffer = [CChar](repeating: 0, count: 4097)
        guard shale_getcwd(&buffer, 4096) == 0 else { return nil }
        let path = String(pathBytes: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) })
        return path.hasPrefix("/") ? path : nil
    }

    /// What this process was started with, its own name first: bytes, which Swift's list would have made UTF-8.
    package static var arguments: [String] {
        (0..<Int(CommandLine.argc)).compactMap { CommandLine.unsafeArgv[$0].map { String(path: $0) } }
    }

    package static func mayExecute(_ path: String) -> Bool {
        path.withPath { shale_eaccess_exec($0) } == 0
    }

    /// Replaces the program; comes back only on failure, with its errno.
    package static func execute(_ path: String, arguments: [String], environment: [String]) -> Int32 {
        withStringList(arguments) { arguments in
            withStringList(environment) { environment in
                _ = path.withPath { execve($0, arguments, environment) }
                return errno
            }
        }
    }

    /// C's form of a list of strings, alive during the call.
    package static func withStringList<Result>(
        _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { text in text.withPath { strdup($0) } }
        pointers.append(nil)
        defer { for pointer in pointers { free(pointer) } }
        return pointers.withUnsafeMutableBufferPointer { buffer in
            // A list with its closing nil always has an address.
            var none: UnsafeMutablePointer<CChar>?
            return buffer.baseAddress.map(body) ?? body(&none)
        }
    }

    /// Loads a seccomp filter (`seccomp(2)`), without slowing the process by speculation limits.
    ///
    /// Throws the error of `seccomp(2)`.
    package static func loadSeccomp(_ program: [UInt8]) throws(SystemCallError) {
        try check("seccomp") { shale_seccomp_load(program, program.count, 4) }
    }
}

/// Ids and capabilities of this process.
package enum Credentials {
    /// Sets the supplementary groups.
    ///
    /// Throws the error of `setgroups(2)`.
    package static func setGroups(_ groups: [UInt32]) throws(SystemCallError) {
        try check("setgroups") { shale_setgroups(groups.count, groups) }
    }
    /// Sets the real, effective and saved group id.
    ///
    /// Throws the error of `setresgid(2)`.
    package static func setGroup(_ gid: UInt32) throws(SystemCallError) {
        try check("setgid") { shale_setresgid(gid) }
    }
    /// Sets the real, effective and saved user id.
    ///
    /// Throws the error of `setresuid(2)`.
    package static func setUser(_ uid: UInt32) throws(SystemCallError) {
        try check("setuid") { shale_setresuid(uid) }
    }

    /// Drops every capability that is not in `kept` from the bounding set.
    ///
    /// Throws the error of `prctl(2)`.
    package static func limitBounding(to kept: Capabilities) throws(SystemCallError) {
        for number in 0..<UInt64(64) where kept.rawValue >> number & 1 == 0 {
            if shale_prctl(Int32(SHALE_PR_CAPBSET_DROP), UInt(number), 0, 0, 0) == 0 { continue }
            // The first number the kernel does not know ends the list.
            if errno == EINVAL { return }
            throw SystemCallError("prctl")
        }
    }

    /// Effective and permitted, nothing inheritable or ambient.
    ///
    /// Throws the error of `capset(2)`.
    package static func setCapabilities(_ set: Capabilities) throws(SystemCallError) {
        try check("capset") { shale_capset(set.rawValue, set.rawValue, 0) }
    }
}
