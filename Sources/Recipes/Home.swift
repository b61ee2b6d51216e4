package import Basics
package import OCI
package import Stores

/// A whole home: its path, its disk usage, and its integrity.
package struct Home: Sendable {
    private let store: Store

    init(_ store: Store) { self.store = store }

    package var path: String { store.home }
    /// Whether the home can be read but not written.
    package var isReadOnly: Bool { store.isReadOnly }
    /// Whether other users could read the home until this start.
    package var wasClosed: Bool { store.wasClosed }

    /// A folder of the home that other users can enter, which could not be closed; `nil` for none.
    package var openToOthers: String? { store.openToOthers }

    /// Measures the disk usage.
    ///
    /// Throws the store's error when a record or an image cannot be read.
    package func diskUsage() throws(ShaleError) -> DiskUsage { try store.diskUsage() }

    /// Measures what is kept only for undo, beyond the current images of the sessions.
    ///
    /// Throws the store's error when the images or the sessions' roots cannot be read.
    package func retainedCost(keeping current: Set<Digest>) throws(ShaleError) -> RetainedCost {
        try store.retainedCost(keeping: current)
    }

    /// Removes what is kept only for undo, to free space on a full disk.
    ///
    /// Throws the store's error when something cannot be read or removed.
    package func freeSpace(keeping current: Set<Digest>) throws(ShaleError) { try store.freeSpace(keeping: current) }

    /// Checks every digest, every reference and every lock; with `repair`, repairs what it can.
    ///
    /// Throws what the store's check throws. Damage is returned as a finding and not thrown.
    package func check(repair: Bool, _ cancellation: Cancellation) throws(ShaleError) -> [Finding] {
        try store.check(repair: repair, cancellation: cancellation)
    }

    /// Releases the resources of this process in the home.
    package func close() { store.close() }
}
