import Basics
import OCI
import Testing

@testable import Explorer

@Suite("a bill of materials") struct BillOfMaterialsTests {
    private static let status = """
        Package: bash
        Status: install ok installed
        Architecture: amd64
        Version: 5.2.15-2+b7

        Package: lib"c6
        Status: install ok installed
        Architecture: amd64
        Version: 1:2.36-9

        """

    private static func bill(_ form: BillOfMaterials.Form, created: Timestamp? = nil) throws -> JSONDocument {
        let fixture = try ExplorerFixture()
        let release = "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n"
        let metadata = "Metadata-Version: 2.1\nName: My_Pkg\nVersion: 1.0\n\n"
        let image = try fixture.image(
            "team/app:1",
            [
                .init(
                    "ADD",
                    [
                        .file("etc/os-release", release), .file("var/lib/dpkg/status", status),
                        .file("usr/lib/python3/My_Pkg.dist-info/METADATA", metadata),
                        .file("srv/node_modules/@a/b/package.json", #"{"name":"@a/b","version":"2.0"}"#),
                    ])
            ])
        let layers = ImageLayers(image, name: "team/app:1", images: fixture.images)
        let view = try PlaceView(.image(layers), label: "team/app:1")
        let packages = try PackageList(view).packages(Cancellation())
        return try BillOfMaterials(of: view, packages: packages, created: created, version: "9").document(form)
    }

    private static let urls: Set<String> = [
        "pkg:deb/debian/bash@5.2.15-2%2Bb7?arch=amd64&distro=debian-12",
        "pkg:deb/debian/lib%22c6@1:2.36-9?arch=amd64&distro=debian-12", "pkg:pypi/my-pkg@1.0", "pkg:npm/%40a/b@2.0",
    ]

    @Test(arguments: BillOfMaterials.Form.allCases) func theSameImageGivesTheSameBytes(form: BillOfMaterials.Form)
        throws
    {
        #expect(try Self.bill(form).text() == Self.bill(form).text())
        #expect(try Self.bill(form).text().contains("2023-11-14T22:13:20Z"))
        #expect(
            try Self.bill(form, created: Timestamp(seconds: 5, nanoseconds: 7)).text().contains("1970-01-01T00:00:05Z"))
    }

    /// The rules of the SPDX 2.3 schema that a writer can break.
    @Test func spdx() throws {
        let bill = try Self.bill(.spdx)
        let packages = bill["packages"]?.array ?? []
        #expect(packages.count == 5 && bill["spdxVersion"]?.string == "SPDX-2.3")
        let ids = packages.compactMap { $0["SPDXID"]?.string }
        #expect(Set(ids).count == 5)
        for id in ids { #expect(id.wholeMatch(of: /SPDXRef-[a-zA-Z0-9.-]+/) != nil, "\(id)") }
        for package in packages {
            for key in ["name", "downloadLocation", "licenseConcluded", "copyrightText", "versionInfo"] {
                #expect(package[key]?.string?.isEmpty == false, "\(key)")
            }
        }
        let references = packages.dropFirst().compactMap {
            $0["externalRefs"]?.array?.first?["referenceLocator"]?.string
        }
        #expect(Set(references) == Self.urls)
        let known = Set(ids + ["SPDXRef-DOCUMENT"])
        let relations = bill["relationships"]?.array ?? []
        #expect(relations.count == 5)
        for relation in relations {
            for key in ["spdxElementId", "relatedSpdxElement"] { #expect(known.contains(relation[key]?.string ?? "")) }
        }
        #expect(bill["documentNamespace"]?.string?.contains("#") == false)
    }

    /// The rules of the CycloneDX 1.5 schema that a writer can break.
    @Test func cycloneDX() throws {
        let bill = try Self.bill(.cyclonedx)
        let serial = bill["serialNumber"]?.string ?? ""
        let form = /urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}/
        #expect(serial.wholeMatch(of: form) != nil, "\(serial)")
        let components = bill["components"]?.array ?? []
        #expect(components.first?["type"]?.string == "operating-system" && components.count == 5)
        let references = components.compactMap { $0["bom-ref"]?.string }
        #expect(Set(references).count == 5)
        #expect(Set(components.compactMap { $0["purl"]?.string }) == Self.urls)
        let dependencies = bill["dependencies"]?.array?.first
        let needed = dependencies?["dependsOn"]?.array?.compactMap(\.string) ?? []
        #expect(needed.count == 4)
        #expect(Set(needed).isSubset(of: references))
        #expect(bill["metadata"]?["component"]?["purl"]?.string?.hasPrefix("pkg:oci/app@sha256:") == true)
    }
}
