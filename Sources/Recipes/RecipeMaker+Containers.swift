import Basics
import Dockerfiles
import Images
import Layers
import Linux
import OCI
import Stores

// Containers, committed or not: their recorded events where these are known, else the changed files themselves.
extension RecipeMaker {
    /// The facts of a container's record.
    struct Told {
        var container: String
        var name: String
        var command: [String]
        var events: [ContainerEvent]
    }

    mutating func writeContainer(_ link: Link, _ told: Told) throws(ShaleError) -> Bool {
        let verb = if case .container = link.place { "what was done in" } else { "committed from" }
        lines.append(.comment("\(verb) container \(told.name) (\(Identifier.short(told.container)))"))
        let headline = lines.count
        defer { if lines.count == headline { lines.cut(at: headline - 1) } }
        let facts = link.provenance.facts
        let start = link.settings
        var during = start
        if let settings = facts?.settings {
            // The environment of its processes is written first, so that each RUN has it as well.
            during.env = settings.env.map { $0.filter { $0.contains("=") } }
            during.workingDir = settings.workingDir
            during.user = settings.user
        }
        guard try writeConfig(from: start, to: during) else { return false }
        var writer = try ContainerWriter(link, told, settings: during)
        guard try writer.write(into: &self) else { return false }
        guard case .image = link.place else { return try writeConfig(from: during, to: link.image.containerConfig) }
        writeSignature(link)
        return try writeConfig(from: during, to: link.image.containerConfig, of: link.image)
    }
}

extension RecipeMaker {
    /// Writes the author (`commit -a`) and the message (`commit -m`).
    private mutating func writeSignature(_ link: Link) {
        let last = link.image.config.history?.last
        if let message = last?.comment, !message.isEmpty { lines.append(.comment("commit message: \(message)")) }
        if let author = link.image.config.author, !PathOrder.same(author, link.parent?.config.author ?? "") {
            writeAuthor(author)
        }
    }
}

/// Writes the events of one container.
private struct ContainerWriter {
    private let link: RecipeMaker.Link
    private let layer: OwnLayer?
    private let told: RecipeMaker.Told
    private let facts: ContainerFacts?
    private let settings: ContainerConfig
    private let events: [HistoryEntry]
    private let isComplete: Bool
    /// The last event that changed a path.
    private var last: [PathKey: Int] = [:]
    /// All names of a hard-linked file, by each of its names.
    private var names: [PathKey: [String]] = [:]
    /// Changed paths that no line explains yet.
    private var pending: Set<PathKey> = []
    /// Paths that the lines so far explain in their final state.
    private var explained: Set<PathKey> = []
    /// Paths that the lines so far created or changed.
    private var written: Set<PathKey> = []
    private var comments: [String] = []
    /// Events that write to a hard-linked file which an earlier event made.
    private var parting: Set<Int> = []

    init(_ link: RecipeMaker.Link, _ told: RecipeMaker.Told, settings: ContainerConfig) throws(ShaleError) {
        self.link = link
        layer = try link.layer
        self.told = told
        self.settings = settings
        facts = link.provenance.facts
        let all = ContainerHistory(told.events, command: told.command, facts: facts)
        events = all.entries
        isComplete = all.isComplete
        for (index, event) in events.enumerated() {
            for path in event.changed ?? [] { last[PathKey(path)] = index }
        }
        // All names of one file must be kept or left out together.
        var groupOf: [PathKey: Int] = [:]
        for (number, group) in (layer?.linkGroups ?? []).enumerated() {
            let latest = group.compactMap { last[PathKey($0)] }.max()
            for name in group {
                names[PathKey(name)] = group
                last[PathKey(name)] = latest
                groupOf[PathKey(name)] = number
            }
        }
        // In a separate RUN, writing to such a file copies it up, so that it is no longer linked to its other names.
        var touched: Set<Int> = []
        for (index, event) in events.enumerated() {
            let groups = Set((event.changed ?? []).compactMap { groupOf[PathKey($0)] })
            if !groups.isDisjoint(with: touched) { parting.insert(index) }
            touched.formUnion(groups)
        }
    }

