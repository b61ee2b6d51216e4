import Basics
import Diagnostics
import FoundationEssentials
import Glibc
import Linux
import Logging

/// What a build was given for its git repositories: an SSH agent, tokens, and whether the host's own may be read.
struct GitAccess: Sendable {
    /// Whether the person named the repository, and not a Dockerfile, which may be a stranger's.
    let allowsHost: Bool
    /// The socket of an agent.
    let agent: String?
    /// Secrets by BuildKit's names: `GIT_AUTH_TOKEN`, `GIT_AUTH_HEADER`, each also with `.HOST` behind it.
    private let secrets: [BuildSecret]

    /// What `--ssh default` and `--secret` gave, for a repository that a Dockerfile names.
    init(_ options: StepOptions) {
        allowsHost = false
        agent = options.agents.first { $0.id == "default" }?.socket
        secrets = options.secrets.filter { $0.id.hasPrefix("GIT_AUTH_") }
    }

    /// For a context the person names: an address over SSH brings the person's own agent, as `docker buildx` has it.
    init(_ options: StepOptions, context address: GitAddress) {
        let given = GitAccess(options)
        allowsHost = true
        let own = getenv("SSH_AUTH_SOCK").map { String(path: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        agent = given.agent ?? (address.isOverSSH ? own : nil)
        secrets = given.secrets
    }

    /// The header that signs a request to an address's server: its key in git's configuration, and the value.
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

/// One git command after the other in a repository of shale's.
///
/// They see nothing of the person's: no configuration, credential helper, `.netrc`, key, agent, hook or terminal, but
/// for what the build was given. They speak the protocol of the address; submodules come from the network alone.
struct GitRun {
    let program: String
    let folder: String
    /// An empty folder that git takes for the person's home.
    let home: String
    let address: GitAddress
    let access: GitAccess
    let cancellation: Cancellation

    /// How the network is reached and whom it trusts: no secret of the person's, and no fetch without it.
    private static let inherited = [
        "PATH", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
        "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    ]
    private static let settings = [
        "credential.helper=", "core.askPass=", "core.hooksPath=/dev/null", "core.fsmonitor=false",
        "core.attributesFile=/dev/null", "http.emptyAuth=false", "protocol.ext.allow=never", "gc.auto=0",
    ]

    /// Returns what it printed last.
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
            // As with a registry: git gives up when a server sends almost nothing for 60 seconds.
            "GIT_HTTP_LOW_SPEED_LIMIT=1000", "GIT_HTTP_LOW_SPEED_TIME=60",
        ]
        for name in Self.inherited {
            if let value = getenv(name) { variables.append("\(name)=\(String(path: value))") }
        }
        if let agent = access.agent { variables.append("SSH_AUTH_SOCK=\(agent)") }
        // In the environment, which other users can't read, and not among the arguments, which they can.
        if let header = try access.header(for: address) {
            variables += [
                "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=\(header.key)", "GIT_CONFIG_VALUE_0=\(header.value)",
            ]
        }
        return variables
    }

    /// OpenSSH looks for keys and settings where the user database says home is, whatever HOME says.
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
