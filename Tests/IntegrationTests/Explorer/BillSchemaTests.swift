import FoundationEssentials
import TestSupport
import Testing

private let validators = PythonPackages(["spdx-tools==0.8.*", "cyclonedx-python-lib[json-validation]"])

/// Bills of materials are valid by the schemas of their forms.
///
/// The validators are PyPI's, which carry the forms' own schemas.
@Suite(
    .enabled(if: ShaleHome.isPresent, Comment(rawValue: ShaleHome.absent)),
    .enabled(
        if: validators.python != nil,
        "no validators of bills from PyPI (spdx-tools and cyclonedx-python-lib)"))
struct BillSchemaTests {
    @Test(
        arguments: [
            (
                "spdx-json",
                """
                import sys
                from spdx_tools.spdx.parser.parse_anything import parse_file
                from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document
                problems = validate_full_spdx_document(parse_file(sys.argv[1]))
                print("\\n".join(p.validation_message for p in problems))
                sys.exit(1 if problems else 0)
                """
            ),
            (
                "cyclonedx-json",
                """
                import json, sys
                from cyclonedx.schema import SchemaVersion
                from cyclonedx.validation.json import JsonStrictValidator
                text = open(sys.argv[1]).read()
                version = SchemaVersion["V" + json.loads(text)["specVersion"].replace(".", "_")]
                problem = JsonStrictValidator(version).validate_str(text)
                print(problem or "")
                sys.exit(1 if problem else 0)
                """
            ),
        ])
    func billsAreValid(form: String, script: String) throws {
        let shale = ShaleHome()
        let status = "Package: bash\\nStatus: install ok installed\\nArchitecture: amd64\\nVersion: 5.2-1\\n"
        let module = "Metadata-Version: 2.1\\nName: My_Pkg\\nVersion: 1.0\\n"
        try shale.run([
            "-c",
            """
            FROM busybox
            RUN mkdir -p /var/lib/dpkg /usr/lib/python3/My_Pkg.dist-info && printf '\(status)' > /var/lib/dpkg/status
            RUN printf '\(module)' > /usr/lib/python3/My_Pkg.dist-info/METADATA
            tag @ app
            """,
        ])
        let bill = try shale.run(["packages", "app", "--format", form]).output
        let file = shale.folder.path + "/bill.\(form == "spdx-json" ? "spdx" : "cdx").json"
        try Data(bill).write(to: URL(filePath: file))
        #expect(String(decoding: bill, as: UTF8.self).contains("bash"))
        let checked = try validators.run(script, [file])
        #expect(checked.status == 0, "\(checked.text)\(checked.errors)")
    }
}
