package import ArgumentParser
package import Basics
import OCI

/// `set`: settings that last.
package struct SetCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Show or change lasting settings",
        usage: "set\nset NAME VALUE\nset --unset NAME")
    package static let isWorthKeeping = false
    package static let examples = [
        "set", "set registry.mirror docker.io=http://127.0.0.1:5000", "set build.wording moby",
    ]
    package static let differences = ["Docker keeps these in the daemon's configuration."]

    @Argument(help: "The setting.") var name: String?
    @Argument(help: "Its value.") var value: String?
    @Flag(help: "Take every value of the setting away.") var unset = false
    @Option(help: "json, or a template.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if let name, value != nil || unset {
            try shell.settings.set(name, to: unset ? nil : value)
            shell.reopen()
            return .done
        }
        var listing = Listing(
            columns: [.init("Name", "SETTING"), .init("Value", "VALUE"), .init("Meaning", "MEANING", shrinks: true)])
        for (known, meaning) in LastingSettings.known where name == nil || name == known {
            let values = shell.settings.list(of: known)
            listing.rows.append(
                .members([
                    "Name": .string(known), "Value": .string(values.joined(separator: " ")),
                    "Meaning": .string(meaning),
                ]))
        }
        if let name, listing.rows.isEmpty { try shell.settings.set(name, to: nil) }
        return .listing(listing, format: format)
    }
}
