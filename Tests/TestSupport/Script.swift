import FoundationEssentials
import Glibc

/// A script of `/bin/sh` on the host, with an empty standard input.
///
/// Not Foundation's `Process`: its `run()` reads past the end of a directory's entries where this process has more than
/// about 1 350 files open, which ends the whole test run.
package enum Script {
    /// It had not ended when its time was over, and was killed.
    package struct Hangs: Error {}

    /// Runs it in a folder to its end, for at most `seconds`.
    ///
    /// What the caller gives comes over the environment that every program of a test has.
    package static func run(
        _ script: String, in folder: String, environment: [String: String] = [:], seconds: Int = 60
    ) throws -> Peer.Outcome {
        let scratch = TemporaryDirectory()
        let (output, errors) = (scratch.path + "/out", scratch.path + "/err")
        let child = try Child(
            "/bin/sh", ["-c", script], environment: environment, in: folder, output: output, errors: errors)
        let deadline = Date(timeIntervalSinceNow: Double(seconds))
        while child.isRunning {
            guard Date() < deadline else {
                child.stop()
                throw Hangs()
            }
            usleep(2000)
        }
        return Peer.Outcome(
            status: child.wait(), output: Array(try Data(contentsOf: URL(filePath: output))),
            errors: String(decoding: try Data(contentsOf: URL(filePath: errors)), as: UTF8.self))
    }
}
