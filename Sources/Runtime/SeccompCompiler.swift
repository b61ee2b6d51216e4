import Basics
import CSeccomp
import Diagnostics
import Glibc
import Linux
import Logging
import OCI

/// Compiles a profile to the program that the kernel runs, once for each profile and set of capabilities.
struct SeccompCompiler: Sendable {
    /// The folder for compiled programs.
    let cachePath: String

    /// The program of a profile, from the cache when it is there.
    func program(
        for profile: SeccompProfile, identity: String, capabilities: Capabilities
    ) throws(ShaleError) -> [UInt8] {
        let architecture = HostArchitecture.current
        let key = "\(identity) \(capabilities.rawValue) \(architecture.goName) \(KernelVersion.current)"
        let path = "\(cachePath)/seccomp-\(Digest.of(key.utf8).hex.prefix(32)).bpf"
        if let kept = try? WholeFile.read(path, limit: 64 << 10), !kept.isEmpty, kept.count % 8 == 0 { return kept }
        let program = try compile(profile, capabilities: capabilities, architecture: architecture)
        // Without a writable cache the program is compiled each time.
        mkdir(cachePath, 0o700)
        Logger.cache.attempt("keep a compiled seccomp profile") { try WholeFile.replace(path, with: program) }
        return program
    }

    func compile(
        _ profile: SeccompProfile, capabilities: Capabilities, architecture: HostArchitecture
    ) throws(ShaleError) -> [UInt8] {
        if let problem = shale_seccomp_load_library() {
            throw ShaleError(
                .unavailable, "seccomp", cause: String(cString: problem),
                hint: "install libseccomp2, or use --security-opt seccomp=unconfined")
        }
        let byDefault = try Self.action(profile.defaultAction, errno: profile.defaultErrno)
        guard let filter = shale_seccomp_new(byDefault.action, byDefault.data) else {
            throw ShaleError(.engine, "seccomp", cause: "cannot make a filter")
        }
        defer { shale_seccomp_free(filter) }
        for name in profile.architectures ?? [architecture.seccompName] + architecture.others {
            guard shale_seccomp_add_architecture(filter, name) == 0 else {
                throw ShaleError(.invalid, "seccomp: unknown architecture \(name)")
            }
        }
        var last: Int32 = 0
        for rule in profile.effectiveRules(capabilities: capabilities, architecture: architecture) {
            let action = try Self.action(rule.action, errno: rule.errnoRet ?? 1)
            // libseccomp refuses rules whose action is the default action.
            if action == byDefault { continue }
            for name in rule.names {
                try Self.add(rule, name, action, to: filter)
                last = max(last, shale_seccomp_number(name))
            }
        }
        let program = try Self.export(filter)
        guard byDefault.action == SHALE_SECCOMP_ERRNO, byDefault.data != UInt32(ENOSYS), last > 0 else {
            return program
        }
        return Self.answerUnknown(after: UInt32(last), before: program)
    }

    private struct Action: Equatable {
        var action: shale_seccomp_action
        var data: UInt32
    }

    private static func action(_ name: String, errno: UInt32?) throws(ShaleError) -> Action {
        switch name {
        case "SCMP_ACT_ALLOW": return Action(action: SHALE_SECCOMP_ALLOW, data: 0)
        case "SCMP_ACT_ERRNO": return Action(action: SHALE_SECCOMP_ERRNO, data: (errno ?? 1) & 0xFFFF)
        case "SCMP_ACT_TRACE": return Action(action: SHALE_SECCOMP_TRACE, data: (errno ?? 1) & 0xFFFF)
        case "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD": return Action(action: SHALE_SECCOMP_KILL_THREAD, data: 0)
        case "SCMP_ACT_KILL_PROCESS": return Action(action: SHALE_SECCOMP_KILL_PROCESS, data: 0)
        case "SCMP_ACT_TRAP": return Action(action: SHALE_SECCOMP_TRAP, data: 0)
        case "SCMP_ACT_LOG": return Action(action: SHALE_SECCOMP_LOG, data: 0)
        default: throw ShaleError(.invalid, "seccomp: unknown action \(name)")
        }
    }

