package import ArgumentParser
package import Basics
import Containers
import Diagnostics
import Images
import Linux
import OCI
import Recipes
import Rendering
import RunnerProtocol
import Runtime
import Stores

/// `info`: the version, the store and the host.
package struct Info: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show where things are and how many")
    package static let isWorthKeeping = false
    package static let managementNames: [ManagementName] = ["system info"]
    package static let examples = ["info", "info --format json", "info --format '{{.DockerRootDir}}'"]
    package static let differences = ["Docker's tells of its daemon; here it is the home, and who has it."]

    @Option(name: .shortAndLong, help: "json, or a template.") var format: String?

    package init() {}

    /// The kernel's release.
    private static var kernel: String {
        let bytes = (try? WholeFile.read("/proc/sys/kernel/osrelease", limit: 4096)) ?? []
        return String(decoding: bytes, as: UTF8.self).trimmingFinalNewlines
    }

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let engine = try shell.engine()
        let console = shell.console
        let records = try engine.containers.readable { console.warning($0.withHint) }
        let containers = records.map { engine.containers.view(of: $0).state.status }
        let facts: [(String, JSONDocument)] = [
            ("ServerVersion", .string(Version.current)),
            ("DockerRootDir", .string(engine.home.path)),
            ("LogFile", .string(LogFile.path(home: engine.home.path))),
            ("Session", .string(shell.options.session)),
            ("Containers", .integer(Int64(containers.count))),
            ("ContainersRunning", .integer(Int64(containers.filter { $0 == .running }.count))),
            ("ContainersPaused", .integer(Int64(containers.filter { $0 == .paused }.count))),
            ("ContainersStopped", .integer(Int64(containers.filter { $0 != .running && $0 != .paused }.count))),
            ("Images", .integer(Int64(try engine.images.all().count))),
            ("Driver", .string(engine.form == .user ? "overlay (in a user namespace)" : "overlay")),
            ("KernelVersion", .string(Self.kernel)),
            ("OSType", .string("linux")),
            ("Architecture", .string(Platform.host.architecture)),
            ("NCPU", .integer(Int64(Workers.processors))),
        ]
        if let format {
            return .documents([.object(facts.map { JSONDocument.Member($0.0, $0.1) })], format: format)
        }
        return .lines(facts.map { "\($0.0): \($0.1.string ?? $0.1.text())" })
    }
}
