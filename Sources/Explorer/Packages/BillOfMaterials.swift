package import Basics
import OCI
import Stores

/// A list of an image's packages for other tools: SPDX 2.3 or CycloneDX 1.5, in JSON.
///
/// The same image gives the same bytes: identifiers are digests of content, and the creation time is a parameter.
package struct BillOfMaterials: Sendable {
    package enum Form: String, Sendable, CaseIterable {
        case spdx = "spdx-json"
        case cyclonedx = "cyclonedx-json"
    }

    /// The image's name.
    let name: String
    /// The digest of the image's manifest.
    let digest: Digest
    let architecture: String
    let distribution: Distribution
    let packages: [InstalledPackage]
    let created: Timestamp
    /// The program that writes the document: `shale` and its version.
    let tool: (name: String, version: String)

    /// - Parameters:
    ///   - view: The image's files.
    ///   - packages: The packages to list, in order.
    ///   - created: The creation time of the document; `nil` for the image's own.
    ///   - version: The version of shale.
    /// - Throws: what reading the image's files throws.
    package init(
        of view: PlaceView, packages: [InstalledPackage], created: Timestamp?, version: String
    ) throws(ShaleError) {
        let image = view.layers.image
        let called = (try? Reference(parsing: view.layers.name))?.withDefaultTag
        let isItsName = called.map { view.layers.isRemote || image.references.contains($0) } ?? false
        name = isItsName ? called?.familiar ?? "" : image.references.first?.familiar ?? image.id.description
        digest = image.manifestDescriptor.digest
        architecture = image.config.architecture
        distribution = try Distribution(view)
        self.packages = packages
        self.created = Timestamp(seconds: max(0, (created ?? image.config.created ?? .epoch).seconds))
        tool = ("shale", version)
    }

    package func document(_ form: Form) -> JSONDocument {
        switch form {
        case .spdx: SPDXDocument(self).document
        case .cyclonedx: CycloneDXDocument(self).document
        }
    }

    /// An identifier of 16 hex digits for a package; the same package has the same one.
    static func key(_ package: InstalledPackage) -> String {
        let parts = [package.manager.rawValue, package.name, package.version, package.architecture, package.path]
        return String(Digest.of(Array(parts.joined(separator: "\0").utf8)).hex.prefix(16))
    }

    /// An identifier of the whole document: of the image, its packages and the program.
    var key: Digest {
        let parts = [digest.description, name, created.description, tool.version] + packages.map(Self.key)
        return Digest.of(Array(parts.joined(separator: "\0").utf8))
    }

    func purl(of package: InstalledPackage) -> String {
        PackageURL(package, in: distribution).text
    }

    /// The package URL of the image, with the last part of its repository (purl-spec, type `oci`).
    var imageURL: String {
        let reference = try? Reference(parsing: name)
        let last = reference?.path.split(separator: "/").last.map(String.init) ?? "image"
        var qualifiers: [(String, String)] = architecture.isEmpty ? [] : [("arch", architecture)]
        if let reference {
            qualifiers.append(("repository_url", "\(reference.domain)/\(reference.path)"))
            if let tag = reference.tag { qualifiers.append(("tag", tag)) }
        }
        let query = qualifiers.map { "\($0)=\(PackageURL.escape($1))" }.joined(separator: "&")
        return "pkg:oci/\(PackageURL.escape(last))@\(PackageURL.escape(digest.description))?\(query)"
    }
}

/// The distribution of an image, from its `os-release`.
struct Distribution: Sendable {
    /// The value of `ID`, such as `debian`; empty when it is missing.
    var id = ""
    var version = ""
    var title = ""

    init(_ view: PlaceView) throws(ShaleError) {
        for path in ["/etc/os-release", "/usr/lib/os-release"] {
            guard let bytes = try? view.contents(of: path, limit: 1 << 16) else { continue }
            for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
                let parts = line.split(separator: "=", maxSplits: 1)
                guard parts.count == 2 else { continue }
                let value = parts[1].filter { $0 != "\"" && $0 != "'" }
                switch parts[0] {
                case "ID": id = value
                case "VERSION_ID": version = value
                case "PRETTY_NAME": title = value
                default: break
                }
            }
            return
        }
    }
}

/// A package URL such as `pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12` (purl-spec).
struct PackageURL {
    let text: String

    init(_ package: InstalledPackage, in distribution: Distribution) {
        var space = distribution.id
        var name = package.name
        var version = package.version
        var qualifiers: [(String, String)] = package.architecture.isEmpty ? [] : [("arch", package.architecture)]
        let type: String
        switch package.manager {
        case .dpkg: (type, space) = ("deb", space.isEmpty ? "debian" : space)
        case .apk: (type, space) = ("apk", space.isEmpty ? "alpine" : space)
        case .rpm:
            type = "rpm"
            if let colon = version.firstIndex(of: ":"), version[..<colon].allSatisfy(\.isNumber) {
                qualifiers.append(("epoch", String(version[..<colon])))
                version = String(version[version.index(after: colon)...])
            }
        case .pip:
            (type, space) = ("pypi", "")
            name = String(name.lowercased().map { $0 == "_" ? "-" : $0 })
        case .npm:
            (type, space) = ("npm", "")
            let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
            if parts.count == 2, parts[0].hasPrefix("@") { (space, name) = (parts[0], parts[1]) }
        case .gem: (type, space) = ("gem", "")
        }
        if ["deb", "apk", "rpm"].contains(type), !distribution.id.isEmpty, !distribution.version.isEmpty {
            qualifiers.append(("distro", "\(distribution.id)-\(distribution.version)"))
        }
        let query = qualifiers.sorted { $0.0 < $1.0 }.map { "\($0)=\(Self.escape($1))" }.joined(separator: "&")
        text =
            "pkg:\(type)/" + (space.isEmpty ? "" : Self.escape(space) + "/") + Self.escape(name)
            + (version.isEmpty ? "" : "@\(Self.escape(version))") + (query.isEmpty ? "" : "?\(query)")
    }

    /// Percent-encodes all bytes except letters, digits and `.-_~:`.
    static func escape(_ text: String) -> String {
        text.utf8.reduce(into: "") { out, byte in
            switch byte {
            case 48...57, 65...90, 97...122, 0x2d, 0x2e, 0x5f, 0x7e, 0x3a:
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                out += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
    }
}
