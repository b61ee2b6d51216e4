package import ArgumentParser
package import Basics
import Containers
import Recipes

/// `volume create [VOLUME]`: an empty volume.
package struct VolumeCreate: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "volume create", abstract: "Make a volume", usage: "volume create [OPTIONS] [VOLUME]")
    package static let examples = [
        "volume create data-2", "volume create --label of=db", "volume create --label of=db --label env=test db-data",
    ]
    package static let differences = ["There is one driver, local; another is refused by name."]

    @Option(name: .shortAndLong, help: "local, the only one here")
    var driver = "local"
    @Option(name: .customLong("label"), parsing: .unconditionalSingleValue, help: "KEY=VALUE") var labels: [String] = []
    @Option(name: [.customShort("o"), .customLong("opt")], parsing: .unconditionalSingleValue, help: .hidden)
    var options: [String] = []
    @Option(help: .hidden) var name: String?
    @Argument(help: "Its name; one is made up if left out") var volumes: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard volumes.count + (name == nil ? 0 : 1) <= 1 else {
            throw ShaleError(.usage, "'volume create' requires at most 1 argument", hint: "volume create VOLUME")
        }
        let name = name ?? volumes.first ?? ""
        guard driver == "local" else {
            throw ShaleError(
                .unsupported,
                "create \(name): error looking up volume plugin \(driver): plugin \"\(driver)\" not found")
        }
        if let option = options.first {
            throw ShaleError(
                .unsupported, "volume create: --opt \(option.visible) is not supported: volumes here are folders")
        }
        return .line(try shell.containers().createVolume(name, labels: labels))
    }
}
