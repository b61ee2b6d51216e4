import Basics
import Building
import Dockerfiles
import Images
import Layers
import Linux
import OCI
import Stores

// An image may be made by several Dockerfiles, each on the image of the one before. A recipe puts them into one stage,
// where CMD and build arguments of the first would still be in force for the second. These functions prevent that.
extension RecipeMaker {
    // MARK: CMD

    /// Removes the stage's `CMD` lines when an `ENTRYPOINT` dropped the command inherited from its base.
    mutating func dropCommand(before link: Link) {
        guard case .step(let text, _) = link.provenance.origin, !(link.settings.cmd ?? []).isEmpty,
            (link.image.containerConfig.cmd ?? []).isEmpty,
            case .entrypoint? = (try? Instruction.parse(line: text))?.value
        else { return }
        lines.remove("CMD")
    }

    // MARK: ARG

    /// Records the arguments that an `ARG` puts in force.
    mutating func declare(_ link: Link) {
        guard case .step(let text, _) = link.provenance.origin,
            case .arg(let argument)? = (try? Instruction.parse(line: text))?.value
        else { return }
        let inForce = link.provenance.arguments ?? [:]
        for entry in argument.arguments where inForce[entry.key] != nil { declared.insert(entry.key) }
    }

    /// Build arguments of the stage that were not in force for a step, and that no environment variable overrides.
    private func ended(before link: Link) -> [String] {
        guard !declared.isEmpty else { return [] }
        let hidden = link.settings.environmentNames
        let inForce = (link.provenance.arguments ?? [:]).merging(link.provenance.proxies ?? [:]) { own, _ in own }
        return declared.filter { inForce[$0] == nil && !hidden.contains($0) }.sorted()
    }

    /// The shell command that unsets those arguments; `nil` when there are none.
    func endedArguments(before link: Link) -> String? {
        let names = ended(before: link)
        return names.isEmpty ? nil : "unset \(names.joined(separator: " "))"
    }

    /// Whether the shell understands `unset`.
    static func isPosix(_ shell: [String]) -> Bool {
        ["sh", "ash", "dash", "bash"].contains(shell.first?.lastPart ?? "")
    }

    /// Whether an instruction uses such an argument.
    ///
    /// Then the expanded text is written.
    func namesEndedArgument(_ parsed: Located<Instruction>, before link: Link) -> Bool {
        switch parsed.value {
        case .run, .arg, .cmd, .entrypoint, .shell, .healthcheck, .onbuild, .maintainer, .from: return false
        default: break
        }
        return ended(before: link).contains { parsed.text.contains("$\($0)") || parsed.text.contains("${\($0)") }
    }

    /// Writes a step by its result, when its own text cannot be used; `why` is the reason.
    mutating func writeResolved(
        _ link: Link, _ parsed: Located<Instruction>, because why: String
    ) throws(ShaleError) -> Bool {
        switch parsed.value {
        case .copy, .add: return try keepStep(link, parsed, because: why)
        case .run(let run):
            guard link.addsLayer else { return true }
            let isPlain = run.flagsUsed.isEmpty && run.heredocs.isEmpty && endedArguments(before: link) == nil
            let words = run.command.words
            let text =
                run.command.usesShell
                ? RunText.line(of: words.joined(separator: " "), shell: link.settings.commandShell)
                : ConfigInstructions.array(words)
            guard isPlain, ConfigInstructions.isOneLine(text) else { return try keepStep(link, parsed, because: why) }
            if let own = try keepsOwnHost(link, parsed) { return own }
            lines.append(.instruction("RUN \(text)"))
            return true
        case .arg(let argument):
            for entry in argument.arguments {
                let value = value(of: entry.key, after: link)
                let line = "ARG \(entry.key)" + (value.map { "=\(DockerfileWord.quoted($0))" } ?? "")
                if value != nil || entry.value == nil, ConfigInstructions.isOneLine(line) {
                    lines.append(.instruction(line))
                }
            }
            declare(link)
            return true
        case .maintainer(let author):
            writeAuthor(author)
            return true
        default: return try writeConfig(from: link.settings, to: link.image.containerConfig)
        }
    }

