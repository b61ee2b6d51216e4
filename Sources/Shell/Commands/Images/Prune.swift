package import ArgumentParser
package import Basics
import Building
import Containers
import Glibc
package import Images
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
    package static let managementNames = [
        ManagementName("image prune", ["images"]), ManagementName("container prune", ["containers"]),
        ManagementName("system prune", ["all"]), ManagementName("builder prune", ["cache"]),
        ManagementName("buildx prune", ["cache"]),
    ]
    package static let filters = [FilterKey("until"), FilterKey("label"), FilterKey("label!")]
    package static let examples = ["prune --dry-run", "prune images", "system prune -a --volumes"]
    package static let differences = [
        "it lists what it would remove before it asks",
        "downloads that were broken off go with the images; what any shale makes or uses at this moment stays",
        "what undo and goto can bring back stays, and is told, unless --history is given",
        "there are no networks to remove; named volumes stay, as in docker: volume prune -a takes them",
    ]

    @Flag(help: "Only show what would be removed")
    var dryRun = false
    @Flag(name: .shortAndLong, help: "Do not ask")
    var force = false
    @Flag(name: .shortAndLong, help: "Images with a name too, where no container stands on them")
    var all = false
    @Flag(help: "Also the volumes without a name that no container has; with `all` only")
    var volumes = false
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
        var volumeFilter = VolumeFilter(keys: VolumeFilter.pruned)
        if volumes { try readForVolumes(&volumeFilter) }
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
        let unused = UnusedVolumes(engine.containers)
        if dryRun || !force {
            var plan = Report(try engine.containers.prune(request, operation))
            if volumes { plan.add(try unused.plan(volumeFilter, all: false, going: plan.containers)) }
            if dryRun {
                if history { plan.things.bytes &+= try sessions.cost().bytes }
                return .lines(try plan.plan(engine.building, retained(sessions)))
            }
            try confirm(plan.plan(engine.building, nil), shell)
        }
        let cost = try retained(sessions)
        request.isDryRun = false
        do throws(ShaleError) {
            if history { try sessions.forgetOthers() } else { try sessions.keepLimit() }
        } catch {
            guard error.code == .noSpace else { throw error }
            try freeSpace(request, engine, sessions, operation)
            if history { try sessions.forgetOthers() } else { try sessions.keepLimit() }
        }
        let users = volumes ? Set(try engine.containers.all().map(\.id)) : []
        let before = volumes ? try unused.plan(volumeFilter, all: false, going: users) : []
        var report = Report(try engine.containers.prune(request, operation))
        var failures: [ShaleError] = []
        if volumes {
            // A nameless volume goes with its container.
            report.add(before.filter { !$0.users.isEmpty && report.containers.isSuperset(of: $0.users) })
            let (removed, failed) = unused.remove(try unused.plan(volumeFilter, all: false))
            report.add(removed)
            failures = failed
        }
        if report.isLoss || (history && cost != nil) { shell.changes.append(.lost(.pruned)) }
        if !report.volumes.isEmpty { shell.changes.append(.lost(.volumesRemoved)) }
        // What the sessions gave up just now is part of the total.
        let lines = try report.lines(history ? cost : retained(sessions))
        return try shell.outcome(.lines(lines), failures: failures)
    }

    /// The labels of `--filter`, for volumes; docker's refusal of what volumes cannot be chosen by.
    private func readForVolumes(_ conditions: inout VolumeFilter) throws(ShaleError) {
        guard what == "all" else {
            throw ShaleError(
                .usage, "prune \(what): --volumes goes with all of it", hint: "volume prune   (volumes alone)")
        }
        for text in filter {
            if try FilterCondition.parts(of: text).key == "until" {
                throw ShaleError(.usage, "The \"until\" filter is not supported with \"--volumes\"")
            }
            try conditions.add(text)
        }
    }

    /// On a full disk, first removes the things that are removed in any case and that need no write to a session.
    private func freeSpace(
        _ request: PruneRequest, _ engine: Engine, _ sessions: RetainedBySessions, _ operation: OperationContext
    ) throws(ShaleError) {
        if request.containers {
            var containers = request
            (containers.images, containers.cache) = (false, false)
            try engine.containers.pruneContainers(containers, operation)
        }
        try engine.home.freeSpace(keeping: sessions.current)
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
    private func confirm(_ plan: [String], _ shell: ShellContext) throws(ShaleError) {
        for line in warning + plan { shell.console.note(line) }
        let options = (all ? " -a" : "") + (volumes ? " --volumes" : "") + (history ? " --history" : "")
        try Question(refusal: "prune has been cancelled", hint: "prune -f\(options) \(what)").ask(shell)
    }

    /// Docker's words: one sentence for one kind of thing, a list for all.
    private var warning: [String] {
        let images = all ? "all images without at least one container associated to them" : "all dangling images"
        let undone = history ? ["all that undo could bring back"] : []
        let one: String
        switch what {
        case "images": one = images
        case "containers": one = "all stopped containers"
        case "cache": one = "all build cache"
        default:
            let nameless = volumes ? ["all anonymous volumes not used by at least one container"] : []
            let things = ["all stopped containers"] + nameless + [images, "all build cache"] + undone
            var lines = ["WARNING! This will remove:"] + things.map { "  - \($0)" }
            if !filter.isEmpty {
                lines += ["", "  Items to be pruned will be filtered with:"] + filter.map { "  - \($0)" }
            }
            return lines + [""]
        }
        return ["WARNING! This will remove \(([one] + undone).joined(separator: ", "))."]
    }
}