    mutating func write(into maker: inout RecipeMaker) throws(ShaleError) -> Bool {
        for (index, event) in events.enumerated() {
            switch event {
            case .unknown(let paths): pending.formUnion(paths.map(PathKey.init))
            case .command(let command, let changed):
                let event = ContainerEvent(.run, arguments: command)
                guard try write(event, changed, at: index, isKnown: true, &maker) else { return false }
            case .exec(let event):
                let isKnown =
                    event.exitCode == 0 && event.isInteractive != true && event.isPrivileged != true
                    && event.wasAlone == true && facts?.isPlain == true && event.foundTraces != true
                guard try write(event, event.changed ?? [], at: index, isKnown: isKnown && isComplete, &maker) else {
                    return false
                }
            case .copy(let event): writeCopy(event, at: index, &maker)
            }
        }
        return try writeRest(&maker)
    }

    // MARK: Commands

    private mutating func write(
        _ event: ContainerEvent, _ changed: [String], at index: Int, isKnown: Bool, _ maker: inout RecipeMaker
    ) throws(ShaleError) -> Bool {
        // The event changed nothing, so no line is needed.
        if changed.isEmpty, event.changed != nil || event.kind == .run { return true }
        let start = (maker.lines.count, maker.recipe.attachments.count, explained, pending)
        if isKnown, isComplete, !parting.contains(index), pending.allSatisfy({ (last[$0] ?? .max) < index }) {
            guard try flush(&maker) else { return false }
            if try writeRun(event, &maker) {
                note(changed, at: index)
                return true
            }
            maker.lines.cut(at: start.0)
            maker.recipe.attachments.removeSubrange(start.1...)
            (explained, pending) = (start.2, start.3)
        }
        pending.formUnion(changed.map(PathKey.init))
        if event.kind == .exec {
            let how = event.isInteractive == true ? "typed into" : "ran"
            comments.append("\(how): \(event.arguments.joined(separator: " "))")
        }
        return true
    }

    /// Records the paths that a written line explains.
    private mutating func note(_ paths: [String], at index: Int) {
        written.formUnion(paths.map(PathKey.init))
        for path in paths where last[PathKey(path)] == index { explained.insert(PathKey(path)) }
    }

