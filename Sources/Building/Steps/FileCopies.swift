import Basics
import Containers
import Dockerfiles
import Glibc
import Images
import Layers
import Linux
import OCI
import Stores

/// The files of one COPY or ADD: finds them, hashes them for the cache, and copies them.
struct FileCopies {
    private enum Origin {
        /// A path of the context or of another image.
        ///
        /// `name` is the path as written, before links are followed. `--parents` drops its first `pivot` parts.
        case tree(BuildContext, path: String, name: String, pivot: Int, kind: FileStatus.Kind)
        /// A heredoc of the Dockerfile.
        case inline(name: String, content: [UInt8])
        /// A file that was downloaded to a scratch folder.
        case download(Download)
    }

    private let placement: FilePlacement
    private let engine: BuildEngine
    private let operation: OperationContext
    private let progress: CopyProgress
    private var origins: [Origin] = []
    private var digests: [Digest] = []

    /// `file:<hash>`, `dir:<hash>` or `multi:<hash>`, as docker's history names the copied files.
    private(set) var label = ""
    /// Path to `kind mode owner content` for everything that was read.
    private(set) var hashes = PathLines()
    /// Whether directories were not read again, but used as the walk before the first step found them.
    private(set) var isFromSurvey = false
    /// The sources in the context, for recipes.
    private(set) var sources: [CopiedSource] = []

    init(_ placement: FilePlacement, engine: BuildEngine, _ operation: OperationContext) {
        self.placement = placement
        self.engine = engine
        self.operation = operation
        progress = CopyProgress(placement.subject, operation)
    }

    mutating func find() throws(ShaleError) {
        let (placement, cancellation) = (placement, operation.cancellation)
        progress.begin("Hashing") { placement.bytesOfSources(cancellation) }
        for path in placement.paths {
            if placement.instruction == "ADD", case .git(let address)? = RemoteContext(path) {
                try findRepository(address)
            } else if placement.instruction == "ADD", path.isRemoteAddress {
                try findRemote(path)
            } else {
                try findLocal(path)
            }
        }
        for block in placement.inline {
            let content = Array(block.content.utf8)
            var hash = SourceHash(countingOwners: placement.keepsOwners)
            hash.add(content: Digest.of(content), as: block.name)
            remember(.inline(name: block.name, content: content), hash, prefix: "")
        }
        guard !origins.isEmpty else {
            throw ShaleError(.notFound, "\(placement.instruction) failed: no source files were specified")
        }
        if origins.count > 1, !placement.isIntoDirectory {
            throw ShaleError(
                .invalid,
                "When using \(placement.instruction) with more than one source file, the destination must be a "
                    + "directory and end with a /")
        }
        if digests.count == 1, let digest = digests.first {
            var kind = "file"
            if case .tree(_, _, _, _, .directory) = origins[0] { kind = "dir" }
            label = "\(kind):\(digest.hex)"
        } else {
            label = "multi:\(Digest.of(digests.map(\.hex).joined(separator: ",").utf8).hex)"
        }
    }

    private mutating func findRemote(_ address: String) throws(ShaleError) {
        progress.begin("Downloading")
        let download = try engine.download(
            address, checksum: placement.checksum, operation, moved: progress.moved)
        var hash = SourceHash(countingOwners: placement.keepsOwners)
        hash.add(content: download.digest, as: download.name)
        remember(.download(download), hash, prefix: "")
    }

    /// Finds a git repository; its files are copied as those of a directory.
    private mutating func findRepository(_ address: GitAddress) throws(ShaleError) {
        let (folder, commit) = try engine.checkOut(
            address, placement.gitAccess, keepsGitFolder: placement.keepsGitFolder, operation)
        if let checksum = placement.checksum, !commit.hasPrefix(checksum) {
            throw ShaleError(
                .corrupt, "ADD failed: expected checksum to match \(checksum), got \(commit)")
        }
        let source = BuildContext(root: folder.root, ignored: nil, holding: folder)
        let top = ImagePath.clean(address.directory).withoutLeadingSlash
        guard (try? source.root.resolvedStatus(top.isEmpty ? "/" : top))?.kind == .directory else {
            throw ShaleError(
                .notFound, "ADD failed: directory \(address.directory) not found in \(address.repository)")
        }
        var hash = SourceHash(countingOwners: placement.keepsOwners)
        try hash.add(
            top, in: source.root, including: { !$0.hasPrefix(".git/") }, descendingInto: { $0 != ".git" },
            operation.cancellation, moved: progress.moved)
        remember(.tree(source, path: top, name: top, pivot: 0, kind: .directory), hash, prefix: top)
    }

