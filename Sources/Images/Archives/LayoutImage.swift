package import Basics
package import OCI
package import Stores

/// Which image of an OCI layout is meant: by tag or digest, or the only one there is.
package enum LayoutChoice: Sendable, Hashable {
    case only
    case tag(String)
    case digest(Digest)

    /// Splits `DIR[:TAG]` and `DIR@DIGEST`.
    package static func split(_ text: String) -> (path: String, choice: LayoutChoice) {
        if let at = text.lastIndex(of: "@"), let digest = try? Digest(parsing: String(text[text.index(after: at)...])) {
            return (String(text[..<at]), .digest(digest))
        }
        if let colon = text.lastIndex(of: ":") {
            let tag = text[text.index(after: colon)...]
            if Reference.isTag(tag) { return (String(text[..<colon]), .tag(String(tag))) }
        }
        return (text, .only)
    }

    /// The entries of the layout's index that are meant: of a tag those that are called exactly so, else those whose
    /// whole name it is (`alpine` is `docker.io/library/alpine:latest`), else those whose whole name has that tag.
    ///
    /// A layout of shale's has whole names, others have tags.
    func entries(of index: Index) -> [Descriptor] {
        switch self {
        case .only: return index.manifests
        case .digest(let digest): return index.manifests.filter { $0.digest == digest }
        case .tag(let tag):
            let exact = index.manifests.filter { Self.names(of: $0).contains(tag) || $0.digest.description == tag }
            if !exact.isEmpty { return exact }
            let wanted = (try? Reference(parsing: tag))?.withDefaultTag
            let whole = index.manifests.filter { entry in
                Self.names(of: entry).contains { Self.wholeName($0).map { $0 == wanted } ?? false }
            }
            if !whole.isEmpty { return whole }
            return index.manifests.filter { entry in
                Self.names(of: entry).contains { Self.wholeName($0)?.tag == tag }
            }
        }
    }

    private static func names(of entry: Descriptor) -> [String] {
        [Annotation.refName, Annotation.imageName].compactMap { entry.annotations?[$0] }
    }

    private static func wholeName(_ text: String) -> Reference? {
        text.contains("/") || text.contains(":") ? (try? Reference(parsing: text))?.withDefaultTag : nil
    }
}

extension ImageEngine {
    /// Brings one image of an OCI layout in, without a name.
    ///
    /// Throws `notFound` when the layout holds no such image, `conflict` when it holds several, and what `load` throws.
    package func image(
        inLayout path: String, _ choice: LayoutChoice, platform: Platform? = nil, _ operation: OperationContext
    ) throws(ShaleError) -> Image {
        let loaded = try load(folder: path, platform: platform, choosing: choice, operation)
        guard let first = loaded.first else {
            throw ShaleError(.notFound, "\(path.visible): it holds no such image")
        }
        guard loaded.allSatisfy({ $0.image.id == first.image.id }) else {
            throw ShaleError(
                .conflict, "\(path.visible): it holds \(loaded.count) images", hint: "oci-layout://DIR:TAG")
        }
        return first.image
    }
}
