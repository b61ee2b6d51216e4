package import Basics
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

    /// `NAME=SOFT[:HARD]`, `-1` for none; throws docker's words (`docker/go-units`) for anything else.
    package init(parsing text: String) throws(ShaleError) {
        let refusal = { (why: String) in
            ShaleError(.usage, "invalid argument \"\(text)\" for \"--ulimit\" flag", cause: why)
        }
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw refusal("invalid ulimit argument: \(text)") }
        guard let resource = Self.resources.first(where: { $0.name == parts[0] }) else {
            throw refusal("invalid ulimit type: \(parts[0])")
        }
        var values: [UInt64] = []
        for value in parts[1].split(separator: ":", omittingEmptySubsequences: false) {
            guard let number = value == "-1" ? Self.infinity : UInt64(value) else {
                throw refusal("strconv.ParseInt: parsing \"\(value)\": invalid syntax")
            }
            values.append(number)
        }
        guard values.count < 3, let first = values.first, let last = values.last else {
            throw refusal("too many limit value arguments - \(parts[1]), can only have up to two, `soft[:hard]`")
        }
        guard first <= last else {
            let soft = first == Self.infinity ? "-1" : String(first)
            throw refusal("ulimit soft limit must be less than or equal to hard limit: \(soft) > \(last)")
        }
        self.resource = resource.number
        soft = first
        hard = last
    }
}
