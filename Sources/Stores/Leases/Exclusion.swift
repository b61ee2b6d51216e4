import Basics
import Glibc
import Linux
import Synchronization

/// The counterpart of ``Leases``: the things that a collection may remove, because nobody has a lease on them.
///
/// A thing stays taken until it is given back or this value ends. A process that wants a lease on it waits until then,
/// and then finds that it is gone.
package final class Exclusion: Sendable {
    private struct State: ~Copyable {
        /// `nil` where there is no file of leases, and so no lease.
        var locks: PlaceLocks?
        var taken: Set<Leasable> = []
    }

    private let state: Mutex<State>

    init(paths: StorePaths) throws(ShaleError) {
        do throws(SystemCallError) {
            state = Mutex(State(locks: try PlaceLocks(path: paths.leases)))
        } catch {
            // Removing must work on a full disk too: where the file cannot be made, nobody can have a lease.
            guard error.errno == ENOSPC || error.errno == EDQUOT else { throw error.shaleError("leases") }
            state = Mutex(State(locks: nil))
        }
    }

    /// Takes a thing for collection; `false` when someone has a lease on it, also where that cannot be told.
    package func take(_ thing: Leasable) -> Bool {
        state.withLock { state in
            if state.taken.contains(thing) { return true }
            guard state.locks == nil || (try? state.locks?.takeAlone(thing.place)) == true else { return false }
            state.taken.insert(thing)
            return true
        }
    }

    /// Gives a thing back, removed or not.
    package func give(_ thing: Leasable) {
        state.withLock { state in
            if state.taken.remove(thing) != nil { state.locks?.release(thing.place) }
        }
    }

    /// Whether someone has a lease on a thing at this moment.
    package func isLeased(_ thing: Leasable) -> Bool {
        guard take(thing) else { return true }
        give(thing)
        return false
    }
}
