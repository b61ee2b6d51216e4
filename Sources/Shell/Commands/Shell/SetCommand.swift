package import ArgumentParser
package import Basics
import OCI
import Rendering

/// `set`: settings that are kept in the home.
package struct SetCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Show or change lasting settings",
        usage: "set\nset NAME VALUE\nset --unset NAME [VALUE]",
        discussion: "They last for every shale on this home, and a value that a setting cannot have is refused:\n"
            + Setting.all.map { "  \($0.usage)\n" }.joined())
    package static let operandKinds: [ValueKind] = [.setting, .settingValue]
    package static let isWorthKeeping = false
    package static let formatFields = [
        "Name", "Value", "Meaning",
    ]
    package static let examples = [
        "set", "set registry.mirror docker.io=http://127.0.0.1:5000", "set build.wording moby",
    ]
    package static let differences = [
        "Docker keeps these in the daemon's configuration.",
        "offline on is --offline for every command: no server is asked, on this machine neither.",
    ]

    @Argument(help: "The setting.") var name: String?
    @Argument(help: "Its value.") var value: String?
    @Flag(help: "Take every value of the setting away, or the one named.") var unset = false
    @Option(help: "json, or a template.") var format: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        for problem in shell.settings.ignoreInvalid() { shell.tell(problem) }
        if let name, value != nil || unset {
            if unset, let value {
                try shell.settings.remove(value, of: name)
            } else {
                try shell.settings.set(name, to: value)
            }
            shell.reopen()
            return .done
        }
        guard !unset else { throw ShaleError(.usage, "set --unset: which setting?", hint: "set --unset NAME") }
        var listing = Listing(
            columns: [.init("Name", "SETTING"), .init("Value", "VALUE"), .init("Meaning", "MEANING", shrinks: true)])
        if let name { _ = try Setting.known(name) }
        for setting in Setting.all where name == nil || name == setting.name {
            let values = shell.settings.list(of: setting.name)
            listing.rows.append(
                .members([
                    "Name": .string(setting.name), "Value": .string(values.joined(separator: " ")),
                    "Meaning": .string(setting.meaning),
                ]))
        }
        return .listing(listing, format: format)
    }
}
