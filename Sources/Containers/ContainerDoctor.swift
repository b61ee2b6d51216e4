import CSeccomp
import Glibc
package import Linux

/// What this host lets containers do.
package enum ContainerDoctor {
    /// The host's facts, and those of what containers need besides; changes nothing.
    package static func findings(home: String, runnerPath: String) -> [HostFinding] {
        HostFacts.findings(home: home) + [library(), runner(runnerPath), NetworkProgram.finding]
    }

    private static func library() -> HostFinding {
        if let problem = shale_seccomp_load_library() {
            return HostFinding(
                "libseccomp", .limited, String(cString: problem),
                advice: "install libseccomp2; without it only --security-opt seccomp=unconfined runs")
        }
        return HostFinding("libseccomp", .good, "loads")
    }

    private static func runner(_ path: String) -> HostFinding {
        access(path, X_OK) == 0
            ? HostFinding("shale-runner", .good, path)
            : HostFinding(
                "shale-runner", .missing, "\(path): \(SystemCallError.words(of: errno))",
                advice: "install it beside shale, or name it with SHALE_RUNNER")
    }
}
