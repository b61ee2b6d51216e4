import Basics
import Containers
import Dockerfiles
import Glibc
import Linux
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// What `recipe`, `recipe save` and `recipe verify` do with the recipe they are asked for.
struct RecipeOutput {
    private let shell: ShellContext
    private let changes: RecipeChanges
    private let formName: String?
    private let file: String?
    private let showsSecrets: Bool
    private let format: String?
    private let progress: String

    /// Differences that `verify` prints before it counts the rest.
    private static let shownDifferences = 20

    init(
        _ shell: ShellContext, changes: RecipeChanges, form: String?, file: String?, showsSecrets: Bool,
        format: String?, progress: String
    ) {
        self.shell = shell
        self.changes = changes
        formName = form
        self.file = file
        self.showsSecrets = showsSecrets
        self.format = format
        self.progress = progress
    }

    func print(_ name: String) throws(ShaleError) -> Outcome {
        let form = try self.form()
        if let format, format != "json" { throw ShaleError(.usage, "recipe: --format is json") }
        let given = try given(subject(name), named: name)
        let recipe = given.recipe
        let text = format == "json" ? Self.json(recipe) : recipe.text(as: form, of: Self.words(for: name))
        guard let file, file != "-" else { return Outcome(.text(text), status: given.status) }
        // With its secrets, only the owner may read it.
        let most: UInt32 = showsSecrets ? 0o700 : 0o777
        let mode: UInt32 = (form == .sh || form == .shale ? 0o755 : 0o644) & most
        try translating(file) {
            try UnnamedFile.write(
                text.pathBytes, to: file, mode: CallersUmask.applied(to: mode), followingLink: true)
        }
        return Outcome(.lines([]), status: given.status)
    }

    func save(_ words: [String]) throws(ShaleError) -> Outcome {
        guard words.count == 1 || words.count == 2 else {
            throw ShaleError(.usage, "recipe save takes a directory", hint: "recipe save DIR")
        }
        let name = words.count > 1 ? words[1] : "@"
        let form = try self.form()
        let given = try given(savedSubject(words, name), named: name, in: form == .sh)
        let recipe = given.recipe
        var others: [(path: String, text: String, mode: UInt32)] = []
        if let lock = given.lockText(showsSecrets: showsSecrets) { others.append(("recipe.lock", lock, 0o644)) }
        if form != .dockerfile {
            others.append(
                (form.fileName, recipe.text(as: form, of: Self.words(for: name)), form == .md ? 0o644 : 0o755))
        }
        var folder = words[0]
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        let paths = try RecipeFolder(folder, engine: shell.engine().recipes).save(
            recipe, others: others, isPrivate: showsSecrets, shell.cancellation)
        warnOfKeys(in: folder, paths)
        return Outcome(.lines(paths.map { "\(folder)/\($0)".visible }), status: given.status)
    }

    /// The folder and what is saved; when the two words are in the wrong order, the error has the corrected line.
    private func savedSubject(_ words: [String], _ name: String) throws(ShaleError) -> RecipeSubject {
        do throws(ShaleError) {
            return try subject(name)
        } catch {
            guard words.count == 2, (try? subject(words[0])) != nil else { throw error }
            var error = error
            error.hint = "recipe save \(name.shellQuoted) \(words[0].shellQuoted)"
            throw error
        }
    }

    func verify(_ words: [String]) throws(ShaleError) -> Outcome {
        guard words.count <= 1 else { throw ShaleError(.usage, "recipe verify takes one image or container") }
        if let format, format != "json" { throw ShaleError(.usage, "recipe verify: --format is json") }
        let name = words.first ?? "@"
        let subject = try self.subject(name)
        let changed = try changed(self.recipe(of: subject, named: name), of: subject)
        try changed.writeLock(changes.lock, showsSecrets: showsSecrets)
        let recipe = changed.recipe
        let what =
            switch subject {
            case .image(let image): image.id.short
            case .container(let record): "container \(record.name)"
            }
        return try prove(what) { operation throws(ShaleError) in
            try shell.recipes().verify(recipe, of: subject, operation)
        }
    }

