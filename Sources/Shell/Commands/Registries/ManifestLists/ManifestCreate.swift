package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes

/// `manifest create LIST MANIFEST…`: puts an index of several platforms together.
package struct ManifestCreate: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "manifest create", abstract: "Put an index of several platforms together, to be pushed",
        usage: "manifest create [OPTIONS] MANIFEST_LIST MANIFEST [MANIFEST…]",
        discussion: "The index lies in the home under its name until 'manifest push' or 'manifest rm'.")
    package static let operandKinds: [ValueKind] = [.reference, .reference]
    package static let examples = [
        "manifest create localhost:5000/app:1 localhost:5000/app:1-amd64 localhost:5000/app:1-arm64",
        "manifest create --amend localhost:5000/app:1 localhost:5000/app:1-amd64", "manifest push localhost:5000/app:1",
    ]
    package static let differences = [
        "an image of the home is taken where no registry has one of that name, and sent by manifest push"
    ]

    @Flag(name: .shortAndLong, help: "Add to an index that is there") var amend = false
    @Flag(help: .hidden) var insecure = false
    @Argument(help: "The index's name") var list: String
    @Argument(help: "Names of its images") var manifests: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        try ManifestLists.refuse(insecure: insecure)
        let list = try ManifestLists.reference(list)
        var members: [Reference] = []
        for name in manifests { members.append(try Reference(parsing: name).withDefaultTag) }
        let (images, amending) = (try shell.images(), amend)
        try shell.withOperation { operation throws(ShaleError) in
            try images.createManifestList(list, of: members, amending: amending, operation)
        }
        return .line("Created manifest list \(list.description)")
    }
}

/// What the commands on manifest lists have in common.
enum ManifestLists {
    /// The name of a list.
    ///
    /// Throws `invalid` for what is no name, or names a digest.
    static func reference(_ text: String) throws(ShaleError) -> Reference {
        do throws(ShaleError) {
            return try Reference(parsing: text).asTarget()
        } catch {
            throw ShaleError(
                error.code, "error parsing name for manifest list \(text.visible)", cause: error.message,
                hint: error.hint)
        }
    }

    /// Which registries may be reached without TLS is a setting here, not an option of one command.
    static func refuse(insecure: Bool) throws(ShaleError) {
        guard insecure else { return }
        throw ShaleError(
            .unsupported, "manifest: --insecure is a setting here",
            hint: "set registry.insecure HOST   (loopback hosts need none)")
    }
}
