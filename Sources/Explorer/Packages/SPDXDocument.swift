import Basics
import OCI

/// A bill of materials in the JSON format of SPDX 2.3.
struct SPDXDocument {
    private let bill: BillOfMaterials
    private static let image = "SPDXRef-Image"
    private static let unknown = JSONDocument.string("NOASSERTION")

    init(_ bill: BillOfMaterials) { self.bill = bill }

    var document: JSONDocument {
        let packages = bill.packages.map { (id: "SPDXRef-Package-\(BillOfMaterials.key($0))", package: $0) }
        return .members([
            "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": .string(bill.name),
            "documentNamespace": .string("https://spdx.org/spdxdocs/shale-\(bill.key.hex)"),
            "creationInfo": .members([
                "created": .string(bill.created.description),
                "creators": .array([.string("Tool: \(bill.tool.name)-\(bill.tool.version)")]),
            ]),
            "packages": .array([imagePackage] + packages.map { package($0.package, $0.id) }),
            "relationships": .array(
                [relationship("SPDXRef-DOCUMENT", "DESCRIBES", Self.image)]
                    + packages.map { relationship(Self.image, "CONTAINS", $0.id) }),
        ])
    }

    private var imagePackage: JSONDocument {
        .members([
            "SPDXID": .string(Self.image), "name": .string(bill.name), "versionInfo": .string(bill.digest.description),
            "downloadLocation": Self.unknown, "filesAnalyzed": false, "licenseConcluded": Self.unknown,
            "licenseDeclared": Self.unknown, "copyrightText": Self.unknown, "primaryPackagePurpose": "CONTAINER",
            "checksums": .array([.members(["algorithm": "SHA256", "checksumValue": .string(bill.digest.hex)])]),
            "externalRefs": .array([purl(bill.imageURL)]),
        ])
    }

    private func package(_ package: InstalledPackage, _ id: String) -> JSONDocument {
        .members([
            "SPDXID": .string(id), "name": .string(package.name), "versionInfo": .string(package.version),
            "sourceInfo": .string("\(package.manager.rawValue): \(package.path)"), "downloadLocation": Self.unknown,
            "filesAnalyzed": false, "licenseConcluded": Self.unknown, "licenseDeclared": Self.unknown,
            "copyrightText": Self.unknown, "externalRefs": .array([purl(bill.purl(of: package))]),
        ])
    }

    private func purl(_ text: String) -> JSONDocument {
        .members([
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": .string(text),
        ])
    }

    private func relationship(_ element: String, _ type: String, _ related: String) -> JSONDocument {
        .members([
            "spdxElementId": .string(element), "relationshipType": .string(type),
            "relatedSpdxElement": .string(related),
        ])
    }
}
