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

    /// Whether an entry of the layout's index is meant.
    func accepts(_ entry: Descriptor) -> Bool {
        switch self {
        case .only: return true
        case .digest(let digest): return entry.digest == digest
        case .tag(let tag):
            let name = entry.annotations?[Annotation.refName]
            return name == tag || name.flatMap { try? Reference(parsing: $0) }?.tag == tag
        }
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
