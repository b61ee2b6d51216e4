import Basics
import Containers
import OCI
import Stores

/// A process on the files of a stage: what `RUN` starts.
struct StagedProcess: Sendable {
    var id: String
    var arguments: [String]
    var environment: [String]
    var workingDirectory: String
    var user: String
    var network: String?
    var extraHosts: [String]
}

/// How it ended, and the mount points it was given that its files lacked.
struct StagedOutcome: Sendable {
    var exitStatus: Int32
    var stubs: Set<String>
}

extension Engine {
    func runInStaging(
        _ process: StagedProcess, lowers: [String], staging: LayerStaging, _ talk: Conversation
    ) throws(ShaleError) -> StagedOutcome { throw ShaleError(.unsupported, "") }

    func keepFailedStep(
        id: String, image: Image?, settings: ContainerConfig, arguments: [String], staging: LayerStaging,
        outcome: StagedOutcome
    ) throws(ShaleError) -> String { "" }
}
