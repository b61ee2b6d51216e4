import ArgumentParser
import Basics
import Building
import Containers
import Dockerfiles
import Explorer
import FoundationEssentials
import Images
import Layers
import Lessons
import Linux
import OCI
import Recipes
import Rendering
import RunnerProtocol
import Sessions
import ShellLanguage
import Stores

/// What Tab offers from the store, the session and the shell's own variables; a failure offers nothing.
struct StoreCompletion: CompletionSource {
    private let shell: ShellContext
    private let registryTags = RegistryTags()
    /// Most entries of a directory inside an image that are offered.
    private static let mostEntries = 5000

    init(_ shell: ShellContext) { self.shell = shell }

    func values(for request: CompletionRequest) -> [CompletionValue] {
        switch request.kind {
        case .image: images(withWorking: true)
        case .reference: images(withWorking: false)
        case .remoteReference: remoteNames(request.prefix)
        case .container: containers { _ in true }
        case .runningContainer: containers { $0 == .running || $0 == .paused }
        case .stoppedContainer: containers { $0 != .running && $0 != .paused }
        case .pausedContainer: containers { $0 == .paused }
        case .object: images(withWorking: true) + containers { _ in true }
        case .place, .placeOrHostPath: (images(withWorking: true) + containers { _ in true }).map(Self.openEnded)
        case .layer: layers(request.prefix)
        case .program: programs(of: request.operands.last ?? "")
        case .volume: volumes()
        case .volumeOrHostPath: volumes().map { CompletionValue($0.text + ":", $0.summary, isWhole: false) }
        case .variable: shell.variables.keys.sorted().map { CompletionValue($0, shell.variables[$0] ?? "") }
        case .environment: shell.console.environment.keys.sorted().map { CompletionValue($0) }
        case .session: ((try? shell.sessions().names()) ?? []).map { CompletionValue($0) }
        case .signal: SignalName.usual.map { CompletionValue($0.name, $0.meaning) }
        case .platform: ["linux/amd64", "linux/arm64", "linux/arm/v7", "linux/386"].map { CompletionValue($0) }
        case .instruction: Instruction.keywords.map { CompletionValue($0) }
        case .verb: verbs()
        case .topic: topics()
        case .setting: Setting.all.map { CompletionValue($0.name, $0.meaning) }
        case .settingValue: settingValues(of: request.operands.last ?? "")
        case .state: states()
        case .filter: filters(of: request)
        case .alias: shell.aliases.keys.sorted().map { CompletionValue($0, shell.aliases[$0] ?? "") }
        case .network: [CompletionValue("host"), CompletionValue("none")]
        case .capability: Capabilities.names.map { CompletionValue($0) }
        case .step: steps()
        case .format: formats(of: request)
        case .lesson: LessonLibrary.builtIn.map { CompletionValue($0.name, $0.title) }
        case .hostPath, .hostDirectory, .mount, .none: []
        }
    }

    /// `json` and `table`; once a template has begun, the fields of the command's rows.
    private func formats(of request: CompletionRequest) -> [CompletionValue] {
        guard let open = request.prefix.ranges(of: "{{").last?.upperBound else {
            return [CompletionValue("json", "an object a line"), CompletionValue("table", "columns, as without it")]
        }
        let lead = String(request.prefix[..<open])
        let blanks = request.prefix[open...].prefix { $0 == " " }
        return (request.type?.formatFields ?? []).map { field in
            CompletionValue("\(lead)\(blanks).\(field)}}", isWhole: false)
        }
    }

    var place: (object: String, path: String)? {
        guard let here = shell.place.flatMap({ try? Place(parsing: $0) }) else { return nil }
        return (here.label, here.path)
    }

