import Basics
import Dockerfiles
import Glibc
import Images
import Layers
import Linux
import OCI
import Stores

extension StepExecutor {
    func copy(
        _ copy: CopyInstruction, _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        var source = context
        if let from = copy.from {
            if from.unicodeScalars.dropLast().contains("$") {
                throw ShaleError(
                    .invalid,
                    "variable expansion is not supported for --from, define a new stage with FROM using ARG from global "
                        + "scope as a workaround")
            }
            source = try files(named: from)
            self.from = source?.image
        }
        var placement = FilePlacement(instruction: "COPY", files: copy.files, source: source, unpacksArchives: false)
        placement.makesParents = copy.parents
        // Files from a folder of the host become root's, like files from the context.
        placement.keepsOwners = source?.image != nil
        return try place(placement, words, text, &state)
    }

    func add(
        _ add: AddInstruction, _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        let checksum = try add.checksum.map { text throws(ShaleError) in try words.expand(text).text }
        if checksum.map({ !$0.isEmpty }) ?? false {
            guard add.files.paths.count == 1, let path = add.files.paths.first else {
                throw ShaleError(.invalid, "checksum can't be specified for multiple sources")
            }
            guard RemoteContext(try words.expand(path).text) != nil else {
                throw ShaleError(.invalid, "checksum requires HTTP(S) or Git sources")
            }
        }
        var placement = FilePlacement(
            instruction: "ADD", files: add.files, source: context, unpacksArchives: add.unpack ?? true,
            checksum: checksum.flatMap { $0.isEmpty ? nil : $0 })
        placement.keepsGitFolder = add.keepGitDir ?? false
        placement.gitAccess = GitAccess(options)
        return try place(placement, words, text, &state)
    }

    /// The files that `--from` names: a named context, an earlier stage, or an image, which is pulled when missing.
    func files(named name: String) throws(ShaleError) -> BuildContext {
        let image: Image
        switch try options.contexts?.opened(name, operation) {
        case .folder(let context): return context
        case .image(let named): image = named
        case nil: image = try self.image(of: name)
        }
        return BuildContext(
            root: try engine.images.mountedTree(of: image), ignored: nil, holding: nil, image: image.id)
    }

    private func image(of name: String) throws(ShaleError) -> Image {
        if let image = try stage(name) { return image }
        do throws(ShaleError) {
            return try engine.images.ensureImage(
                name, platform: options.platform, among: options.platforms, policy: .missing, announces: false,
                operation)
        } catch {
            var told = error
            told.message = "invalid from flag value \(name): \(error.message)"
            throw told
        }
    }

    /// A copy that is ready for the lookup in the cache: its files are read and its history text is made.
    private struct FoundCopy {
        let copies: FileCopies
        let comment: String
        let createdBy: String

        init(_ placement: FilePlacement, _ executor: StepExecutor, shell: [String]) throws(ShaleError) {
            var copies = FileCopies(placement, engine: executor.engine, executor.operation)
            try copies.find()
            comment = placement.comment(label: copies.label)
            createdBy = (shell + ["#(nop) \(comment)"]).joined(separator: " ")
            self.copies = copies
        }
    }

    private func place(
        _ placement: FilePlacement, _ words: WordExpander, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult {
        var placement = placement
        try placement.resolve(words, workingDirectory: state.workingDirectory)
        if placement.keepsOwners { inputs += "\nowners kept" }
        if placement.isLinked { inputs += "\nlinked" }
        var found = try FoundCopy(placement, self, shell: state.shell)
        var cached = try lookUp(found, placement, text, &state)
        if cached == nil, found.copies.isFromSurvey {
            // The files may have changed since the walk of the context. The files at the time of the copy count.
            placement.source?.forgetSurvey()
            found = try FoundCopy(placement, self, shell: state.shell)
            cached = try lookUp(found, placement, text, &state)
        }
        if let cached { return cached }
        let (copies, files) = (found.copies, found.copies.hashes)
        explainMiss(found.createdBy, instruction: text, files: files, on: state)
        let identity = try placement.owner.map { text throws(ShaleError) in
            try placement.isLinked ? Self.linkedOwner(text) : engine.identity(named: text, in: state)
        }
        let bits = try placement.mode.map { text throws(ShaleError) in try FilePlacement.permissions(text) }
        let lowers = placement.isLinked ? [] : try engine.lowerPaths(of: state)
        let layer = try engine.images.changing(lowers, keepingRewritten: true, operation) { root throws(ShaleError) in
            try copies.place(in: root, chown: identity, mode: bits)
        }
        return try finish(
            found.createdBy, instruction: text, layer: layer, files: files, copied: copies.sources, on: &state)
    }

    /// Looks the copy up in the cache: by its parent, or for a linked copy also by its link key.
    private func lookUp(
        _ found: FoundCopy, _ placement: FilePlacement, _ text: String, _ state: inout StageState
    ) throws(ShaleError) -> InstructionResult? {
        if placement.isLinked { linkKey = Self.linkKey(found.comment, placement, engine) }
        var cached = find(
            found.createdBy, instruction: text, files: found.copies.hashes, copied: found.copies.sources, on: &state)
        if cached == nil {
            cached = try relink(
                found.createdBy, instruction: text, files: found.copies.hashes, copied: found.copies.sources,
                on: &state)
        }
        cached?.copied = found.copies.sources
        return cached
    }
}

/// The facts of one COPY or ADD, after expansion of variables.
struct FilePlacement {
    let instruction: String
    private let files: FileSources
    /// Where paths are looked up; `nil` when the build has no context.
    let source: BuildContext?
    let unpacksArchives: Bool
    let checksum: String?
    /// `--keep-git-dir`.
    var keepsGitFolder = false
    /// What git may use for this build's repositories.
    var gitAccess = GitAccess(StepOptions())
    /// `--parents`: copies the sources with their parent directories.
    var makesParents = false
    /// Whether files keep their owners without a `--chown`: true for files of other stages and images.
    var keepsOwners = false

