import Basics
import FoundationEssentials
import Glibc
import Linux

/// A seccomp profile in the JSON of docker's `--security-opt seccomp=FILE`, or the built-in profile.
struct SeccompProfile: Sendable, Hashable {
    /// The condition of a rule.
    ///
    /// All given parts must hold; for `excludes` none may hold.
    struct Condition: Sendable, Hashable, Decodable {
        var caps: [String]?
        var arches: [String]?
        var minKernel: String?
    }

    struct Argument: Sendable, Hashable {
        var index: UInt32
        var value: UInt64
        var valueTwo: UInt64
        var op: String
    }

    struct Rule: Sendable, Hashable {
        var names: [String]
        var action: String
        var errnoRet: UInt32?
        var arguments: [Argument] = []
        var includes: Condition?
        var excludes: Condition?
    }

    var defaultAction: String
    var defaultErrno: UInt32?
    /// Libseccomp's names of architectures; `nil` for the host's architecture and the others that it can run.
    var architectures: [String]?
    var rules: [Rule]

    init(defaultAction: String, defaultErrno: UInt32?, architectures: [String]?, rules: [Rule]) {
        self.defaultAction = defaultAction
        self.defaultErrno = defaultErrno
        self.architectures = architectures
        self.rules = rules
    }

    /// Parses docker's JSON, in the new form or the old one (`name`, `architectures`).
    init(json: [UInt8]) throws(ShaleError) {
        do {
            self = try JSONDecoder().decode(SeccompProfile.self, from: Data(json))
        } catch {
            throw ShaleError(.invalid, "opening seccomp profile failed", cause: "decoding seccomp profile failed")
        }
    }
}

extension SeccompProfile: Decodable {
    private enum Keys: String, CodingKey { case defaultAction, defaultErrnoRet, architectures, archMap, syscalls }
    private struct ArchitectureMap: Decodable {
        var architecture: String
        var subArchitectures: [String]?
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        defaultAction = try container.decode(String.self, forKey: .defaultAction)
        defaultErrno = try container.decodeIfPresent(UInt32.self, forKey: .defaultErrnoRet)
        rules = try container.decodeIfPresent([Rule].self, forKey: .syscalls) ?? []
        let list = try container.decodeIfPresent([String].self, forKey: .architectures) ?? []
        let maps = try container.decodeIfPresent([ArchitectureMap].self, forKey: .archMap) ?? []
        let own = HostArchitecture.current
        let mapped = maps.filter { Self.plain($0.architecture) == own.seccompName }
            .flatMap { [$0.architecture] + ($0.subArchitectures ?? []) }
        let all = (list + mapped).map(Self.plain)
        architectures = all.isEmpty ? nil : all
    }

    /// Libseccomp's name of an architecture: `x86_64` for `SCMP_ARCH_X86_64`.
    private static func plain(_ name: String) -> String {
        (name.hasPrefix("SCMP_ARCH_") ? String(name.dropFirst(10)) : name).lowercased()
    }
}

extension SeccompProfile.Rule: Decodable {
    private enum Keys: String, CodingKey { case name, names, action, errnoRet, args, includes, excludes }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        let name = try container.decodeIfPresent(String.self, forKey: .name) ?? ""
        names = try container.decodeIfPresent([String].self, forKey: .names) ?? []
        if !name.isEmpty { names.append(name) }
        action = try container.decode(String.self, forKey: .action)
        errnoRet = try container.decodeIfPresent(UInt32.self, forKey: .errnoRet)
        arguments = try container.decodeIfPresent([SeccompProfile.Argument].self, forKey: .args) ?? []
        includes = try container.decodeIfPresent(SeccompProfile.Condition.self, forKey: .includes)
        excludes = try container.decodeIfPresent(SeccompProfile.Condition.self, forKey: .excludes)
    }
}

extension SeccompProfile.Argument: Decodable {
    private enum Keys: String, CodingKey { case index, value, valueTwo, op }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Keys.self)
        index = try container.decode(UInt32.self, forKey: .index)
        value = try container.decode(UInt64.self, forKey: .value)
        valueTwo = try container.decodeIfPresent(UInt64.self, forKey: .valueTwo) ?? 0
        op = try container.decode(String.self, forKey: .op)
    }
}

extension SeccompProfile {
    /// The rules that apply on this host to a container with these capabilities.
    func effectiveRules(
        capabilities: Capabilities, architecture: HostArchitecture = .current, kernel: KernelVersion = .current
    ) -> [Rule] {
        rules.filter { rule in
            if let includes = rule.includes {
                if let names = includes.arches, !names.isEmpty, !names.contains(architecture.goName) { return false }
                if let caps = includes.caps, !caps.allSatisfy({ Self.has($0, capabilities) }) { return false }
                if let text = includes.minKernel, let least = KernelVersion(text), kernel < least { return false }
            }
            if let excludes = rule.excludes {
                if let names = excludes.arches, names.contains(architecture.goName) { return false }
                if let caps = excludes.caps, caps.contains(where: { Self.has($0, capabilities) }) { return false }
                if let text = excludes.minKernel, let least = KernelVersion(text), kernel >= least { return false }
            }
            return true
        }
    }

    private static func has(_ name: String, _ set: Capabilities) -> Bool {
        Capabilities(name: name).map(set.isSuperset(of:)) ?? false
    }
}

/// The processor's architecture, with the names that others use for it.
struct HostArchitecture: Sendable, Hashable {
    /// libseccomp's name.
    var seccompName: String
    /// Go's name, which the conditions of profiles use.
    var goName: String
    /// Other architectures whose programs this host can run, by libseccomp's names.
    var others: [String]

    static let current = HostArchitecture(machine: machineName())

    init(machine: String) {
        switch machine {
        case "x86_64": (seccompName, goName, others) = ("x86_64", "amd64", ["x86", "x32"])
        case "aarch64": (seccompName, goName, others) = ("aarch64", "arm64", ["arm"])
        case "s390x": (seccompName, goName, others) = ("s390x", "s390x", ["s390"])
        case "ppc64le": (seccompName, goName, others) = ("ppc64le", "ppc64le", [])
        case "riscv64": (seccompName, goName, others) = ("riscv64", "riscv64", [])
        default: (seccompName, goName, others) = (machine, machine, [])
        }
    }

    private static func machineName() -> String {
        var names = utsname()
        guard uname(&names) == 0 else { return "" }
        return withUnsafeBytes(of: names.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
