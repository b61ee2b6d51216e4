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

extension Engine {
    /// Fetches what a git address names into a folder of its own, with the host's `git`; answers the folder and the
    /// commit.
    ///
    /// Throws `unavailable` without a git, and git's own last words when it fails.
    func checkOut(
        _ address: GitAddress, keepsGitFolder: Bool, _ talk: Conversation
    ) throws(ShaleError) -> (folder: ScratchFolder, commit: String) {
        guard !settings.offline || address.repository.hasPrefix("file://") else {
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
        let run = GitRun(program: git, folder: folder.path, address: address)
        _ = try run(["init", "--quiet"])
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
                _ = try run(["fetch", "--quiet"] + fetched)
                _ = try run(["checkout", "--quiet"] + checkedOut)
                failure = nil
                break
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        let commit = try run(["rev-parse", "HEAD"])
        _ = try run(["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"])
        if !keepsGitFolder { try translating("git") { try FileTree.remove("\(folder.path)/.git") } }
        return (folder, commit)
    }

    /// A git context's folder, the directory of its address taken as the whole.
    func gitContext(
        _ address: GitAddress, keepsGitFolder: Bool, _ talk: Conversation
    ) throws(ShaleError) -> ScratchFolder {
        let (folder, _) = try checkOut(address, keepsGitFolder: keepsGitFolder, talk)
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
    let address: GitAddress

    /// Answers what it printed, trimmed.
    func callAsFunction(_ arguments: [String]) throws(ShaleError) -> String {
        let inherited = ["PATH", "HOME", "SSH_AUTH_SOCK", "http_proxy", "https_proxy", "no_proxy", "GIT_SSL_CAINFO"]
        var environment = ["GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C", "GIT_ASKPASS=/bin/true"]
        for name in inherited {
            if let value = getenv(name) { environment.append("\(name)=\(String(cString: value))") }
        }
        // A file:// repository may belong to somebody else; it is only read.
        let options = ["-C", folder, "-c", "safe.directory=*", "-c", "protocol.file.allow=always"]
        let outcome = try translating("git") {
            try HostProgram.run(program, options + arguments, environment: environment)
        }
        let text = String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").map(String.init)
        guard outcome.status == 0 else {
            throw ShaleError(
                .unavailable, "unable to prepare context: unable to 'git \(arguments[0])' \(address.repository)",
                cause: text.first { $0.hasPrefix("fatal: ") } ?? text.last ?? "exit status \(outcome.status)")
        }
        return text.last ?? ""
    }
}
