package import ArgumentParser
package import Basics
import Containers
import Recipes
import Rendering
import Sessions

/// `update CONTAINER…`.
package struct Update: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change the limits and the restart policy of containers",
        usage: "update [OPTIONS] CONTAINER [CONTAINER…]")
    package static let managementNames: [ManagementName] = ["container update"]
    package static let examples = [
        "update --restart no $ctr", "update --pids-limit 100 web", "update -m 200m --memory-swap 400m web",
    ]
    package static let differences = ["Where no control group may be used, it says so, and does not keep the limit."]

    @OptionGroup var limits: LimitFlags
    @Option(parsing: .unconditional, help: "no, always, unless-stopped or on-failure[:MAX]") var restart: String?
    @Argument(help: "Names or ids") var containers: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard containers.isEmpty || restart != nil || !limits.options.isEmpty else {
            throw ShaleError(.usage, "you must provide one or more flags when using this command", exitStatus: 1)
        }
        let engine = try shell.engine()
        let change = try ContainerUpdate(limits: limits.options, restart: restart)
        let outcome = try shell.each(containers, of: "update") { name throws(ShaleError) in
            try engine.containers.update(engine.containers.container(name).record, change)
            shell.changes.append(.lost(.containerUpdated))
        }
        if let note = change.note { shell.console.note(note) }
        return outcome
    }
}
