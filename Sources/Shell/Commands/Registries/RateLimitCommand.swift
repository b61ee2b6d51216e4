package import ArgumentParser
package import Basics
import GoTemplates
import Images
import OCI
import Recipes
import Registries
import Rendering

/// `ratelimit [REGISTRY]`: how many pulls a registry still allows.
package struct RateLimitCommand: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "ratelimit", abstract: "Show how many pulls a registry still allows",
        usage: "ratelimit [OPTIONS] [REGISTRY|NAME]",
        discussion: "Asks for the header of a manifest, which is no pull. Without a registry it is Docker Hub's limit.")
    package static let operandKinds: [ValueKind] = [.remoteReference]
    package static let examples = [
        "ratelimit", "ratelimit --format json", "ratelimit localhost:5000/app:1-amd64",
    ]
    package static let differences = ["docker has no such command; the limit is in the headers of its registry"]
    package static let isWorthKeeping = false

    @Option(help: "json, or a Go template with .registry, .limit, .remaining, .window, .source")
    var format: String?
    @Argument(help: "A registry's host, or any name in it")
    var registry: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let images = try shell.images()
        let reference = try reference(images)
        let limit = try shell.withOperation { operation throws(ShaleError) in
            try images.rateLimit(asking: reference, operation)
        }
        let document = Self.document(limit, of: reference.domain)
        switch Listing.Format(format) {
        case .table: return .line(Self.words(limit, of: reference.domain))
        case .json, .raw: return .line(document.text())
        case .template(let text):
            return .line(try Template(parsing: text, expandingEscapes: true).text(of: document))
        }
    }

    private func reference(_ images: ImageEngine) throws(ShaleError) -> Reference {
        let text = registry ?? Reference.defaultDomain
        if text.contains("/") { return try Reference(parsing: text) }
        // A host by itself is no reference: read it as one would read it before a path.
        let domain = try Reference(parsing: "\(text)/a").domain
        guard domain == text || text == "index.docker.io" else {
            throw ShaleError(.usage, "\(text.visible) is no registry's host", hint: "ratelimit HOST[:PORT]")
        }
        if let name = try images.nameForRateLimit(of: domain) { return name }
        throw ShaleError(
            .usage, "no image here is from \(domain.visible), and a registry is asked about one",
            hint: "ratelimit \(domain.visible)/REPOSITORY:TAG")
    }

    /// `76 of 100 pulls left, window 6 h, counted by 192.0.2.1`.
    private static func words(_ limit: RateLimit?, of domain: String) -> String {
        guard let limit else { return "\(domain) names no limit" }
        var text = "\(domain): \(limit.remaining) of \(limit.limit) pulls left"
        if let window = limit.window { text += ", window \(duration(window))" }
        if let source = limit.source { text += ", counted by \(source)" }
        if let mirror = limit.mirror { text += " (says the mirror \(mirror))" }
        return text
    }

    private static func duration(_ seconds: Int) -> String {
        if seconds > 0, seconds % 3600 == 0 { return "\(seconds / 3600) h" }
        if seconds > 0, seconds % 60 == 0 { return "\(seconds / 60) min" }
        return "\(seconds) s"
    }

    private static func document(_ limit: RateLimit?, of domain: String) -> JSONDocument {
        let number = { (value: Int?) -> JSONDocument in value.map { .integer(Int64($0)) } ?? .null }
        return .members([
            "registry": .string(domain), "limit": number(limit?.limit), "remaining": number(limit?.remaining),
            "window": number(limit?.window), "source": limit?.source.map { .string($0) } ?? .null,
        ])
    }
}
