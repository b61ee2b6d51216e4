import FoundationEssentials
import Glibc

/// The built program, run as a person's shell would run it, on a home of its own.
package struct BuiltShale: Sendable {
    package let folder = TemporaryDirectory()
    private let environment: [String: String]

    /// The one program that every test starts: `SHALE`, else what was built last in release or in debug, with its
    /// runner beside it.
    ///
    /// A stale release build beside a fresh debug one would test yesterday's program.
    package static let path: String? = {
        if let given = getenv("SHALE") { return String(cString: given) }
        let candidates = ["release", "debug"].map { "\(Corpus.packageRoot)/.build/\($0)/shale" }
        let built = candidates.filter { access($0, X_OK) == 0 && access("\($0)-runner", X_OK) == 0 }
        return built.max { modified($0) < modified($1) }
    }()
    package static var isPresent: Bool { path != nil }
    package static let absent = "shale is not built (swift build), and SHALE names none"

    /// When the file was last written, in seconds since 1970.
    private static func modified(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mtim.tv_sec : 0
    }

    package init(_ environment: [String: String] = [:]) {
        self.environment = environment.merging(["NO_COLOR": "1", "HOME": folder.path]) { own, _ in own }
    }

    package var home: String { folder.path + "/home" }

    /// Runs one command to its end.
    @discardableResult
    package func run(
        _ arguments: [String], input: [UInt8] = [], expecting status: Int32? = 0
    ) throws -> Peer.Outcome {
        try Peer(path: Self.path).run(
            ["--home", home] + arguments, input: input, environment: environment, in: folder.path, expecting: status)
    }

    /// Starts one command and lets it run.
    package func start(_ arguments: [String]) throws -> Child {
        guard let path = Self.path else { throw PeerError(text: Self.absent) }
        return try Child(
            path, ["--home", home] + arguments, environment: environment, in: folder.path,
            output: folder.path + "/out", errors: folder.path + "/err")
    }
}
