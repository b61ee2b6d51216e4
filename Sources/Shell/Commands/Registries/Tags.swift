package import ArgumentParser
package import Basics
import Images
import OCI
import Recipes
import Rendering

/// `tags REPOSITORY [GLOB]`: what a registry has of a repository.
package struct Tags: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "tags", abstract: "List the tags of a repository in its registry",
        usage: "tags [OPTIONS] REPOSITORY [GLOB]")
    package static let operandKinds: [ValueKind] = [.reference]
    package static let examples = ["tags ubuntu", "tags ubuntu '22.*'", "tags --sort semver --limit 5 alpine"]
    package static let differences = ["docker has no such command"]
    package static let isWorthKeeping = false

    @Option(help: "name, or semver: the newest version first")
    var sort: String?
    @Option(help: "Show at most so many")
    var limit: Int?
    @Flag(help: "Show what each tag points to")
    var digests = false
    @Option(help: "json, or a Go template with .Tag and .Digest")
    var format: String?
    @Argument(help: "The repository")
    var repository: String
    @Argument(help: "Which tags: * ? [a-z]")
    var glob: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        let reference = try Reference(parsing: repository)
        guard reference.digest == nil else {
            throw ShaleError(.usage, "\(repository): a repository has tags, a digest has none")
        }
        var order: TagSort?
        if let sort {
            guard let known = TagSort(rawValue: sort) else {
                throw ShaleError(.usage, "--sort \(sort): not one of name, semver")
            }
            order = known
        }
        if let limit, limit < 1 { throw ShaleError(.usage, "--limit \(limit): less than 1") }
        let images = try shell.images()
        let pattern = glob ?? reference.tag
        let (digests, limit) = (digests, limit)
        let rows = try shell.withOperation { operation throws(ShaleError) in
            var tags = try images.remoteTags(of: reference.repository, matching: pattern, order: order, operation)
            if let limit { tags = Array(tags.prefix(limit)) }
            return try images.remoteDigests(of: tags, in: reference.repository, fetching: digests, operation)
        }
        if format == nil, !digests { return .lines(rows.map(\.tag)) }
        let columns = [Listing.Column("Tag", "TAG"), Listing.Column("Digest", "DIGEST", isShown: digests)]
        let listing = Listing(
            columns: columns,
            rows: rows.map { row in
                var members: [JSONDocument.Member] = [.init("Tag", .string(row.tag))]
                if let digest = row.digest { members.append(.init("Digest", .string(digest.description))) }
                return .object(members)
            }, quietKey: "Tag")
        return .listing(listing, format: format)
    }
}
