package import ArgumentParser
package import Basics
import Building
import Dockerfiles
import Glibc
import Images
import Linux
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// `recipe`: the Dockerfile that makes the working image, or any image or container made here.
package struct RecipeCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "recipe", abstract: "Print, save or check the Dockerfile that makes an image",
        usage: """
            recipe [--minimal [-i]] [--tidy] [--pin [--locked] [--lock FILE]] [--reproducible]
                   [--to dockerfile|shale|sh|md] [-o FILE] [IMAGE|CONTAINER]
            recipe save [--minimal] [--pin] [--reproducible] DIR [IMAGE|CONTAINER]
            recipe verify [--progress auto|plain] [--format json] [IMAGE|CONTAINER]
            recipe diff [--lines] [--format json] A B
            recipe explain [--format json] [LINE] [IMAGE|CONTAINER]
            recipe drift [--format json] [IMAGE|CONTAINER|FILE]
            recipe [verify] --remote [--platform P] NAME
            recipe parse FILE [--format json|ast]
            recipe check FILE
            recipe plan FILE
            recipe rules [FILE]
            """,
        discussion: """
            A recipe's files lie beside it once it is saved: 'docker build DIR' and 'build DIR' both make the image. A \
            command whose effect is known becomes a RUN; every other change is kept as the files themselves, with a \
            comment that says so. 'verify' builds it again without the cache and compares every path and the config; what \
            the build prints is shown where it fails, or with '--progress plain'. \
            Of each difference it says what is known of the cause (time, log, cache, random, network, order) and what would \
            mend it; 'rules' prints what is known, or checks a file of rules. Your own rules are read from \
            ~/.config/shale/differences.rules and come first. \
            '--pin' writes down what the session saw: bases by digest, packages by the version that their database had \
            when the step ended, downloads by checksum; what cannot be pinned is said above its line. '--locked' also \
            names what came in beside the named packages, and '--lock FILE' lists all of it. '--reproducible' builds \
            it twice, adds what mends the differences that are known, and does so again until both builds give one \
            digest; its exit status is 1 while they do not. \
            'diff' compares two recipes: of images, of containers, of points of the session (@~2), or Dockerfiles of the \
            host, which are built for it with the cache. It shows the lines as diff -u does, and then the packages, files, \
            settings and sizes; with '--lines' the lines alone. Its status is 0 also where they differ. \
            'explain' says of each line what files, packages, bytes and settings it brings, and what was typed for it; with \
            a LINE (its number in the Dockerfile) it also builds the recipe without it, to find which later lines fail or \
            make something different. 'drift' builds it anew today, without the cache and with its bases as their \
            registries have them now, and says what would be different; its status is 1 when something would. \
            '--minimal' leaves out what does not change the image: lines without effect, RUNs that undo each other, files \
            that are removed again; a build proves each change, and with '-i' you are asked about each. \
            Values that look secret are masked. With '--remote' it is the recipe that 'push' hung on an image in its \
            registry: shown as text, and carried out by 'verify' alone, confined like any build.
            """)
    package static let operandKinds: [ValueKind] = [.object]
    package static let secondWords = [
        SecondWord("save", "write it into a directory, with its files", .hostDirectory),
        SecondWord("verify", "build it again, and compare", .object),
        SecondWord("diff", "two recipes: lines, packages, files, size", .object),
        SecondWord("explain", "what each line brings, and what needs it", .object),
        SecondWord("drift", "what an unpinned build would make differently today", .object),
        SecondWord("check", "what docker's rules say of a Dockerfile", .hostPath),
        SecondWord("parse", "a Dockerfile as JSON", .hostPath),
        SecondWord("plan", "which stages would be built, and how", .hostPath),
        SecondWord("rules", "the known causes of differences, or a check of a file of them", .hostPath),
    ]
    package static let takesWorkingImageAsTyped = true
    package static let examples = [
        "recipe", "recipe --pin", "recipe save hello web", "recipe verify @",
        "recipe verify --remote localhost:5000/app:1",
        "recipe diff @~2 @", "recipe diff app:1 app:2", "recipe diff --lines saved/Dockerfile app:2",
        "recipe explain", "recipe explain 3", "recipe explain 3 app:1", "recipe drift", "recipe drift app:1",
        "recipe drift ./saved", "recipe --minimal", "recipe --minimal -i app:1", "recipe save --minimal dir app:1",
    ]
    package static let differences = [
        "Docker has no such command: a commit's record is 'bash'. Here every step is written down."
    ]

    @Argument(
        help: "save, verify, diff, explain, drift, parse, check, plan, rules; or image or container (@ without one).")
    var words: [String] = []
    @Flag(help: "Join neighbouring RUNs, clean package lists, put settings together.") var tidy = false
    @Flag(help: "Bases by digest, packages by version, downloads by checksum.") var pin = false
    @Flag(help: "For --pin: also name what came in beside the named packages.") var locked = false
    @Flag(help: "Change it until two builds give one digest, and say what still differs.") var reproducible = false
    @Option(help: "For --pin: a file for the list of all that is pinned.") var lock: String?
    @Flag(help: "Leave out what does not change the image, as builds prove.") var minimal = false
    @Flag(name: .customShort("i"), help: "For --minimal: ask about each change.") var asks = false
    @Option(help: "dockerfile, shale (a script of steps), sh (for a root file system) or md (a handout).") var to:
        String?
    @Option(name: .shortAndLong, help: "Write it to a file.") var output: String?
    @Flag(name: .customLong("show-secrets"), help: "Do not mask values that look secret.") var showsSecrets = false
    @Option(help: "json; for parse: json or ast.") var format: String?
    @Option(help: "For verify: auto (a line a step), or plain (all that the build tells).") var progress = "auto"
    @Flag(help: "For diff: only the lines; nothing is built or looked into.") var lines = false
    @Flag(help: "The recipe that hangs on an image in its registry.") var remote = false
    @Option(help: "For --remote: the platform of an image of several.") var platform: String?
    @Option(help: "For check and plan: the build stage.") var target: String?
    @Option(name: .customLong("build-arg"), help: "For check and plan: a build argument (NAME=VALUE).")
    var arguments: [String] = []
    @Option(name: .customLong("base-config"), help: "For plan: the config (JSON) to take for every base image.")
    var baseConfig: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let output = RecipeOutput(
            shell,
            changes: try RecipeChanges(
                minimal: try minimalOutput(shell), tidy: tidy, pin: pin, locked: locked, lock: lock,
                reproducible: reproducible),
            form: to, file: output, showsSecrets: showsSecrets, format: format, progress: progress)
        if remote {
            let remote = RemoteRecipe(shell, platform: try Platform.option(platform), file: self.output)
            guard !tidy, !pin, !minimal, !reproducible, to == nil, !showsSecrets else {
                throw ShaleError(
                    .usage,
                    "recipe --remote gives what is there: no --tidy, --pin, --minimal, --to or --show-secrets")
            }
            return try words.first == "verify" && words.count > 1
                ? remote.verify(Array(words.dropFirst()), output) : remote.print(words, format: format)
        }
        if platform != nil { throw ShaleError(.usage, "recipe: --platform is for --remote") }
        if lines, words.first != "diff" { throw ShaleError(.usage, "recipe: --lines is for diff") }
        switch words.first {
        case "diff":
            try refuseForms("diff")
            return try RecipeDiff(shell, output, isOfLines: lines).outcome(Array(words.dropFirst()), format: format)
        case "explain":
            try refuseForms("explain")
            return try RecipeExplain(shell, output).outcome(Array(words.dropFirst()), format: format)
        case "drift":
            try refuseForms("drift")
            return try DriftOutput(shell, output).outcome(Array(words.dropFirst()), format: format)
        case "save": return try output.save(Array(words.dropFirst()))
        case "verify": return try output.verify(Array(words.dropFirst()))
        case "parse": return try parse(shell)
        case "check": return try check(shell)
        case "plan": return try plan(shell)
        case "rules": return try DifferenceCauses.outcome(Array(words.dropFirst()), shell.console.environment)
        default:
            if let first = words.first, words.count > 1 {
                throw ShaleError(
                    .usage, "recipe takes one image or container", hint: Self.hint(forSecondWord: first))
            }
            return try output.print(words.first ?? "@")
        }
    }

    /// How `--minimal` is done; `nil` without it.
    private func minimalOutput(_ shell: ShellContext) throws(ShaleError) -> MinimalOutput? {
        guard minimal else {
            if asks { throw ShaleError(.usage, "recipe: -i is for --minimal", hint: "recipe --minimal -i") }
            return nil
        }
        if let first = words.first, ["parse", "check", "plan", "rules"].contains(first) {
            throw ShaleError(.usage, "recipe \(first) has no --minimal")
        }
        return try MinimalOutput(shell, asks: asks)
    }

    /// Refuses the options that are about a recipe's text, for a second word that prints none.
    private func refuseForms(_ word: String) throws(ShaleError) {
        if to != nil { throw ShaleError(.usage, "recipe \(word) has no --to") }
        if output != nil { throw ShaleError(.usage, "recipe \(word) has no --output") }
        if reproducible { throw ShaleError(.usage, "recipe \(word) has no --reproducible") }
        if word != "diff", tidy || minimal || pin {
            throw ShaleError(.usage, "recipe \(word) is of the recipe as it is: no --tidy, --pin or --minimal")
        }
        if lock != nil { throw ShaleError(.usage, "recipe \(word) has no --lock") }
        if let format, format != "json" { throw ShaleError(.usage, "recipe \(word): --format is json") }
    }

    /// What a build would do, computed without running anything.
    private func plan(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        let (name, text) = try source(shell)
        let host = PlannedPlatform(os: Platform.host.os, architecture: Platform.host.architecture)
        var options = Plan.Options(platform: host)
        options.target = target
        options.arguments = buildArguments(shell)
        let given = try baseConfig.map { path throws(ShaleError) in try ImageConfig(readingFile: path) }
        let engine = try shell.engine()
        do throws(DockerfileError) {
            let plan = try Plan(Dockerfile(parsing: text), options: options) { base, platform in
                if let given { return PlannedImage(given, platform: platform) }
                return engine.images.planned(base, platform: platform)
            }
            return .lines(format == "json" ? [PlanText.document(plan).text()] : PlanText.lines(plan))
        } catch {
            throw error.shaleError(inFile: name)
        }
    }

    private func buildArguments(_ shell: ShellContext) -> [String: String] {
        var values: [String: String] = [:]
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            values[parts[0]] = parts.count > 1 ? parts[1] : shell.console.environment[parts[0]]
        }
        return values
    }

    private func source(_ shell: ShellContext) throws(ShaleError) -> (name: String, text: String) {
        guard words.count == 2 else {
            throw ShaleError(.usage, "recipe \(words[0]) takes a file", hint: "recipe \(words[0]) Dockerfile")
        }
        var name = words[1]
        // A build context means the Dockerfile in it.
        if (try? FileStatus.of(hostPath: name, followingLink: true))?.kind == .directory {
            name = name == "." ? "Dockerfile" : name.appendingPath("Dockerfile")
        }
        let bytes = try translating(name) {
            name == "-" ? try OwnedFD(adopting: dup(shell.input)).readAll() : try WholeFile.read(name, limit: 16 << 20)
        }
        return (name, String(pathBytes: bytes))
    }

    private func parse(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        let (name, text) = try source(shell)
        do throws(DockerfileError) {
            let file = try Dockerfile(parsing: text)
            switch format ?? "json" {
            case "ast": return .text(file.dump + "\n")
            case "json":
                _ = try StagedFile(file)
                return .text(file.jsonRows.map { $0 + "\n" }.joined())
            default: break
            }
        } catch {
            throw error.shaleError(inFile: name)
        }
        throw ShaleError(.usage, "recipe parse: --format is json or ast")
    }

    private func check(_ shell: ShellContext) throws(ShaleError) -> Outcome {
        let (name, text) = try source(shell)
        let engine = try shell.engine()
        let found = try LintText(
            checking: text, named: name, target: target, arguments: buildArguments(shell)
        ) { engine.images.planned($0, platform: $1) }
        return try found.outcome(format: format) { shell.console.report($0) }
    }
}

/// The image that a word of `recipe`, `layers` and the like means: `@`, `@~N`, `NAME@{N}`, or one of the store's.
struct SubjectImage {
    private let shell: ShellContext

    init(_ shell: ShellContext) { self.shell = shell }

    /// The image a word names, `@` being the working image.
    func image(_ text: String) throws(ShaleError) -> Image {
        let images = try shell.images()
        if let image = try WorkingImageNames.image(text, shell) { return try images.image(id: image) }
        return try images.find(text)
    }
}
