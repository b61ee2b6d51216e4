import Glibc
import Linux

/// What belongs to the program and lies outside it: its runner.
enum ProgramFiles {
    /// The path of `shale-runner`: what `SHALE_RUNNER` says, else beside the program that runs (a build folder, a copy),
    /// else where an installed one has it, `libexec/shale` beside its `bin`.
    ///
    /// The program is found behind links. Where no runner is found, the path beside the program, for messages.
    static func runner(_ environment: [String: String]) -> String {
        if let given = environment["SHALE_RUNNER"], !given.isEmpty { return given }
        let beside = "\(folder)/\(runnerName)"
        let installed = "\(parent)/libexec/shale/\(runnerName)"
        return [beside, installed].first { access($0, X_OK) == 0 } ?? beside
    }

    private static let runnerName = "shale-runner"

    /// The folder of the program that runs.
    private static let folder: String = {
        var buffer = [CChar](repeating: 0, count: 4097)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return "." }
        return above(String(pathBytes: buffer.prefix(count).map { UInt8(bitPattern: $0) }))
    }()

    private static var parent: String { above(folder) }

    private static func above(_ path: String) -> String {
        path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}