    private func writeRun(_ event: ContainerEvent, _ maker: inout RecipeMaker) throws(ShaleError) -> Bool {
        let shell = try maker.program(["/bin/sh"], for: link) != nil ? settings.commandShell : nil
        var prefix = ""
        if let ended = maker.endedArguments(before: link) {
            guard RecipeMaker.isPosix(shell ?? []) else { return false }
            prefix = "\(ended); "
        }
        var change: String?
        var before: [String] = []
        var after: [String] = []
        if let directory = event.workingDirectory, directory != settings.workingDir ?? "/" {
            if let own = settings.workingDir, !own.isEmpty {
                before.append("WORKDIR \(DockerfileWord.quoted(directory))")
                after.append("WORKDIR \(DockerfileWord.quoted(own))")
            } else {
                // As when the process starts there: OLDPWD is unset, and PWD contains no links.
                change = "cd -P -- \(directory.shellQuoted) && unset OLDPWD"
            }
        }
        if let user = event.user, user != settings.user ?? "" {
            before.append("USER \(DockerfileWord.quoted(user))")
            // An unset variable expands to an empty USER, which removes the user again.
            after.append(
                "USER "
                    + (settings.user.flatMap { $0.isEmpty ? nil : $0 }.map { DockerfileWord.quoted($0) } ?? "${NO_USER}")
            )
        }
        let assignments = (event.environment ?? []).map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            return parts[0] + "=" + (parts.count > 1 ? parts[1] : "").shellQuoted
        }
        let isScript = event.arguments.count == 3 && event.arguments[1] == "-c"
        if let change {
            let isList = isScript && event.arguments[2].contains { ";|&\n#".contains($0) }
            prefix += isList ? "\(change) || exit 1; " : "\(change) && "
        }
        guard
            let text = RunText.line(
                of: event.arguments, prefix: prefix, assignments: assignments, shell: shell)
        else { return false }
        let all = before + ["RUN \(text)"] + after
        guard all.allSatisfy(ConfigInstructions.isOneLine) else { return false }
        maker.lines += all.map { .instruction($0) }
        return true
    }

    // MARK: Copies

    private mutating func writeCopy(_ event: ContainerEvent, at index: Int, _ maker: inout RecipeMaker) {
        let changed = event.changed ?? []
        guard !changed.isEmpty, isComplete else { return pending.formUnion(changed.map(PathKey.init)) }
        let changes = changed.compactMap { layer?[$0] }.filter { !$0.isParentOnly }
        let isFinal = changed.allSatisfy { path in
            last[PathKey(path)] == index && layer?[path].map { $0.kind != .deleted } ?? true
        }
        if isFinal, !changes.isEmpty, changes.allSatisfy({ names[PathKey($0.path)] == nil }),
            write(changes, from: nil, &maker)
        {
            return note(changed, at: index)
        }
        // It was changed later, so the copied file is needed only when a later command used it.
        guard let kept = event.payload?.first, hasCommand(after: index) else {
            return pending.formUnion(changed.map(PathKey.init))
        }
        if let file = Self.onlyFile(of: kept, maker.engine), file.path.isPlainWord {
            let path = place(file.path, &maker)
            maker.recipe.attachments.append(.init(path: path, content: .keptPiece(kept, path: file.path)))
            let owner = (file.uid, file.gid) == (0, 0) ? "" : "--chown=\(file.uid):\(file.gid) "
            maker.lines.append(.instruction("COPY \(owner)\(RecipeMaker.operands([path, file.path]))"))
            return note(changed, at: index)
        }
        maker.number += 1
        let path = "step-\(maker.number).tar"
        maker.recipe.attachments.append(.init(path: path, content: .kept(kept)))
        maker.lines.append(.comment("cp \(event.arguments.joined(separator: " ")) \(event.destination ?? "")"))
        maker.lines.append(.instruction("ADD \(path) /"))
        note(changed, at: index)
    }

    /// The only regular file in a kept tar; `nil` when the tar has more entries or another kind.
    private static func onlyFile(of kept: Digest, _ engine: RecipeEngine) -> (path: String, uid: UInt32, gid: UInt32)? {
        guard let blob = try? engine.store.blobs.open(kept),
            let archive = try? ArchiveReader(FDSource(blob, subject: "a copied file"), subject: "a copied file"),
            let entry = try? archive.next(), (try? archive.next()) == .some(nil), entry.kind == .file,
            entry.attributes.isEmpty,
            let uid = UInt32(exactly: entry.uid), let gid = UInt32(exactly: entry.gid)
        else { return nil }
        return ("/" + String(pathBytes: entry.path), uid, gid)
    }

    private func hasCommand(after index: Int) -> Bool {
        events[(index + 1)...].contains { event in
            switch event {
            case .exec(let event): event.exitCode == 0 && event.isInteractive != true && event.changed?.isEmpty == false
            case .command: true
            default: false
            }
        }
    }

    /// Writes copied files as `COPY`: at most eight single files, or one new directory.
    private mutating func write(_ changes: [Change], from kept: Digest?, _ maker: inout RecipeMaker) -> Bool {
        guard let layer, let first = changes.first, let status = first.status,
            changes.allSatisfy({ $0.path.isPlainWord && !layer.isDelicate($0) })
        else { return false }
        let owners = Set(changes.compactMap { $0.status.map { "\($0.uid):\($0.gid)" } })
        guard owners.count == 1, let owner = owners.first else { return false }
        let flags = owner == "0:0" ? "" : "--chown=\(owner) "
        if status.kind == .directory {
            let inside = changes.dropFirst()
            guard first.kind == .added, status.permissions == 0o755, flags.isEmpty,
                inside.allSatisfy({ change in
                    change.path.isAtOrBelow(first.path) && change.path != first.path
                        && [.regular, .directory, .symlink].contains(change.status?.kind)
                })
            else { return false }
            let path = place(first.path, &maker)
            maker.recipe.attachments.append(.init(path: path, content: .piece(of: link.place, path: first.path)))
            maker.lines.append(.instruction("COPY \(RecipeMaker.operands([path, first.path]))"))
            return true
        }
        guard changes.count <= 8, changes.allSatisfy({ $0.status?.kind == .regular }) else { return false }
        for change in changes {
            let path = place(change.path, &maker)
            maker.recipe.attachments.append(.init(path: path, content: .piece(of: link.place, path: change.path)))
            maker.lines.append(.instruction("COPY \(flags)\(RecipeMaker.operands([path, change.path]))"))
        }
        return true
    }

    /// A free path beside the Dockerfile for a file: its own name when that is free.
    private func place(_ path: String, _ maker: inout RecipeMaker) -> String {
        let name = path.lastPart
        let owner = "\(link.place) \(path)"
        if maker.isFree(name, for: owner), maker.taken[PathKey(name)] == nil {
            maker.taken[PathKey(name)] = owner
            return name
        }
        maker.number += 1
        let own = "step-\(maker.number)/\(name)"
        maker.taken[PathKey(own)] = owner
        return own
    }

    // MARK: The rest

    /// Writes the pending paths as files in their final state.
    private mutating func flush(_ maker: inout RecipeMaker) throws(ShaleError) -> Bool {
        var paths = pending
        for key in pending { for name in names[key] ?? [] { paths.insert(PathKey(name)) } }
        guard let gone = try removedAgain(paths, maker) else { return false }
        let changes = (layer?.changes ?? []).filter { paths.contains(PathKey($0.path)) && !$0.isParentOnly } + gone
        explained.formUnion(paths)
        pending = []
        guard !changes.isEmpty else { return true }
        comment(&maker)
        return try maker.keep(changes, of: link, user: settings.user)
    }

    /// Paths that earlier lines created and an unknown event removed.
    ///
    /// The layer does not contain them, so a line must remove them.
    ///
    /// `nil` when the parent image has such a path: no line can restore the parent's file.
    private func removedAgain(_ paths: Set<PathKey>, _ maker: RecipeMaker) throws(ShaleError) -> [Change]? {
        let gone = paths.intersection(written).filter { layer?[$0.path] == nil }
        guard !gone.isEmpty else { return [] }
        if let parent = link.parent {
            let below = try maker.engine.images.tree(of: parent)
            for key in gone { if try below.entry(key.path, followingLinks: false) != nil { return nil } }
        }
        return gone.filter { !gone.contains(PathKey($0.path.parentPath)) }
            .map { Change(kind: .deleted, path: $0.path) }.sorted { PathOrder.precedes($0.path, $1.path) }
    }

    private mutating func writeRest(_ maker: inout RecipeMaker) throws(ShaleError) -> Bool {
        for change in layer?.changes ?? [] {
            let key = PathKey(change.path)
            // A hard-linked file is explained only when all its names are.
            let group = names[key] ?? [change.path]
            if change.isParentOnly
                || group.allSatisfy({ explained.contains(PathKey($0)) && !pending.contains(PathKey($0)) })
            {
                continue
            }
            pending.insert(key)
        }
        return try flush(&maker)
    }

    private mutating func comment(_ maker: inout RecipeMaker) {
        var text = comments
        comments = []
        let isOwn = !events.contains { if case .command = $0 { true } else { false } }
        if isOwn { text.insert("its command: \(told.command.joined(separator: " "))", at: 0) }
        for line in facts?.typed ?? [] { text.append("its shell's history names: \(line)") }
        text.append("what changed is kept file by file; how it was done is not known for certain")
        maker.lines.append(.comment(text.joined(separator: "\n")))
    }
}
