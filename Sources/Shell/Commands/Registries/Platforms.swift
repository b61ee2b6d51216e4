package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Rendering

/// `platforms NAME`: what an index offers.
package struct Platforms: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "platforms", abstract: "List the platforms that a name offers in its registry",
        usage: "platforms [OPTIONS] NAME[:TAG|@DIGEST]",
        discussion: "A star marks the one that 'pull' takes here. Nothing is fetched but the list itself.")
    package static let operandKinds: [ValueKind] = [.remoteReference]
    package static let examples = [
        "platforms ubuntu:22.04", "platforms --format json alpine", "platforms --format '{{.Platform}}' alpine",
    ]
    package static let differences = [
        "docker has 'buildx imagetools inspect' for it",
        "attestations are called so, and say of which image they are",
    ]
    package static let isWorthKeeping = false

    @Option(help: "json, or a Go template with .Platform, .Kind, .Digest, .Size, .MediaType, .Of")
    var format: String?
    @Argument(help: "NAME[:TAG|@DIGEST]")
    var name: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: name)
        let images = try shell.images()
        let offered = try shell.withOperation { operation throws(ShaleError) in
            try images.platforms(of: reference, operation)
        }
        let listing = Listing(
            columns: [
                .init("Chosen", ""), .init("Platform", "PLATFORM"), .init("Kind", "KIND"), .init("Digest", "DIGEST"),
            ],
            rows: offered.map { self.row($0, among: offered) }, quietKey: "Platform")
        return .listing(listing, format: format)
    }

    private func row(_ entry: OfferedPlatform, among all: [OfferedPlatform]) -> JSONDocument {
        var kind: String
        var subject = ""
        switch entry.kind {
        case .image: kind = "image"
        case .attestation(let digest):
            kind = "attestation"
            let of = digest.flatMap { digest in all.first { $0.descriptor.digest == digest } }
            if let platform = of.map(Self.platform) { kind += " of \(platform)" }
            subject = digest?.description ?? ""
        case .index: kind = "index"
        case .artifact(let type): kind = type
        }
        return .members([
            "Chosen": .string(entry.isChosen ? "*" : ""), "Platform": .string(Self.platform(entry)),
            "Kind": .string(kind), "Digest": .string(entry.descriptor.digest.description),
            "Size": .string(String(entry.descriptor.size)), "MediaType": .string(entry.descriptor.mediaType),
            "Of": .string(subject),
        ])
    }

    private static func platform(_ entry: OfferedPlatform) -> String {
        guard let platform = entry.platform else { return "none named" }
        return platform.description + (platform.osVersion.map { " \($0)" } ?? "")
    }
}
