import Basics
import OCI

/// A bill of materials in the JSON format of CycloneDX 1.5.
struct CycloneDXDocument {
    private let bill: BillOfMaterials

    init(_ bill: BillOfMaterials) { self.bill = bill }

    var document: JSONDocument {
        let packages = bill.packages.map { (key: BillOfMaterials.key($0), package: $0) }
        return .members([
            "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json", "bomFormat": "CycloneDX",
            "specVersion": "1.5", "serialNumber": .string("urn:uuid:\(uuid)"), "version": 1,
            "metadata": .members([
                "timestamp": .string(bill.created.description),
                "tools": .members([
                    "components": .array([
                        .members([
                            "type": "application", "name": .string(bill.tool.name),
                            "version": .string(bill.tool.version),
                        ])
                    ])
                ]),
                "component": .members([
                    "type": "container", "bom-ref": "image", "name": .string(bill.name),
                    "version": .string(bill.digest.description), "purl": .string(bill.imageURL),
                ]),
            ]),
            "components": .array(distribution + packages.map { component($0.package, $0.key) }),
            "dependencies": .array([
                .members([
                    "ref": "image", "dependsOn": .array(packages.map { .string($0.key) }),
                ])
            ]),
        ])
    }

    /// The distribution as a component; empty when it is not known.
    private var distribution: [JSONDocument] {
        let system = bill.distribution
        guard !system.id.isEmpty else { return [] }
        return [
            .members([
                "type": "operating-system", "bom-ref": "distribution", "name": .string(system.id),
                "version": .string(system.version), "description": .string(system.title),
            ])
        ]
    }

    private func component(_ package: InstalledPackage, _ key: String) -> JSONDocument {
        .members([
            "type": "library", "bom-ref": .string(key), "name": .string(package.name),
            "version": .string(package.version), "purl": .string(bill.purl(of: package)),
            "properties": .array([
                .members(["name": "shale:manager", "value": .string(package.manager.rawValue)]),
                .members(["name": "shale:path", "value": .string(package.path)]),
            ]),
        ])
    }

    /// A UUID of version 8 (RFC 9562, section 5.8), made from the document's digest.
    private var uuid: String {
        var digits = Array(bill.key.hex.prefix(32))
        (digits[12], digits[16]) = ("8", "8")
        let text = String(digits)
        var parts: [Substring] = []
        var rest = text[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return parts.joined(separator: "-")
    }
}
