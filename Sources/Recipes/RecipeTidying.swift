import Basics
import Building
import Dockerfiles

extension Recipe {
    /// A shorter recipe that makes the same files, except for package lists that are cleaned.
    ///
    /// Adjacent `RUN`s are joined, package lists are cleaned in the `RUN` that fetched them, and adjacent settings are
    /// merged.
    /// `facts` returns the facts of a line's source; without them only the text decides what may be joined. A comment
    /// says
    /// why a `RUN` was not joined with the one above it.
    func tidied(_ facts: (LayerOwner) -> RunFacts? = { _ in nil }) -> Recipe {
        var recipe = self
        var stages: [[StageTidying.Step]] = [[]]
        for (index, line) in lines.enumerated() {
            if line.keyword == "FROM" { stages.append([]) }
            let source = sources.indices.contains(index) ? sources[index] : nil
            stages[stages.count - 1].append(StageTidying.Step(line: line, source: source))
        }
        recipe.lines = []
        recipe.sources = []
        for stage in stages {
            let tidying = StageTidying(steps: stage)
            for step in tidying.tidied(facts) {
                recipe.lines.append(step.line)
                if !sources.isEmpty { recipe.sources.append(step.source) }
            }
            recipe.cleaned += tidying.cleanedLists.filter { !recipe.cleaned.contains($0) }
        }
        return recipe
    }
}

private struct StageTidying {
    struct Step {
        var line: Recipe.Line
        var source: Recipe.LayerOwner?
    }

    private let steps: [Step]
    /// Directories of package lists that are cleaned.
    let cleanedLists: [String]

    init(steps: [Step]) {
        (self.steps, cleanedLists) = Self.withCleanedLists(Self.withoutSuperseded(steps))
    }

    /// A `RUN` to which following `RUN`s are joined.
    private struct Gathered {
        var comments: [Step] = []
        /// The commands to join; empty for a `RUN` that is kept as written.
        var elements: [String] = []
        var written: Step
        var sources: [Recipe.LayerOwner] = []
        /// Why it cannot be joined with any other `RUN`; `nil` when it can.
        var obstacle: String?

        var steps: [Step] {
            var step = written
            if !elements.isEmpty { step.line = .instruction(JoinedRun.text(elements)) }
            step.source = sources.last
            return comments + [step]
        }
    }

    func tidied(_ facts: (Recipe.LayerOwner) -> RunFacts?) -> [Step] {
        var result: [Step] = []
        var run: Gathered?
        var comments: [Step] = []
        let hasOwnShell = steps.contains { $0.line.keyword == "SHELL" }
        for step in steps {
            guard case .instruction(let text) = step.line else {
                comments.append(step)
                continue
            }
            guard step.line.keyword == "RUN" else {
                if run == nil, comments.isEmpty, let last = result.last, let merged = Self.merged(last.line, text) {
                    result[result.count - 1] = Step(line: .instruction(merged), source: step.source)
                } else {
                    result += (run?.steps ?? []) + comments + [step]
                    (run, comments) = (nil, [])
                }
                continue
            }
            var next = Gathered(comments: comments, written: step, sources: step.source.map { [$0] } ?? [])
            comments = []
            switch JoinedRun.element(text) {
            case .success(let element): next.elements = [element]
            case .failure(let reason): next.obstacle = reason.words
            }
            if hasOwnShell { (next.elements, next.obstacle) = ([], "the stage has a SHELL of its own") }
            guard var gathered = run else {
                run = next
                continue
            }
            if let obstacle = gathered.obstacle ?? next.obstacle ?? Self.obstacle(gathered, next, facts) {
                next.comments.append(
                    Step(line: .comment("not joined with the RUN above: \(obstacle)"), source: step.source))
                result += gathered.steps
                run = next
            } else {
                gathered.comments += next.comments
                gathered.elements += next.elements
                gathered.sources += next.sources
                run = gathered
            }
        }
        return result + (run?.steps ?? []) + comments
    }

    /// Why one `RUN` of both commands would not have the same effect as two `RUN`s; `nil` when it would.
    private static func obstacle(
        _ run: Gathered, _ next: Gathered, _ facts: (Recipe.LayerOwner) -> RunFacts?
    ) -> String? {
        for element in run.elements {
            if let place = JoinedRun.passing(in: element) {
                return "what the RUN above writes to \(place) ends with it"
            }
        }
        guard let source = next.sources.first, let last = facts(source) else { return nil }
        var known: [Recipe.LayerOwner] = []
        // The commands of one container ran on the same files without a layer between them.
        for earlier in run.sources where earlier != source && !known.contains(earlier) {
            known.append(earlier)
            if let obstacle = facts(earlier)?.obstacle(to: last) { return obstacle }
        }
        return nil
    }

    /// Removes each `CMD` that a later one replaces, because it has no effect.
    private static func withoutSuperseded(_ steps: [Step]) -> [Step] {
        guard !steps.contains(where: { $0.line.keyword == "ENTRYPOINT" }) else { return steps }
        let last = steps.lastIndex { $0.line.keyword == "CMD" }
        return steps.enumerated().filter { $0.element.line.keyword != "CMD" || $0.offset == last }.map(\.element)
    }

