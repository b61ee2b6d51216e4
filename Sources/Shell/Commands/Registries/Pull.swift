package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Registries
import Rendering
import Stores

/// `pull NAME[:TAG|@DIGEST]`.
package struct Pull: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Download an image from its registry",
        usage: "pull [OPTIONS] NAME[:TAG|@DIGEST]")
    package static let operandKinds: [ValueKind] = [.remoteReference]
    package static let managementNames: [ManagementName] = ["image pull"]
    package static let examples = [
        "pull ubuntu:22.04", "pull -q quay.io/nordstrom/hello-world:2.0", "pull --platform linux/arm64 alpine",
    ]
    package static let differences = [
        "layers are unpacked while they download; Ctrl-C keeps what is there, and the next pull goes on",
        "a missing tag comes with the nearest tags that exist",
    ]

    @Flag(name: [.customShort("a"), .customLong("all-tags")], help: "Download all tagged images of the repository")
    var allTags = false
    @Flag(name: .shortAndLong, help: "Print the full name alone")
    var quiet = false
    @Option(help: "The platform to take from an image of several: os/arch[/variant]")
    var platform: String?
    @Argument(help: "NAME[:TAG|@DIGEST]")
    var name: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: name)
        let platform = try Platform.option(platform)
        if allTags {
            guard reference.tag == nil, reference.digest == nil else {
                throw ShaleError(.usage, "tag can't be used with --all-tags/-a")
            }
            return try pullAll(reference, platform, shell)
        }
        let images = try shell.images()
        let quiet = quiet
        let result = try shell.withOperation(isQuiet: quiet) { operation throws(ShaleError) in
            if reference.tag == nil, reference.digest == nil { operation.line("Using default tag: latest") }
            return try images.pull(reference, platform: platform, operation)
        }
        shell.remember(image: result.image.id.description)
        try warnOfLimit(of: reference.domain, shell)
        return .line(result.reference.description)
    }

    private func pullAll(
        _ repository: Reference, _ platform: Platform?, _ shell: ShellContext
    ) throws(ShaleError) -> Outcome {
        let images = try shell.images()
        let results = try shell.withOperation(isQuiet: quiet) { operation throws(ShaleError) in
            try images.pullAll(repository, platform: platform, operation)
        }
        if let last = results.last { shell.remember(image: last.image.id.description) }
        try warnOfLimit(of: repository.domain, shell)
        return .line(repository.description)
    }

    /// Warns before a registry refuses.
    private func warnOfLimit(of domain: String, _ shell: ShellContext) throws(ShaleError) {
        guard let limit = try shell.engine().registry.rateLimit(of: domain), limit.remaining < 10 else { return }
        shell.console.warning("\(domain) allows \(limit.remaining) more of \(limit.limit) pulls: ratelimit says more")
    }
}

extension Platform {
    /// The value of a `--platform` option.
    static func option(_ text: String?) throws(ShaleError) -> Platform? {
        guard let text, !text.isEmpty else { return nil }
        do throws(ShaleError) {
            return try Platform(parsing: text)
        } catch {
            throw ShaleError(.usage, "invalid platform: \(error.message)")
        }
    }
}
