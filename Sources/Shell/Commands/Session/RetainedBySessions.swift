import Basics
import OCI
import Recipes
import Sessions
import Stores

/// What all sessions of a home retain for undo.
struct RetainedBySessions {
    private let engine: Engine
    private let sessions: [Session]

    /// How many states of each session are kept; `nil` for all.
    private let limit: Int?

    /// `limit` is the setting `undo.limit`; what is no number is none.
    init(_ shell: ShellContext, limit: String?) throws(ShaleError) {
        let (engine, store) = (try shell.engine(), try shell.sessions())
        self.engine = engine
        self.limit = limit.flatMap { Int($0) }.flatMap { $0 < 0 ? nil : $0 }
        sessions = try store.names().map { name throws(ShaleError) in
            try Session(named: name, in: store, engine: engine)
        }
    }

    /// The images of all their states within the limit.
    var all: Set<Digest> { images(newest: limit) }

    /// The images they stand on now.
    var current: Set<Digest> { images(newest: 0) }

    private func images(newest count: Int?) -> Set<Digest> {
        sessions.reduce(into: []) { $0.formUnion($1.retainedImages(newest: count)) }
    }

    func cost() throws(ShaleError) -> RetainedCost { try engine.home.retainedCost(keeping: current) }

    /// Drops all states except the current one of each session.
    func forgetOthers() throws(ShaleError) { for session in sessions { try session.forget(keepingNewest: 0) } }

    /// Drops the states beyond the limit, if there is one.
    func keepLimit() throws(ShaleError) {
        guard let limit else { return }
        for session in sessions { try session.forget(keepingNewest: limit) }
    }

    /// `3 images, 1 container, 4.1kB`.
    static func text(_ cost: RetainedCost) -> String {
        var parts: [String] = []
        if cost.images > 0 { parts.append("\(cost.images) image\(cost.images == 1 ? "" : "s")") }
        if cost.containers > 0 { parts.append("\(cost.containers) container\(cost.containers == 1 ? "" : "s")") }
        return (parts + [HumanUnits.preciseSize(cost.bytes)]).joined(separator: ", ")
    }
}
