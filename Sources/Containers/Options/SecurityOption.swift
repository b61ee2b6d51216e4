import Basics

/// The values of `--security-opt` that affect the start of a container.
struct SecurityOptions: Sendable, Equatable {
    var noNewPrivileges = false
    /// `unconfined`, or the path of a profile; `nil` for the standard filter.
    var seccomp: String?

    init(_ options: [String]) throws(ShaleError) {
        for option in options {
            let parts = option.split(maxSplits: 1, omittingEmptySubsequences: false) { $0 == "=" || $0 == ":" }
                .map(String.init)
            let value = parts.count > 1 ? parts[1] : nil
            let invalid = ShaleError(.invalid, "invalid --security-opt 2: \"\(option)\"")
            switch parts[0] {
            case "no-new-privileges":
                guard let flag = ["true": true, "false": false][value ?? "true"] else { throw invalid }
                noNewPrivileges = flag
            case "seccomp":
                guard let value, !value.isEmpty else { throw invalid }
                seccomp = value == "builtin" ? nil : value
            case "systempaths":
                guard value == "unconfined" else { throw invalid }
                throw ShaleError(.unsupported, "--security-opt \(option) is not supported", hint: "--privileged")
            case "apparmor", "label":
                guard value == "unconfined" || value == "disable" else {
                    throw ShaleError(.unsupported, "--security-opt \(option) is not supported: no \(parts[0]) here")
                }
            default: throw invalid
            }
        }
    }
}