    func entries(in object: String, directory: String) -> [PathEntry] {
        if object.contains("#") { return layerEntries(object, directory) }
        guard let tree = try? tree(of: object), let children = try? tree.children(of: directory) else { return [] }
        return children.prefix(Self.mostEntries).map { child in
            var isDirectory = child.status.kind == .directory
            if child.status.kind == .symlink, let target = try? tree.entry(child.path, followingLinks: true) {
                isDirectory = target.status.kind == .directory
            }
            return PathEntry(child.name, isDirectory: isDirectory)
        }
    }

    /// What a layer itself holds.
    private func layerEntries(_ layer: String, _ directory: String) -> [PathEntry] {
        guard let view = try? PlaceWords(shell, isQuiet: true).view(Place(parsing: layer)),
            let found = (try? view.entry(directory, followingLinks: true)).flatMap(\.self),
            let children = try? view.children(of: found)
        else { return [] }
        return children.filter { $0.kind != .whiteout }.prefix(Self.mostEntries).map { child in
            let end =
                child.kind == .symlink ? (try? view.entry(child.path, followingLinks: true)).flatMap(\.self) : child
            return PathEntry(child.name, isDirectory: end?.kind == .directory)
        }
    }

    /// More follows after the object of a place, so no space is added.
    private static func openEnded(_ value: CompletionValue) -> CompletionValue {
        CompletionValue("\(value.text):/", value.summary, isWhole: false)
    }

    private func images(withWorking: Bool) -> [CompletionValue] {
        var values: [CompletionValue] = []
        if withWorking, let working = try? shell.session().working, working.image != nil {
            values.append(CompletionValue("@", "the working image"))
        }
        guard let images = try? shell.images().all() else { return values }
        for image in images {
            for name in image.references {
                values.append(CompletionValue(Self.shortest(name), "\(image.id.short)  \(HumanUnits.size(image.size))"))
            }
        }
        return values.sorted { $0.text < $1.text }
    }

    /// The names here, and the tags of a repository that is typed up to its colon.
    private func remoteNames(_ prefix: String) -> [CompletionValue] {
        let here = images(withWorking: false)
        let names = Set(here.map(\.text))
        let there = (try? shell.images()).map { registryTags.values(for: prefix, from: $0) } ?? []
        return here + there.filter { !names.contains($0.text) }
    }

    /// `busybox` for `busybox:latest`.
    private static func shortest(_ name: Reference) -> String {
        name.tag == Reference.defaultTag ? name.familiarName : name.familiar
    }

    private func containers(_ isOffered: (ContainerState.Status) -> Bool) -> [CompletionValue] {
        guard let engine = try? shell.containers(), let records = try? engine.all() else { return [] }
        return records.compactMap { record in
            let view = engine.view(of: record)
            guard isOffered(view.state.status) else { return nil }
            return CompletionValue(record.name, "\(record.imageName)  \(view.statusWords())")
        }
    }

    private func verbs() -> [CompletionValue] {
        var found: [CompletionValue] = []
        for type in CommandTable.shared.verbs where type.configuration.shouldDisplay {
            found.append(CompletionValue(type.verb, type.configuration.abstract))
        }
        return found
    }

    private func volumes() -> [CompletionValue] {
        let volumes = (try? shell.containers().volumes()) ?? []
        return volumes.map { CompletionValue($0.name, $0.users.isEmpty ? "unused" : "in use") }
    }

    private func layers(_ prefix: String) -> [CompletionValue] {
        let name = String(prefix.prefix { $0 != "#" })
        guard prefix.contains("#"), let layers = try? PlaceWords(shell, isQuiet: true).whole(name, for: "layers") else {
            return (images(withWorking: true) + containers { _ in true }).map {
                CompletionValue("\($0.text)#", $0.summary, isWhole: false)
            }
        }
        return (0..<layers.count).map { index in
            CompletionValue("\(name)#\(index + 1)", (try? layers.layer(index + 1).headline) ?? "")
        }
    }

