package import ArgumentParser
package import Basics
import Images
import Layers
import Linux
import OCI
import Recipes
import Stores

/// `append IMAGE TAR|DIR`.
package struct Append: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Put a tar or a directory on top of an image, as one layer",
        usage: "append [--path PATH] [-t NEW] [--dry-run] IMAGE TAR|DIR|-")
    package static let operandKinds: [ValueKind] = [.image, .hostPath]
    package static let examples = [
        "append busybox site.tar.gz -t site:1", "append --path /srv/www busybox ./public -t site:1",
        "append busybox - -t site:1 < site.tar",
    ]
    package static let differences = [
        "docker has no such command. A tar keeps its owners, as with ADD; what comes from a directory is root's."
    ]

    @Option(help: "Where in the image it goes, instead of /", completion: .shale(.none))
    var path = "/"
    @OptionGroup var edit: EditFlags
    @Argument(help: "An image: name, or id")
    var image: String
    @Argument(help: "A tar (plain, gzip, zstd, xz, bzip2), a directory, or - for stdin")
    var tree: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let (image, path, tree) = (image, path, try source(shell))
        return try edit.perform(in: shell) { images, options, operation throws(ShaleError) in
            try images.append(tree, to: image, below: path, options, operation)
        }
    }

    private func source(_ shell: ShellContext) throws(ShaleError) -> AppendedTree {
        if tree == "-" { return .archive(try FDSource(duplicating: shell.input, subject: "stdin"), named: "stdin") }
        if let status = try? FileStatus.of(hostPath: tree, followingLink: true), status.kind == .directory {
            return .directory(tree)
        }
        return .archive(try FDSource(opening: tree), named: tree)
    }
}
