import Basics
import Dockerfiles
package import LineEditing
import Rendering
import ShellLanguage

/// Completes a line of shale's language from the command model and what exists.
package final class CommandCompleter: Completer {
    private let model: CommandModel
    let source: any CompletionSource
    private let helpText: (String) -> String?

    /// - Parameters:
    ///   - model: The commands.
    ///   - source: What exists.
    ///   - help: The help of a verb, for F1.
    package init(model: CommandModel, source: any CompletionSource, help: @escaping (String) -> String? = { _ in nil })
    {
        self.model = model
        self.source = source
        helpText = help
    }

    package func completions(for text: String) -> Completions {
        let context = CompletionContext(text)
        let end = text.unicodeScalars.count
        var candidates: [Candidate]
        switch context.place {
        case .variable(let isBraced):
            candidates = values(CompletionRequest(.variable, prefix: context.word)).map {
                Candidate(isBraced ? "${\($0.text)}" : "$\($0.text)", summary: $0.summary)
            }
        case .comment: candidates = []
        case .file: candidates = hostPaths(context)
        case .host(let isCommand):
            let isPath = context.word.contains("/")
            candidates = isCommand && !isPath ? hostPrograms(context) : hostPaths(context)
        case .step(let name, let before): candidates = stepCandidates(name, before, context)
        case .word(let before): candidates = wordCandidates(before, context)
        }
        return Completions(candidates, span: context.start..<end)
    }

    package func help(for text: String) -> String? {
        guard case .word(let before) = CompletionContext(text).place else { return nil }
        let words = Self.normalised(before + [CompletionContext(text).word])
        return helpText(words.first ?? "")
    }

    /// The rest of the usage: the value a flag waits for, or the operands still to come.
    package func hint(for text: String) -> String? {
        let context = CompletionContext(text)
        guard case .word(let before) = context.place, context.quote == .none else { return nil }
        // While the last word is being typed, it counts: the verb's usage shows once it is a verb.
        let words = joined(Self.normalised(before + (context.word.isEmpty ? [] : [context.word])))
        guard let verb = words.first, let description = model.description(of: verb) else { return nil }
        let position = CommandPosition(words: Array(words.dropFirst()), description)
        if let flag = position.pendingFlag, let value = flag.value {
            return "\(value.name.uppercased())  \(flag.summary)"
        }
        let rest = description.operands.dropFirst(position.operands.count)
        let isRepeating = description.operands.last?.isRepeating ?? false
        var parts = rest.map(\.usage)
        if parts.isEmpty, isRepeating, let last = description.operands.last {
            parts = ["[\(last.value.name.uppercased())…]"]
        }
        let hasOptions = description.flags.contains { !$0.names.contains("--help") }
        if words.count == 1, hasOptions { parts.insert("[OPTIONS]", at: 0) }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    // MARK: Words of a command

    private func wordCandidates(_ before: [String], _ context: CompletionContext) -> [Candidate] {
        let words = joined(Self.normalised(before))
        if words.isEmpty {
            if let noun = before.last, let verbs = CommandTable.shared.spelling.nouns[noun], before.count <= 2 {
                return quoted(verbs.keys.sorted().map { CompletionValue($0) }, context)
            }
            return verbs(context)
        }
        if words.count == 1, model.verb(words[0]) == nil, let verbs = CommandTable.shared.spelling.nouns[words[0]] {
            return quoted(verbs.keys.sorted().map { CompletionValue($0) }, context)
        }
        guard let description = model.description(of: words[0]) else { return hostPaths(context) }
        let position = CommandPosition(words: Array(words.dropFirst()), description)
        let request = CompletionRequest(.none, prefix: context.word, verb: words[0], operands: position.operands)
        if let value = position.pendingFlag?.value { return candidates(value, request, context) }
        if context.word.hasPrefix("-"), !position.takesRest, context.quote == .none {
            return flags(description, request, context)
        }
        guard let operand = position.nextOperand else { return [] }
        if let word = position.operands.first, let second = request.type?.secondWords.first(where: { $0.word == word })
        {
            return candidates(CommandModel.Value(second.operand), request, context)
        }
        return candidates(operand.value, request, context)
    }

    private func verbs(_ context: CompletionContext) -> [Candidate] {
        var found = model.verbs.filter { !$0.isHidden }.map { CompletionValue($0.name, $0.summary) }
        if context.word.first?.isUppercase ?? false {
            found += StepKeyword.names.sorted().map { CompletionValue($0, "a step on the working image") }
        }
        found += source.values(for: CompletionRequest(.alias, prefix: context.word))
        return quoted(found, context)
    }

    private func flags(
        _ description: CommandModel.Description, _ request: CompletionRequest, _ context: CompletionContext
    ) -> [Candidate] {
        if let equals = context.word.firstIndex(of: "=") {
            let name = String(context.word[..<equals])
            guard let value = description.flag(named: name)?.value else { return [] }
            var inner = request
            inner.prefix = String(context.word[context.word.index(after: equals)...])
            var shifted = context
            shifted.word = inner.prefix
            // The flag stays as typed in front of its value.
            return candidates(value, inner, shifted).map { candidate in
                Candidate(
                    "\(name)=\(candidate.insertion)", display: candidate.display, summary: candidate.summary,
                    isWhole: candidate.isWhole)
            }
        }
        let names = description.flags.flatMap { flag -> [CompletionValue] in
            flag.names.map { name in
                let value = flag.value.map { " \($0.name.uppercased())" } ?? ""
                return CompletionValue(name, value.isEmpty ? flag.summary : "\(value.dropFirst())  \(flag.summary)")
            }
        }
        // Short ones only when nothing but the dash is typed: the long ones say what they are.
        let wanted = context.word == "-" ? names : names.filter { $0.text.hasPrefix("--") || $0.text == context.word }
        return quoted(wanted, context)
    }

    // MARK: Values

    private func candidates(
        _ value: CommandModel.Value, _ request: CompletionRequest, _ context: CompletionContext
    ) -> [Candidate] {
        if !value.words.isEmpty {
            let seconds = request.type?.secondWords ?? []
            let words = quoted(
                value.words.map { word in
                    CompletionValue(word, seconds.first { $0.word == word }?.meaning ?? "")
                }, context)
            guard value.kind != .none else { return words }
            return words + candidates(CommandModel.Value(value.kind, name: value.name), request, context)
        }
        var request = request
        request.kind = value.kind
        switch value.kind {
        case .hostPath: return hostPaths(context)
        case .hostDirectory: return hostPaths(context, onlyDirectories: true)
        case .volumeOrHostPath, .lesson: return quoted(values(request), context) + hostPaths(context)
        case .place: return places(request, context)
        case .placeOrHostPath:
            if context.word.contains(":/") { return places(request, context) }
            // Inside an image `cd` stays there; `cp` means the host by every word without a colon.
            let staysInside = request.plainPaths == .ofPlace && source.place != nil
            return places(request, context) + (staysInside ? [] : hostPaths(context))
        case .image, .container, .object, .layer:
            if context.word.contains(":/") { return places(request, context) }
            var layers = request
            if value.kind == .object, context.word.contains("#") { layers.kind = .layer }
            return quoted(values(layers), context)
        case .verb:
            return quoted(model.verbs.filter { !$0.isHidden }.map { CompletionValue($0.name, $0.summary) }, context)
        case .mount: return mounts(request, context)
        case .instruction: return quoted(StepKeyword.names.sorted().map { CompletionValue($0) }, context)
        case .signal: return quoted(signals(context.word), context)
        case .program: return programs(request, context)
        default: return quoted(values(request), context)
        }
    }

    /// With `SIG` in front where that is typed.
    private func signals(_ word: String) -> [CompletionValue] {
        let lead = word.uppercased().hasPrefix("SIG") ? "SIG" : ""
        return SignalName.usual.map { CompletionValue(lead + $0.name, $0.meaning) }
    }

    func values(_ request: CompletionRequest) -> [CompletionValue] {
        source.values(for: request).filter { $0.text.hasPrefix(request.prefix) }
    }

    /// `OBJECT:/path`: objects first, then what the directory holds.
    private func places(_ request: CompletionRequest, _ context: CompletionContext) -> [Candidate] {
        guard let split = context.word.firstRange(of: ":/") else {
            var objects = request
            objects.kind = context.word.contains("#") ? .layer : .object
            let found = values(objects).map { CompletionValue($0.text + ":/", $0.summary, isWhole: false) }
            return (request.plainPaths == .ofHost ? [] : pathsHere(context)) + quoted(found, context)
        }
        let object = String(context.word[..<split.lowerBound])
        let path = String(context.word[context.word.index(after: split.lowerBound)...])
        return paths(path, context, before: object + ":") { source.entries(in: object, directory: $0) }
    }

    /// Paths of the image or container that the shell is in.
    private func pathsHere(_ context: CompletionContext) -> [Candidate] {
        guard let place = source.place else { return [] }
        return paths(context.word, context, before: "") { directory in
            let isWhole = directory.hasPrefix("/") || directory.isEmpty
            let below = place.path == "/" ? "/" + directory : place.path + "/" + directory
            return source.entries(in: place.object, directory: isWhole && !directory.isEmpty ? directory : below)
        }
    }

    /// Programs and paths inside the image or container that the command runs in.
    private func programs(_ request: CompletionRequest, _ context: CompletionContext) -> [Candidate] {
        guard let object = request.operands.first else { return [] }
        if context.word.hasPrefix("/") {
            return paths(context.word, context, before: "") { source.entries(in: object, directory: $0) }
        }
        return request.operands.count == 1 ? quoted(values(request), context) : []
    }

    private func stepCandidates(_ name: String, _ before: [String], _ context: CompletionContext) -> [Candidate] {
        switch name {
        case "FROM":
            return before.isEmpty ? quoted(values(CompletionRequest(.image, prefix: context.word)), context) : []
        case "ONBUILD" where before.isEmpty:
            return quoted(StepKeyword.names.sorted().map { CompletionValue($0) }, context)
        case "COPY" where context.word.hasPrefix("--from="), "ADD" where context.word.hasPrefix("--from="):
            let typed = String(context.word.dropFirst("--from=".count))
            return quoted(
                values(CompletionRequest(.image, prefix: typed)).map { CompletionValue("--from=\($0.text)") }, context)
        case "COPY", "ADD": return context.word.hasPrefix("/") ? inside(context) : hostPaths(context)
        case "STOPSIGNAL": return quoted(signals("SIG"), context)
        case "RUN", "CMD", "ENTRYPOINT", "WORKDIR", "VOLUME":
            if context.word.hasPrefix("/") { return inside(context) }
            guard name == "RUN", before.isEmpty else { return [] }
            return quoted(
                values(CompletionRequest(.program, prefix: context.word, verb: "RUN", operands: ["@"])), context)
        default: return []
        }
    }

    private func inside(_ context: CompletionContext) -> [Candidate] {
        paths(context.word, context, before: "") { source.entries(in: "@", directory: $0) }
    }

    // MARK: Paths

    private func hostPaths(_ context: CompletionContext, onlyDirectories: Bool = false) -> [Candidate] {
        paths(context.word, context, before: "") { directory in
            source.hostEntries(in: directory).filter { !onlyDirectories || $0.isDirectory }
        }
    }

    /// The programs on the host's `PATH`.
    private func hostPrograms(_ context: CompletionContext) -> [Candidate] {
        guard !context.word.isEmpty else { return [] }
        let folders = (Console.processEnvironment["PATH"] ?? "").split(separator: ":").map(String.init)
        var seen: Set<String> = []
        let found = folders.flatMap { source.hostEntries(in: $0) }
            .filter { !$0.isDirectory && $0.name.hasPrefix(context.word) && seen.insert($0.name).inserted }
        return quoted(found.map { CompletionValue($0.name) }.sorted { $0.text < $1.text }, context)
    }

    /// Paths that go on from a typed one.
    func paths(
        _ path: String, _ context: CompletionContext, before: String, list: (String) -> [PathEntry]
    ) -> [Candidate] {
        let split = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let directory = String(path[..<split])
        let name = path[split...]
        var listed = directory
        if before.isEmpty, directory == "~/" || directory.hasPrefix("~/"), context.quote == .none {
            listed = (Console.processEnvironment["HOME"] ?? "") + directory.dropFirst()
        }
        return list(listed).compactMap { entry in
            // Hidden files only when asked for.
            guard entry.name.hasPrefix(name), !entry.name.hasPrefix(".") || name.hasPrefix(".") else { return nil }
            let text = before + directory + entry.name + (entry.isDirectory ? "/" : "")
            return Candidate(
                context.quote.quoting(text, isWhole: !entry.isDirectory),
                display: entry.name + (entry.isDirectory ? "/" : ""), isWhole: !entry.isDirectory)
        }
    }

    func quoted(_ values: [CompletionValue], _ context: CompletionContext) -> [Candidate] {
        values.filter { $0.text.hasPrefix(context.word) }.map { value in
            Candidate(
                context.quote.quoting(value.text, isWhole: value.isWhole), display: value.text,
                summary: value.summary, isWhole: value.isWhole)
        }
    }

    /// The model has `volume rm` as one verb.
    private func joined(_ words: [String]) -> [String] {
        guard words.count > 1, model.verb("\(words[0]) \(words[1])") != nil else { return words }
        return ["\(words[0]) \(words[1])"] + words.dropFirst(2)
    }

    /// The words in shale's own spelling: `docker image ls` is `images`.
    private static func normalised(_ words: [String]) -> [String] {
        // `name = COMMAND` completes as the command.
        if words.count > 1, words[1] == "=", words[0].isAssignableName { return normalised(Array(words.dropFirst(2))) }
        if let first = words.first, first == "sudo" || Spelling.tools.contains(first) {
            return normalised(Array(words.dropFirst()))
        }
        var spelled = words.map { Word($0) }
        _ = CommandTable.shared.spelling.normalise(&spelled)
        return spelled.map { $0.constant ?? "" }
    }
}

/// Where in a command's words the next one stands.
struct CommandPosition {
    /// The flag whose value comes next.
    private(set) var pendingFlag: CommandModel.Flag?
    private(set) var operands: [String] = []
    /// Whether everything from here belongs to the container's command, or follows `--`.
    private(set) var takesRest = false
    private let declared: [CommandModel.Operand]

    init(words: [String], _ description: CommandModel.Description) {
        declared = description.operands
        for word in words {
            if pendingFlag != nil {
                pendingFlag = nil
            } else if takesRest || !word.hasPrefix("-") || word == "-" {
                operands.append(word)
                // Flags end where the command of `run` begins: at the image before it.
                if let rest = declared.firstIndex(where: \.takesRest), operands.count >= max(1, rest) {
                    takesRest = true
                }
            } else if word == "--" {
                takesRest = true
            } else if !word.contains("=") {
                pendingFlag = Self.flag(of: word, description)
            }
        }
    }

    /// The operand that a word here would be.
    var nextOperand: CommandModel.Operand? {
        if operands.count < declared.count { return declared[operands.count] }
        return declared.last.flatMap { $0.isRepeating || $0.takesRest ? $0 : nil }
    }

    /// The flag that waits for a value after this word: `--name`, `-e`, or the last letter of `-ite`.
    private static func flag(of word: String, _ description: CommandModel.Description) -> CommandModel.Flag? {
        if let flag = description.flag(named: word) { return flag.value == nil ? nil : flag }
        guard !word.hasPrefix("--"), let last = word.last else { return nil }
        let letters = word.dropFirst().dropLast()
        let areSwitches = letters.allSatisfy { description.flag(named: "-\($0)").map { $0.value == nil } ?? false }
        guard areSwitches, let flag = description.flag(named: "-\(last)"), flag.value != nil else { return nil }
        return flag
    }
}
