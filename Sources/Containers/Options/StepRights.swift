package import Basics
import Glibc
import Images
import Linux
package import OCI
package import Runtime

// What a build's `RUN` shares with `run`: limits and security options, by the same rules.
extension ContainerEngine {
    /// Writes limits into what the host gives a step; returns a warning for each that cannot be held here.
    ///
    /// Throws docker's words for a limit that is malformed or out of range.
    package static func limit(_ host: inout HostConfig, by options: LimitOptions) throws(ShaleError) -> [String] {
        var limits = try ContainerLimits(options)
        try limits.check()
        let warnings = limits.dropImpossible().map {
            "WARNING: \($0). Limitation discarded. doctor says what is lacking"
        }
        limits.write(to: &host)
        return warnings
    }

    /// Security options as they are kept: a profile by its whole path.
    ///
    /// Throws docker's words for an option that is malformed or a profile that cannot be read.
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

    /// The filter of system calls that such options ask for, and whether new privileges are kept away.
    ///
    /// Throws docker's words for an option that is malformed.
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
