package import OCI

/// What a session can restore, and what collection must therefore keep.
package struct SessionRoots: Sendable, Hashable {
    /// Digests of manifests, image IDs and blobs.
    ///
    /// An image ID or a manifest also keeps config and layers.
    package var digests: Set<Digest>
    /// IDs of containers in the trash.
    package var containers: Set<String>

    private static let containerMark = "container "

    package init(digests: Set<Digest> = [], containers: Set<String> = []) {
        self.digests = digests
        self.containers = containers
    }

    /// Reads a file with one entry per line.
    ///
    /// Other lines are skipped.
    init(parsing bytes: [UInt8]) {
        self.init()
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            if text.hasPrefix(Self.containerMark) {
                let id = String(text.dropFirst(Self.containerMark.count))
                if ContainerName.isIdentifier(id) { containers.insert(id) }
            } else if let digest = try? Digest(parsing: text) {
                digests.insert(digest)
            }
        }
    }

    package var isEmpty: Bool { digests.isEmpty && containers.isEmpty }

    package mutating func formUnion(_ other: SessionRoots) {
        digests.formUnion(other.digests)
        containers.formUnion(other.containers)
    }

    /// The text of the file.
    package var text: String {
        (digests.sorted().map(\.description) + containers.sorted().map { Self.containerMark + $0 })
            .map { $0 + "\n" }.joined()
    }
}
