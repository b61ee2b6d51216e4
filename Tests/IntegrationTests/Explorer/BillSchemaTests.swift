import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// The validators of the two forms from PyPI, which carry the forms' own schemas: in a Python of their own, made once.
private enum BillValidators {
    static let absent = "no validators of bills from PyPI (spdx-tools and cyclonedx-python-lib)"

    /// The Python that has them; `nil` where they can't be had.
    static let python: String? = {
        let ready = "import spdx_tools.spdx.parser.parse_anything, cyclonedx.validation.json, jsonschema"
        for candidate in ["python3", "\(folder.path)/bin/python3"] {
            if candidate != "python3" {
                guard (try? run("python3", ["-m", "venv", folder.path])) == 0,
                    (try? run(
                        candidate, ["-m", "pip", "install", "-q", "--timeout", "20", "--retries", "1"] + packages))
                        == 0
                else { return nil }
            }
            if (try? run(candidate, ["-c", ready])) == 0 { return candidate }
        }
        return nil
    }()

    private static let folder = TemporaryDirectory()
    private static let packages = ["spdx-tools==0.8.*", "cyclonedx-python-lib[json-validation]"]

    private static func run(_ program: String, _ arguments: [String]) throws -> Int32 {
        try Peer("env").run(
            [program] + arguments, environment: ["HOME": folder.path, "PATH": path], expecting: nil
        ).status
    }

    private static var path: String { getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin" }
}

/// Bills of materials are valid by the schemas of their forms.
@Suite(.enabled(if: ShaleHome.isPresent && BillValidators.python != nil, Comment(rawValue: BillValidators.absent)))
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
        let checked = try Peer("env").run(
            [try #require(BillValidators.python), "-c", script, file],
            environment: ["PATH": getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"], expecting: nil)
        #expect(checked.status == 0, "\(checked.text)\(checked.errors)")
    }
}
