import Basics
import Building
import Dockerfiles
import Images
import Layers
import Linux
import OCI
import Stores

// Steps: instructions that were carried out here.
extension RecipeMaker {
    mutating func writeStep(
        _ link: Link, _ instruction: String, _ copied: [CopiedSource]
    ) throws(ShaleError) -> Bool {
        let directive = link.provenance.escape.map { "# escape=\($0)\n" } ?? ""
        guard let parsed = try? Instruction.parse(line: directive + instruction) else {
            lines.append(.instruction(instruction))
            return true
        }
        if let why = wordsObstacle(parsed, link) { return try writeResolved(link, parsed, because: why) }
        switch parsed.value {
        case .copy(let copy):
            if let from = copy.from { return try writeCopyFrom(link, parsed, copy, from) }
            return try writeFiles(link, parsed, copy.files, copied, isParents: copy.parents)
        case .add(let add) where add.unpack != nil:
            return try keepStep(link, parsed, because: "not every builder reads it")
        case .add(let add): return try writeFiles(link, parsed, add.files, copied, isParents: false)
        case .run(let run): return try writeRun(link, parsed, run)
        case .arg(let argument):
            if let line = written(argument, link, instruction) { lines.append(.instruction(line)) }
            declare(link)
            return true
        default:
            lines.append(.instruction(instruction))
            return true
        }
    }

    /// Keeps the files of a step instead of its instruction; `why` is written as a comment.
    mutating func keepStep(_ link: Link, _ parsed: Located<Instruction>, because why: String) throws(ShaleError)
        -> Bool
    {
        lines.append(.comment("\(parsed.text)\n(\(why): kept as the files it left)"))
        return try keep(link, why)
    }

    // MARK: RUN

    private mutating func writeRun(_ link: Link, _ parsed: Located<Instruction>, _ run: RunInstruction)
        throws(ShaleError) -> Bool
    {
        // The step changed nothing, so no line is needed.
        guard link.addsLayer else { return true }
        if !run.mounts.isEmpty { return try keepStep(link, parsed, because: "it reads what is mounted for it") }
        if run.flagsUsed.contains("network") || !run.devices.isEmpty || run.flagsUsed.contains("security") {
            return try keepStep(link, parsed, because: "it has a network or rights of its own")
        }
        if let own = try keepsOwnHost(link, parsed) { return own }
        let ended = endedArguments(before: link)
        guard !run.heredocs.isEmpty || ended != nil else {
            lines.append(.instruction(parsed.text))
            return true
        }
        // Older builders do not support heredocs.
        guard case .command(let line) = run.script else {
            return try keepStep(link, parsed, because: "it is a script with an interpreter of its own")
        }
        let shell = link.settings.commandShell
        let text = line.words.joined(separator: " ")
        guard let ended else {
            lines.append(.comment(parsed.text))
            lines.append(.instruction("RUN \(RunText.line(of: text, shell: shell))"))
            return true
        }
        guard line.usesShell, Self.isPosix(shell) else {
            return try keepStep(link, parsed, because: "build arguments of the Dockerfile before it end here")
        }
        if !run.heredocs.isEmpty { lines.append(.comment(parsed.text)) }
        lines.append(.instruction("RUN \(RunText.line(of: "\(ended); \(text)", shell: shell))"))
        return true
    }

    // MARK: COPY and ADD

    private mutating func writeCopyFrom(
        _ link: Link, _ parsed: Located<Instruction>, _ copy: CopyInstruction, _ from: String
    ) throws(ShaleError) -> Bool {
        let files = copy.files
        let isPlain = files.inline.isEmpty && files.mode == nil && files.excluding.isEmpty && !copy.parents
        let isDelicate = try link.layer?.isDelicate(below: "/") ?? false
        guard isPlain, !isDelicate, !isInOneStage, let id = link.provenance.from,
            let stage = try stage(id, called: from)
        else {
            return try keepStep(
                link, parsed, because: isPlain ? "its source is not here" : "not every builder reads it")
        }
        guard let owner = try ownerFlag(files, link) else {
            return try keepStep(link, parsed, because: "not every builder reads its owner")
        }
        lines.append(.instruction(copyLine("COPY", ["--from=\(stage)"] + owner, files.paths, files.destination)))
        return true
    }