    /// Names on the `PATH` of an image or container.
    private func programs(of object: String) -> [CompletionValue] {
        var names: Set<String> = []
        for directory in ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] {
            for entry in entries(in: object, directory: directory) where !entry.isDirectory { names.insert(entry.name) }
        }
        return names.sorted().map { CompletionValue($0) }
    }

    private func steps() -> [CompletionValue] {
        guard let working = try? shell.session().working else { return [] }
        return working.steps.enumerated().map { CompletionValue(String($0.offset + 1), $0.element.instruction) }
    }

    /// The words that `explain` knows, commands and instructions last.
    private func topics() -> [CompletionValue] {
        [
            CompletionValue("last", "what the last line did"),
            CompletionValue(Help.languageTopic, "how a line is read"),
            CompletionValue(Help.keysTopic, "what the keys do"),
        ]
            + Topics.things.names.filter { !$0.contains(" ") }.map { CompletionValue($0, "what it is") }
            + verbs() + StepKeyword.names.sorted().map { CompletionValue($0, "an instruction") }
    }

    /// The states of the session that `goto` takes, the newest first; 0 is the beginning.
    private func states() -> [CompletionValue] {
        guard let session = try? shell.session(), (try? session.refresh()) != nil else { return [] }
        let nodes = session.tree.nodes.values.sorted { $0.number > $1.number }.prefix(Self.mostStates)
        return nodes.map { node in
            CompletionValue(String(node.number), node.line.split(separator: "\n").first.map(String.init) ?? "")
        } + [CompletionValue("0", "the beginning")]
    }

    private static let mostStates = 500

    /// What a setting can be; where that cannot be listed, what it is now.
    private func settingValues(of name: String) -> [CompletionValue] {
        guard let setting = Setting.named(name) else { return [] }
        let words = setting.words.isEmpty ? shell.settings.list(of: name) : setting.words
        return words.map { CompletionValue($0) }
    }

    /// `KEY=` of a filter, then its values.
    private func filters(of request: CompletionRequest) -> [CompletionValue] {
        let keys = request.type?.filters ?? []
        guard let equals = request.prefix.firstIndex(of: "=") else {
            return keys.map { CompletionValue("\($0.name)=", $0.values.joined(separator: ", "), isWhole: false) }
        }
        let name = String(request.prefix[..<equals])
        let naming = ["ancestor", "before", "since", "reference", "volume", "name", "container", "image"]
        if naming.contains(name) {
            let found = named(by: name, of: request.type?.filteredKind ?? .image)
            return found.map { CompletionValue("\(name)=\($0.text)", $0.summary) }
        }
        return keys.first { $0.name == name }?.values.map { CompletionValue("\(name)=\($0)") } ?? []
    }

    /// What a filter's value names, where the filter is of objects of a kind.
    private func named(by filter: String, of kind: ValueKind) -> [CompletionValue] {
        switch (filter, kind) {
        case ("volume", _), ("name", .volume): volumes()
        case ("name", _), ("container", _), ("before", .container), ("since", .container): containers { _ in true }
        default: images(withWorking: false)
        }
    }

    /// The files of an image or container as they lie, nothing mounted.
    private func tree(of object: String) throws(ShaleError) -> MergedTree {
        let engine = try shell.engine()
        if let record = try engine.containers.container(meantBy: object)?.record {
            return try engine.containers.tree(of: record)
        }
        return try engine.images.tree(of: SubjectImage(shell).image(object))
    }
}

/// Builds the completer of the prompt from the commands themselves.
enum PromptCompletion {
    static func completer(_ shell: ShellContext) -> CommandCompleter {
        var verbs = CommandTable.shared.verbs.map { description(of: $0) }
        for type in CommandTable.shared.verbs {
            for subcommand in type.subcommands {
                let verb = description(of: subcommand)
                verbs.append(CommandModel.Verb(verb.name, isHidden: true, describe: verb.describe))
            }
        }
        return CommandCompleter(model: CommandModel(verbs), source: StoreCompletion(shell)) { name in
            CommandTable.shared.find(name).map { HelpText.of($0) }
        }
    }

    private static func description<Command: Verb>(of type: Command.Type) -> CommandModel.Verb { .init(type) }
}
