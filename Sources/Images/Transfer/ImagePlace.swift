package import Basics
package import OCI

/// Where an image is copied from or to.
package enum ImagePlace: Sendable, Hashable {
    /// `docker://NAME`.
    case registry(Reference)
    /// `oci:DIR[:TAG]`.
    case layout(path: String, tag: String?)
    /// `oci-archive:FILE[:TAG]`.
    case archive(path: String, tag: String?)
    /// `docker-archive:FILE[:NAME]`.
    case dockerArchive(path: String, name: Reference?)
    /// The name of an image in the store.
    case local(String)

    /// Kinds of places that other tools have and shale does not.
    private static let others = [
        "dir", "docker", "docker-daemon", "containers-storage", "ostree", "tarball", "sif", "oci-dir", "http", "https",
    ]

    /// Reads a place.
    ///
    /// Throws `usage` for an unknown kind of place, and `invalid` for a malformed name.
    package init(parsing text: String) throws(ShaleError) {
        guard let colon = text.firstIndex(of: ":") else {
            self = .local(text)
            return
        }
        let rest = String(text[text.index(after: colon)...])
        switch text[..<colon] {
        case "docker" where rest.hasPrefix("//"):
            self = .registry(try Reference(parsing: String(rest.dropFirst(2))).withDefaultTag)
        case "oci":
            let (path, tag) = try Self.pathAndTag(rest, of: text)
            self = .layout(path: path, tag: tag)
        case "oci-archive":
            let (path, tag) = try Self.pathAndTag(rest, of: text)
            self = .archive(path: path, tag: tag)
        case "docker-archive":
            let (path, name) = try Self.split(rest, of: text)
            self = .dockerArchive(
                path: path,
                name: try name.map { name throws(ShaleError) in
                    try Reference(parsing: name).asTarget()
                })
        case let word where Self.others.contains(String(word)):
            throw ShaleError(
                .usage, "\(text.visible): images are not copied from or to \(word):",
                hint: "docker://NAME, oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-archive:FILE[:NAME], or a name here"
            )
        default: self = .local(text)
        }
    }

    private static func pathAndTag(
        _ text: String, of whole: String
    ) throws(ShaleError) -> (path: String, tag: String?) {
        let (path, tag) = try split(text, of: whole)
        return (path, tag)
    }

    /// A path, and the text after its first colon.
    private static func split(_ text: String, of whole: String) throws(ShaleError) -> (path: String, name: String?) {
        let path = text.prefix { $0 != ":" }
        let name = path.endIndex == text.endIndex ? nil : String(text[text.index(after: path.endIndex)...])
        guard !path.isEmpty, name?.isEmpty != true else {
            throw ShaleError(.usage, "\(whole.visible): names no file", hint: "oci:DIR:TAG, docker-archive:FILE:NAME")
        }
        return (String(path), name)
    }
}
