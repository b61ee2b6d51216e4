import Basics
import Glibc
import Linux
import Synchronization

/// The counterpart of ``Leases``: claims things for a collection that nobody has leased.
///
/// A claim lasts until it is given back or this value ends. A process that wants a lease on the thing waits until then,
/// and then finds that the thing is gone.
package final class Exclusion: Sendable {
    private struct State: ~Copyable {
        /// `nil` when the leases' file could not be made, so that nobody can have a lease.
        var locks: PlaceLocks?
        var taken: Set<Leasable> = []
    }

    private let state: Mutex<State>

    init(paths: StorePaths) throws(ShaleError) {
        do throws(SystemCallError) {
            state = Mutex(State(locks: try PlaceLocks(path: paths.leases)))
        } catch {
            // Removing must work on a full disk too. When the file cannot be made there, nobody can have a lease.
            guard error.errno == ENOSPC || error.errno == EDQUOT else { throw error.shaleError("leases") }
            state = Mutex(State(locks: nil))
        }
    }

    /// Claims a thing for collection; false when it is leased, or when that cannot be determined.
    package func take(_ thing: Leasable) -> Bool {
        state.withLock { state in
            if state.taken.contains(thing) { return true }
            guard state.locks == nil || (try? state.locks?.takeAlone(thing.place)) == true else { return false }
            state.taken.insert(thing)
            return true
        }
    }

    /// Gives a claimed thing back, whether it was removed or not.
    package func give(_ thing: Leasable) {
        state.withLock { state in
            if state.taken.remove(thing) != nil { state.locks?.release(thing.place) }
        }
    }

    /// Whether a thing is leased now.
    package func isLeased(_ thing: Leasable) -> Bool {
        guard take(thing) else { return true }
        give(thing)
        return false
    }
}