    private mutating func findLocal(_ written: String) throws(ShaleError) {
        guard let source = placement.source else {
            throw ShaleError(
                .notFound, "\(placement.instruction) failed: no build context: stat \(written): file does not exist")
        }
        let path = ImagePath.clean(written).withoutLeadingSlash
        if written.leavesRoot {
            throw ShaleError(
                .denied, "\(placement.instruction) failed: forbidden path outside the build context: \(written) ()")
        }
        guard path.hasPatternCharacters else { return try take(path, in: source, written: written) }
        for path in try matches(of: path, in: source) where !placement.isExcluded(path, below: "") {
            try take(path, in: source, written: written)
        }
    }

    /// The paths that match a pattern and are not ignored.
    private func matches(of pattern: String, in source: BuildContext) throws(ShaleError) -> [String] {
        if placement.makesParents { return try topMatches(of: pattern, in: source) }
        guard let compiled = try? Glob(pattern, .path) else {
            throw ShaleError(.invalid, "\(placement.instruction) failed: syntax error in pattern")
        }
        var found: [String] = []
        try source.walk { path, _ in
            if compiled.matches(path) { found.append(path) }
        }
        return found
    }

    /// With `--parents` a pattern is read as in a `.dockerignore`, with `**` for any depth.
    ///
    /// A directory includes everything below it.
    private func topMatches(of pattern: String, in source: BuildContext) throws(ShaleError) -> [String] {
        let wanted = try IgnoreList(patterns: [pattern])
        var found: [String] = []
        var matched: Set<PathKey> = []
        try source.walk { path, status in
            guard wanted.matches(path) != nil else { return }
            let above = path.lastSlash.map { String(path[..<$0]) } ?? ""
            if !matched.contains(PathKey(above)) { found.append(path) }
            if status.kind == .directory { matched.insert(PathKey(path)) }
        }
        return found
    }

    private mutating func take(_ path: String, in source: BuildContext, written: String) throws(ShaleError) {
        let words = source.image == nil ? "file not found in build context or excluded by .dockerignore: " : ""
        let rule = (try? source.root.resolvedStatus(path)) != nil ? source.ignoring(path) : nil
        let missing = ShaleError(
            .notFound, "\(placement.instruction) failed: \(words)stat \(path): file does not exist",
            hint: rule.map { "context -a   (line \($0.line) of the ignore file leaves it out: \($0.pattern.visible))" })
        guard source.holds(path) else { throw missing }
        // A source that is a link is followed, but not out of the context.
        let top = (try? source.root.pathBehindLinks(path)) ?? path
        guard let status = try? source.root.status(top) else { throw missing }
        let placement = placement
        let kept = KeptHash(top, of: source, leavingOut: placement.excluded, engine.store.cache)
        var hash = kept?.found ?? SourceHash(countingOwners: placement.keepsOwners)
        if hash.files.isEmpty {
            let survey = placement.usesSurvey && status.kind == .directory ? source.survey : nil
            if survey != nil { isFromSurvey = true }
            try hash.add(
                top, in: source.root,
                including: { !source.isIgnored($0) && !placement.isExcluded($0, below: top) },
                descendingInto: { source.mayHoldExceptions($0) }, known: source.digests, survey: survey,
                operation.cancellation, moved: progress.moved)
            kept?.keep(hash)
        }
        var copied = CopiedSource(
            source: path, destination: target(for: path, kind: status.kind), isDirectory: status.kind == .directory,
            mode: status.permissions, entries: entries(of: hash, below: top, kind: status.kind))
        if placement.unpacksArchives, status.kind == .regular {
            copied.isUnpacked = Self.isArchive(top, of: source.root)
        }
        // With `--parents` the destination path is not the source's name, so the recipe treats the source as unpacked.
        if placement.makesParents { copied.isUnpacked = true }
        sources.append(copied)
        remember(
            .tree(source, path: top, name: path, pivot: placement.pivot(of: written), kind: status.kind), hash,
            prefix: top, named: placement.makesParents ? path : status.kind == .directory ? "" : path.lastPart)
    }

