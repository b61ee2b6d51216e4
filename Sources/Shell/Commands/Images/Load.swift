package import ArgumentParser
package import Basics
import Glibc
import Images
import Layers
import Linux
import OCI
import Recipes
import Stores

/// `load`.
package struct Load: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Read images from an archive or an OCI layout", usage: "load [OPTIONS]")
    package static let operandKinds: [ValueKind] = [.hostPath]
    package static let managementNames: [ManagementName] = ["image load"]
    package static let examples = ["load -i hello.tar", "load < hello.tar.gz", "load -i ./layout"]
    package static let differences = ["OCI archives and OCI layout folders are read too, and zstd"]

    @Option(name: .shortAndLong, help: "A tar archive (plain, gzip, zstd, xz, bzip2) or a folder, instead of stdin")
    var input: String?
    @Flag(name: .shortAndLong, help: "Suppress the progress")
    var quiet = false
    @Option(help: "The platform to take from an image of several")
    var platform: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let platform = try Platform.option(platform)
        let images = try shell.images()
        let path = input
        let descriptor = shell.input
        if path == nil { try Self.refuseEmpty(descriptor) }
        let loaded = try shell.withOperation(isQuiet: quiet) { operation throws(ShaleError) in
            guard let path, path != "-" else {
                return try images.load(
                    try FDSource(duplicating: descriptor, subject: "stdin"), named: "stdin", platform: platform,
                    operation)
            }
            if let status = try? FileStatus.of(hostPath: path, followingLink: true), status.kind == .directory {
                return try images.load(folder: path, platform: platform, operation)
            }
            return try images.load(
                FDSource(opening: path), named: path, platform: platform, operation)
        }
        if let last = loaded.last { shell.remember(image: last.image.id.description) }
        return .lines(loaded.flatMap(\.lines))
    }

    private static func refuseEmpty(_ descriptor: Int32) throws(ShaleError) {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        let isEmptyFile = (try? FileStatus.of(descriptor: descriptor)).map { $0.kind == .regular && $0.size == 0 }
        guard isatty(descriptor) == 1 || isEmptyFile ?? false || poll(&waiting, 1, 0) < 0 else { return }
        throw ShaleError(.usage, "requested load from stdin, but stdin is empty", exitStatus: 1)
    }
}
