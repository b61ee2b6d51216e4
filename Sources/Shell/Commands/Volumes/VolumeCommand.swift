package import ArgumentParser
package import Basics

/// `volume COMMAND`: the volumes of containers.
package struct VolumeCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "List, make, inspect or remove volumes",
        usage: """
            volume ls [-q] [-f FILTER] [--format FORMAT]
            volume create [--label KEY=VALUE] [VOLUME]
            volume inspect [-f FORMAT] VOLUME [VOLUME…]
            volume rm [-f] VOLUME [VOLUME…]
            volume prune [-a] [-f] [--dry-run] [--filter FILTER]
            """,
        discussion: "'help volume COMMAND' says more. \(VolumeRm.noWayBack)")
    package static let examples = ["volume ls -f dangling=true", "volume create --label of=db data", "volume rm data"]
    package static let differences = ["A volume that is removed is gone, as with docker; the data lies below the home."]

    package static let subcommands: [any Verb.Type] = [
        VolumeCreate.self, VolumeInspect.self, VolumeLs.self, VolumePrune.self, VolumeRm.self,
    ]
    package static let otherNames = ["list": "ls", "remove": "rm"]

    @Argument(parsing: .captureForPassthrough, help: "create, inspect, ls, prune or rm, and what it takes.")
    var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let word = words.first, !["--help", "-h"].contains(word) else {
            return .text(HelpText.of(Self.self))
        }
        throw ShaleError(
            .usage, "unknown command: volume \(word.visible)", hint: Self.hint(forSecondWord: word))
    }
}
