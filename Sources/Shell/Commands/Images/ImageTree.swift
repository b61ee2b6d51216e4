import Basics
import Images
import OCI
import Rendering
import Stores

/// `images --tree`: each image below the one it was built on, and below a name that stands for an index its platforms.
struct ImageTree {
    private let images: [ImageSummary]
    /// What the indexes list, by their digests.
    private let platforms: [Digest: [LocalPlatform]]
    private let noTrunc: Bool
    private let children: [Digest: [ImageSummary]]

    init(images: [ImageSummary], platforms: [Digest: [LocalPlatform]] = [:], noTrunc: Bool) {
        self.platforms = platforms
        self.noTrunc = noTrunc
        let parents = Set(images.compactMap(\.parent))
        let members = Set(platforms.values.joined().compactMap(\.member.image))
        // What an index lists stands below that.
        self.images = images.filter { image in
            !members.contains(image.id) || !image.references.isEmpty || !image.indexes.isEmpty
                || parents.contains(image.id)
        }
        var children: [Digest: [ImageSummary]] = [:]
        for image in self.images { if let parent = image.parent { children[parent, default: []].append(image) } }
        self.children = children
    }

    // MARK: As text

    var lines: [String] {
        let known = Set(images.map(\.id))
        let roots = images.filter { image in image.parent.map { !known.contains($0) } ?? true }
        return roots.flatMap { lines(of: $0, lead: "", own: "", depth: 0) }
    }

    private func lines(of image: ImageSummary, lead: String, own: String, depth: Int) -> [String] {
        var result: [String] = []
        let below = children[image.id] ?? []
        let branch = { (isLast: Bool) in isLast ? "└─ " : "├─ " }
        // A name that stands for several platforms has lines of its own, with these below it.
        let indexed = Set(image.indexes.flatMap(\.references))
        let single = image.references.filter { !indexed.contains($0) }
        if image.indexes.isEmpty || !single.isEmpty || !below.isEmpty {
            result.append(own + title(image, image.indexes.isEmpty ? image.references : single))
        }
        for index in image.indexes {
            let rows = platforms[index.descriptor.digest] ?? []
            result.append((result.isEmpty ? own : lead) + title(index, rows))
            let texts = self.rows(rows)
            for (position, text) in texts.enumerated() {
                result.append(lead + branch(position == texts.count - 1) + text)
            }
        }
        // Parents come from the store's notes; a circle in them must not hang a listing.
        guard depth < 200 else { return result }
        for (position, child) in below.enumerated() {
            let isLast = position == below.count - 1
            result += lines(
                of: child, lead: lead + (isLast ? "   " : "│  "), own: lead + branch(isLast), depth: depth + 1)
        }
        return result
    }

    private func title(_ image: ImageSummary, _ references: [Reference]) -> String {
        "\(names(references))  \(short(image.id))  \(HumanUnits.size(image.size))"
    }

    private func title(_ index: NamedIndex, _ rows: [LocalPlatform]) -> String {
        let disk = rows.reduce(Int64(0)) { $0.addingClamped($1.usage.unpacked) }
        let content = rows.reduce(Int64(0)) { $0.addingClamped($1.usage.packed) }
        return "\(names(index.references))  \(short(index.descriptor.digest))  \(HumanUnits.size(disk))  "
            + "\(HumanUnits.size(content)) packed"
    }

    private func names(_ references: [Reference]) -> String {
        let text = references.map(\.familiar).sorted().joined(separator: ", ")
        return text.isEmpty ? "<untagged>" : text
    }

