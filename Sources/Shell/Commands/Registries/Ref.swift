package import ArgumentParser
package import Basics
import GoTemplates
import OCI
import Rendering

/// `ref NAME`: a reference, part by part.
package struct Ref: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "ref", abstract: "Explain a reference part by part", usage: "ref [OPTIONS] NAME")
    package static let operandKinds: [ValueKind] = [.reference]
    package static let examples = [
        "ref ubuntu", "ref quay.io/nordstrom/hello-world:2.0", "ref --format json localhost:5000/team/app:1",
    ]
    package static let isWorthKeeping = false

    @Option(help: "json, or a Go template")
    var format: String?
    @Argument(help: "A name as it is typed after pull")
    var name: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let typed = try Reference(parsing: name)
        let full = typed.withDefaultTag
        switch Listing.Format(format) {
        case .table: return .text(Table(headers: ["PART", "VALUE", "NOTE"], rows: rows(typed)).text())
        case .json, .raw: return .line(document(full).text())
        case .template(let text):
            return .line(try Template(parsing: text, expandingEscapes: true).text(of: document(full)))
        }
    }

    private func document(_ reference: Reference) -> JSONDocument {
        .members([
            "registry": .string(reference.domain),
            "repository": .string(reference.path),
            "tag": reference.tag.map { .string($0) } ?? .null,
            "digest": (reference.digest?.description).map { .string($0) } ?? .null,
            "familiar": .string(reference.familiar),
            "canonical": .string(reference.description),
        ])
    }

    private func rows(_ typed: Reference) -> [[String]] {
        let full = typed.withDefaultTag
        let isOfficial = typed.domain == Reference.defaultDomain && typed.path.hasPrefix("library/")
        var rows = [
            ["registry", full.domain, name.hasPrefix(full.domain + "/") ? "" : "defaulted: no host was named"],
            [
                "repository", full.path,
                isOfficial && !name.contains("library/") ? "library/ added: an official image of Docker Hub" : "",
            ],
        ]
        if let tag = full.tag {
            let note = typed.tag == nil ? "defaulted: neither tag nor digest was named" : ""
            rows.append(["tag", tag, typed.digest == nil ? note : "not looked at: the digest decides"])
        } else {
            rows.append(["tag", "", "none: the digest decides"])
        }
        rows.append(["digest", full.digest?.description ?? "", full.digest == nil ? "none: the tag may move" : ""])
        rows.append(["familiar", full.familiar, "as listings show it"])
        rows.append(["canonical", full.description, "nothing left out"])
        return rows
    }
}
