package import ArgumentParser
package import Basics
import Glibc
import Linux
import Recipes
import Rendering
import Runtime
import Stores

/// `doctor`: what the host has and lacks, and the commands that repair it.
package struct Doctor: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what the host lacks, and the command that mends it")
    package static let isWorthKeeping = false
    package static let examples = ["doctor", "doctor > doctor.txt", "doctor || info"]
    package static let differences = ["Docker has no such command."]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        // The file system of the home is checked: a new home is made first.
        let home = (try? shell.engine().home.path) ?? shell.options.home
        let findings = ContainerDoctor.findings(
            home: home, runnerPath: ProgramFiles.runner(shell.console.environment))
        var lines = findings.map(Self.line)
        for (name, package, use) in Self.libraries where !Self.canLoad(name) {
            lines.append("missing  \(name), for \(use)\n         as root: apt-get install \(package)")
        }
        let isWell = findings.allSatisfy { $0.verdict != .missing } && lines.count == findings.count
        return Outcome(.lines(lines), status: isWell ? 0 : 1)
    }

    private static func line(_ finding: HostFinding) -> String {
        let mark =
            switch finding.verdict {
            case .good: "ok       "
            case .limited: "limited  "
            case .missing: "missing  "
            }
        let advice = finding.advice?.split(separator: "\n").map { "\n         \($0)" } ?? []
        return "\(mark)\(finding.subject): \(finding.detail)" + advice.joined()
    }

    /// What is loaded on first use.
    private static let libraries = [
        ("libcurl.so.4", "libcurl4", "pull and search"), ("libarchive.so.13", "libarchive13", "packed layers"),
        ("libedit.so.2", "libedit2", "the prompt"),
    ]

    private static func canLoad(_ name: String) -> Bool {
        guard let handle = dlopen(name, RTLD_LAZY) else { return false }
        dlclose(handle)
        return true
    }
}