extension Prune {
    /// What is removed, or would be.
    fileprivate struct Report {
        var things: PruneReport
        var volumes: UnusedVolumes.Volumes = []

        init(_ things: PruneReport) { self.things = things }

        var containers: Set<String> { Set(things.containers.map(\.id)) }

        /// Cached steps can be made again: nothing is lost with them.
        var isLoss: Bool { !things.containers.isEmpty || !things.images.isEmpty }

        mutating func add(_ more: UnusedVolumes.Volumes) {
            volumes += more
            things.bytes &+= UnusedVolumes.bytes(more)
        }

        /// Docker's lists, and the total.
        func lines(_ retained: String?) -> [String] {
            Self.list([
                ("Deleted Containers", things.containers.map(\.id)),
                ("Deleted Volumes", volumes.map { UnusedVolumes.name($0.name, isPlan: false) }),
                ("Deleted Images", things.images.map(Self.docker)),
                ("Deleted build cache objects", (things.cache + things.packed).map(\.short)),
            ]) + [retained].compactMap(\.self)
                + ["Total reclaimed space: \(HumanUnits.preciseSize(things.bytes))"]
        }

        /// What would go, with short ids, containers with their names, and cached steps with what they are.
        ///
        /// Nothing is called deleted before it is.
        func plan(_ building: BuildEngine, _ retained: String?) -> [String] {
            Self.list([
                ("Containers to be deleted", things.containers.map { "\(Identifier.short($0.id))  \($0.name)" }),
                ("Volumes to be deleted", volumes.map { UnusedVolumes.name($0.name, isPlan: true) }),
                ("Images to be deleted", things.images.compactMap(\.plan)),
                ("Build cache objects to be deleted", CachedObjects(things, building).lines),
            ]) + [retained].compactMap(\.self)
                + ["Total reclaimable space: \(HumanUnits.preciseSize(things.bytes))"]
        }

        private static func list(_ parts: [(title: String, entries: [String])]) -> [String] {
            parts.flatMap { $0.entries.isEmpty ? [] : ["\($0.title):"] + $0.entries + [""] }
        }

        private static func docker(_ line: RemovedImages.Line) -> String {
            switch line {
            case .untagged(let name): "untagged: \(name)"
            case .deleted(let digest), .freed(let digest): "deleted: \(digest)"
            }
        }
    }
}
