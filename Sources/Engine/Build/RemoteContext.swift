import Basics
import Dockerfiles
import Glibc
import Layers
import Linux
import OCI

/// A build context that is fetched: a git repository, or a file by its address (a Dockerfile, or a tar of any kind).
package enum RemoteContext: Sendable, Hashable {
    case git(GitAddress)
    case file(String)

    /// By docker's rule, and `file://` for a repository of the host's; `nil` for a path.
    package init?(_ text: String) {
        let bare = text.prefix { $0 != "#" }
        let isWeb = text.hasPrefix("http://") || text.hasPrefix("https://")
        if (isWeb && bare.hasSuffix(".git")) || text.hasPrefix("git://") || text.hasPrefix("git@")
            || text.hasPrefix("ssh://") || text.hasPrefix("file://") || text.hasPrefix("github.com/")
        {
            self = .git(GitAddress(text))
        } else if isWeb {
            self = .file(text)
        } else {
            return nil
        }
    }
}

/// `REPOSITORY[#REF[:DIRECTORY]]`.
package struct GitAddress: Sendable, Hashable {
    package var repository: String
    /// A branch, a tag or a commit; empty for the repository's own choice.
    package var reference: String
    package var directory: String

    package init(_ text: String) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        repository = parts[0].hasPrefix("github.com/") ? "https://\(parts[0])" : parts[0]
        let fragment = (parts.count > 1 ? parts[1] : "").split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false
        ).map(String.init)
        reference = fragment.first ?? ""
        directory = fragment.count > 1 ? fragment[1] : ""
    }
}

/// Who named a git repository, and so what fetching it may use.
enum GitTrust {
    /// The person, on the command line: a repository of the host's may be meant.
    case person
    /// A Dockerfile, which may be a stranger's: it reads what the network gives.
    case dockerfile
}

