package import ArgumentParser
package import Basics
import Glibc
import Images
import Linux
import OCI
import Recipes
import Rendering

/// `save IMAGE…`.
package struct Save: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Write images to a tar archive", usage: "save [OPTIONS] IMAGE [IMAGE…]")
    package static let operandKinds: [ValueKind] = [.image]
    package static let managementNames: [ManagementName] = ["image save"]
    package static let examples = [
        "save -o hello.tar hello-docker", "save ubuntu:22.04 | gzip > ubuntu.tar.gz",
        "save --format oci -o a.tar busybox",
    ]
    package static let differences = [
        "of a name that stands for an index the archive holds the index, with the platforms that are here; docker's "
            + "manifest.json in it, and --format docker, name the one for this machine",
        "the archive holds docker's layout and an OCI layout over the same blobs",
    ]

    @Option(name: .shortAndLong, help: "Write to a file instead of stdout")
    var output: String?
    @Option(help: "both (docker's and OCI), oci, or docker (as before version 25)")
    var format: String?
    @Option(help: "Of images of several platforms these alone: os/arch[/variant], several with commas")
    var platform: String?
    @Argument(help: "Images")
    var names: [String]

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var wanted = ArchiveFormat.both
        if let format {
            guard let known = ArchiveFormat(rawValue: format) else {
                throw ShaleError(.usage, "--format \(format): not one of both, oci, docker")
            }
            wanted = known
        }
        if output == nil, shell.console.isTerminal(.output) {
            throw ShaleError(
                .usage, "cowardly refusing to save to a terminal. Use the -o flag or redirect", exitStatus: 1)
        }
        let (names, format) = (names, wanted)
        let platforms = try platform.map { text throws(ShaleError) in try Platform.options(text) }
        let images = try shell.images()
        let (operation, view) = shell.operation(lines: .errors)
        defer { view.finish() }
        try ArchiveOutput.write(to: output, doing: "save image", shell) { sink throws(ShaleError) in
            try images.save(names, platforms: platforms, format: format, to: sink, operation)
        }
        return .done
    }
}
