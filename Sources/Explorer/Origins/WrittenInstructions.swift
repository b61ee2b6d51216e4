package import Basics
package import Images
import OCI
package import Stores

extension ImageEngine {
    /// The instructions that made an image's layers, as they were written, by layer number.
    ///
    /// They are known only for layers that were made here.
    ///
    /// Throws `corrupt` for provenance that cannot be read.
    package func writtenInstructions(of image: Image) throws(ShaleError) -> [Int: String] {
        var found: [Int: String] = [:]
        var next: Image? = image
        // The limit ends the loop when a damaged chain of parents has a cycle.
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
