import Basics
import Glibc
import Images
import Linux

/// A git repository on the host that the user named as a build's context.
///
/// The repository may come from a stranger, for example in an archive. Its own files could then lead to another
/// repository of the user, or name programs that git would start. So git never runs in it and never reads its
/// configuration: shale makes a new repository with the same references and the same objects, and git reads that one.
struct HostRepository {
    private typealias Reference = (path: String, bytes: [UInt8])

    private let address: GitAddress
    /// The absolute path of the git folder: `.git` of a working tree, or a bare repository.
    private let path: String
    private let root: RootDirectory
    /// `HEAD` and all files that map a name to a commit, by their paths in the git folder.
    private let references: [Reference]

    /// The largest total size of the reference files in bytes.
    ///
    /// A repository with a million references has 70 MB of them.
    private static let limit = 128 << 20

    /// Opens the repository and reads its references.
    ///
    /// Throws `invalid` for an address that is not an absolute path, `notFound` when there is no repository, `denied`
    /// for a
    /// repository that leads to another one, and `unsupported` for one with reftable.
    init(_ address: GitAddress) throws(ShaleError) {
        self.address = address
        let named = Self.decoded(address.repository.dropFirst(GitAddress.hostScheme.count))
        guard named.isAbsolutePath, !named.utf8.contains(0) else {
            throw ShaleError(
                .invalid, "invalid git address \(address.repository.visible): not an absolute path",
                hint: "build file:///PATH/OF/REPOSITORY")
        }
        let top: RootDirectory
        do throws(SystemCallError) {
            top = try RootDirectory(hostPath: named)
        } catch {
            throw error.shaleError("unable to prepare context: \(address.repository.visible)")
        }
        let inner = (try? top.status(".git"))?.kind
        guard inner == nil || inner == .directory else { throw Self.leadsAway(address, ".git leads to another folder") }
        path = inner == nil ? named : "\(named)/.git"
        root = try inner == nil ? top : Self.folder(".git", of: top)
        try Self.checkObjects(root, address)
        references = try Self.references(root, address)
    }

    /// Whether its objects are named by SHA-256 digests.
    var usesLongHashes: Bool {
        references.contains { reference in
            reference.bytes.split(whereSeparator: { $0 <= UInt8(ascii: " ") }).contains { word in
                word.count == 64 && word.allSatisfy(\.isLowercaseHexDigit)
            }
        }
    }

    /// Gives an empty bare repository the same references and a link to the objects.
    func fill(_ bare: ScratchFolder) throws(ShaleError) {
        try translating("git") {
            try FileTree.remove("\(bare.path)/objects")
            let objects = "\(path)/objects"
            let made = objects.withPath { target in "\(bare.path)/objects".withPath { symlink(target, $0) } }
            if made == -1 { throw SystemCallError("symlink", path: objects) }
            for reference in references {
                let folder = reference.path.lastSlash.map { String(reference.path[..<$0]) } ?? ""
                try bare.root.makeDirectories(folder, mode: 0o700)
                let flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW
                try bare.root.open(reference.path, flags, mode: 0o600).write(reference.bytes)
            }
        }
    }

    private static func folder(_ name: String, of top: RootDirectory) throws(ShaleError) -> RootDirectory {
        do throws(SystemCallError) {
            return RootDirectory(try top.directory(name))
        } catch {
            throw error.shaleError("git")
        }
    }

    private static func checkObjects(_ root: RootDirectory, _ address: GitAddress) throws(ShaleError) {
        guard let objects = try? root.status("objects"), (try? root.status("HEAD")) != nil else {
            throw ShaleError(
                .notFound, "unable to prepare context: \(address.repository.visible) is not a git repository")
        }
        guard objects.kind == .directory else { throw leadsAway(address, "objects leads to another folder") }
        for name in ["objects/info/alternates", "commondir"] where (try? root.status(name)) != nil {
            throw leadsAway(address, "\(name) names another repository")
        }
        guard (try? root.status("reftable")) == nil else {
            throw ShaleError(
                .unsupported, "unable to prepare context: \(address.repository.visible) keeps its names as reftable",
                hint: Self.hint(address))
        }
        _ = try walk("objects", of: root, address)
    }

    private static func references(_ root: RootDirectory, _ address: GitAddress) throws(ShaleError) -> [Reference] {
        var room = limit
        var found: [Reference] = []
        let top = ["HEAD", "packed-refs", "shallow"].filter { (try? root.status($0)) != nil }
        for name in top where (try? root.status(name))?.kind != .regular {
            throw leadsAway(address, "\(name) leads to another file")
        }
        for path in try top + walk("refs", of: root, address) {
            let bytes = try translating("git") {
                try root.openLiteral(path, O_RDONLY | O_NONBLOCK).readAll(limit: room)
            }
            room -= bytes.count
            found.append((path, bytes))
        }
        return found
    }

    /// The regular files below a folder, with paths relative to the root.
    ///
    /// Throws `denied` for any other file, such as a link.
    private static func walk(
        _ top: String, of root: RootDirectory, _ address: GitAddress
    ) throws(ShaleError) -> [String] {
        guard let kind = (try? root.status(top))?.kind else { return [] }
        guard kind == .directory else { throw leadsAway(address, "\(top) leads to another folder") }
        var pending = [top]
        var files: [String] = []
        while let folder = pending.popLast() {
            let entries = try translating("git") {
                try DirectoryEntries.list(root.directory(folder))
            }
            for (name, status) in entries {
                switch status.kind {
                case .directory: pending.append("\(folder)/\(name)")
                case .regular: files.append("\(folder)/\(name)")
                default: throw leadsAway(address, "\(folder)/\(name) is no plain file")
                }
            }
        }
        return files
    }

    private static func leadsAway(_ address: GitAddress, _ why: String) -> ShaleError {
        ShaleError(
            .denied,
            "unable to prepare context: \(address.repository.visible): a build reads no other repository of the host",
            cause: why.visible, hint: hint(address))
    }

    private static func hint(_ address: GitAddress) -> String {
        "git clone --bare \(address.repository.visible) NEW   (a copy that leads nowhere else)"
    }

    /// Decodes an address as git does: `%41` is one byte.
    private static func decoded(_ text: Substring) -> String {
        let bytes = String(text).pathBytes
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == UInt8(ascii: "%"), place + 2 < bytes.count,
                let high = Character(Unicode.Scalar(bytes[place + 1])).hexDigitValue,
                let low = Character(Unicode.Scalar(bytes[place + 2])).hexDigitValue
            {
                result.append(UInt8(high << 4 | low))
                place += 3
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(pathBytes: result)
    }
}
