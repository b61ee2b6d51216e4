import Basics
import FoundationEssentials
import Glibc
import Linux
import Runtime
import TestSupport
import Testing

/// What it takes to run this program again as someone else.
private enum OrdinaryUser {
    static let marker = "SHALE_TEST_ROOTLESS"

    /// Root with tools to become someone else, and not already the inner run.
    static let obstacle: String? = {
        if getenv(marker) != nil { return "inside" }
        if geteuid() != 0 || UserNamespace.isInside { return "needs root" }
        if !ContainerFixture.isPossible { return "no containers" }
        for tool in ["/usr/bin/setpriv", "/usr/bin/unshare", "/usr/bin/newuidmap"] where access(tool, X_OK) != 0 {
            return "needs \(tool)"
        }
        return access("/proc/sys/kernel/unprivileged_userns_clone", F_OK) == 0
            && (try? WholeFile.read("/proc/sys/kernel/unprivileged_userns_clone"))?.first == 0x30
            ? "no user namespaces" : nil
    }()
}

/// The same containers for an ordinary user: this test program again, as uid 1000 in a user namespace.
@Suite(.serialized, .enabled(if: OrdinaryUser.obstacle == nil, "no ordinary user to become here"))
struct RootlessTests {
    @Test(arguments: ["ranges", "one id"]) func sameSuite(_ kind: String) throws {
        let directory = TemporaryDirectory()
        chown(directory.path, 1000, 1000)
        let ranges = directory.path + "/ranges"
        // Ranges by number: the user needs no name, and the host's own files stay as they are.
        ContainerFixture.write(ranges, kind == "ranges" ? "1000:100000:65536\n" : "")
        // What the user runs must be within reach: the build folder may lie below a closed one.
        let runner = directory.path + "/shale-runner"
        let program = directory.path + "/tests"
        for path in [runner, program] { ContainerFixture.write(path, "") }
        let script = """
            mount --bind \(ranges) /etc/subuid && mount --bind \(ranges) /etc/subgid || exit 77
            mount --bind '\(ContainerFixture.runnerPath)' \(runner) || exit 77
            mount --bind '\(CommandLine.arguments.first ?? "")' \(program) || exit 77
            exec setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=\(directory.path) \\
                TMPDIR=\(directory.path) \(OrdinaryUser.marker)=1 \(runner) \\
                --inside \(directory.path)/home \(program) --testing-library swift-testing \\
                --filter 'RuntimeTests.RunTests|LinuxTests.OverlayTests' \\
                > \(directory.path)/output 2>&1
            """
        ContainerFixture.write(directory.path + "/output", "")
        chown(directory.path + "/output", 1000, 1000)
        let status = system("unshare -m /bin/sh -c '\(script.replacing("'", with: "'\\''"))'")
        let text = (try? WholeFile.read(directory.path + "/output")).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let summary = text.split(separator: "\n").last { $0.contains("Test run with") } ?? "no tests ran"
        let issues = text.split(separator: "\n").filter {
            $0.contains("recorded an issue") || $0.contains("shale-runner:")
        }
        #expect(status == 0, "\(summary)\n\(issues.joined(separator: "\n"))")
        #expect(summary.contains("passed"), "\(text.suffix(1000))")
    }
}
