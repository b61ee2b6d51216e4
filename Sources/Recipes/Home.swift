package import Basics
package import OCI
package import Stores

/// A home as a whole: where it lies, what it takes up, whether it is whole.
package struct Home: Sendable {
    private let store: Store

    init(_ store: Store) { self.store = store }

    package var path: String { store.home }
    /// Whether it can be looked at and not written to.
    package var isReadOnly: Bool { store.isReadOnly }
    /// Whether other users could read it until now.
    package var wasClosed: Bool { store.wasClosed }

    /// What is on disk.
    ///
    /// Throws the store's error when a record or an image cannot be read.
    package func diskUsage() throws(ShaleError) -> DiskUsage { try store.diskUsage() }

    /// Measures what is kept only for undo, beyond the images that the sessions stand on now.
    ///
    /// Throws the store's error when the images or the sessions' roots cannot be read.
    package func retainedCost(keeping current: Set<Digest>) throws(ShaleError) -> RetainedCost {
        try store.retainedCost(keeping: current)
    }

    /// Removes what is kept only for undo, to free space on a full disk.
    ///
    /// Throws the store's error when something cannot be read or removed.
    package func freeSpace(keeping current: Set<Digest>) throws(ShaleError) { try store.freeSpace(keeping: current) }

    /// Checks every digest, every reference and every lock, and mends what can be mended where asked.
    ///
    /// Throws what the store's check throws; what is damaged is a finding in the answer, not an error.
    package func check(repair: Bool, _ cancellation: Cancellation) throws(ShaleError) -> [Finding] {
        try store.check(repair: repair, cancellation: cancellation)
    }

    /// Releases what this process holds in it.
    package func close() { store.close() }
}
