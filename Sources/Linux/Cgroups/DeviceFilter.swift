import CLinux
import Glibc

/// Devices that processes of a control group may open.
package struct DeviceRule: Sendable, Hashable {
    /// What may be done, as the kernel numbers it.
    package struct Access: OptionSet, Sendable, Hashable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }
        package static let make = Access(rawValue: 1)
        package static let read = Access(rawValue: 2)
        package static let write = Access(rawValue: 4)
        package static let all: Access = [.make, .read, .write]
    }
    package var isBlock: Bool
    package var major: UInt32
    /// `nil` for every minor.
    package var minor: UInt32?
    package var access: Access

    package init(isBlock: Bool = false, major: UInt32, minor: UInt32?, access: Access = .all) {
        self.isBlock = isBlock
        self.major = major
        self.minor = minor
        self.access = access
    }

    /// What every container may open: null, zero, full, random, urandom; tty, console, ptmx; terminals.
    package static let standard: [DeviceRule] =
        [3, 5, 7, 8, 9].map { DeviceRule(major: 1, minor: $0) } + [0, 1, 2].map { DeviceRule(major: 5, minor: $0) }
        + [DeviceRule(major: 136, minor: nil)]
}

/// The filter of a v2 control group: nodes of any device may be made, only those of its rules opened
/// (`BPF_PROG_TYPE_CGROUP_DEVICE`).
package enum DeviceFilter {
    private enum Register: UInt64 {
        case result = 0
        case context, kind, access, major, minor, scratch
    }

    private static func instruction(
        _ code: UInt64, _ target: Register = .result, _ source: Register = .result, offset: Int16 = 0,
        value: UInt32 = 0
    ) -> UInt64 {
        code | target.rawValue << 8 | source.rawValue << 12 | UInt64(UInt16(bitPattern: offset)) << 16
            | UInt64(value) << 32
    }

    private static func load(_ target: Register, at offset: Int16) -> UInt64 {
        instruction(0x61, target, .context, offset: offset)
    }
    private static func copy(_ target: Register, from source: Register) -> UInt64 {
        instruction(0xBF, target, source)
    }
    private static func keep(_ bits: UInt32, of target: Register) -> UInt64 { instruction(0x57, target, value: bits) }
    private static func skip(_ count: Int, unless target: Register, is value: UInt32) -> UInt64 {
        instruction(0x55, target, offset: Int16(count), value: value)
    }
    private static func answer(_ value: UInt32) -> [UInt64] {
        [instruction(0xB7, .result, value: value), instruction(0x95)]
    }

    /// The program as the kernel takes it, an instruction a number.
    package static func program(_ rules: [DeviceRule]) -> [UInt64] {
        var code = [
            load(.kind, at: 0), copy(.access, from: .kind), keep(0xFFFF, of: .kind),
            instruction(0x77, .access, value: 16), load(.major, at: 4), load(.minor, at: 8),
        ]
        // Making a node is harmless: only opening it gives access to the device.
        code += [copy(.scratch, from: .access), keep(6, of: .scratch), skip(2, unless: .scratch, is: 0)] + answer(1)
        for rule in rules {
            var tests: [(register: Register, value: UInt32)] = [(.kind, rule.isBlock ? 1 : 2), (.major, rule.major)]
            if let minor = rule.minor { tests.append((.minor, minor)) }
            tests.append((.scratch, 0))
            let refused = ~rule.access.rawValue & 7
            code += [copy(.scratch, from: .access), keep(refused, of: .scratch)]
            for (place, test) in tests.enumerated() {
                code.append(skip(tests.count - 1 - place + 2, unless: test.register, is: test.value))
            }
            code += answer(1)
        }
        return code + answer(0)
    }

    /// Loads it and attaches it to a group, whose directory is open for reading.
    ///
    /// Throws the error of `bpf(2)`.
    package static func attach(_ rules: [DeviceRule], to cgroup: Int32) throws(SystemCallError) {
        let code = program(rules)
        try check("bpf") { shale_cgroup_device_filter(cgroup, code, code.count) }
    }
}