    private static let comparisons: [String: shale_seccomp_comparison] = [
        "SCMP_CMP_NE": SHALE_SECCOMP_NE, "SCMP_CMP_LT": SHALE_SECCOMP_LT, "SCMP_CMP_LE": SHALE_SECCOMP_LE,
        "SCMP_CMP_EQ": SHALE_SECCOMP_EQ, "SCMP_CMP_GE": SHALE_SECCOMP_GE, "SCMP_CMP_GT": SHALE_SECCOMP_GT,
        "SCMP_CMP_MASKED_EQ": SHALE_SECCOMP_MASKED_EQ,
    ]

    private static func add(
        _ rule: SeccompProfile.Rule, _ name: String, _ action: Action, to filter: OpaquePointer
    ) throws(ShaleError) {
        var arguments: [shale_seccomp_argument] = []
        for argument in rule.arguments {
            guard let comparison = comparisons[argument.op], argument.index < 6 else {
                throw ShaleError(.invalid, "seccomp: \(name): bad argument \(argument.index) \(argument.op)")
            }
            arguments.append(
                shale_seccomp_argument(
                    index: argument.index, comparison: comparison, first: argument.value, second: argument.valueTwo))
        }
        // Several conditions on one argument are alternatives, each a rule of its own; on different ones all must hold.
        let isAlternative = Set(arguments.map(\.index)).count < arguments.count
        for group in isAlternative ? arguments.map({ [$0] }) : [arguments] {
            let result = shale_seccomp_add_rule(filter, action.action, action.data, name, group, group.count)
            // 1: a call this libseccomp does not know stays refused.
            guard result >= 0 || result == -EEXIST || result == -EDOM else {
                throw ShaleError(.engine, "seccomp: \(name)", cause: SystemCallError.words(of: -result))
            }
        }
    }

    private static func export(_ filter: OpaquePointer) throws(ShaleError) -> [UInt8] {
        let number = shale_seccomp_memory_file()
        guard number >= 0 else { throw SystemCallError("memfd_create").shaleError("seccomp") }
        let file = OwnedFD(adopting: number)
        guard shale_seccomp_export(filter, file.raw) == 0, lseek(file.raw, 0, SEEK_SET) == 0 else {
            throw ShaleError(.engine, "seccomp", cause: "cannot export the filter")
        }
        do throws(SystemCallError) {
            return try file.readAll(limit: 1 << 20)
        } catch {
            throw error.shaleError("seccomp")
        }
    }

    /// Puts in front: calls of the host's architecture newer than any the profile names answer ENOSYS.
    ///
    /// A C library then falls back to an older call, as it would on an older kernel; EPERM would make it give up.
    private static func answerUnknown(after last: UInt32, before program: [UInt8]) -> [UInt8] {
        let loadWord: UInt16 = 0x20
        let (jumpEqual, jumpGreater, jumpGreaterEqual, answer): (UInt16, UInt16, UInt16, UInt16) = (
            0x15, 0x25, 0x35, 0x06
        )
        let instructions: [(code: UInt16, yes: UInt8, no: UInt8, value: UInt32)] = [
            (loadWord, 0, 0, 4),
            (jumpEqual, 0, 4, shale_seccomp_native_audit()),
            (loadWord, 0, 0, 0),
            // x32's numbers begin here; they are not newer.
            (jumpGreaterEqual, 2, 0, 0x4000_0000),
            (jumpGreater, 0, 1, last),
            (answer, 0, 0, 0x0005_0000 | UInt32(ENOSYS)),
        ]
        var bytes: [UInt8] = []
        for instruction in instructions {
            withUnsafeBytes(of: instruction.code) { bytes.append(contentsOf: $0) }
            bytes += [instruction.yes, instruction.no]
            withUnsafeBytes(of: instruction.value) { bytes.append(contentsOf: $0) }
        }
        return bytes + program
    }
}
