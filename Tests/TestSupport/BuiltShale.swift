import FoundationEssentials
import Glibc

/// The built program, run as a person's shell would run it, on a home of its own.
package struct BuiltShale: Sendable {
    package let folder = TemporaryDirectory()
    private let environment: [String: String]

    /// `SHALE_BINARY`, or the one beside the tests.
    package static let path: String? = {
        if let given = getenv("SHALE_BINARY") { return String(cString: given) }
        let debug = Corpus.packageRoot + "/.build/debug/shale"
        return access(debug, X_OK) == 0 ? debug : nil
    }()
    package static var isPresent: Bool { path != nil }
    package static let absent = "shale is not built (swift build), and SHALE_BINARY names none"

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