extension Engine {
    /// Fetches what a git address names into a folder of its own, with the host's `git`; answers the folder and the
    /// commit.
    ///
    /// Nothing of the person's takes part: no git configuration, hook or credential, no key and no agent but the one
    /// that `--ssh` gave, whose socket is `agent`. Throws `denied` for a repository of the host's that a Dockerfile
    /// names, `unavailable` without a git, and git's own last words when it fails.
    func checkOut(
        _ address: GitAddress, namedBy trust: GitTrust, agent: String?, keepsGitFolder: Bool, _ talk: Conversation
    ) throws(ShaleError) -> (folder: ScratchFolder, commit: String) {
        let isOnHost = address.repository.hasPrefix("file://")
        guard trust == .person || !isOnHost else {
            throw ShaleError(
                .denied,
                "ADD failed: \(address.repository.visible): a Dockerfile may not read repositories of the host",
                hint: "build \(address.repository.visible)   (a repository named here is the build's context)")
        }
        guard !settings.offline || isOnHost else {
            throw ShaleError(.unavailable, "offline: git would fetch \(address.repository)")
        }
        guard !address.repository.hasPrefix("-"), !address.reference.hasPrefix("-") else {
            throw ShaleError(.invalid, "invalid git address \(address.repository)")
        }
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        guard let git = HostProgram.find("git", searchPath: path) else {
            throw ShaleError(
                .unavailable, "unable to fetch \(address.repository): git is not installed", hint: "apt-get install git"
            )
        }
        let folder = try ScratchFolder(in: store)
        let home = try ScratchFolder(in: store)
        let run = GitRun(program: git, folder: folder.path, home: home.path, address: address, agent: agent)
        _ = try run(["init", "--quiet", "--template="])
        _ = try run(["remote", "add", "origin", address.repository])
        try talk.cancellation.check()
        let wanted = address.reference.isEmpty ? "HEAD" : address.reference
        // Plain files behind a web server know no depth; and servers give a commit, or part of its name, only to whoever
        // has the whole history.
        let branches = "+refs/heads/*:refs/remotes/origin/*"
        let ways = [
            (["--depth", "1", "origin", wanted], ["FETCH_HEAD"]), (["origin", wanted], ["FETCH_HEAD"]),
            (["--tags", "origin", branches], ["--detach", wanted]),
        ]
        var failure: ShaleError?
        for (fetched, checkedOut) in ways {
            try talk.cancellation.check()
            do throws(ShaleError) {
                _ = try run(["fetch", "--quiet"] + fetched, readingHost: isOnHost)
                _ = try run(["checkout", "--quiet"] + checkedOut)
                failure = nil
                break
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        let commit = try run(["rev-parse", "HEAD"])
        // The repository names its submodules: whoever wrote it may be a stranger, also where the person named it.
        _ = try run(["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"])
        if !keepsGitFolder { try translating("git") { try FileTree.remove("\(folder.path)/.git") } }
        return (folder, commit)
    }

    /// A git context's folder, the directory of its address taken as the whole.
    func gitContext(
        _ address: GitAddress, agent: String?, keepsGitFolder: Bool, _ talk: Conversation
    ) throws(ShaleError) -> ScratchFolder {
        let (folder, _) = try checkOut(
            address, namedBy: .person, agent: agent, keepsGitFolder: keepsGitFolder, talk)
        guard !address.directory.isEmpty else { return folder }
        let inner = try ScratchFolder(in: store)
        guard (try? folder.root.resolvedStatus(address.directory))?.kind == .directory else {
            throw ShaleError(
                .notFound, "\(address.repository): directory \(address.directory) not found in the repository")
        }
        try TreeCopy(from: folder.root, to: inner.root).copy(address.directory, to: "/")
        return inner
    }
}

/// One command after the other in a repository of shale's.
private struct GitRun {
    let program: String
    let folder: String
    /// An empty folder that git takes for the person's home.
    let home: String
    let address: GitAddress
    /// The socket of the agent that `--ssh` gave.
    let agent: String?

    /// Answers what it printed, trimmed; `readingHost` lets this one command read a repository of the host's.
    func callAsFunction(_ arguments: [String], readingHost: Bool = false) throws(ShaleError) -> String {
        let outcome = try translating("git") {
            try HostProgram.run(program, ["-C", folder] + arguments, environment: environment(readingHost))
        }
        let text = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map(String.init)
        guard outcome.status == 0 else {
            let fatal = text.last { $0.hasPrefix("fatal: ") && !$0.contains("clone of") }
            throw ShaleError(
                .unavailable,
                "unable to prepare context: unable to 'git \(arguments[0])' \(address.repository.visible)",
                cause: (fatal ?? text.last ?? "exit status \(outcome.status)").visible)
        }
        return text.last ?? ""
    }

    /// git's variables (git(1), "Environment Variables"), none of them the person's but for the way to the network.
    private func environment(_ readingHost: Bool) -> [String] {
        var variables = [
            "LC_ALL=C", "HOME=\(home)", "XDG_CONFIG_HOME=\(home)", "GIT_CONFIG_NOSYSTEM=1",
            "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_ATTR_NOSYSTEM=1",
            "GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false", "SSH_ASKPASS=/bin/false",
            "GIT_ALLOW_PROTOCOL=\(readingHost ? "file" : "http:https:git:ssh")", "GIT_SSH_COMMAND=\(sshCommand)",
        ]
        for name in ["PATH", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"] {
            if let value = getenv(name) { variables.append("\(name)=\(String(cString: value))") }
        }
        if let agent { variables.append("SSH_AUTH_SOCK=\(agent)") }
        return variables
    }

    /// ssh finds the person's keys and settings by the user database, whatever `HOME` says: each is turned off.
    private var sshCommand: String {
        "ssh -F /dev/null -o BatchMode=yes -o IdentityFile=/dev/null -o GSSAPIAuthentication=no"
            + " -o IdentityAgent=\(agent == nil ? "none" : "SSH_AUTH_SOCK")"
    }
}
