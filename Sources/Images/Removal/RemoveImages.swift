package import Basics
import Diagnostics
import Logging
package import OCI
package import Stores

extension ImageEngine {
    /// `rmi` of one argument: a name is taken away; the last one takes the image with it, as docker decides it.
    ///
    /// With a session its content stays, out of sight, until that session lets go of it. Throws `notFound`, or `conflict`
    /// in docker's words with the command that clears the way.
    package func removeImage(
        _ text: String, force: Bool = false, keepingParents: Bool = false, retainedBy session: SessionFolder? = nil
    ) throws(ShaleError) -> RemovedImages {
        let uses = try store.imageUses()
        do throws(ShaleError) {
            return try store.removeImages(retainedBy: session) { table throws(ShaleError) in
                try ImageRemoval.plan(text, in: table, uses: uses, force: force, pruningParents: !keepingParents)
            }
        } catch {
            guard error.code == .notFound,
                let near = Self.nearestName(to: text, among: try store.names.all().map(\.reference))
            else { throw error }
            throw error.hinting("did you mean \(near.familiar)?")
        }
    }

    /// Takes a nameless image away again, whose parents stay.
    package func discardImage(_ id: Digest) {
        if let image = try? store.images.image(id) {
            let top = [image.config.rootfs.diffIDs.last, image.manifest.layers.last?.digest].compactMap(\.self)
            store.leases.drop(([id, image.manifestDescriptor.digest] + top).map { .digest($0) })
        }
        _ = Logger.image.attempt("discard image \(id.short)") { () throws(ShaleError) in
            try store.removeImages { table throws(ShaleError) in
                try ImageRemoval.plan(id.description, in: table, uses: [], pruningParents: false)
            }
        }
        forgetProvenance(of: id)
    }
}
