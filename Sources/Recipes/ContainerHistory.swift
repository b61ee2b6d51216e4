import Basics
import Images
import Layers
import OCI
import Stores

/// An event in a container's history, with the paths it changed.
enum HistoryEntry {
    /// Changes without an event: by the container's command while it runs, or by what was typed into it.
    case unknown([String])
    /// The container's own command, from start to end.
    case command([String], changed: [String])
    case exec(ContainerEvent)
    case copy(ContainerEvent)

    /// The changed paths; `nil` when they were not recorded.
    var changed: [String]? {
        switch self {
        case .unknown(let paths): paths
        case .command(_, let changed): changed
        case .exec(let event), .copy(let event): event.changed
        }
    }
}

/// A container's events as history entries, in order.
struct ContainerHistory {
    private(set) var entries: [HistoryEntry] = []
    /// Whether every change belongs to an entry.
    private(set) var isComplete = true

    init(_ events: [ContainerEvent], command: [String], facts: ContainerFacts?) {
        let starts = events.indices.filter { events[$0].kind == .run }
        let acts = events.indices.filter { [.exec, .copyIn].contains(events[$0].kind) }
        // The changes of the container's command are placed before the first event that began after the command ended.
        var commandGap: Int?
        if starts.count == 1, let facts, facts.exitCode == 0, !facts.isInteractive, facts.isPlain,
            let finished = facts.finished
        {
            let next = acts.first { $0 > starts[0] }
            if next.map({ finished <= events[$0].began ?? events[$0].at }) ?? true { commandGap = next ?? events.count }
        }
        func gap(_ paths: [String]?, before index: Int) {
            guard let paths else {
                isComplete = false
                return
            }
            guard !paths.isEmpty else { return }
            entries.append(commandGap == index ? .command(command, changed: paths) : .unknown(paths))
        }
        for index in acts {
            let event = events[index]
            gap(event.changedBefore, before: index)
            if event.changed == nil { isComplete = false }
            entries.append(event.kind == .exec ? .exec(event) : .copy(event))
        }
        gap(facts?.changedLast, before: events.count)
    }
}
