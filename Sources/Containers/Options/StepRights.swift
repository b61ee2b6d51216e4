package import Basics
import Glibc
import Images
import Linux
package import OCI
package import Runtime

// Limits and security options, which a build's `RUN` and `run` share.
extension ContainerEngine {
    /// Writes limits into a step's host settings, and returns a warning for each limit that this host cannot enforce.
    ///
    /// Throws an error in docker's wording for a limit that is malformed or out of range.
    package static func limit(_ host: inout HostConfig, by options: LimitOptions) throws(ShaleError) -> [String] {
        var limits = try ContainerLimits(options)
        try limits.check()
        let warnings = limits.dropImpossible().map {
            "WARNING: \($0). Limitation discarded. doctor says what is lacking"
        }
        limits.write(to: &host)
        return warnings
    }

    /// The security options with the absolute path of a profile.
    ///
    /// Throws an error in docker's wording for an option that is malformed or a profile that cannot be read.
    package static func security(_ options: [String], relativeTo directory: String) throws(ShaleError) -> [String] {
        if let profile = try SecurityOptions(options).seccomp, profile != "unconfined",
            access(ImagePath.clean(profile, relativeTo: directory), R_OK) != 0
        {
            throw ShaleError(
                .invalid, "opening seccomp profile (\(profile.visible)) failed: open \(profile.visible)",
                cause: SystemCallError.words(of: errno))
        }
        return options.map { option in
            guard option.hasPrefix("seccomp="), option != "seccomp=unconfined", option != "seccomp=builtin" else {
                return option
            }
            return "seccomp=" + ImagePath.clean(String(option.dropFirst(8)), relativeTo: directory)
        }
    }

    /// The filter of system calls in the options, and whether the process may get no new privileges.
    ///
    /// Throws an error in docker's wording for an option that is malformed.
    package static func filter(
        _ options: [String]
    ) throws(ShaleError) -> (seccomp: LaunchSpec.Seccomp, noNewPrivileges: Bool) {
        let security = try SecurityOptions(options)
        let seccomp: LaunchSpec.Seccomp =
            switch security.seccomp {
            case nil: .standard
            case "unconfined": .unconfined
            case let path?: .profile(path: path)
            }
        return (seccomp, security.noNewPrivileges)
    }
}
