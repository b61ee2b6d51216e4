package import OCI

/// What a session can come back to, and what therefore must not be collected.
package struct SessionRoots: Sendable, Hashable {
    /// Manifests, image ids, blobs; best ids and manifests, which keep config and layers too.
    package var digests: Set<Digest>
    /// Ids of containers that were moved to the trash.
    package var containers: Set<String>

    private static let containerMark = "container "

    package init(digests: Set<Digest> = [], containers: Set<String> = []) {
        self.digests = digests
        self.containers = containers
    }

    /// Reads a file of one thing a line; what is neither digest nor container is skipped.
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

    /// The file's text.
    package var text: String {
        (digests.sorted().map(\.description) + containers.sorted().map { Self.containerMark + $0 })
            .map { $0 + "\n" }.joined()
    }
}
