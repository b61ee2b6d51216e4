import CLinux
import Glibc

/// A resource limit as `--ulimit` names it (`getrlimit(2)`).
package struct ResourceLimit: Sendable, Hashable {
    /// docker's names, by `RLIMIT_*` number of x86 and arm.
    package static let resources: [(name: String, number: Int32)] = [
        ("cpu", 0), ("fsize", 1), ("data", 2), ("stack", 3), ("core", 4), ("rss", 5), ("nproc", 6), ("nofile", 7),
        ("memlock", 8), ("as", 9), ("locks", 10), ("sigpending", 11), ("msgqueue", 12), ("nice", 13), ("rtprio", 14),
        ("rttime", 15),
    ]
    /// No limit.
    package static let infinity = UInt64.max

    package var resource: Int32
    package var soft: UInt64
    package var hard: UInt64

    /// `NAME=SOFT[:HARD]`, `-1` for none; `nil` when it is not that, or soft lies above hard.
    package init?(parsing text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let resource = Self.resources.first(where: { $0.name == parts[0] }) else { return nil }
        let values = parts[1].split(separator: ":", omittingEmptySubsequences: false).map(Self.value)
        guard values.count == 1 || values.count == 2, let first = values[0], let last = values[values.count - 1],
            first <= last
        else { return nil }
        self.resource = resource.number
        soft = first
        hard = last
    }

    private static func value(_ text: Substring) -> UInt64? {
        text == "-1" ? infinity : UInt64(text)
    }
}