    /// The paths that a directory's copy includes, relative to the directory; `nil` for other files.
    private func entries(of hash: SourceHash, below path: String, kind: FileStatus.Kind) -> [String]? {
        guard kind == .directory else { return nil }
        let prefix = path.isEmpty ? "" : path + "/"
        return hash.files.paths.compactMap { entry in
            guard !PathOrder.same(entry, path), entry.utf8.starts(with: prefix.utf8) else { return nil }
            return String(entry.utf8.dropFirst(prefix.utf8.count))
        }
    }

    private mutating func remember(_ origin: Origin, _ hash: SourceHash, prefix: String, named name: String = "") {
        origins.append(origin)
        hashes.merge(hash.files)
        digests.append(hash.digest(relativeTo: prefix, named: name))
    }

    /// The destination of a source, as far as it is known without the image's files.
    private func target(for path: String, kind: FileStatus.Kind) -> String {
        guard kind != .directory, placement.isIntoDirectory else { return placement.destination }
        return placement.destination.appendingPath(String(path.pathParts.last ?? ""))
    }

    /// Copies everything below `root`, the image's files with a new layer on top.
    ///
    /// `chown` is the owner of `--chown`. Without it files belong to root, except those unpacked from an archive and
    /// those
    /// of another stage or image.
    func place(in root: RootDirectory, chown: TreeCopyOptions.Owner?, mode: ModeChange?) throws(ShaleError) {
        let bytes = progress.current
        progress.begin("Copying") { bytes > 0 ? bytes : nil }
        defer { progress.beginUncounted("Packing") }
        let owner = chown ?? .root
        // Missing parent directories get mode 0755 as in docker's classic builder, or the mode of `--chmod`.
        let parentMode = mode.map { $0.applied(to: 0o755, isDirectory: true) & 0o777 } ?? 0o755
        // Files from another stage or image keep their owners.
        let copiedOwner = placement.keepsOwners ? chown : owner
        let placement = placement
        for origin in origins {
            try operation.cancellation.check()
            switch origin {
            case .tree(let source, let path, let name, let pivot, .directory):
                var options = self.options(copiedOwner, mode, parentMode)
                options.include = { inside, isDirectory in
                    let whole = path.isEmpty ? inside : "\(path)/\(inside)"
                    if source.isIgnored(whole) { return source.mayHoldExceptions(whole) ? .skip : .prune }
                    return placement.isExcluded(whole, below: path) ? (isDirectory ? .skip : .prune) : .include
                }
                var target = placement.destination
                if !placement.makesParents, let there = try? root.resolvedStatus(target), there.kind != .directory {
                    throw ShaleError(
                        .conflict, "\(placement.instruction) failed: cannot copy to non-directory: \(target)")
                }
                if placement.makesParents {
                    target = try parents(of: name, after: pivot, from: source, in: root, options)
                    options.updatesTopDirectory = true
                } else {
                    // A destination directory that does not exist does not get the source's mode and owner.
                    try translating("\(placement.instruction) failed: \(target)") {
                        try root.makeOwnedDirectories(target, owner: owner, mode: parentMode)
                    }
                }
                try TreeCopy(from: source.root, to: root, options: options)
                    .copy(path, to: target, cancellation: operation.cancellation)
            case .tree(let source, let path, let name, let pivot, _):
                var options = self.options(copiedOwner, mode, parentMode)
                var target = try place(name, in: root, &options)
                if placement.makesParents {
                    target = try parents(of: name, after: pivot, from: source, in: root, options)
                    options.followDestinationLink = false
                }
                if placement.unpacksArchives,
                    try Self.unpack(
                        path, of: source.root, at: placement.destination, in: root, owner: chown,
                        operation.cancellation)
                {
                    continue
                }
                try TreeCopy(from: source.root, to: root, options: options)
                    .copy(path, to: target, cancellation: operation.cancellation)
            case .inline(let name, let content):
                var options = self.options(owner, Self.mode(mode, ofNew: 0o644), parentMode)
                let target = try place(name, in: root, &options)
                let scratch = try ScratchFolder(in: engine.store)
                try scratch.write(content, as: "inline")
                try TreeCopy(from: scratch.root, to: root, options: options)
                    .copy("inline", to: target, cancellation: operation.cancellation)
            case .download(let download):
                var options = self.options(owner, Self.mode(mode, ofNew: 0o600), parentMode)
                let target = try place(download.name, in: root, &options)
                try TreeCopy(from: download.folder.root, to: root, options: options)
                    .copy(download.fileName, to: target, cancellation: operation.cancellation)
            }
        }
    }

