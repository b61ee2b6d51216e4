import Basics
import Containers
import Dockerfiles
import Glibc
import Images
import Layers
import Linux
import OCI

/// A build context that is downloaded: a git repository, or a file by its URL (a Dockerfile, or a tar).
package enum RemoteContext: Sendable, Hashable {
    case git(GitAddress)
    case file(String)

    /// Recognizes a remote context as docker does, and `file://` as a repository on the host; `nil` for a path.
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
    /// A branch, a tag or a commit; empty for the repository's default branch.
    package var reference: String
    package var directory: String

    static let hostScheme = "file://"

    /// Whether the repository is on the host.
    var isOfHost: Bool { repository.hasPrefix(Self.hostScheme) }

    /// Whether the repository is reached over SSH: by its scheme, or as `git@HOST:PATH`.
    var isOverSSH: Bool { repository.hasPrefix("ssh://") || repository.hasPrefix("git@") }

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

extension BuildEngine {
    /// Checks a git repository out into a scratch folder, with the host's `git`.
    ///
    /// Returns the folder and the commit.
    ///
    /// Git uses nothing of the user except what `access` holds. Throws `denied` for a repository on the host that a
    /// Dockerfile names, `unavailable` when git is not installed, when shale is offline, or with git's last message
    /// when it
    /// fails, `invalid` for a malformed address, and `cancelled`.
    func checkOut(
        _ address: GitAddress, _ access: GitAccess, keepsGitFolder: Bool, _ operation: OperationContext
    ) throws(ShaleError) -> (folder: ScratchFolder, commit: String) {
        guard access.allowsHost || !address.isOfHost else {
            throw ShaleError(
                .denied,
                "ADD failed: \(address.repository.visible): a Dockerfile may not read repositories of the host",
                hint: "build \(address.repository.visible)   (a repository named here is the build's context)")
        }
        guard !settings.offline || address.isOfHost else {
            throw ShaleError(.unavailable, "offline: git would fetch \(address.repository)")
        }
        guard !address.repository.hasPrefix("-"), !address.reference.hasPrefix("-") else {
            throw ShaleError(.invalid, "invalid git address \(address.repository)")
        }
        guard let git = HostProgram.find("git", searchPath: HostProgram.searchPath) else {
            throw ShaleError(
                .unavailable, "unable to fetch \(address.repository): git is not installed", hint: "apt-get install git"
            )
        }
        let folder = try ScratchFolder(in: store)
        let home = try ScratchFolder(in: store)
        let run = GitRun(
            program: git, folder: folder.path, home: home.path, address: address, access: access,
            cancellation: operation.cancellation)
        let repository = address.isOfHost ? try HostRepository(address) : nil
        let form = repository?.usesLongHashes == true ? ["--object-format=sha256"] : []
        _ = try run(["init", "--quiet", "--template="] + form)
        _ = try run(["remote", "add", "origin", address.repository])
        let beside = try repository.map { repository throws(ShaleError) in
            let bare = try ScratchFolder(in: store)
            _ = try run(["init", "--quiet", "--bare", "--template="] + form + [bare.path])
            try repository.fill(bare)
            return bare
        }
        let source = beside?.path ?? "origin"
        let wanted = address.reference.isEmpty ? "HEAD" : address.reference
        // A plain web server cannot serve a shallow fetch. Some servers give a single commit, or a commit by a short
        // name, only
        // as part of the whole history.
        let branches = "+refs/heads/*:refs/remotes/origin/*"
        let ways = [
            (["--depth", "1", source, wanted], ["FETCH_HEAD"]), ([source, wanted], ["FETCH_HEAD"]),
            (["--tags", source, branches], ["--detach", wanted]),
        ]
        var failure: ShaleError?
        for (fetched, checkedOut) in ways {
            try operation.cancellation.check()
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
        // The repository names its submodules. A stranger may have written it, even when the user named the repository.
        _ = try run(["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"], ofSubmodules: true)
        if !keepsGitFolder { try translating("git") { try FileTree.remove("\(folder.path)/.git") } }
        return (folder, commit)
    }

    /// The folder of a git context; when the address names a directory, that directory is the whole context.
    ///
    /// Throws `notFound` when the directory is not in the repository, and what `checkOut` throws.
    func gitContext(
        _ address: GitAddress, _ access: GitAccess, keepsGitFolder: Bool, _ operation: OperationContext
    ) throws(ShaleError) -> ScratchFolder {
        let (folder, _) = try checkOut(address, access, keepsGitFolder: keepsGitFolder, operation)
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
