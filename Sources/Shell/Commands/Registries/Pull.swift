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
        "pull --platform all alpine:3.20", "pull --platform linux/amd64,linux/arm64 alpine:3.20",
    ]
    package static let differences = [
        "layers are unpacked while they download; Ctrl-C keeps what is there, and the next pull goes on",
        "of several platforms (a list, or all) the name then stands for their index: images --tree and platforms show "
            + "it, run --platform chooses; docker's classic store keeps one platform of a name",
        "one platform of a name that stands for an index comes to those that are here, as in docker's containerd store; "
            + "where the registry has moved the name, the others stay behind, and a note says so",
        "a missing tag comes with the nearest tags that exist",
    ]

    @Flag(name: [.customShort("a"), .customLong("all-tags")], help: "Download all tagged images of the repository")
    var allTags = false
    @Flag(name: .shortAndLong, help: "Print the full name alone")
    var quiet = false
    @Option(help: "The platform to take from an image of several: os/arch[/variant], several with commas, or all")
    var platform: String?
    @Argument(help: "NAME[:TAG|@DIGEST]")
    var name: String

    /// What is there after a Ctrl-C.
    private static let kept = "what has arrived; the same pull goes on from there"

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: name)
        let platforms = try PulledPlatforms.option(platform)
        if allTags {
            guard reference.tag == nil, reference.digest == nil else {
                throw ShaleError(.usage, "tag can't be used with --all-tags/-a")
            }
            return try pullAll(reference, platforms, shell)
        }
        let images = try shell.images()
        let quiet = quiet
        let result = try shell.withOperation(isQuiet: quiet, keeping: Self.kept) { operation throws(ShaleError) in
            if reference.tag == nil, reference.digest == nil { operation.line("Using default tag: latest") }
            return try images.pull(reference, platforms, operation)
        }
        shell.remember(image: result.image.id.description)
        try warnOfLimit(of: reference.domain, shell)
        return .line(result.reference.description)
    }

    private func pullAll(
        _ repository: Reference, _ platforms: PulledPlatforms, _ shell: ShellContext
    ) throws(ShaleError) -> Outcome {
        let images = try shell.images()
        let results = try shell.withOperation(isQuiet: quiet, keeping: Self.kept) { operation throws(ShaleError) in
            try images.pullAll(repository, platforms, operation)
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

extension PulledPlatforms {
    /// The value of a `--platform` option that takes several, or `all`.
    static func option(_ text: String?) throws(ShaleError) -> PulledPlatforms {
        guard let text, !text.isEmpty else { return .one(nil) }
        if text == "all" { return .all }
        let platforms = try Platform.options(text)
        return platforms.count == 1 ? .one(platforms[0]) : .several(platforms)
    }
}

extension Platform {
    /// The value of a `--platform` option that takes several with commas, each once; at least one.
    static func options(_ text: String) throws(ShaleError) -> [Platform] {
        var platforms: [Platform] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard !part.isEmpty, let platform = try option(String(part)) else {
                throw ShaleError(.usage, "invalid platform: \"\(text.visible)\" names one that is empty")
            }
            if !platforms.contains(platform) { platforms.append(platform) }
        }
        return platforms
    }

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
