package import ArgumentParser
package import Basics
import Images
import Layers
import OCI
import Recipes
import Stores

/// `import FILE|- [REFERENCE]`.
package struct Import: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make an image of one layer from a tar of a root file system",
        usage: "import [OPTIONS] FILE|- [REPOSITORY[:TAG]]")
    package static let operandKinds: [ValueKind] = [.hostPath, .reference]
    package static let managementNames: [ManagementName] = ["image import"]
    package static let examples = [
        "import rootfs.tar my-base", "import -c 'CMD [\"sh\"]' -m 'by hand' - my-base < rootfs.tar",
        "import rootfs.tar.gz my-base:packed",
    ]
    package static let differences = ["A file, or - for standard input; an address is not fetched."]

    @Option(name: .shortAndLong, parsing: .singleValue, help: "Apply a Dockerfile instruction to the image's config")
    var change: [String] = []
    @Option(name: .shortAndLong, help: "What the history says")
    var message: String?
    @Option(help: "The platform the image is for")
    var platform: String?
    @Argument(help: "A tar (plain, gzip, zstd, xz, bzip2), or - for stdin")
    var file: String
    @Argument(help: "The image's name")
    var name: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var options = ImportOptions()
        options.reference = try name.map { text throws(ShaleError) in try ImageEngine.target(text) }
        options.changes = change
        options.message = message ?? ""
        options.platform = try Platform.option(platform)
        options.origin = file
        if file.hasPrefix("http://") || file.hasPrefix("https://") {
            throw ShaleError(.unsupported, "import from a URL is not done", hint: "!curl -L \(file) | shale import -")
        }
        let (file, descriptor, given) = (file, shell.input, options)
        let images = try shell.images()
        let image = try shell.withOperation { operation throws(ShaleError) in
            let source =
                file == "-" ? try FDSource(duplicating: descriptor, subject: "stdin") : try FDSource(opening: file)
            return try images.importTree(source, given, operation)
        }
        shell.remember(image: image.id.description)
        return .line(image.id.description)
    }
}
