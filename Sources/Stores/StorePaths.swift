package import OCI

/// The paths of all files below `--home`; no other code builds these paths.
package struct StorePaths: Sendable {
    package let home: String

    package var layoutFile: String { home + "/oci-layout" }
    package var index: String { home + "/index.json" }
    /// Images that only sessions can bring back, in the form of `index.json`; missing where there are none.
    var retained: String { home + "/held.json" }
    package var lock: String { home + "/lock" }
    /// An empty file: ``Leases`` locks single bytes of it.
    var leases: String { home + "/lock.leases" }
    /// Guards the making and sweeping of folders in `ingest`; taken within the store's lock, never around it.
    var ingestLock: String { home + "/lock.ingest" }
    var blobFolder: String { home + "/blobs" }
    package var blobs: String { home + "/blobs/sha256" }
    package var layers: String { home + "/layers" }
    package var containers: String { home + "/containers" }
    /// One link a container name, leading to its id: a name is taken by making it.
    package var containerNames: String { home + "/containers/names" }
    /// Containers that were removed and that a session can bring back; made on first use.
    var containerTrash: String { home + "/containers/aside" }
    /// A folder each; made on first use.
    package var volumes: String { home + "/volumes" }
    /// Indexes that are put together before they are pushed; made on first use.
    var manifestLists: String { home + "/manifests" }
    package var sessions: String { home + "/sessions" }
    package var cache: String { home + "/cache" }
    package var ingest: String { home + "/ingest" }

    /// What every container has below its image's layers; made on first use.
    package var initLayer: String { home + "/init" }

    /// How each image was made here: what recipes are written from.
    package var provenance: String { home + "/provenance" }
    /// The record of one image.
    package func provenanceRecord(of image: Digest) -> String { "\(provenance)/\(image.hex)" }
    /// Blobs that an image's record needs, a digest a line.
    package func keptFiles(of image: Digest) -> String { "\(provenance)/\(image.hex).files" }

    package func blob(_ digest: Digest) -> String { "\(blobs)/\(digest.hex)" }

    /// What the layout consists of, for the owner alone; see ``HomePrivacy``.
    var folders: [(path: String, mode: UInt32)] {
        [blobFolder, blobs, layers, containers, containerNames, sessions, cache, ingest].map { ($0, 0o700) }
    }
}