    /// Merges two adjacent instructions into one with the same meaning; `nil` when that is impossible.
    private static func merged(_ line: Recipe.Line, _ text: String) -> String? {
        guard case .instruction(let before) = line, let first = try? Instruction.parse(line: before),
            let second = try? Instruction.parse(line: text)
        else { return nil }
        switch (first.value, second.value) {
        case (.env(let old), .env(let new)):
            // Within one ENV instruction a variable expands to its value before the instruction.
            let refers = new.contains { pair in
                old.contains { pair.value.contains("$\($0.key)") || pair.value.contains("${\($0.key)") }
            }
            guard !refers, (old + new).allSatisfy({ !$0.isLegacy }) else { return nil }
            return Instruction.env(old + new).printed()
        case (.label(let old), .label(let new)):
            guard (old + new).allSatisfy({ !$0.isLegacy }) else { return nil }
            return Instruction.label(old + new).printed()
        case (.expose(let old), .expose(let new)):
            return Instruction.expose(old + new.filter { !old.contains($0) }).printed()
        case (.workdir(let old), .workdir(let new)):
            if old == new { return before }
            guard !new.hasPrefix("/"), !new.contains(".."), !(old + new).contains(where: { "$\"'\\ ".contains($0) })
            else {
                return nil
            }
            return "WORKDIR \(old.appendingPath(new))"
        case (.user, .user): return text
        default: return nil
        }
    }

    // MARK: Package lists

    private static func withCleanedLists(_ steps: [Step]) -> (steps: [Step], cleaned: [String]) {
        // A later RUN that installs without fetching the lists again needs the existing lists.
        var isNeeded: Set<PackageTool> = []
        var used: Set<PackageTool> = []
        var result: [Step] = []
        for step in steps.reversed() {
            guard case .instruction(let text) = step.line, case .success(let element) = JoinedRun.element(text) else {
                result.append(step)
                continue
            }
            var cleaned = element
            for tool in PackageTool.allCases where tool.isUsed(in: element) {
                let before = cleaned
                if !isNeeded.contains(tool) { cleaned = tool.cleaned(cleaned) }
                if cleaned != before { used.insert(tool) }
                if tool.fetchesLists(in: element) { isNeeded.remove(tool) } else { isNeeded.insert(tool) }
            }
            let line = cleaned == element ? text : "RUN \(cleaned)"
            result.append(Step(line: .instruction(line), source: step.source))
        }
        return (result.reversed(), PackageTool.allCases.filter(used.contains).map(\.lists))
    }
}

private enum PackageTool: CaseIterable {
    case apt, apk, yum, dnf

    private var programs: Set<String> {
        switch self {
        case .apt: ["apt-get", "apt"]
        case .apk: ["apk"]
        case .yum: ["yum"]
        case .dnf: ["dnf", "microdnf"]
        }
    }

    /// The commands that read package lists, or fetch them.
    private static let readers: Set<String> = [
        "install", "update", "upgrade", "dist-upgrade", "full-upgrade", "build-dep", "satisfy", "reinstall", "add",
        "fix", "groupinstall", "group", "makecache", "localinstall", "source", "download",
    ]

    /// Options of these programs whose value is the next word.
    private static let valued: Set<String> = [
        "-o", "-c", "-t", "--option", "--config-file", "--target-release", "--default-release", "-X", "--repository",
        "-p", "--root", "--enablerepo", "--disablerepo", "--setopt", "-x", "--exclude",
    ]

    /// The commands of the program that a line has: `install` of `apt-get -qq -o A=b install curl`.
    private func commands(in text: String) -> [String] {
        let words = text.split { $0.isWhitespace || ";&|()`".contains($0) }.map(String.init)
        return words.indices.compactMap { index in
            guard programs.contains(words[index].split(separator: "/").last.map(String.init) ?? "") else { return nil }
            var rest = words[(index + 1)...]
            while let option = rest.first, option.hasPrefix("-") {
                rest = rest.dropFirst(Self.valued.contains(option) ? 2 : 1)
            }
            return rest.first
        }
    }

    func isUsed(in text: String) -> Bool { commands(in: text).contains(where: Self.readers.contains) }

    func fetchesLists(in text: String) -> Bool {
        switch self {
        case .apt: commands(in: text).contains("update")
        case .apk: commands(in: text).contains("update") || text.contains("--no-cache") || text.contains("-U ")
        case .yum, .dnf: true
        }
    }

    func cleaned(_ text: String) -> String {
        let command =
            switch self {
            case .apt: "rm -rf /var/lib/apt/lists/*"
            case .apk: "rm -rf /var/cache/apk/*"
            case .yum: "yum clean all"
            case .dnf: "dnf clean all"
            }
        // Lists are cleaned only when no later RUN, which may be joined to this one, needs them.
        let isCleaned = text.contains(command) || (self == .apk && text.contains("--no-cache"))
        return isCleaned || text.hasSuffix("\\") || text.contains("#") ? text : "\(text) && \(command)"
    }

    /// The directory of the package lists that are cleaned.
    var lists: String {
        switch self {
        case .apt: "/var/lib/apt/lists"
        case .apk: "/var/cache/apk"
        case .yum: "/var/cache/yum"
        case .dnf: "/var/cache/dnf"
        }
    }
}
