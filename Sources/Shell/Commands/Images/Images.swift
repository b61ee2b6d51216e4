package import ArgumentParser
package import Basics
package import Images
import OCI
import Recipes
import Rendering
import Stores

/// `images [REPOSITORY[:TAG]]`.
package struct Images: Verb {
    package static let configuration = CommandConfiguration(
        commandName: "images", abstract: "List images", usage: "images [OPTIONS] [REPOSITORY[:TAG]]")
    package static let operandKinds: [ValueKind] = [.image]
    package static let managementNames: [ManagementName] = ["image ls", "image list"]
    package static let filters = ImageFilter.known
    package static let formatFields = [
        "Repository", "Tag", "ID", "Digest", "CreatedAt", "CreatedSince", "Size", "SharedSize", "UniqueSize",
        "Containers",
    ]
    package static let examples = [
        "images", "images --filter dangling=true -q", "images --filter 'size>100MB'", "images --tree",
    ]
    package static let differences = [
        "the five columns of docker before version 29, always",
        "--tree shows of an index each platform, what of it is here and what is in use; json is one object an image",
        "filters docker has not: in-use, unused, layer=ID, base=IMAGE, size>100MB, created>7d (older), created<7d",
    ]
    package static let isWorthKeeping = false
    package static let leasesWhatItUses = false

    @Flag(name: .shortAndLong, help: "Show all images (default hides intermediate images)")
    var all = false
    @Flag(help: "Show digests")
    var digests = false
    @Option(
        name: .shortAndLong,
        help: "dangling, label, before, since, until, reference, in-use, unused, layer, base; size>100MB, created<7d")
    var filter: [String] = []
    @Option(help: "table, table TEMPLATE, json, raw, or a Go template")
    var format: String?
    @Flag(help: "Don't truncate ids")
    var noTrunc = false
    @Flag(name: .shortAndLong, help: "Only show image ids")
    var quiet = false
    @Flag(help: "Show which image was built on which, and the platforms of a name that stands for several")
    var tree = false
    @Argument(help: "REPOSITORY[:TAG], a pattern")
    var name: String?

    package init() {}

    package mutating func perform(in shell: ShellContext) throws(ShaleError) -> Outcome {
        var conditions = try ImageFilter(parsing: filter)
        if let name { try conditions.add(reference: name) }
        let engine = try shell.engine()
        let isDangling = conditions.isDangling == true
        let images = try engine.images.list(conditions, includingIntermediate: all || isDangling || tree)
        if let name, images.isEmpty, ["ls", "list", "rm", "prune", "inspect"].contains(name) {
            shell.console.note("No images found matching \"\(name)\": did you mean \"docker image \(name)\"?")
        }
        if tree { return try self.tree(images, engine.images) }
        let now = Timestamp.now()
        let rows = images.flatMap { self.rows(of: $0, now: now) }
        let listing = Listing(
            columns: columns, rows: rows, quietKey: "ID",
            rawLines: [("repository", "Repository"), ("tag", "Tag")] + (digests ? [("digest", "Digest")] : [])
                + [("image_id", "ID"), ("created_at", "CreatedAt"), ("virtual_size", "Size")])
        return .listing(listing, format: format, quiet: quiet)
    }

    private func tree(_ images: [ImageSummary], _ engine: ImageEngine) throws(ShaleError) -> Outcome {
        guard ["", "table", "json"].contains(format ?? "") else {
            throw ShaleError(.usage, "--format is not yet supported with --tree", hint: "images --tree --format json")
        }
        if quiet { throw ShaleError(.usage, "--quiet is not yet supported with --tree", hint: "images -q") }
        var platforms: [Digest: [LocalPlatform]] = [:]
        for image in images {
            for index in image.indexes {
                platforms[index.descriptor.digest] = try engine.localPlatforms(of: index.descriptor, noting: image.id)
            }
        }
        let tree = ImageTree(images: images, platforms: platforms, noTrunc: noTrunc)
        return .lines(format == "json" ? tree.documents.map { $0.text() } : tree.lines)
    }

    private var columns: [Listing.Column] {
        [
            Listing.Column("Repository", "REPOSITORY", shrinks: true), Listing.Column("Tag", "TAG", shrinks: true),
            Listing.Column("Digest", "DIGEST", isShown: digests), Listing.Column("ID", "IMAGE ID"),
            Listing.Column("CreatedSince", "CREATED", shrinks: true),
            Listing.Column("CreatedAt", "CREATED AT", isShown: false),
            Listing.Column("Size", "SIZE"), Listing.Column("Containers", "CONTAINERS", isShown: false),
            Listing.Column("SharedSize", "SHARED SIZE", isShown: false),
            Listing.Column("UniqueSize", "UNIQUE SIZE", isShown: false),
        ]
    }

    /// Whether rows have digests: also for a template that asks for them, as docker's do.
    private var hasDigests: Bool { digests || (format ?? "").contains("{{.Digest}}") }

    /// A row a name, as docker has it: tags first, then what is known by digest alone.
    private func rows(of image: ImageSummary, now: Timestamp) -> [JSONDocument] {
        var names: [(repository: String, tag: String, digest: String)] = []
        var tagged: Set<String> = []
        for reference in image.references {
            let repository = reference.familiarName
            tagged.insert(repository)
            let known = image.repoDigests.filter { $0.name == reference.name }.compactMap(\.digest?.description)
            let shown = hasDigests && !known.isEmpty ? known : ["<none>"]
            for digest in shown { names.append((repository, reference.tag ?? Reference.defaultTag, digest)) }
        }
        for reference in image.repoDigests where !tagged.contains(reference.familiarName) {
            if !hasDigests { tagged.insert(reference.familiarName) }
            names.append(
                (reference.familiarName, "<none>", hasDigests ? reference.digest?.description ?? "<none>" : "<none>"))
        }
        if names.isEmpty { names.append(("<none>", "<none>", "<none>")) }
        return names.map { row(image, $0.repository, $0.tag, $0.digest, now: now) }
    }

    private func row(
        _ image: ImageSummary, _ repository: String, _ tag: String, _ digest: String, now: Timestamp
    ) -> JSONDocument {
        .members([
            "Containers": "N/A",
            "CreatedAt": .string(DockerTime.at(image.created)),
            "CreatedSince": .string(DockerTime.since(image.created, now: now)),
            "Digest": .string(digest),
            "ID": .string(noTrunc ? image.id.description : image.id.short),
            "Repository": .string(repository),
            "SharedSize": "N/A",
            "Size": .string(HumanUnits.size(image.size)),
            "Tag": .string(tag),
            "UniqueSize": "N/A",
        ])
    }
}

/// Moments as docker's listings of images write them.
enum DockerTime {
    /// `4 weeks ago`; `N/A` for a time that is not set.
    static func since(_ time: Timestamp?, now: Timestamp) -> String {
        guard let time, time.seconds > 0 else { return "N/A" }
        return HumanUnits.duration(seconds: now.seconds(since: time)) + " ago"
    }

    /// Go's `time.String`: `2024-05-21 12:34:56 +0000 UTC`.
    static func at(_ time: Timestamp?) -> String {
        guard let time, time.seconds > 0 else { return "N/A" }
        let text = Timestamp(seconds: time.seconds).description
        return "\(text.prefix(10)) \(text.dropFirst(11).prefix(8)) +0000 UTC"
    }
}
