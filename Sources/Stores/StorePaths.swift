package import OCI

/// The paths of all files below `--home`; no other code builds these paths.
package struct StorePaths: Sendable {
    package let home: String

    package var layoutFile: String { home + "/oci-layout" }
    package var index: String { home + "/index.json" }
    /// Images that only sessions can bring back, in the form of `index.json`; missing when there are none.
    var retained: String { home + "/held.json" }
    package var lock: String { home + "/lock" }
    /// An empty file: ``Leases`` locks single bytes of it.
    var leases: String { home + "/lock.leases" }
    /// Protects creating and sweeping of folders in `ingest`.
    ///
    /// It is taken within the store's lock, never around it.
    var ingestLock: String { home + "/lock.ingest" }
    var blobFolder: String { home + "/blobs" }
    package var blobs: String { home + "/blobs/sha256" }
    package var layers: String { home + "/layers" }
    package var containers: String { home + "/containers" }
    /// A symbolic link for each container name to its ID.
    ///
    /// Creating the link takes the name.
    package var containerNames: String { home + "/containers/names" }
    /// The trash: removed containers that a session can bring back; created when first needed.
    var containerTrash: String { home + "/containers/aside" }
    /// The volumes, a folder for each; created when first needed.
    package var volumes: String { home + "/volumes" }
    /// Manifest lists before they are pushed; created when first needed.
    var manifestLists: String { home + "/manifests" }
    package var sessions: String { home + "/sessions" }
    package var cache: String { home + "/cache" }
    package var ingest: String { home + "/ingest" }

    /// The init layer, which every container has below its image's layers; created when first needed.
    package var initLayer: String { home + "/init" }

    /// The provenance of each image that was made here, from which recipes are written.
    package var provenance: String { home + "/provenance" }
    /// The provenance of one image.
    package func provenanceRecord(of image: Digest) -> String { "\(provenance)/\(image.hex)" }
    /// The list of blobs that an image's provenance needs, one digest per line.
    package func keptFiles(of image: Digest) -> String { "\(provenance)/\(image.hex).files" }

    package func blob(_ digest: Digest) -> String { "\(blobs)/\(digest.hex)" }

    /// The folders of the layout, which only the owner can enter; see ``HomePrivacy``.
    var folders: [(path: String, mode: UInt32)] {
        [blobFolder, blobs, layers, containers, containerNames, sessions, cache, ingest].map { ($0, 0o700) }
    }
}