    /// Carries a verification out, and says what it found.
    func prove(
        _ what: String, _ verify: (OperationContext) throws(ShaleError) -> [RecipeDifference]
    ) throws(ShaleError) -> Outcome {
        guard ["auto", "plain"].contains(progress) else {
            throw ShaleError(.usage, "recipe verify: --progress is auto or plain")
        }
        // Read before the build: a rule that is none is told at once.
        let causes = try DifferenceCauses(shell.console.environment)
        // The differences are the result of the command; the output of the build is not.
        let differences = try told(verify)
        if format == "json" {
            let objects = differences.map { Self.json($0, causes.rule(for: $0)).text() }
            return Outcome(.lines(objects), status: differences.isEmpty ? 0 : 1)
        }
        if differences.isEmpty { return .line("the recipe makes \(what) again: same files, same config") }
        var lines = differences.prefix(Self.shownDifferences).map { difference in
            let kind = causes.rule(for: difference).map { " [\($0.kind.rawValue)]" }
            return Self.line(difference) + (kind ?? "")
        }
        if differences.count > lines.count { lines.append("and \(differences.count - lines.count) more") }
        lines += causes.lines(of: differences)
        return Outcome(.lines(lines.map(\.visible)), status: 1)
    }

    /// Builds, and says on standard error how far it is.
    private func told<Result>(
        _ build: (OperationContext) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        try shell.withOperation(lines: .errors) { operation throws(ShaleError) in
            try progress == "plain" ? plainly(operation, build) : VerificationOutput.briefly(operation, build)
        }
    }

    /// Builds with the whole output of the build.
    private func plainly<Result>(
        _ operation: OperationContext, _ build: (OperationContext) throws(ShaleError) -> Result
    ) throws(ShaleError) -> Result {
        let told = OperationContext(cancellation: operation.cancellation) { progress in
            if case .output(let bytes, _) = progress {
                operation.tell(.output(bytes, isError: true))
            } else {
                operation.tell(progress)
            }
        }
        return try build(told)
    }

    // MARK: Recipes

    private func form() throws(ShaleError) -> RecipeForm {
        guard let formName else { return .dockerfile }
        guard let form = RecipeForm(rawValue: formName.lowercased()) else {
            let known = RecipeForm.allCases.map(\.rawValue).joined(separator: ", ")
            throw ShaleError(.usage, "recipe: --to \(formName.visible): not one of \(known)")
        }
        return form
    }

    func subject(_ text: String) throws(ShaleError) -> RecipeSubject {
        if let meant = try shell.containers().container(meantBy: text) {
            if let words = meant.note(text) { shell.console.note(words) }
            return .container(meant.record)
        }
        do throws(ShaleError) {
            return .image(try SubjectImage(shell).image(text))
        } catch {
            guard error.code == .notFound, !text.hasPrefix("@") else { throw error }
            throw ShaleError(
                .notFound, "No such object: \(text.visible)", hint: "images -a and ps -a list what there is")
        }
    }

    func recipe(
        of subject: RecipeSubject, named text: String, inOneStage: Bool = false, basesAsCalled: Bool = false
    ) throws(ShaleError) -> Recipe {
        let engine = try shell.engine()
        switch subject {
        case .container(let record):
            return try RecipeMaker.recipe(
                of: record, inOneStage: inOneStage, basesAsCalled: basesAsCalled, pinned: changes.isPinned,
                engine: engine.recipes)
        case .image(let image):
            var calledBase: String?
            if text == "@", let line = try shell.session().working?.base.instruction,
                case .from(let from)? = (try? Instruction.parse(line: line))?.value
            {
                calledBase = from.baseName
            }
            return try RecipeMaker.recipe(
                of: image, calledBase: calledBase, inOneStage: inOneStage, basesAsCalled: basesAsCalled,
                pinned: changes.isPinned,
                engine: engine.recipes)
        }
    }