    /// A platform a row: platform, digest, unpacked and packed bytes, and what there is to say of it.
    private func rows(_ platforms: [LocalPlatform]) -> [String] {
        let names = PlatformWords.names(of: platforms.map(\.member))
        let cells = platforms.map { platform in
            let isHere = platform.presence != .none
            return [
                PlatformWords.platform(platform.member), short(platform.member.descriptor.digest),
                isHere ? HumanUnits.size(platform.usage.unpacked) : "-",
                isHere ? "\(HumanUnits.size(platform.usage.packed)) packed" : "-",
                PlatformWords.state(platform, names),
            ]
        }
        let widths = (0..<4).map { column in cells.map { $0[column].count }.max() ?? 0 }
        return cells.map { row in
            let padded = zip(row, widths).map { text, width in
                text + String(repeating: " ", count: max(0, width - text.count))
            }
            var line = (padded + [row[4]]).joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    private func short(_ digest: Digest) -> String { noTrunc ? digest.description : digest.short }

    // MARK: As JSON

    /// An object an image or index.
    var documents: [JSONDocument] {
        images.flatMap { image in
            let indexed = Set(image.indexes.flatMap(\.references))
            let single = image.references.filter { !indexed.contains($0) }
            var documents: [JSONDocument] = []
            if image.indexes.isEmpty || !single.isEmpty { documents.append(document(image, single, nil)) }
            for index in image.indexes { documents.append(document(image, index.references, index.descriptor)) }
            return documents
        }
    }

    private func document(_ image: ImageSummary, _ names: [Reference], _ index: Descriptor?) -> JSONDocument {
        var members: [JSONDocument.Member] = [
            .init("Names", .array(names.map { .string($0.familiar) })), .init("ID", .string(image.id.description)),
            .init("Digest", .string((index ?? image.manifest).digest.description)),
            .init("Parent", .string(image.parent?.description ?? "")), .init("Size", .integer(image.size)),
        ]
        if let index {
            let rows = platforms[index.digest] ?? []
            let names = PlatformWords.names(of: rows.map(\.member))
            members.append(.init("Platforms", .array(rows.map { document($0, names) })))
        }
        return .object(members)
    }

    private func document(_ platform: LocalPlatform, _ names: [Digest: String]) -> JSONDocument {
        .members([
            "Platform": .string(PlatformWords.platform(platform.member)),
            "Kind": .string(PlatformWords.kind(platform.member.kind, names)),
            "Digest": .string(platform.member.descriptor.digest.description),
            "ID": .string(platform.member.image?.description ?? ""),
            "Here": .string(PlatformWords.presence(platform.presence)), "Chosen": .bool(platform.isChosen),
            "DiskUsage": .integer(platform.usage.unpacked), "ContentSize": .integer(platform.usage.packed),
            "Containers": .integer(Int64(platform.containers)),
        ])
    }
}

/// How entries of indexes are told.
enum PlatformWords {
    static func platform(_ member: IndexMember) -> String { platform(member.platform) }

    static func platform(_ platform: Platform?) -> String {
        guard let platform else { return "none named" }
        return (platform.description + (platform.osVersion.map { " \($0)" } ?? "")).visible
    }

    static func presence(_ presence: LocalPlatform.Presence) -> String {
        switch presence {
        case .whole: "yes"
        case .part: "in part"
        case .none: "no"
        }
    }

    /// The platforms of an index's entries, by their digests.
    static func names(of members: [IndexMember]) -> [Digest: String] {
        Dictionary(members.map { ($0.descriptor.digest, platform($0)) }) { first, _ in first }
    }

    /// What an entry is; `names` has the platform of an image that an attestation is about.
    static func kind(_ kind: MemberKind, _ names: [Digest: String]) -> String {
        switch kind {
        case .image: return "image"
        case .attestation(let digest): return "attestation" + (digest.flatMap { names[$0] }.map { " of \($0)" } ?? "")
        case .index: return "index"
        case .artifact(let type): return type.visible
        }
    }

    /// What a row of `images --tree` says of a platform beside its sizes.
    static func state(_ platform: LocalPlatform, _ names: [Digest: String]) -> String {
        var words: [String] = []
        if platform.member.kind != .image { words.append(kind(platform.member.kind, names)) }
        switch platform.presence {
        case .whole: break
        case .part: words.append("here in part")
        case .none: words.append("not here")
        }
        if platform.containers > 0 { words.append("in use") }
        return words.joined(separator: ", ")
    }
}
