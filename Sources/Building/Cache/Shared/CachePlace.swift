package import Basics
import Dockerfiles
package import OCI

/// A shared cache: where steps are shared with other machines.
///
/// One value of `--cache-from` or `--cache-to`.
package struct CachePlace: Sendable, Hashable {
    package enum Location: Sendable, Hashable {
        /// An OCI layout in a folder of the host, and a tag in it.
        case folder(String, tag: String)
        case registry(Reference)
    }

    /// Whether the option reads steps or writes them.
    package enum Use: String, Sendable {
        case reading = "--cache-from"
        case writing = "--cache-to"
    }

    package var location: Location
    /// Whether steps of all stages are written (`mode=max`), or only those that the image is built on.
    package var holdsAllStages = false
    /// Whether only a name was given.
    ///
    /// Classic docker takes that for an image whose layers serve as a cache.
    package var isBareName = false

    /// The name in messages.
    package var name: String {
        switch location {
        case .folder(let path, _): path.visible
        case .registry(let reference): reference.familiar
        }
    }

    /// Reads the values of one option, in buildx's forms: `type=local,src=DIR`, `type=registry,ref=NAME`, or names
    /// alone.
    ///
    /// Throws `usage` for a malformed or unknown value, `unsupported` for a kind of cache that shale does not have, and
    /// what reading a reference throws.
    package static func parse(_ texts: [String], for use: Use) throws(ShaleError) -> [CachePlace] {
        var places: [CachePlace] = []
        for text in texts where !text.isEmpty {
            let fields = try OptionFields(parsing: text)
            if text.utf8.contains(UInt8(ascii: "=")) {
                places.append(try CachePlace(fields.values(), text, use))
            } else {
                for name in fields.fields {
                    places.append(CachePlace(location: .registry(try reference(name, use)), isBareName: true))
                }
            }
        }
        return places
    }

    private init(location: Location, isBareName: Bool) {
        self.location = location
        self.isBareName = isBareName
    }

    private init(_ given: [String: String], _ text: String, _ use: Use) throws(ShaleError) {
        var values = given
        let kind = values.removeValue(forKey: "type") ?? ""
        let option = "\(use.rawValue) type=\(kind.visible)"
        switch kind {
        case "local":
            let key = use == .reading ? "src" : "dest"
            guard let path = values.removeValue(forKey: key), !path.isEmpty else {
                throw ShaleError(.usage, "\(option): \(key) is required", hint: "\(use.rawValue) type=local,\(key)=DIR")
            }
            let tag = values.removeValue(forKey: "tag") ?? Reference.defaultTag
            guard Reference.isTag(tag) else { throw ShaleError(.usage, "\(option): invalid tag \"\(tag.visible)\"") }
            location = .folder(path, tag: tag)
        case "registry":
            guard let name = values.removeValue(forKey: "ref"), !name.isEmpty else {
                throw ShaleError(.usage, "\(option): ref is required", hint: "\(use.rawValue) type=registry,ref=NAME")
            }
            location = .registry(try Self.reference(name, use))
        case "": throw ShaleError(.usage, "type required for \"\(text.visible)\"")
        default: throw Self.refusal(of: kind, option)
        }
        try readRest(of: values, option)
    }

    /// Reads the attributes that both kinds have.
    private mutating func readRest(of values: [String: String], _ option: String) throws(ShaleError) {
        for (key, value) in values.sorted(by: { $0.key < $1.key }) {
            switch (key, value) {
            case ("mode", "min"): holdsAllStages = false
            case ("mode", "max"): holdsAllStages = true
            // Accepted without effect: a failed write never fails the build, and the artifact is always an OCI
            // manifest.
            case ("ignore-error", _), ("oci-mediatypes", "true"), ("image-manifest", "true"): break
            case ("mode", _), ("oci-mediatypes", _), ("image-manifest", _):
                throw ShaleError(.usage, "\(option): \(key)=\(value.visible) is not supported")
            default: throw ShaleError(.usage, "\(option): unknown attribute \(key.visible)")
            }
        }
    }

    private static func refusal(of kind: String, _ option: String) -> ShaleError {
        let reasons = [
            "inline": "an image made here has no place for a cache", "gha": "GitHub's cache is not spoken here",
            "s3": "S3 is not spoken here", "azblob": "Azure's storage is not spoken here",
        ]
        return ShaleError(
            .unsupported, "\(option) is not supported" + (reasons[kind].map { ": \($0)" } ?? ""),
            hint: "type=registry,ref=NAME or type=local")
    }

    private static func reference(_ text: String, _ use: Use) throws(ShaleError) -> Reference {
        do throws(ShaleError) {
            return try Reference(parsing: text).asTarget()
        } catch {
            throw ShaleError(
                .usage, "invalid argument \"\(text.visible)\" for \"\(use.rawValue)\" flag: \(error.message)")
        }
    }
}
