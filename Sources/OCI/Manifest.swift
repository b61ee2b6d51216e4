package import Basics
package import FoundationEssentials

/// One image's manifest, OCI or docker v2.2 (image-spec v1.1, manifest.md).
package struct Manifest: Sendable, Hashable, Codable {
    package var schemaVersion: Int
    package var mediaType: String?
    package var artifactType: String?
    package var config: Descriptor
    package var layers: [Descriptor]
    /// The manifest that this one hangs on: it is a signature of it, a list of its packages, its recipe.
    package var subject: Descriptor?
    package var annotations: [String: String]?

    package init(config: Descriptor, layers: [Descriptor], annotations: [String: String]? = nil) {
        schemaVersion = 2
        mediaType = MediaType.ociManifest
        self.config = config
        self.layers = layers
        self.annotations = annotations
    }
}

/// A list of manifests by platform, or the names of a layout (image-spec v1.1, image-index.md).
package struct Index: Sendable, Hashable, Codable {
    package var schemaVersion: Int
    package var mediaType: String?
    package var manifests: [Descriptor]
    package var annotations: [String: String]?

    package init(manifests: [Descriptor] = []) {
        schemaVersion = 2
        mediaType = MediaType.ociIndex
        self.manifests = manifests
    }

    /// The entry that serves `platform` best, in containerd's order.
    ///
    /// Of equal ones it is the first. One that names no platform is taken where no other fits; attestations are passed
    /// over.
    package func manifest(for platform: Platform) -> Descriptor? {
        let order = PlatformOrder(platform)
        var best: (entry: Descriptor, rank: Int)?
        for entry in manifests {
            // What says something of an image is none, whatever platform it is listed for.
            if case .attestation = entry.memberKind { continue }
            if entry.artifactType != nil { continue }
            let rank: Int
            if let offered = entry.platform {
                guard let place = order.rank(offered) else { continue }
                rank = place
            } else {
                guard MediaType.isManifest(entry.mediaType), entry.annotations?["vnd.docker.reference.type"] == nil
                else { continue }
                rank = .max
            }
            if rank < best?.rank ?? .max || best == nil { best = (entry, rank) }
        }
        return best?.entry
    }
}

/// Reading and writing of the documents; written ones have sorted keys, so that equal values have equal digests.
///
/// There are two readers of JSON. What others write, and what has no one type, is read by `JSONDocument(parsing:)`, and
/// the documents of the specifications by `read` on top of it: their members are checked one by one, and an error names
/// the member. `JSONDecoder`, here as `decode`, reads what has one `Codable` type of ours: shale's own notes, and
/// answers of a server's API of which a few members are wanted.
package enum OCIDocument {
    /// Documents larger than this are refused (the distribution specification's limit for manifests).
    package static let largest = 4 << 20

    /// Reads a note of shale's own, or an answer of which a few members are wanted.
    ///
    /// Throws `invalid` for one that is too large, `corrupt` for one that is not of the type.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from data: Data, naming what: String, as kind: String? = nil
    ) throws(ShaleError) -> Value {
        guard data.count <= largest else { throw ShaleError(.invalid, "\(what): larger than \(largest) bytes") }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            let kind = kind ?? Self.kinds["\(type)"] ?? "document"
            throw ShaleError(.corrupt, "\(what): not a valid \(kind)".lowercasedHead, cause: Self.reason(of: error))
        }
    }

    /// Writes a value as JSON, its keys sorted.
    ///
    /// Throws `io` for a value that cannot be written as JSON.
    package static func encode(_ value: some Encodable) throws(ShaleError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(value)
        } catch {
            throw ShaleError(.io, "encoding \(type(of: value))", cause: "\(error)")
        }
    }

    /// What people call the documents.
    private static let kinds = [
        "ContainerRecord": "container record"
    ]

    private static func reason(of error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        func path(_ context: DecodingError.Context) -> String {
            let keys = context.codingPath.map(\.stringValue).joined(separator: ".")
            return keys.isEmpty ? context.debugDescription : "\(keys): \(context.debugDescription)"
        }
        switch error {
        case .keyNotFound(let key, let context): return "\(path(context)) (\(key.stringValue))"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return path(context)
        @unknown default: return "malformed"
        }
    }
}

extension String {
    fileprivate var lowercasedHead: String { prefix(1).lowercased() + dropFirst() }
}