    private mutating func writeFiles(
        _ link: Link, _ parsed: Located<Instruction>, _ files: FileSources, _ copied: [CopiedSource], isParents: Bool
    ) throws(ShaleError) -> Bool {
        if try link.layer?.isDelicate(below: "/") ?? false {
            return try keepStep(link, parsed, because: "files with attributes or set-id bits")
        }
        if let why = try flagsThatCount(link, files) { return try keepStep(link, parsed, because: why) }
        if files.paths.isEmpty { return try writeInline(link, parsed, files) }
        let isWhole =
            files.inline.isEmpty && !copied.isEmpty && copied.allSatisfy { $0.isKept } && !isParents
            && (files.mode == nil || copied.allSatisfy { !$0.isDirectory })
        guard isWhole else {
            return try keepStep(link, parsed, because: "what it fetched, unpacked or changed on the way")
        }
        guard copied.allSatisfy({ $0.source.isPlainWord }) else {
            return try keepStep(link, parsed, because: "a name that no instruction can spell")
        }
        guard let owner = try ownerFlag(files, link) else {
            return try keepStep(link, parsed, because: "not every builder reads its owner")
        }
        var renamed: [String] = []
        for (index, source) in copied.enumerated() {
            let written = files.paths.count == copied.count ? files.paths[index] : source.source
            renamed.append(try attach(source, index: index, of: copied.count, link: link, written: written))
        }
        // The sources were named by a pattern, so they are written by their names.
        let isSame =
            files.paths.count == renamed.count && zip(renamed, files.paths).allSatisfy { $0 == $1 || "./\($0)" == $1 }
        let isOrdinary = files.mode == nil && files.excluding.isEmpty && !files.link
        let isFolder = renamed.count < 2 || files.destination.utf8.last == UInt8(ascii: "/")
        if isSame, isOrdinary, isFolder, owner == files.owner.map({ ["--chown=\($0)"] }) ?? [] {
            lines.append(.instruction(parsed.text))
        } else {
            lines.append(.instruction(copyLine(parsed.spelling, owner, renamed, files.destination)))
        }
        return true
    }

    /// Writes a COPY or ADD.
    ///
    /// Several sources need a destination with a slash at the end for docker's classic builder.
    private func copyLine(_ keyword: String, _ flags: [String], _ paths: [String], _ destination: String) -> String {
        let slash = paths.count > 1 && destination.utf8.last != UInt8(ascii: "/") ? "/" : ""
        return ([keyword] + flags + [Self.operands(paths + [destination + slash])]).joined(separator: " ")
    }

    /// The `--chown` flag that every builder understands; empty without `--chown`, `nil` when the files have several
    /// owners.
    ///
    /// BuildKit takes a name alone as the user, with that user's group. The classic builder takes it as user and group.
    /// When
    /// these differ, numbers are written.
    private func ownerFlag(_ files: FileSources, _ link: Link) throws(ShaleError) -> [String]? {
        guard let owner = files.owner else { return [] }
        let isNameAlone = !owner.utf8.contains { ":$".utf8.contains($0) } && UInt32(owner) == nil
        guard isNameAlone, let layer = try link.layer else { return ["--chown=\(owner)"] }
        let owners = layer.changes.filter { !$0.isParentOnly }.compactMap { change in
            change.status.map { [$0.uid, $0.gid] }
        }
        guard let first = owners.first else { return ["--chown=\(owner)"] }
        let groups = try link.parent.map { parent throws(ShaleError) in try groupFile(of: parent) } ?? []
        let ids = String(decoding: groups, as: UTF8.self).split(separator: "\n").compactMap { line -> UInt32? in
            let parts = line.split(separator: ":", omittingEmptySubsequences: false)
            return parts.count > 2 && parts[0] == owner ? UInt32(parts[2]) : nil
        }
        if ids.first == first[1] { return ["--chown=\(owner)"] }
        return Set(owners).count == 1 ? ["--chown=\(first[0]):\(first[1])"] : nil
    }

    /// The sources and the destination as `COPY` and `ADD` read them, as JSON when a name contains a space.
    static func operands(_ words: [String]) -> String {
        let isSplit = words.contains { $0.unicodeScalars.contains { $0.properties.isWhitespace } }
        return isSplit ? ConfigInstructions.array(words) : words.joined(separator: " ")
    }

    /// Writes heredoc files as files beside the Dockerfile, because older builders do not support heredocs.
    private mutating func writeInline(_ link: Link, _ parsed: Located<Instruction>, _ files: FileSources)
        throws(ShaleError) -> Bool
    {
        let made = try link.layer?.changes.filter { $0.status?.kind == .regular } ?? []
        guard made.count == files.inline.count, files.inline.allSatisfy({ $0.name.isPlainWord }),
            files.inline.count == 1
                || files.inline.allSatisfy({ inline in made.contains { $0.path.hasSuffix("/\(inline.name)") } })
        else { return try keepStep(link, parsed, because: "files that stood in it") }
        guard let owner = try ownerFlag(files, link) else {
            return try keepStep(link, parsed, because: "not every builder reads its owner")
        }
        var paths: [String] = []
        for inline in files.inline {
            let change = made.count == 1 ? made[0] : made.first { $0.path.hasSuffix("/\(inline.name)") } ?? made[0]
            let path = "step-\(number)/\(inline.name)"
            recipe.attachments.append(.init(path: path, content: .piece(of: link.place, path: change.path)))
            paths.append(path)
        }
        lines.append(.instruction(copyLine(parsed.spelling, owner, paths, files.destination)))
        return true
    }

