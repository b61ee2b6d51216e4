import Basics
import Engine
import OCI
import Sessions
import Stores

/// What all sessions of a home keep for coming back to.
struct SessionHoldings {
    private let engine: Engine
    private let sessions: [Session]

    init(_ engine: Engine) throws(ShaleError) {
        self.engine = engine
        sessions = try engine.store.sessionNames().map { name throws(ShaleError) in
            try Session(named: name, engine: engine)
        }
    }

    /// The images of all their states.
    var all: Set<Digest> { images(onlyCurrent: false) }

    /// The images they stand on now.
    var current: Set<Digest> { images(onlyCurrent: true) }

    private func images(onlyCurrent: Bool) -> Set<Digest> {
        sessions.reduce(into: []) { $0.formUnion($1.heldImages(onlyCurrent: onlyCurrent)) }
    }

    func cost() throws(ShaleError) -> HeldCost { try engine.store.heldCost(keeping: current) }

    /// Lets go of all but where each session stands.
    func forgetOthers() throws(ShaleError) { for session in sessions { try session.forgetOthers() } }

    /// `3 images, 1 container, 4.1kB`.
    static func text(_ cost: HeldCost) -> String {
        var parts: [String] = []
        if cost.images > 0 { parts.append("\(cost.images) image\(cost.images == 1 ? "" : "s")") }
        if cost.containers > 0 { parts.append("\(cost.containers) container\(cost.containers == 1 ? "" : "s")") }
        return (parts + [HumanUnits.preciseSize(cost.bytes)]).joined(separator: ", ")
    }
}
