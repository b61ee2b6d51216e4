package import ArgumentParser
package import Basics

/// `volume COMMAND`: the volumes that containers keep things in.
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

    /// What may follow `volume`; each is called by both words.
    static let verbs: [any Verb.Type] = [
        VolumeCreate.self, VolumeInspect.self, VolumeLs.self, VolumePrune.self, VolumeRm.self,
    ]
    private static let otherNames = ["list": "ls", "remove": "rm"]
    static var words: [String] { verbs.map { String($0.verb.dropFirst(verb.count + 1)) } }

    @Argument(parsing: .captureForPassthrough, help: "create, inspect, ls, prune or rm, and what it takes.")
    var words: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let word = words.first, !["--help", "-h"].contains(word) else {
            return .text(HelpText.of(Self.self))
        }
        guard let type = Self.find(word) else {
            let near = Suggestion.nearest(to: word, among: Self.words).first
            throw ShaleError(
                .usage, "unknown command: volume \(word.visible)", hint: near.map { "volume \($0)" } ?? "help volume")
        }
        return try type.invoke(Array(words.dropFirst()), in: shell)
    }

    /// The command behind `volume`.
    static func find(_ word: String) -> (any Verb.Type)? {
        verbs.first { $0.verb == "\(verb) \(otherNames[word] ?? word)" }
    }
}