    /// Adds a copied source as an attachment, with its own name when that is free; returns its path.
    private mutating func attach(
        _ source: CopiedSource, index: Int, of count: Int, link: Link, written: String
    ) throws(ShaleError) -> String {
        let image = link.image
        if source.isDirectory {
            let path = count == 1 ? "step-\(number)" : "step-\(number)/\(index + 1)"
            recipe.attachments.append(
                .init(
                    path: path,
                    content: .tree(image: image.id, path: source.destination, entries: source.entries ?? [])))
            return path
        }
        let place = try landed(source, in: image)
        let mode = place.mode ?? source.mode
        // A file that was copied before is attached only once.
        let owner = place.content.map { "\($0.hex) \(mode)" } ?? "\(image.id.hex) \(place.path)"
        var path = source.source
        let isPlain = written == path || written == "./\(path)"
        if !isPlain || !isFree(path, for: owner) {
            path = "step-\(number)/\(count > 1 ? "\(index + 1)/" : "")\(source.source.lastPart)"
        }
        taken[PathKey(path)] = owner
        let file = Recipe.Attachment(
            path: path, content: .file(image: image.id, path: place.path, mode: mode))
        if !recipe.attachments.contains(where: { PathOrder.same($0.path, path) }) { recipe.attachments.append(file) }
        return path
    }

    /// The bytes of an image's `/etc/group`; empty where it has none.
    private func groupFile(of image: Image) throws(ShaleError) -> [UInt8] {
        let tree = try engine.images.mountedTree(of: image)
        do throws(SystemCallError) {
            return try ifPresent(tree.contents(of: "/etc/group", limit: 16 << 20)) ?? []
        } catch {
            if error.leavesUnseen { throw error.shaleError("/etc/group of image \(image.id.short)") }
            return []
        }
    }

    /// The path and mode of a copied file in the image, and its content's digest for a file of at most 1 MiB.
    private func landed(
        _ source: CopiedSource, in image: Image
    ) throws(ShaleError) -> (path: String, mode: UInt32?, content: Digest?) {
        let tree = try engine.images.mountedTree(of: image)
        var path = source.destination
        // `COPY file /dir`: into an existing directory the file was copied with its own name.
        if (try? tree.resolvedStatus(path))?.kind == .directory {
            path = path.appendingPath(source.source.lastPart)
        }
        let content = (try? tree.contents(of: path, limit: 1 << 20)).map { Digest.of($0) }
        return (path, (try? tree.resolvedStatus(path))?.permissions, content)
    }

    /// Whether a file may lie at a path beside the Dockerfile and be named there by an instruction.
    func isFree(_ path: String, for owner: String) -> Bool {
        guard path.isPlainWord else { return false }
        let first = path.pathParts.first.map(String.init) ?? ""
        let lower = first.lowercased()
        if lower.hasSuffix("dockerfile") || lower.hasSuffix(".dockerignore") || lower.hasSuffix(".containerignore")
            || first.hasPrefix("step-") || first.hasPrefix("recipe.")
        {
            return false
        }
        return taken.allSatisfy { known, by in
            if known == PathKey(path) { return by == owner }
            return !known.path.utf8.starts(with: "\(path)/".utf8) && !path.utf8.starts(with: "\(known.path)/".utf8)
        }
    }

    /// Attaches the files of an ONBUILD trigger at the paths that its text names; returns false when that is
    /// impossible.
    mutating func attachInPlace(_ link: Link) throws(ShaleError) -> Bool {
        guard case .step(let text, let copied) = link.provenance.origin,
            let parsed = try? Instruction.parse(line: text)
        else { return false }
        let files: FileSources
        switch parsed.value {
        case .copy(let copy) where copy.from == nil: files = copy.files
        case .add(let add): files = add.files
        default: return true
        }
        guard !files.paths.isEmpty, files.inline.isEmpty, !copied.isEmpty, copied.allSatisfy({ $0.isKept }) else {
            return false
        }
        for source in copied {
            let path = source.source
            if source.isDirectory {
                // A copy of the whole context would also copy the recipe's own files.
                guard !path.isEmpty else { return false }
                let entries = source.entries ?? []
                let names = entries.map { "\(path)/\($0)" }
                guard names.allSatisfy({ isFree($0, for: "") }) else { return false }
                recipe.attachments.append(
                    .init(
                        path: path,
                        content: .tree(image: link.image.id, path: source.destination, entries: entries)))
                for name in names { taken[PathKey(name)] = link.image.id.hex }
                continue
            }
            let place = try landed(source, in: link.image)
            guard isFree(path, for: "") else { return false }
            taken[PathKey(path)] = "\(link.image.id.hex) \(place.path)"
            recipe.attachments.append(
                .init(
                    path: path,
                    content: .file(image: link.image.id, path: place.path, mode: place.mode ?? source.mode)))
        }
        return true
    }
}

extension CopiedSource {
    /// Whether the image contains the source as it was copied: a file, or a directory whose entries are known.
    fileprivate var isKept: Bool { isUnpacked != true && (!isDirectory || entries != nil) }
}

extension String {
    /// Whether an instruction can name a file by this text: it contains no pattern, variable or escape character.
    var isPlainWord: Bool {
        !hasPrefix("-") && !hasPrefix("<") && !hasPrefix("[")
            && unicodeScalars.allSatisfy {
                !OddByte.isOnPage($0) && $0.value >= 32 && $0.value != 127 && !"*?[]\\$\"'#".unicodeScalars.contains($0)
            }
    }
}
