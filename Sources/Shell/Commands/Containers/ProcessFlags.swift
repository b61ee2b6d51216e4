import ArgumentParser

/// What `run`, `create`, `exec` and `debug` take for the process they start.
struct ProcessFlags: ParsableArguments {
    @Option(
        name: [.customShort("e", allowingJoined: true), .customLong("env")], parsing: .unconditionalSingleValue,
        help: "Set a variable (NAME=VALUE)")
    var environment: [String] = []
    @Option(
        name: [.customShort("w", allowingJoined: true), .customLong("workdir")], parsing: .unconditional,
        help: "Working directory")
    var workingDirectory: String?
    @Option(
        name: [.customShort("u", allowingJoined: true), .customLong("user")], parsing: .unconditional,
        help: "USER[:GROUP], names or ids")
    var user: String?
}
