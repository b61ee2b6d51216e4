package import Basics
package import Stores

// Undo and redo of changes to names and images.
extension ImageEngine {
    /// Moves names, and lists or hides images.
    ///
    /// An image that something else needs stays listed.
    ///
    /// Throws what reading the containers or writing the names throws.
    package func carryOut(_ moves: TableMoves) throws(ShaleError) {
        let used = moves.hidden.isEmpty ? [] : Set(try store.containers.all().map(\.image))
        try store.images.move(moves) { used.contains($0) }
    }
}