    /// The recipe changed as it was asked for.
    private func changed(_ recipe: Recipe, of subject: RecipeSubject) throws(ShaleError) -> ChangedRecipe {
        try RecipeChanging(shell, changes) { body throws(ShaleError) in try told(body) }.changed(recipe, of: subject)
    }

    /// The recipe as it is given out: minimal, pinned and tidied on request, with secrets masked and a warning about them.
    func given(
        _ subject: RecipeSubject, named name: String, in oneStage: Bool? = nil
    ) throws(ShaleError) -> ChangedRecipe {
        let form = try form()
        let isScript = oneStage ?? (form == .sh)
        var given = try changed(self.recipe(of: subject, named: name, inOneStage: isScript), of: subject)
        if showsSecrets {
            try given.writeLock(changes.lock, showsSecrets: true)
            return given
        }
        let (masked, secrets) = given.recipe.masked
        for secret in secrets {
            shell.console.warning("recipe: \(secret.warning(withLine: form == .dockerfile).visible)")
        }
        if !secrets.isEmpty { shell.console.warning("recipe: --show-secrets gives it with them") }
        given.recipe = masked
        try given.writeLock(changes.lock, showsSecrets: false)
        return given
    }

    /// Warns about files with private keys: they are saved as they are.
    private func warnOfKeys(in folder: String, _ paths: [String]) {
        for path in paths {
            guard let start = Self.beginning(of: "\(folder)/\(path)") else { continue }
            if start.contains("-----BEGIN "), start.contains("PRIVATE KEY") {
                shell.console.warning("recipe: \(folder)/\(path) holds a private key".visible)
            }
        }
    }

    /// The first bytes of a plain file.
    private static func beginning(of path: String) -> String? {
        guard let file = try? OwnedFD.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK),
            (try? FileStatus.of(file))?.kind == .regular
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = bytes.withUnsafeMutableBytes { buffer in (try? file.read(into: buffer)) ?? 0 }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }

    private static func words(for name: String) -> String { name == "@" ? "the working image" : name.visible }

    // MARK: Text

    static func line(_ difference: RecipeDifference) -> String {
        let step = difference.step.map { step in
            let first = Secrets.masked(step.split(separator: "\n").first.map(String.init) ?? step).text
            return " (\(difference.line.map { "line \($0): " } ?? "")\(first))"
        }
        return "\(difference.subject): \(difference.what)\(step ?? "")"
    }

    private static func json(_ difference: RecipeDifference, _ rule: DifferenceRule?) -> JSONDocument {
        var members: [JSONDocument.Member] = [
            .init(difference.subject.hasPrefix("/") ? "path" : "subject", .string(difference.subject)),
            .init("difference", .string(difference.what)),
        ]
        if let step = difference.step { members.append(.init("step", .string(Secrets.masked(step).text))) }
        if let line = difference.line { members.append(.init("line", .integer(Int64(line)))) }
        if let rule {
            members.append(.init("kind", .string(rule.kind.rawValue)))
            members.append(.init("cause", .string(rule.cause)))
            members.append(.init("source", .string(rule.source)))
            if let mend = rule.mend { members.append(.init("mend", .string(mend.text))) }
        }
        return .object(members)
    }

    /// One object a line of the recipe.
    private static func json(_ recipe: Recipe) -> String {
        var number = 1
        var text = ""
        for line in recipe.lines {
            var members: [JSONDocument.Member] = [.init("line", .integer(Int64(number)))]
            switch line {
            case .comment(let comment): members.append(.init("comment", .string(comment)))
            case .instruction(let instruction):
                let keyword = String(instruction.prefix { $0 != " " })
                members.append(.init("instruction", .string(keyword)))
                members.append(.init("text", .string(instruction)))
                let words = instruction.split(whereSeparator: { " \",[]".contains($0) }).map(String.init)
                let files = recipe.attachments.map(\.path).filter { words.contains($0) }
                if !files.isEmpty { members.append(.init("files", .array(files.map { .string($0) }))) }
            }
            text += JSONDocument.object(members).text() + "\n"
            number += line.text.split(separator: "\n", omittingEmptySubsequences: false).count
        }
        return text
    }
}
