import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging

/// What git may use for a build's repositories: an SSH agent, tokens, and whether it may read repositories on the host.
struct GitAccess: Sendable {
    /// Whether git may read repositories on the host: only when the user named the repository on the command line.
    ///
    /// A Dockerfile may come from a stranger, so a repository that it names may not be on the host.
    let allowsHost: Bool
    /// The path of an SSH agent's socket.
    let agent: String?
    /// Secrets with BuildKit's names: `GIT_AUTH_TOKEN` and `GIT_AUTH_HEADER`, each also with `.HOST` appended.
    private let secrets: [BuildSecret]

    /// For a repository that a Dockerfile names: only what `--ssh default` and `--secret` gave.
    init(_ options: StepOptions) {
        allowsHost = false
        agent = options.agents.first { $0.id == "default" }?.socket
        secrets = options.secrets.filter { $0.id.hasPrefix("GIT_AUTH_") }
    }

    /// For a context that the user named: an address over SSH may also use the user's own agent, as in `docker buildx`.
    init(_ options: StepOptions, context address: GitAddress) {
        let given = GitAccess(options)
        allowsHost = true
        let own = getenv("SSH_AUTH_SOCK").map { String(path: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        agent = given.agent ?? (address.isOverSSH ? own : nil)
        secrets = given.secrets
    }

    /// The authorization header for an address's server: its key in git's configuration, and its value.
    ///
    /// Throws `invalid` for a secret with control characters, and what reading the secret throws.
    func header(for address: GitAddress) throws(ShaleError) -> (key: String, value: String)? {
        let parts = address.repository.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0] == "https:" || parts[0] == "http:" else { return nil }
        let host = parts[2].split(separator: "@").last.map(String.init) ?? ""
        let key = "http.\(parts[0])//\(host)/.extraHeader"
        for suffix in [".\(host)", ""] {
            if let secret = secrets.first(where: { $0.id == "GIT_AUTH_HEADER\(suffix)" }) {
                return (key, "Authorization: \(try text(of: secret))")
            }
            if let secret = secrets.first(where: { $0.id == "GIT_AUTH_TOKEN\(suffix)" }) {
                let pair = Data("x-access-token:\(try text(of: secret))".utf8).base64EncodedString()
                return (key, "Authorization: Basic \(pair)")
            }
        }
        return nil
    }

    private func text(of secret: BuildSecret) throws(ShaleError) -> String {
        var text = String(decoding: try secret.bytes(), as: UTF8.self)[...]
        while text.last?.isNewline == true { text.removeLast() }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 32 && $0.value != 127 }) else {
            throw ShaleError(.invalid, "secret \(secret.id.visible) is no token: it holds control characters")
        }
        return String(text)
    }
}

/// Runs git commands in a repository of shale.
///
/// Git sees nothing of the user: no configuration, credential helper, `.netrc`, key, agent, hook or terminal, except
/// what
/// the build was given. It uses only the protocol of the address, and fetches submodules only from the network.
struct GitRun {
    let program: String
    let folder: String
    /// An empty folder that git uses as the home directory.
    let home: String
    let address: GitAddress
    let access: GitAccess
    let cancellation: Cancellation

    /// The host's variables that git sees: how the network is reached and which certificates are trusted.
    ///
    /// None is a secret.
    private static let inherited = [
        "PATH", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
        "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    ]
    private static let settings = [
        "credential.helper=", "core.askPass=", "core.hooksPath=/dev/null", "core.fsmonitor=false",
        "core.attributesFile=/dev/null", "http.emptyAuth=false", "protocol.ext.allow=never", "gc.auto=0",
    ]

    /// Runs git; returns the last line of its output.
    ///
    /// Throws `cancelled`, and `unavailable` with git's own message when it fails.
    func callAsFunction(_ arguments: [String], ofSubmodules: Bool = false) throws(ShaleError) -> String {
        var options = ["-C", folder]
        for setting in Self.settings { options += ["-c", setting] }
        let environment = try environment(ofSubmodules: ofSubmodules)
        let cancellation = cancellation
        let begin = SteadyTime.now()
        let outcome = try Observer.measure(.git, "git \(arguments[0]) \(address.repository)") { () throws(ShaleError) in
            try translating("git") {
                try HostProgram.run(
                    program, options + arguments, environment: environment, isCancelled: { cancellation.isCancelled })
            }
        }
        Logger.git.info(
            "git \(arguments[0])",
            metadata: [
                "repository": "\(address.repository)", "status": "\(outcome.status)",
                "ms": "\(Milliseconds.text(since: begin))",
            ])
        try cancellation.check()
        let text = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map(String.init)
        guard outcome.status == 0 else {
            let subject = ofSubmodules ? "the submodules of \(address.repository)" : address.repository
            let fatal = text.first { $0.hasPrefix("fatal: ") }
            throw ShaleError(
                .unavailable, "unable to prepare context: unable to 'git \(arguments[0])' \(subject.visible)",
                cause: (fatal ?? text.last ?? "exit status \(outcome.status)").visible, hint: hint(arguments[0]))
        }
        return text.last ?? ""
    }

    private func environment(ofSubmodules: Bool) throws(ShaleError) -> [String] {
        var variables = [
            "HOME=\(home)", "XDG_CONFIG_HOME=\(home)", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
            "GIT_CONFIG_SYSTEM=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_NO_LAZY_FETCH=1",
            "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "GIT_SSH_COMMAND=\(sshCommand)", "GIT_SSH_VARIANT=ssh",
            "GIT_ALLOW_PROTOCOL=\(ofSubmodules || !address.isOfHost ? "http:https:git:ssh" : "file")",
            // As for a registry: git gives up when the server sends less than 1000 bytes a second for 60 seconds.
            "GIT_HTTP_LOW_SPEED_LIMIT=1000", "GIT_HTTP_LOW_SPEED_TIME=60",
        ]
        for name in Self.inherited {
            if let value = getenv(name) { variables.append("\(name)=\(String(path: value))") }
        }
        if let agent = access.agent { variables.append("SSH_AUTH_SOCK=\(agent)") }
        // Passed in the environment, because other users can read a process's arguments but not its environment.
        if let header = try access.header(for: address) {
            variables += [
                "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=\(header.key)", "GIT_CONFIG_VALUE_0=\(header.value)",
            ]
        }
        return variables
    }

    /// OpenSSH takes the home directory from the user database and not from HOME, so each file is named here.
    private var sshCommand: String {
        let agent = access.agent == nil ? " -o IdentityAgent=none" : ""
        return "ssh -F /dev/null -o BatchMode=yes -o IdentityFile=/dev/null -o GSSAPIAuthentication=no\(agent)"
    }

    private func hint(_ command: String) -> String? {
        switch command {
        case "submodule": "submodules are fetched from the network only, never from the host's own folders"
        case "fetch" where address.isOverSSH && access.agent == nil:
            "build --ssh default=KEY …   (git is run without your own keys and agent)"
        case "fetch" where !address.isOfHost && !address.isOverSSH:
            "build --secret id=GIT_AUTH_TOKEN …   (for a private repository: git is run without your own credentials)"
        case "fetch" where address.isOfHost:
            "build \(address.repository.dropFirst(GitAddress.hostScheme.count).description.visible)   (the files as they lie there)"
        default: nil
        }
    }
}
