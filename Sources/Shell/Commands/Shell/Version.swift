package import ArgumentParser
package import Basics
import OCI

/// `version`: the version of shale.
package struct Version: Verb {
    package static let configuration = CommandConfiguration(commandName: "version", abstract: "Print the version")
    package static let isWorthKeeping = false
    package static let asksOnlyTheProgram = true
    package static let current = "0.1.0"
    package static let examples = ["version", "version --license", "version --format '{{.Client.Version}}'"]
    package static let differences = ["One program is docker's client and its server: both have the same version."]

    @Option(help: "json, or a Go template: shale is docker's Client and Server") var format: String?
    @Flag(help: "Print the licence instead: the Apache License 2.0") var license = false

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if license {
            if format != nil { throw ShaleError(.usage, "--license and --format are mutually exclusive") }
            // Whole lines, so that a terminal that is too small for them shows them in the pager.
            let text = String(decoding: PackageResources.Apache_2_0_txt, as: UTF8.self)
            return .paged(text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init))
        }
        guard let format else { return .line("shale \(Self.current)") }
        let own = JSONDocument.members([
            "Version": .string(Self.current), "Os": "linux", "Arch": .string(Platform.host.architecture),
        ])
        let document = JSONDocument.members(["Client": own, "Server": own])
        return format == "json" ? .line(document.text()) : .documents([document], format: format)
    }
}
