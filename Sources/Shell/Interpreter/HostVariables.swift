import Glibc
import Linux

/// Variables that the host's programs need: a value that a line sets for such a name is not passed to them.
enum HostVariables {
    private static let names: Set<String> = [
        "PATH", "HOME", "SHELL", "USER", "LOGNAME", "TERM", "PWD", "OLDPWD", "IFS", "TMPDIR", "ENV", "BASH_ENV",
        "SHELLOPTS", "BASHOPTS",
    ]

    /// Whether host programs keep their own value of a variable.
    static func keeps(_ name: String) -> Bool { names.contains(name) || name.hasPrefix("LD_") }
}

/// Paths of the host's.
enum HostPath {
    static func exists(_ path: String) -> Bool { !path.isEmpty && access(path, F_OK) == 0 }
}