    private(set) var paths: [String] = []
    private(set) var inline: [FileSources.Inline] = []
    private(set) var excluded: IgnoreList?
    /// The destination as the history shows it.
    private(set) var writtenDestination = ""
    /// The absolute destination.
    private(set) var destination = ""
    /// Whether the destination must be a directory.
    private(set) var isIntoDirectory = false

    /// The values of `--chown` and `--chmod`.
    private(set) var owner: String?
    private(set) var mode: String?
    /// `--link`.
    ///
    /// As in BuildKit it has no effect together with `--chmod`.
    var isLinked: Bool { files.link && mode == nil }

    init(
        instruction: String, files: FileSources, source: BuildContext?, unpacksArchives: Bool, checksum: String? = nil
    ) {
        self.instruction = instruction
        self.files = files
        self.source = source
        self.unpacksArchives = unpacksArchives
        self.checksum = checksum
    }

    mutating func resolve(_ words: WordExpander, workingDirectory: String) throws(ShaleError) {
        owner = try files.owner.map { text throws(ShaleError) in try words.expand(text).text }
        mode = try files.mode.map { text throws(ShaleError) in try words.expand(text).text }
        for path in files.paths { paths.append(try words.expand(path).text) }
        for block in files.inline {
            var block = block
            if block.expand { block.content = try words.forHeredocs.expand(block.content).text }
            inline.append(block)
        }
        if !files.excluding.isEmpty { excluded = try IgnoreList(patterns: files.excluding) }
        writtenDestination = try words.expand(files.destination).text
        destination = ImagePath.clean(writtenDestination, relativeTo: workingDirectory)
        let last = writtenDestination.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        isIntoDirectory = last.isEmpty || last == "." || last == ".."
        if makesParents { isIntoDirectory = true }
        if paths.count + inline.count > 1, !isIntoDirectory {
            throw ShaleError(
                .invalid,
                "When using \(instruction) with more than one source file, the destination must be a directory and "
                    + "end with a /")
        }
    }

    /// The text for the history; `label` is the hash of the files.
    func comment(label: String) -> String {
        // Docker writes no space after the owner.
        let flags = (makesParents ? "--parents " : "") + (mode.map { "--chmod=\($0) " } ?? "")
        return "\(instruction) \(flags)\(owner.map { "--chown=\($0)" } ?? "")\(label) in \(writtenDestination) "
    }

    /// Whether the walk before the first step may be used.
    ///
    /// Not with a download among the sources: after a cache miss the sources are read a second time, and a download
    /// must happen only once.
    var usesSurvey: Bool { !paths.contains { RemoteContext($0) != nil } }

    /// The instruction and what it copies first, for the progress.
    var subject: String {
        let first = paths.first ?? inline.first?.name ?? ""
        return "\(instruction) \(first)\(paths.count + inline.count > 1 ? " …" : "")"
    }

    /// The number of parts of a source before its `/./`, which `--parents` drops.
    func pivot(of written: String) -> Int {
        guard makesParents else { return 0 }
        let parts = written.pathParts
        guard let place = parts.dropFirst().firstIndex(of: ".") else { return 0 }
        return parts[..<place].count { $0 != "." }
    }

    /// Parses the value of `--chmod`: an octal number, or letters such as `u+x`.
    ///
    /// Throws `invalid`.
    static func permissions(_ text: String) throws(ShaleError) -> ModeChange {
        guard let change = ModeChange(parsing: text) else {
            throw ShaleError(
                .invalid, "invalid chmod parameter: '\(text)'. it should be octal string and between 0 and 07777")
        }
        return change
    }
}
