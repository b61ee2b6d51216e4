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

    /// Reads a file with one entry per line, and counts the lines that are none.
    ///
    /// A line that a crash cut short is passed over: whoever wrote it did not go on, so nothing relies on it.
    static func read(_ bytes: [UInt8]) -> (roots: SessionRoots, damagedLines: Int) {
        var roots = SessionRoots()
        var damaged = 0
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            let id = text.hasPrefix(containerMark) ? String(text.dropFirst(containerMark.count)) : ""
            if ContainerName.isIdentifier(id) {
                roots.containers.insert(id)
            } else if let digest = try? Digest(parsing: text) {
                roots.digests.insert(digest)
            } else if !isCutShort(text) {
                damaged += 1
            }
        }
        return (roots, damaged)
    }

    /// Whether a text is the beginning of an entry.
    private static func isCutShort(_ text: String) -> Bool {
        [(containerMark, 64), ("sha256:", 64), ("sha384:", 96), ("sha512:", 128)].contains { mark, digits in
            guard text.hasPrefix(mark) else { return mark.hasPrefix(text) }
            let rest = text.utf8.dropFirst(mark.utf8.count)
            return rest.count < digits && rest.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
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
