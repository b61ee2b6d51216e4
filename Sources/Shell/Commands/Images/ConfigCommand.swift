package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Stores

/// `config IMAGE`: its settings, without a build.
package struct ConfigCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Change the settings of an image, and none of its files",
        usage: "config [OPTIONS] [-t NEW] [--dry-run] IMAGE")
    package static let operandKinds: [ValueKind] = [.image]
    package static let examples = [
        "config web:1 --env LANG=C --cmd '[\"httpd\"]' -t web:2",
        "config web:1 --label owner- --unset-env DEBUG -t web:2",
        "config web:1 --entrypoint '' --user 1000 --dry-run",
    ]
    package static let differences = [
        "docker has no such command; buildah's config and crane's mutate do it. A value is taken as it is written.",
        "CMD, ENTRYPOINT, SHELL and HEALTHCHECK are read as in a Dockerfile; '' takes one away, and NAME- a variable, "
            + "label, port or volume.",
    ]

    @Option(
        name: [.customShort("e", allowingJoined: true), .long], parsing: .unconditionalSingleValue,
        help: "NAME=VALUE sets a variable, NAME- takes it away")
    var env: [String] = []
    @Option(name: .customLong("unset-env"), parsing: .unconditionalSingleValue, help: "Take a variable away")
    var unsetEnv: [String] = []
    @Option(
        name: [.customShort("l", allowingJoined: true), .long], parsing: .unconditionalSingleValue,
        help: "NAME=VALUE sets a label, NAME- takes it away")
    var label: [String] = []
    @Option(name: .customLong("unset-label"), parsing: .unconditionalSingleValue, help: "Take a label away")
    var unsetLabel: [String] = []
    @Option(parsing: .unconditionalSingleValue, help: "PORT[-PORT][/PROTO], with - behind it to take it away")
    var expose: [String] = []
    @Option(name: .customLong("unexpose"), parsing: .unconditionalSingleValue, help: "Take a port away")
    var unexpose: [String] = []
    @Option(
        name: [.customShort("v", allowingJoined: true), .long], parsing: .unconditionalSingleValue,
        help: "A path, with - behind it to take it away")
    var volume: [String] = []
    @Option(name: .customLong("unset-volume"), parsing: .unconditionalSingleValue, help: "Take a volume away")
    var unsetVolume: [String] = []
    @Option(parsing: .unconditional, help: "As in a Dockerfile: [\"sh\"], or a line for the shell; '' for none")
    var cmd: String?
    @Option(parsing: .unconditional, help: "The same; takes the inherited command away, too")
    var entrypoint: String?
    @Option(parsing: .unconditional, help: "The shell of RUN, CMD and ENTRYPOINT: [\"/bin/bash\",\"-c\"]")
    var shell: String?
    @Option(
        name: [.customShort("w", allowingJoined: true), .customLong("workdir"), .customLong("workingdir")],
        parsing: .unconditional, help: "Working directory; it is not made")
    var workdir: String?
    @Option(
        name: [.customShort("u", allowingJoined: true), .long], parsing: .unconditional,
        help: "USER[:GROUP], names or ids")
    var user: String?
    @Option(name: .customLong("stop-signal"), parsing: .unconditional, help: "The signal of stop")
    var stopSignal: String?
    @Option(parsing: .unconditional, help: "As in a Dockerfile: --interval=5s CMD …, or NONE; '' for none of its own")
    var healthcheck: String?
    @Option(parsing: .unconditionalSingleValue, help: "A trigger for builds on it; '' takes all away")
    var onbuild: [String] = []
    @Option(parsing: .unconditional, help: "The author")
    var author: String?
    @Option(
        name: [.customShort("c", allowingJoined: true), .long], parsing: .unconditionalSingleValue,
        help: "Apply a Dockerfile instruction")
    var change: [String] = []
    @Option(
        name: [.customShort("m", allowingJoined: true), .long], parsing: .unconditional,
        help: "A comment for the history")
    var message: String?
    @OptionGroup var edit: EditFlags
    @Argument(help: "An image: name, or id")
    var image: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let (image, edits, message) = (image, edits, message)
        guard !edits.isEmpty else {
            throw ShaleError(
                .usage, "config \(image): nothing to change was given", hint: "config \(image) --env NAME=VALUE -t NEW")
        }
        return try edit.perform(in: shell) { images, options, operation throws(ShaleError) in
            try images.configure(image, edits, message: message, options, operation)
        }
    }

    private var edits: [ConfigEdit] {
        var edits = change.map { ConfigEdit.instruction($0) }
        edits += env.map { .environment($0) } + unsetEnv.map { .environmentGone($0) }
        edits += label.map { .label($0) } + unsetLabel.map { .labelGone($0) }
        edits += expose.map { .port($0) } + unexpose.map { .portGone($0) }
        edits += volume.map { .volume($0) } + unsetVolume.map { .volumeGone($0) }
        if let shell { edits.append(.shell(shell)) }
        if let entrypoint { edits.append(.entrypoint(entrypoint)) }
        if let cmd { edits.append(.command(cmd)) }
        if let workdir { edits.append(.workingDirectory(workdir)) }
        if let user { edits.append(.user(user)) }
        if let stopSignal { edits.append(.stopSignal(stopSignal)) }
        if let healthcheck { edits.append(.healthcheck(healthcheck)) }
        edits += onbuild.map { .trigger($0) }
        if let author { edits.append(.author(author)) }
        return edits
    }
}
