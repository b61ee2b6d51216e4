package import ArgumentParser
package import Basics
import Containers
import Glibc
import Images
import OCI
import Recipes
import Rendering
import Sessions
import Stores

/// `prune [images|containers|cache|all]`.
package struct Prune: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove what nobody uses",
        usage: "prune [OPTIONS] [images|containers|cache|all]")
    package static let leasesWhatItUses = false
    package static let examples = ["prune --dry-run", "prune images", "prune -f --history"]
    package static let differences = [
        "it lists what it would remove before it asks",
        "downloads that were broken off go with the images; what any shale makes or uses at this moment stays",
        "what undo and goto can bring back stays, and is told, unless --history is given",
    ]

    @Flag(help: "Only show what would be removed")
    var dryRun = false
    @Flag(name: .shortAndLong, help: "Do not ask")
    var force = false
    @Flag(name: .shortAndLong, help: "Images with a name too, where no container stands on them")
    var all = false
    @Flag(
        name: [.customLong("history"), .customLong("undone")],
        help: "Also what only undo, redo and goto could bring back")
    var history = false
    @Option(help: "until=TIME: only what was made before it; label=NAME[=VALUE], label!=…: only what has it, or not")
    var filter: [String] = []
    @Argument(help: "What; everything if left out")
    var what = "all"

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard ["images", "containers", "cache", "all"].contains(what) else {
            throw ShaleError(.usage, "prune \(what): not one of images, containers, cache, all")
        }
        var request = PruneRequest()
        request.images = what == "images" || what == "all"
        request.containers = what == "containers" || what == "all"
        request.cache = what == "cache" || what == "all"
        request.takesNamedImages = all
        for text in filter { try Self.add(text, to: &request) }
        let engine = try shell.engine()
        let operation = OperationContext(cancellation: shell.cancellation)
        request.known = try shell.sessions().roots().digests
        let sessions = try RetainedBySessions(shell, limit: shell.settings["undo.limit"])
        request.retained = history ? sessions.current : sessions.all
        request.isDryRun = true
        if dryRun || !force {
            let plan = try engine.containers.prune(request, operation)
            if dryRun {
                var plan = plan
                if history { plan.bytes &+= try sessions.cost().bytes }
                return .lines(try Self.lines(plan, isPlan: true, retained(sessions)))
            }
            try confirm(plan, shell)
        }
        let cost = try retained(sessions)
        request.isDryRun = false
        do throws(ShaleError) {
            if history { try sessions.forgetOthers() } else { try sessions.keepLimit() }
        } catch {
            guard error.code == .noSpace else { throw error }
            try makeRoom(request, engine, sessions, operation)
            if history { try sessions.forgetOthers() } else { try sessions.keepLimit() }
        }
        let report = try engine.containers.prune(request, operation)
        let isLoss = !report.containers.isEmpty || !report.images.isEmpty || (history && cost != nil)
        // Cached steps can be made again: nothing is lost.
        if isLoss { shell.changes.append(.lost(.pruned)) }
        // What the sessions gave up just now is part of the total.
        return .lines(try Self.lines(report, isPlan: false, history ? cost : retained(sessions)))
    }

    /// Frees, on a full disk, what is removed in any case and needs no write to a session.
    private func makeRoom(
        _ request: PruneRequest, _ engine: Engine, _ sessions: RetainedBySessions, _ operation: OperationContext
    ) throws(ShaleError) {
        if request.containers {
            var containers = request
            (containers.images, containers.cache) = (false, false)
            try engine.containers.pruneContainers(containers, operation)
        }
        try engine.home.makeRoom(keeping: sessions.current)
    }

    /// What sessions retain beyond what is in use, in one line.
    private func retained(_ sessions: RetainedBySessions) throws(ShaleError) -> String? {
        let cost = try sessions.cost()
        guard !cost.isNothing else { return nil }
        let text = RetainedBySessions.text(cost)
        if history { return dryRun ? "Would let go of what undo could bring back: \(text)" : "Let go of: \(text)" }
        return "Held for undo: \(text) (prune --history lets go of it)"
    }

    private static func add(_ text: String, to request: inout PruneRequest) throws(ShaleError) {
        let (key, value) = try FilterCondition.parts(of: text)
        switch key {
        case "until":
            request.until = try Timestamp(typed: value)
        case "label": request.labels.append(value)
        case "label!": request.unwantedLabels.append(value)
        default:
            throw ShaleError(.invalid, "Invalid filter '\(key)'", hint: "until=TIME, label=NAME[=VALUE] or label!=…")
        }
    }

    /// Shows docker's warning and the list, and waits for a `y`.
    private func confirm(_ plan: PruneReport, _ shell: ShellContext) throws(ShaleError) {
        shell.console.note("WARNING! This will remove \(warning).")
        for line in Self.lines(plan, isPlan: true, nil) { shell.console.note(line) }
        try Question(refusal: "prune has been cancelled", hint: "prune -f \(what)").ask(shell)
    }

    private static func line(of line: RemovedImages.Line, isPlan: Bool) -> String {
        switch line {
        case .untagged(let name): isPlan ? "untag: \(name)" : "untagged: \(name)"
        case .deleted(let digest): isPlan ? "delete: \(digest)" : "deleted: \(digest)"
        }
    }

    private var warning: String {
        let undone = history ? ", all that undo could bring back" : ""
        let images = all ? "all images without at least one container associated to them" : "all dangling images"
        switch what {
        case "images": return images + undone
        case "containers": return "all stopped containers" + undone
        case "cache": return "all build cache" + undone
        default: return "all stopped containers, \(images), all build cache" + undone
        }
    }

    /// Docker's lists, and the total.
    ///
    /// Nothing is called deleted before it is.
    private static func lines(_ report: PruneReport, isPlan: Bool, _ retained: String?) -> [String] {
        var lines: [String] = []
        func add(_ title: String, _ entries: [String]) {
            if !entries.isEmpty { lines += [isPlan ? "\(title) to be deleted:" : "Deleted \(title):"] + entries + [""] }
        }
        add("Containers", report.containers)
        add("Images", report.images.map { line(of: $0, isPlan: isPlan) })
        add(isPlan ? "Build cache objects" : "build cache objects", report.cache.map(\.short))
        if let retained { lines.append(retained) }
        return lines + ["Total \(isPlan ? "reclaimable" : "reclaimed") space: \(HumanUnits.preciseSize(report.bytes))"]
    }
}