    /// Why a step's text would mean something else in the recipe or with another builder; `nil` when it can be used.
    func wordsObstacle(_ parsed: Located<Instruction>, _ link: Link) -> String? {
        if namesEndedArgument(parsed, before: link) {
            return "a build argument it names ended with the Dockerfile before it"
        }
        let text = parsed.text
        if text.unicodeScalars.contains(where: OddByte.isOnPage) { return "bytes that are no text" }
        if link.provenance.escape != nil, text.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == 0x60 }) {
            return "its Dockerfile has an escape character of its own"
        }
        switch parsed.value {
        case .run, .arg, .cmd, .entrypoint, .shell, .healthcheck, .onbuild, .maintainer, .from: return nil
        default: return Self.hasNewerModifier(text) ? "not every builder reads its variables" : nil
        }
    }

    /// Whether a text has `${NAME…}` with another modifier than `:-` and `:+`.
    static func hasNewerModifier(_ text: String) -> Bool {
        text.rests(after: "${").contains { rest in
            let modifier = rest.drop { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "_") }
            guard let first = modifier.first, first != UInt8(ascii: "}") else { return false }
            let second = modifier.dropFirst().first
            return first != UInt8(ascii: ":") || (second != UInt8(ascii: "-") && second != UInt8(ascii: "+"))
        }
    }

    /// Keeps the files of a `RUN` that had hosts, limits or a network which the recipe does not give, and declares the
    /// proxy arguments it had.
    ///
    /// Returns `nil` when the line is still to be written.
    mutating func keepsOwnHost(_ link: Link, _ parsed: Located<Instruction>) throws(ShaleError) -> Bool? {
        if link.provenance.hasOwnHost == true {
            return try keepStep(link, parsed, because: "its build gave it hosts, limits or a network of its own")
        }
        for (name, value) in (link.provenance.proxies ?? [:]).sorted(by: { $0.key < $1.key })
        where proxies[name] != value {
            let line = "ARG \(name)=\(DockerfileWord.quoted(value))"
            guard ConfigInstructions.isOneLine(line) else {
                return try keepStep(link, parsed, because: "an argument it saw cannot be written")
            }
            lines.append(.instruction(line))
            proxies[name] = value
            declared.insert(name)
        }
        return nil
    }

    /// The `ARG` line with the value that was given, when later steps depend on it; `nil` when no line is needed.
    ///
    /// An `ARG` without a value is left out when another Dockerfile's `ARG` of that name is in force in the stage: its
    /// value
    /// would stay in force.
    func written(_ argument: ArgInstruction, _ link: Link, _ instruction: String) -> String? {
        var isSame = true
        var words: [String] = []
        for entry in argument.arguments {
            let value = value(of: entry.key, after: link)
            let plain = entry.key + (entry.value.map { "=\($0)" } ?? "")
            guard let value else {
                if entry.value == nil, declared.contains(entry.key) { isSame = false } else { words.append(plain) }
                continue
            }
            guard DockerfileWord.quoted(value) != entry.value, value != entry.value else {
                words.append(plain)
                continue
            }
            isSame = false
            words.append("\(entry.key)=\(DockerfileWord.quoted(value))")
        }
        if isSame { return instruction }
        return words.isEmpty ? nil : "ARG " + words.joined(separator: " ")
    }

    /// The value of an argument in the steps after its `ARG`; `nil` when it has none.
    ///
    /// An image made only by settings may come from the cache of an earlier build with another value. So the value of a
    /// step
    /// that uses the argument is preferred.
    private func value(of name: String, after link: Link) -> String? {
        var nearest: String?
        for later in link.later {
            guard case .step(let text, _) = later.origin, later.base == link.provenance.base,
                let value = later.arguments?[name]
            else { break }
            let parsed = try? Instruction.parse(line: text)
            if case .arg(let argument)? = parsed?.value, argument.arguments.contains(where: { $0.key == name }) {
                break
            }
            if case .run? = parsed?.value { return value }
            if text.contains("$") { return value }
            nearest = nearest ?? value
        }
        return nearest ?? link.provenance.arguments?[name]
    }

    // MARK: Flags of COPY and ADD

    /// Why a copy without `--chmod` and `--link`, which not every builder supports, would make other files; `nil` when
    /// it
    /// would not.
    ///
    /// `--chmod` also sets the mode of created parent directories. A linked copy does not see the files below it: it
    /// replaces links and creates directories again.
    func flagsThatCount(_ link: Link, _ files: FileSources) throws(ShaleError) -> String? {
        guard files.mode != nil || files.link, let layer = try link.layer else { return nil }
        let changes = layer.changes.filter { !$0.isParentOnly }
        if files.mode != nil, changes.contains(where: { $0.status?.kind == .directory }) {
            return "directories that --chmod made"
        }
        guard files.link, let parent = link.parent else { return nil }
        let tree = try engine.images.tree(of: parent)
        for change in changes {
            guard let old = try tree.entry(change.path, followingLinks: false) else { continue }
            if old.status.kind != change.status?.kind || old.status.kind == .directory {
                return "what --link put in place of what was there"
            }
        }
        return nil
    }
}

extension RecipeEngine {
    /// The name for `FROM` of an image that was not made here, so that other users find it too.
    ///
    /// In this order: the name by which it was pulled, the name `called` if it still means the image, another name, its
    /// digest in a registry, its image ID.
    func baseName(of image: Image, called name: String?) -> String {
        let called = name.flatMap { name in (try? store.images.id(of: name)) == image.id ? name : nil }
        let repositories = Set(image.repoDigests.map(\.name))
        if let called, let reference = try? Reference(parsing: called), repositories.contains(reference.name) {
            return called
        }
        let pulled = image.references.first { repositories.contains($0.name) }
        // The first image is named like the image in docker's registry that it replaces.
        let first = image.references.first { $0.familiar == "\(BuildEngine.firstImageName):\(Reference.defaultTag)" }
        if let pulled = pulled ?? (image.repoDigests.isEmpty ? first : nil) {
            if let called, (try? Reference(parsing: called).withDefaultTag) == pulled { return called }
            return pulled.familiar
        }
        return called ?? image.references.first?.familiar ?? image.repoDigests.first?.familiar ?? image.id.description
    }
}

extension String {
    /// The texts after each occurrence of a mark.
    fileprivate func rests(after mark: String) -> [Substring.UTF8View] {
        var found: [Substring.UTF8View] = []
        var rest = self[...]
        while let range = rest.firstRange(of: mark) {
            rest = rest[range.upperBound...]
            found.append(rest.utf8)
        }
        return found
    }
}
