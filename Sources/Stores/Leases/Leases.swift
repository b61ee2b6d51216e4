package import Basics
import Linux
package import OCI
import Synchronization

/// Something that can be leased: the content of a digest, a container or a volume.
package struct Leasable: Sendable, Hashable {
    /// The offset of its byte in the leases' file.
    ///
    /// When two things have the same offset, a lease on one also protects the other.
    let place: Int64

    /// A blob, an unpacked layer by its diff ID, or an image by its ID.
    package static func digest(_ digest: Digest) -> Leasable {
        Leasable(place: Int64(digest.hex.prefix(15), radix: 16) ?? 0)
    }

    package static func container(_ id: String) -> Leasable { digest(.of("container \(id)".utf8)) }
    package static func volume(_ name: String) -> Leasable { digest(.of("volume \(name)".utf8)) }
}

/// The things that this process makes or uses now and that must not be collected.
///
/// A lease is a shared lock on one byte of the file `lock.leases`, whose offset is computed from the digest or the
/// name. The kernel ends it when the process ends, in whatever way; it takes no space on disk, and the store's lock is
/// not needed for it. A collection first takes an exclusive lock on the byte, without waiting: see ``Exclusion``.
///
/// So take the lease first, and check *afterwards* whether the thing exists: from then on it cannot disappear.
package final class Leases: Sendable {
    private struct State: ~Copyable {
        var locks: PlaceLocks?
        var held: Set<Leasable> = []
        /// The number of uses in progress.
        var uses = 0
    }

    private let path: String
    private let lock: StoreLock
    private let state = Mutex(State())

    init(paths: StorePaths, lock: StoreLock) {
        path = paths.leases
        self.lock = lock
    }

    /// Begins a use.
    ///
    /// Until the last use ends, everything that is found, made or asked for stays leased.
    ///
    /// Each command is a use from its begin to its end, except commands that remove.
    package func beginUse() -> LeaseUse {
        state.withLock { $0.uses += 1 }
        return LeaseUse(self)
    }

    fileprivate func endUse() {
        state.withLock { state in
            state.uses -= 1
            if state.uses == 0 { Self.forget(&state) }
        }
    }

    /// Leases things that are about to be made, or that need not be made because they exist.
    ///
    /// Outside a use the leases last until `release`. Throws what locking the leases' file throws, also when the home
    /// cannot
    /// be written to.
    package func hold(_ things: some Sequence<Leasable>) throws(ShaleError) {
        try lock.requireWritable()
        try take(things)
    }

    /// Leases things that were found, during a use.
    ///
    /// The caller then checks whether they still exist.
    func holdInUse(_ things: some Sequence<Leasable>) throws(ShaleError) {
        // On a read-only disk no lease is needed: nobody can collect anything there.
        guard lock.unwritable == nil, state.withLock({ $0.uses > 0 }) else { return }
        try take(things)
    }

    /// Ends leases that were taken outside a use.
    ///
    /// Leases taken within a use last to its end.
    package func release(_ things: some Sequence<Leasable>) {
        state.withLock { state in
            if state.uses == 0 { Self.drop(things, &state) }
        }
    }

    /// Ends leases at once, for things that this process made and deletes itself.
    package func drop(_ things: some Sequence<Leasable>) { state.withLock { Self.drop(things, &$0) } }

    /// Ends every lease.
    func close() { state.withLock { Self.forget(&$0) } }

    private func take(_ things: some Sequence<Leasable>) throws(ShaleError) {
        let things = Array(things)
        Observer.note(.lock, "lease \(things.count) thing\(things.count == 1 ? "" : "s")")
        let failure: SystemCallError? = state.withLock { state in
            do throws(SystemCallError) {
                if state.locks == nil { state.locks = try PlaceLocks(path: path) }
                for thing in things where !state.held.contains(thing) {
                    try state.locks?.share(thing.place)
                    state.held.insert(thing)
                }
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure.shaleError("lease") }
    }

    private static func drop(_ things: some Sequence<Leasable>, _ state: inout State) {
        for thing in things where state.held.remove(thing) != nil { state.locks?.release(thing.place) }
    }

    private static func forget(_ state: inout State) {
        state.held = []
        state.locks = nil
    }
}

/// A use in progress; it ends with the value.
package final class LeaseUse: Sendable {
    private let leases: Leases

    fileprivate init(_ leases: Leases) { self.leases = leases }

    deinit { leases.endUse() }
}