    /// `--parents`: makes the source's parent directories below the destination, each as it is in the source.
    ///
    /// Returns the destination of the source itself.
    private func parents(
        of name: String, after pivot: Int, from source: BuildContext, in root: RootDirectory, _ options: TreeCopyOptions
    ) throws(ShaleError) -> String {
        var options = options
        options.include = { _, _ in .prune }
        options.updatesTopDirectory = false
        let parts = name.pathParts.map(String.init)
        var target = placement.destination
        for count in parts.indices.dropFirst(min(pivot, parts.count)) {
            target = target.appendingPath(parts[count])
            guard count + 1 < parts.count else { break }
            try TreeCopy(from: source.root, to: root, options: options)
                .copy(parts[...count].joined(separator: "/"), to: target, cancellation: operation.cancellation)
        }
        return target
    }

    /// The mode of a file that has none in the context: a heredoc or a download.
    private static func mode(_ change: ModeChange?, ofNew bits: UInt32) -> ModeChange {
        .fixed(change?.applied(to: bits, isDirectory: false) ?? bits)
    }

    private func options(
        _ owner: TreeCopyOptions.Owner?, _ mode: ModeChange?, _ parentMode: UInt32
    ) -> TreeCopyOptions {
        var options = TreeCopyOptions()
        options.owner = owner
        options.mode = mode
        options.makeParents = true
        options.parentMode = parentMode
        options.keepsDirectoryLinks = true
        options.moved = progress.moved
        return options
    }

    /// The path at which a single file is placed: inside the destination when that is, or must be, a directory.
    ///
    /// A link with the file's name inside the destination is replaced; a link at the destination itself is followed.
    private func place(
        _ name: String, in root: RootDirectory, _ options: inout TreeCopyOptions
    ) throws(ShaleError) -> String {
        let destination = placement.destination
        let isDirectory =
            placement.isIntoDirectory || (try? root.resolvedStatus(destination))?.kind == .directory
        guard isDirectory else { return destination }
        options.followDestinationLink = false
        return destination.appendingPath(name.lastPart)
    }
}

extension String {
    fileprivate var isRemoteAddress: Bool {
        let lower = lowercased()
        return lower.hasPrefix("http://") || lower.hasPrefix("https://")
    }

    /// Whether the text has a pattern character.
    ///
    /// As in docker, a backslash escapes the next character and is not itself one.
    var hasPatternCharacters: Bool {
        var rest = unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "*" || scalar == "?" || scalar == "[" { return true }
            if scalar == "\\" { _ = rest.popFirst() }
        }
        return false
    }

    /// Whether the relative path would climb above its root.
    ///
    /// Only the text is checked; no link is followed.
    var leavesRoot: Bool {
        guard !hasPrefix("/") else { return false }
        var depth = 0
        for part in pathParts where part != "." {
            depth += part == ".." ? -1 : 1
            if depth < 0 { return true }
        }
        return false
    }
}
