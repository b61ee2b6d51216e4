package import Basics
package import Images
import OCI
package import Stores

extension ImageEngine {
    /// The instructions that made an image's layers, as they were written, by layer number.
    ///
    /// Only of those made here; the image it began with came whole and tells no more than its history.
    package func writtenInstructions(of image: Image) throws(ShaleError) -> [Int: String] {
        var found: [Int: String] = [:]
        var next: Image? = image
        // A chain of parents ends; a damaged one must, too.
        for _ in 0..<1024 {
            guard let current = next, let provenance = try provenance(of: current.id) else { break }
            let parent = provenance.parent.flatMap { try? self.image(id: $0) }
            let count = current.config.rootfs.diffIDs.count
            if case .step(let instruction, _) = provenance.origin, count > (parent?.config.rootfs.diffIDs.count ?? 0) {
                found[count] = instruction
            }
            next = parent
        }
        return found
    }
}
