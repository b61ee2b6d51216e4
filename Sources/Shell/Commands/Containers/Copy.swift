package import ArgumentParser
package import Basics
import Containers
import Recipes
import Rendering
import Sessions

/// `cp SOURCE… DESTINATION`.
package struct Copy: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "cp", abstract: "Copy between the host, containers and images",
        usage: "cp [OPTIONS] CONTAINER:PATH|PATH|-… CONTAINER:PATH|PATH|-")
    package static let operandKinds: [ValueKind] = [.placeOrHostPath]
    package static let takesWorkingPlaces = true
    package static let managementNames: [ManagementName] = ["container cp"]
    package static let plainPaths = PlainPaths.ofHost
    package static let examples = [
        "cp ./additional.txt web:/usr/src/app/", "cp web:/etc/nginx . ", "cp 'web:/var/log/*.log' logs/",
        "cp ubuntu:22.04:/etc/os-release .", "cp 'app:1#2:/root/deleted-later' .",
    ]
    package static let differences = [
        "Also from container to container, out of images, with several sources and patterns.",
        "What comes into a container is root's unless -a or --chown says otherwise, as docker documents it.",
        "A folder that is on the host already keeps its owner, mode and time: docker gives it the container's mode.",
        "A link in an archive from - may point anywhere: docker refuses one that points above the destination.",
    ]

    @Flag(name: [.customShort("a"), .customLong("archive")], help: "Keep owners") var archive = false
    @Flag(name: [.customShort("L"), .customLong("follow-link")], help: "Follow a link named as source")
    var followsLinks = false
    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Say nothing") var isQuiet = false
    @Option(help: "USER[:GROUP] that everything copied belongs to") var chown: String?
    @Argument(help: "What to copy, and where to") var paths: [String] = []

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        guard let last = paths.last, paths.count >= 2 else {
            throw ShaleError(
                .usage, "'cp' requires at least 2 arguments", hint: "cp CONTAINER:PATH PATH, or cp PATH CONTAINER:PATH")
        }
        var request = CopyRequest(
            from: paths.dropLast().map { CopyOperand(parsing: $0) }, to: CopyOperand(parsing: last),
            hostDirectory: shell.hostDirectory)
        request.keepsOwners = archive
        request.followsLinks = followsLinks
        request.owner = chown
        if request.destination == .stream, shell.console.isTerminal(.output) {
            throw ShaleError(
                .usage, "refusing to copy a tar archive to a terminal", hint: "cp \(paths[0]) - > FILE.tar")
        }
        let console = shell.console
        let outcomes = try shell.withOperation { operation throws(ShaleError) in
            try shell.containers().copy(request, input: shell.input, operation) { bytes throws(ShaleError) in
                console.write(Array(bytes), to: .output)
                try console.checkOutput()
            }
        }
        if case .inside = request.destination { shell.changes.append(.lost(.filesCopied)) }
        guard !isQuiet, shell.console.isTerminal(.errors), request.destination != .stream else { return .done }
        for outcome in outcomes {
            let content = HumanUnits.size(outcome.content)
            let transferred = HumanUnits.size(outcome.transferred)
            shell.console.note("Successfully copied \(content) (transferred \(transferred)) to \(outcome.destination)")
        }
        return .done
    }
}
