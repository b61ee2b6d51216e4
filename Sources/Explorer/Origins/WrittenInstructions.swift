package import Basics
package import Images
import OCI
package import Stores

extension ImageEngine {
    /// The instructions that made an image's layers, as they were written, by layer number.
    ///
    /// They are known only for layers that were made here.
    ///
    /// Throws `corrupt` for provenance that cannot be read, and what reading an image throws.
    package func writtenInstructions(of image: Image) throws(ShaleError) -> [Int: String] {
        var found: [Int: String] = [:]
        var next: Image? = image
        var seen: Set<Digest> = []
        // A damaged chain of parents may have a cycle.
        while let current = next, seen.insert(current.id).inserted, let provenance = try provenance(of: current.id) {
            var parent: Image?
            if let id = provenance.parent { parent = try ifFound(self.image(id: id)) }
            let count = current.config.rootfs.diffIDs.count
            if case .step(let instruction, _) = provenance.origin, count > (parent?.config.rootfs.diffIDs.count ?? 0) {
                found[count] = instruction
            }
            next = parent
        }
        return found
    }
}
