package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Rendering
import Stores

/// `platforms NAME`: what an index offers.
package struct Platforms: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "platforms", abstract: "List the platforms of a name: those that are here, or its registry offers",
        usage: "platforms [OPTIONS] NAME[:TAG|@DIGEST]",
        discussion: "A star marks the one that is taken without --platform. Of a name that stands for an index here, "
            + "what is here and what is not; of any other, and with --remote, what its registry offers: nothing is "
            + "fetched but the list itself.")
    package static let operandKinds: [ValueKind] = [.remoteReference]
    package static let formatFields = [
        "Chosen", "Platform", "Kind", "Here", "Digest", "ID", "Size", "MediaType", "Of",
    ]
    package static let examples = [
        "platforms ubuntu:22.04", "platforms --format json alpine", "platforms --remote alpine:3.20",
    ]
    package static let differences = [
        "docker has 'buildx imagetools inspect' for it",
        "attestations are called so, and say of which image they are",
    ]
    package static let isWorthKeeping = false

    @Flag(help: "Ask the registry, also where the name stands for an index here")
    var remote = false
    @Option(help: "json, or a Go template with .Platform, .Kind, .Here, .Digest, .ID, .Size, .MediaType, .Of")
    var format: String?
    @Argument(help: "NAME[:TAG|@DIGEST]")
    var name: String

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: name)
        let images = try shell.images()
        if !remote, let here = try images.localPlatforms(named: reference.withDefaultTag) {
            return .listing(local(here), format: format)
        }
        let offered = try shell.withOperation { operation throws(ShaleError) in
            try images.platforms(of: reference, operation)
        }
        let names = Dictionary(
            offered.map { ($0.descriptor.digest, PlatformWords.platform($0.platform)) }
        ) { first, _ in first }
        let listing = Listing(
            columns: [
                .init("Chosen", ""), .init("Platform", "PLATFORM"), .init("Kind", "KIND"), .init("Digest", "DIGEST"),
            ],
            rows: offered.map { self.row($0, names) }, quietKey: "Platform")
        return .listing(listing, format: format)
    }

    private func local(_ platforms: [LocalPlatform]) -> Listing {
        let names = PlatformWords.names(of: platforms.map(\.member))
        let rows = platforms.map { platform in
            row(
                platform.member.descriptor, platform.member.platform, isChosen: platform.isChosen,
                kind: PlatformWords.kind(platform.member.kind, names), platform.member.kind,
                here: PlatformWords.presence(platform.presence), image: platform.member.image)
        }
        return Listing(
            columns: [
                .init("Chosen", ""), .init("Platform", "PLATFORM"), .init("Kind", "KIND"), .init("Here", "HERE"),
                .init("Digest", "DIGEST"),
            ], rows: rows, quietKey: "Platform")
    }

    private func row(_ entry: OfferedPlatform, _ names: [Digest: String]) -> JSONDocument {
        row(
            entry.descriptor, entry.platform, isChosen: entry.isChosen, kind: PlatformWords.kind(entry.kind, names),
            entry.kind)
    }

    private func row(
        _ descriptor: Descriptor, _ platform: Platform?, isChosen: Bool, kind: String, _ member: MemberKind,
        here: String = "", image: Digest? = nil
    ) -> JSONDocument {
        var subject = ""
        if case .attestation(let digest?) = member { subject = digest.description }
        return .members([
            "Chosen": .string(isChosen ? "*" : ""), "Platform": .string(PlatformWords.platform(platform)),
            "Kind": .string(kind), "Here": .string(here), "Digest": .string(descriptor.digest.description),
            "ID": .string(image?.description ?? ""), "Size": .string(String(descriptor.size)),
            "MediaType": .string(descriptor.mediaType), "Of": .string(subject),
        ])
    }
}
