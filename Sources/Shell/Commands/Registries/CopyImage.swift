package import ArgumentParser
package import Basics
import Images
import Layers
import OCI
import Recipes

/// `copy SRC DST`.
package struct CopyImage: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "copy", abstract: "Copy an image between registries, layouts, archives and names here",
        usage: "copy [OPTIONS] SRC DST")
    package static let operandKinds: [ValueKind] = [.image]
    package static let examples = [
        "copy docker://alpine:3.20 docker://localhost:5000/alpine:3.20",
        "copy -a docker://alpine oci:images:alpine", "copy -a docker://alpine alpine",
        "copy app:1 docker-archive:app.tar:app:1",
    ]
    package static let differences = [
        "docker has no such command; skopeo's places are understood: docker://NAME, oci:DIR[:TAG], "
            + "oci-archive:FILE[:TAG], docker-archive:FILE[:NAME]; a plain name is an image here",
        "with -a a plain name stands for the index, with all its platforms, here as elsewhere",
        "a docker archive holds the blobs as they are, as docker's save writes it since version 25",
    ]

    @Flag(name: .shortAndLong, help: "Copy all platforms, and the index byte by byte")
    var all = false
    @Option(help: "The platform to take from an image of several: os/arch[/variant]")
    var platform: String?
    @Flag(name: .shortAndLong, help: "Print the digest alone")
    var quiet = false
    @Option(help: "How layers made here are packed for a registry: gzip[:1-9] or zstd[:1-19]")
    var compression: String?
    @Argument(help: "Where from")
    var source: String
    @Argument(help: "Where to")
    var destination: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        if all, platform != nil {
            throw ShaleError(.usage, "--platform takes one platform, -a all of them: choose one")
        }
        let target = try ImagePlace(parsing: destination)
        var request = ImageCopy(from: try ImagePlace(parsing: source), to: target)
        request.hasAllPlatforms = all
        request.platform = try Platform.option(platform)
        if let compression { request.packing = try Packing(parsing: compression) }
        let images = try shell.images()
        let copy = request
        let descriptor = try shell.withOperation(isQuiet: quiet) { operation throws(ShaleError) in
            try images.copy(copy, operation)
        }
        if quiet { return .line(descriptor.digest.description) }
        return .line("\(destination): digest: \(descriptor.digest) size: \(descriptor.size)")
    }
}
