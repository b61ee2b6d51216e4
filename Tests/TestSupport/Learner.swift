import FoundationEssentials
import Glibc

/// Who follows the course: root, or the ordinary user that scripts/test makes; with a folder, a home and a shale of
/// their own.
package final class Learner: Sendable {
    package enum User: String, Sendable, CaseIterable, CustomStringConvertible {
        case root
        case ordinary = "shale-test"

        /// Why this process cannot act as that user; `nil` when it can.
        package var obstacle: String? {
            switch self {
            case .root: getuid() == 0 ? nil : "needs root"
            case .ordinary:
                if getuid() != 0 {
                    nil
                } else {
                    getpwnam(rawValue) == nil ? "no user \(rawValue): scripts/test makes one" : nil
                }
            }
        }

        package var description: String { rawValue }
    }

    package static let builtProgram = BuiltShale.path ?? Terminal.product("shale")

    package let user: User
    package let program: String
    package let folder = TemporaryDirectory()
    private let extra: [String: String]

    package init(_ user: User = getuid() == 0 ? .root : .ordinary, environment: [String: String] = [:]) throws {
        self.user = user
        extra = environment
        for path in ["/bin", "/work", "/config"] { mkdir(folder.path + path, 0o755) }
        try Peer("cp").run(["-R", Corpus.packageRoot + "/scripts/recipes", folder.path + "/recipes"])
        guard user == .ordinary, getuid() == 0 else {
            program = Self.builtProgram
            return
        }
        // A copy the ordinary user may read, wherever the package lies.
        program = folder.path + "/bin/shale"
        let built = "/" + Self.builtProgram.split(separator: "/").dropLast().joined(separator: "/")
        try Peer("cp").run(["--reflink=auto", built + "/shale", built + "/shale-runner", folder.path + "/bin/"])
        try Peer("chmod").run(["-R", "a+rX", folder.path])
        try Peer("chown").run(["-R", "\(user.rawValue):", folder.path])
    }

    deinit {
        // What containers and layers left belongs to ids of the user's range.
        _ = try? Peer("rm").run(["-rf", home], expecting: nil)
    }

    package var home: String { folder.path + "/home" }
    package var work: String { folder.path + "/work" }
    package var recipes: String { folder.path + "/recipes" }

    package var environment: [String: String] {
        [
            "SHALE_HOME": home, "SHALE_RECIPES": recipes, "HOME": folder.path,
            "XDG_CONFIG_HOME": folder.path + "/config",
            "XDG_STATE_HOME": folder.path + "/state", "LANG": "C.UTF-8", "NO_COLOR": "1",
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        ].merging(extra) { $1 }
    }

    /// The words that run shale as this user.
    package func command(_ arguments: [String]) -> [String] {
        let asUser =
            user == .ordinary && getuid() == 0
            ? ["/usr/bin/setpriv", "--reuid", user.rawValue, "--regid", user.rawValue, "--init-groups"] : []
        return asUser + [program] + arguments
    }

    /// Runs shale to its end in the learner's folder.
    @discardableResult
    package func shale(
        _ arguments: [String], environment: [String: String] = [:], expecting status: Int32? = 0
    ) throws -> Peer.Outcome {
        let words =
            ["-C", work] + self.environment.merging(environment) { $1 }.map { "\($0)=\($1)" } + command(arguments)
        let outcome = try Peer("env").run(words, expecting: nil)
        if let status, outcome.status != status {
            throw PeerError(
                text:
                    "shale \(arguments.joined(separator: " ")): status \(outcome.status)\n\(outcome.text)\n\(outcome.errors)"
            )
        }
        return outcome
    }

    /// Shale's prompt, or one command, in a terminal of its own.
    package func terminal(
        _ arguments: [String] = [], environment: [String: String] = [:], columns: Int = 100, rows: Int = 30
    ) throws -> Terminal {
        let variables = self.environment.merging(["SHALE_PROMPT": "{PROMPT}", "TERM": "xterm-256color"]) { $1 }
            .merging(environment) { $1 }
        return try Terminal(
            ["/usr/bin/env", "-C", work] + command(arguments), environment: variables, columns: columns, rows: rows)
    }

    package func exists(_ name: String) -> Bool { access(work + "/" + name, F_OK) == 0 }

    package func text(_ name: String) throws -> String {
        String(decoding: try Data(contentsOf: URL(filePath: work + "/" + name)), as: UTF8.self)
    }

    package func write(_ text: String, to name: String, executable: Bool = false) throws {
        try Data(text.utf8).write(to: URL(filePath: work + "/" + name))
        chmod(work + "/" + name, executable ? 0o755 : 0o644)
        if user == .ordinary, getuid() == 0 { try Peer("chown").run(["\(user.rawValue):", work + "/" + name]) }
    }
}
