import Basics
import Images
import Layers
import OCI
import Stores

/// What happened to a container, in order, each with the paths it changed.
enum ContainerEvent {
    /// Something that is no deed: the container's command while it runs, or what was typed into it.
    case unknown([String])
    /// The container's own command, from its start to its end.
    case command([String], changed: [String])
    case exec(Deed)
    case copy(Deed)

    /// `nil` where nobody looked.
    var changed: [String]? {
        switch self {
        case .unknown(let paths): paths
        case .command(_, let changed): changed
        case .exec(let deed), .copy(let deed): deed.changed
        }
    }
}

/// A container's deeds as events.
struct ContainerEvents {
    private(set) var events: [ContainerEvent] = []
    /// Whether every change belongs to an event.
    private(set) var isComplete = true

    init(_ deeds: [Deed], command: [String], facts: ContainerFacts?) {
        let starts = deeds.indices.filter { deeds[$0].kind == .run }
        let acts = deeds.indices.filter { [.exec, .copyIn].contains(deeds[$0].kind) }
        // The command's own changes stand before the first deed that began after its end.
        var commandGap: Int?
        if starts.count == 1, let facts, facts.exitCode == 0, !facts.isInteractive, facts.isPlain,
            let finished = facts.finished
        {
            let next = acts.first { $0 > starts[0] }
            if next.map({ finished <= deeds[$0].began ?? deeds[$0].at }) ?? true { commandGap = next ?? deeds.count }
        }
        func gap(_ paths: [String]?, before index: Int) {
            guard let paths else {
                isComplete = false
                return
            }
            guard !paths.isEmpty else { return }
            events.append(commandGap == index ? .command(command, changed: paths) : .unknown(paths))
        }
        for index in acts {
            let deed = deeds[index]
            gap(deed.changedBefore, before: index)
            if deed.changed == nil { isComplete = false }
            events.append(deed.kind == .exec ? .exec(deed) : .copy(deed))
        }
        gap(facts?.changedLast, before: deeds.count)
    }
}
